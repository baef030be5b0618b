"""The statements that export a user's data. A statement writes a page of a table, as JSON lines.

A page holds the rows from a key on, and names the key at which the next page begins. So a row that exists all the time
is exported once, even if there are writes meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    Column,
    ColumnElement,
    Integer,
    Table,
    Text,
    Uuid,
    cast,
    func,
    literal,
    not_,
    true,
)
from sqlalchemy import bindparam as bind
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.sql.selectable import NamedFromClause
from sqlmodel import select
from sqlmodel.sql.expression import Select, SelectOfScalar

from backend.models.tables import tasks, users
from backend.models.task_query import INBOX
from backend.services.account.lines import PARTS
from backend.services.resources.parameters import USER_ID, owned
from backend.services.tasks.columns import ALIVE, SHOWN, TASK_ID, public

# The lines of a page, or null if there are none; and the key of the row after it.
Lines = Select[str | None, Any]

_MAX_ROWS: ColumnElement[int] = bind("max_rows", type_=Integer)
_LEFT_OUT = {"token_hash", "password_hash", "due_key", "name_key", "match_key", "has_subtasks"}
_MAX_BYTES: ColumnElement[int] = bind("max_bytes", type_=BigInteger)


def _account() -> SelectOfScalar[str]:
    """Write the line of the account, even for a user who never wrote anything."""
    principal = select(cast(USER_ID, Text).label("id")).subquery("principal")
    counts = (func.coalesce(users.c[name], 0).label(name) for name in ("revision", "task_count", "purged_revision"))
    others = (users.c.created_at, users.c.timezone, users.c.last_position)
    columns: tuple[ColumnElement[Any], ...] = (principal.c.id, *others, *counts)
    account = select(*columns).select_from(principal.outerjoin(users, users.c.id == USER_ID)).subquery("account")
    return select(func.concat('{"type":"account","data":', _document(account), "}\n", type_=Text))


def _lines(kind: str, table: Table) -> Lines:
    """Write the rows of a page as they are in the table, each with its type."""
    start = bind(f"from_{kind}", type_=key_of(table).type)
    return _page(table, stored(table), start, lambda row: (f'{{"type":"{kind}","data":', _document(row), "}\n"))


def key_of(table: Table) -> Column[Any]:
    """Return the column that identifies a row of a user: the user itself, if there is only one."""
    *_, key = table.primary_key.columns
    return key


def _page(
    table: Table,
    columns: Sequence[ColumnElement[Any]],
    start: ColumnElement[Any],
    line: Callable[[NamedFromClause], tuple[ColumnElement[str] | str, ...]],
    *conditions: ColumnElement[bool],
) -> Lines:
    """Write the rows of a page in the order of their keys, the first one however large it is."""
    # Postgres knows the length of a long text without reading it.
    lengths = [func.octet_length(column) for column in columns if isinstance(column.type, Text)]
    lengths += [func.octet_length(cast(column, Text)) for column in columns if isinstance(column.type, ARRAY | JSON)]
    key = key_of(table).name
    size = sum((func.coalesce(length, 0) for length in lengths[1:]), lengths[0])
    found = (
        select(*(*columns, size.label("size")))
        .where(owned(table), table.c[key] >= start, *conditions)
        .order_by(table.c[key])
        .limit(_MAX_ROWS + 1)
        .subquery("found")
    )
    window: dict[str, Any] = {"order_by": found.c[key]}
    before = func.sum(found.c.size).over(**window) - found.c.size
    counted = (func.row_number().over(**window).label("number"), before.label("bytes_before"))
    row = select(*(*found.c, *counted)).subquery("numbered")
    fits = (row.c.number <= _MAX_ROWS) & (row.c.bytes_before < _MAX_BYTES)
    shown = select(*(row.c[name] for name, _ in found.c.items() if name != "size")).correlate(row).lateral("shown")
    text = func.concat(*line(shown), type_=Text)
    lines = func.string_agg(text, aggregate_order_by(literal(""), row.c.number)).filter(fits)
    behind = func.array_agg(aggregate_order_by(row.c[key], row.c.number), type_=ARRAY(table.c[key].type))
    return select(lines, behind.filter(not_(fits))[1]).select_from(row.join(shown, true()))


def stored(table: Table) -> list[ColumnElement[Any]]:
    """List the columns of a table, except secrets and what Postgres computes.

    A column of tasks that clients know under another name has that name.
    """
    names = (column.name for column in table.columns if column.computed is None and column.name not in _LEFT_OUT)
    shown = {"open_status": SHOWN["status"], "priority": SHOWN["priority"]}
    return [shown.get(name, table.c[name]) for name in names]


def _document(row: NamedFromClause) -> ColumnElement[str]:
    return cast(func.row_to_json(row.table_valued()), Text)


def _parent_uid() -> ColumnElement[Any]:
    """Select the UID of the parent of a task, or null without such a parent or UID."""
    above = tasks.alias("above")
    uid = select(above.c.uid).where(owned(above), above.c.id == tasks.c.parent_id).correlate(tasks)
    return uid.scalar_subquery().label("parent_uid")


ACCOUNT = _account()
PAGES = {kind: _lines(kind, part.table) for kind, part in PARTS.items()}
# Which tasks: all, or what is in no list, or what is in a list.
_PLACES = {"all": (), INBOX: (tasks.c.list_id.is_(None),), "list": (tasks.c.list_id == bind("list", type_=Uuid),)}


def _tasks(columns: Sequence[ColumnElement[Any]]) -> dict[str, Lines]:
    """Write tasks in the form of single answers, without those in the trash."""
    return {
        place: _page(tasks, columns, TASK_ID, lambda row: (_document(row), "\n"), ALIVE, *conditions)
        for place, conditions in _PLACES.items()
    }


LIVING_TASKS = _tasks(public(tasks))
# The same with what only a calendar has of them: the numbers of priorities, and the UIDs of tasks and of their parents.
CALENDAR_TASKS = _tasks((*public(tasks), tasks.c.priority.label("priority_number"), tasks.c.uid, _parent_uid()))
