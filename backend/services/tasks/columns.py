"""What the statements about tasks share: the tenant filter, tags of listings, and tasks as JSON.

Every statement says `user_id = …` (the tenant filter), and row-level security enforces it again. In a session that is
limited to one list, both also say `list_id = …`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    FromClause,
    Text,
    Uuid,
    all_,
    case,
    cast,
    extract,
    func,
    literal_column,
    select,
)
from sqlalchemy import bindparam as bind
from sqlalchemy.sql.selectable import NamedFromClause

from backend.database.statements import InSessionOfList
from backend.models.tables import lists, tasks, users
from backend.models.task import Status, TaskPublic
from backend.services.unit_of_work import USER_ID
from backend.utils.priorities import BANDS

TASK_ID = bind("task", type_=Uuid)
# The list of a session that is limited to one. The guard gives its value.
LIST_OF_SESSION: ColumnElement[Any] = bind("guard_list_id", type_=Uuid)


def _owned(user_id: ColumnElement[Any], list_id: ColumnElement[Any]) -> ColumnElement[bool]:
    of_user = user_id == USER_ID
    return InSessionOfList((of_user & (list_id == LIST_OF_SESSION)).self_group(), of_user)


def owned(source: FromClause) -> ColumnElement[bool]:
    """Return the tenant filter of tasks under another name."""
    return _owned(source.c.user_id, source.c.list_id)


OWNED = owned(tasks)
OWN_LISTS = _owned(lists.c.user_id, lists.c.id)
ALIVE = tasks.c.deleted_at.is_(None)

PUBLIC = tuple(name for name, field in TaskPublic.model_fields.items() if field.is_required())
PUBLIC_IN_TRASH = (*PUBLIC, "deleted_at")


# Words are part of the text: as values, they would be sent with every call.
_DONE: ColumnElement[str] = literal_column(f"'{Status.DONE.value}'", Text)
STATUS: ColumnElement[str] = case((tasks.c.completed, _DONE), else_=tasks.c.open_status)
# The word of each number, from 1; null without a priority. Postgres plans it faster than a CASE.
_WORDS = literal_column(f"('{{{','.join(word for word, band in BANDS.items() for _ in band)}}}'::text[])", ARRAY(Text))
PRIORITY: ColumnElement[str | None] = _WORDS[tasks.c.priority]
# What clients see of `tasks` besides its columns, or in place of one.
SHOWN: dict[str, ColumnElement[Any]] = {"status": STATUS.label("status"), "priority": PRIORITY.label("priority")}


def public(source: FromClause, names: tuple[str, ...] = PUBLIC) -> tuple[ColumnElement[Any], ...]:
    """Return the columns that clients see, in the order of the documented model."""
    return tuple(SHOWN[name] if source is tasks and name in SHOWN else source.c[name] for name in names)


def subtask_counts(source: FromClause) -> ColumnElement[Any]:
    """Count the living subtasks of each task of the source, and those of them that are done."""
    below = tasks.alias("below")
    counts = func.json_build_object("total", func.count(), "done", func.count().filter(below.c.completed))
    conditions = (owned(below), below.c.parent_id == source.c.id, below.c.in_trash.is_(False))
    return select(counts).select_from(below).where(*conditions).correlate(source).scalar_subquery()


def as_json(source: NamedFromClause) -> ColumnElement[str]:
    """Turn each row into JSON text, so that Python neither builds nor serialises it."""
    return cast(func.row_to_json(source.table_valued()), Text)


def tag_of_account() -> ColumnElement[str]:
    """Return the tag of all the user's data.

    It changes with every write: a purge changes only the task count, a recreated account its time. A session that is
    limited to one list sees other data, and so has other tags, which do not show how many tasks the account has.
    """
    microseconds = cast(extract("epoch", users.c.created_at) * 1_000_000, BigInteger)
    parts = (users.c.revision, users.c.task_count, microseconds)
    with_list = func.concat_ws("-", *parts, cast(LIST_OF_SESSION, Text), type_=Text)
    hidden = func.encode(func.sha256(func.convert_to(with_list, "UTF8")), "hex", type_=Text)
    return InSessionOfList(hidden, func.concat_ws("-", *parts, type_=Text))


def is_unknown(tag: ColumnElement[str]) -> ColumnElement[bool]:
    """Return whether the client lacks what has this tag. The parameter `known` holds its tags; null means any."""
    known: ColumnElement[Any] = cast(bind("known"), ARRAY[str](Text))
    return tag != all_(known)
