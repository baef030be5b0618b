"""The statements that list tasks. Each is one round trip, and answers JSON text.

Row-level security lets an index serve only conditions that leak nothing, such as = and < on columns. So each list reads
the index of its sort from where its page starts, and no further than where it ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    Boolean,
    ColumnElement,
    DateTime,
    Integer,
    Subquery,
    Text,
    Uuid,
    all_,
    and_,
    any_,
    case,
    cast,
    extract,
    func,
    null,
    true,
    tuple_,
)
from sqlalchemy import bindparam as bind
from sqlalchemy.dialects.postgresql import REGCONFIG, TSQUERY, aggregate_order_by
from sqlmodel import select
from sqlmodel.sql.expression import Select

from backend.database.statements import Compiled, compile_statement
from backend.models.task import TaskSort
from backend.services.tasks.columns import OWNED, PUBLIC, PUBLIC_IN_TRASH, TASK_ID, USER_ID, public, tasks, users

MAX_BYTES = 4 * 1024 * 1024  # of tasks in a page, and one more task
MAX_IN_SHORT = 64  # tasks: they can have no more bytes, so that nobody has to count

TaskPage = Select[str, str, bool, datetime | str, UUID, int | None]

_MOMENT = DateTime(timezone=True)
_LIMIT: ColumnElement[int] = bind("most", type_=Integer)
_KNOWN: ColumnElement[Any] = cast(bind("known"), ARRAY[str](Text))  # tags of what the client has; null: any


@dataclass(frozen=True, slots=True)
class Shape:
    """What makes one list's statement differ from another's; `filters` names those that are set."""

    sort: TaskSort = TaskSort.CREATED_AT_REVERSED
    is_after: bool = False  # a place that a cursor names
    in_trash: bool = False
    filters: frozenset[str] = frozenset()
    with_total: bool = False
    is_short: bool = False  # can be read the short way


# Of thousands of shapes that a list can have, at about 6 kB each. What they are compiled from is twenty times as large.
@lru_cache(maxsize=2048)
def compiled_list(shape: Shape) -> Compiled:
    """Compile a list's statement."""
    return compile_statement(list_statement(shape))


def list_statement(shape: Shape) -> TaskPage:
    """Build the statement that selects one row: a page of tasks, and what belongs to it.

    The columns are: the tag of all that the user has, the array of tasks, whether more follow, the key and the id of
    the last one, and how many tasks there are in all pages, if that is asked for.
    """
    tag = _tag()
    conditions = (
        OWNED,
        tasks.c.in_trash == shape.in_trash,
        tag != all_(_KNOWN),  # nothing is read for a client that has it already
        *(_FILTERS[name] for name in sorted(shape.filters)),
    )
    total = select(func.count()).select_from(tasks).where(*conditions).scalar_subquery() if shape.with_total else None
    page_of = _short_page if shape.is_short else _long_page
    columns: list[Any] = [tag, *page_of(shape, conditions), null() if total is None else total]
    page: Any = select(*columns)  # of more columns than the stubs know
    typed: TaskPage = page
    return typed


def _short_page(shape: Shape, conditions: tuple[ColumnElement[bool], ...]) -> tuple[ColumnElement[Any], ...]:
    """Write each task as JSON, in the order in which it was read. Postgres plans this in half the time."""
    task = _found(shape, conditions, ()).subquery("task")
    documents = func.array_agg(func.row_to_json(task.table_valued()), type_=ARRAY(JSON))
    keys = func.array_agg(task.c[shape.sort.column], type_=ARRAY(_MOMENT))
    ids = func.array_agg(task.c.id, type_=ARRAY(Uuid))
    text = cast(func.array_to_json(documents[1:_LIMIT]), Text)
    return func.coalesce(text, "[]"), func.count() > _LIMIT, keys[_LIMIT], ids[_LIMIT]


def _long_page(shape: Shape, conditions: tuple[ColumnElement[bool], ...]) -> tuple[ColumnElement[Any], ...]:
    """Write each task as JSON, and count its bytes: the page ends where there are too many."""
    task = _numbered(_written(shape, conditions), shape.sort)
    in_page = and_(task.c.position <= _LIMIT, task.c.end - task.c.size < MAX_BYTES)
    last = and_(in_page, (task.c.position == _LIMIT) | (task.c.end >= MAX_BYTES))
    documents = func.json_agg(aggregate_order_by(task.c.document, task.c.position)).filter(in_page)
    return (
        func.coalesce(cast(documents, Text), "[]"),
        func.count() > func.count().filter(in_page),
        func.max(task.c.key).filter(last),
        cast(func.max(cast(task.c.id, Text)).filter(last), Uuid),
    )


def can_be_short(sort: TaskSort, limit: int) -> bool:
    """Tell whether a page can be read the short way: few tasks, whose key is a field that is shown."""
    return limit <= MAX_IN_SHORT and sort.column in PUBLIC


def _tag() -> ColumnElement[str]:
    """Make what is another after each change: a purge moves the count of tasks only, an account made anew its time."""
    microseconds = cast(extract("epoch", users.c.created_at) * 1_000_000, BigInteger)
    tag = func.concat_ws("-", users.c.revision, users.c.task_count, microseconds)
    account = select(func.coalesce(func.max(tag), "0").label("tag")).where(users.c.id == USER_ID).cte("account")
    return select(account.c.tag).scalar_subquery()


def _written(shape: Shape, conditions: tuple[ColumnElement[bool], ...]) -> Subquery:
    """Read a page's tasks and one more, and write each as JSON."""
    found = _found(shape, conditions, (tasks.c[shape.sort.column].label("key"),)).subquery("found")
    shown = select(*public(found, _names(shape))).correlate(found).lateral("shown")
    document = func.row_to_json(shown.table_valued())
    # OFFSET keeps it apart from what follows, or each document would be written twice: to be measured, and to be sent.
    written = select(found.c.key, found.c.id, document.label("document")).join(shown, true()).offset(0)
    return written.subquery("written")


def _found(shape: Shape, conditions: tuple[ColumnElement[bool], ...], more: tuple[ColumnElement[Any], ...]) -> Any:
    """Read a page's tasks and one more, with more columns than are shown."""
    key = tasks.c[shape.sort.column]
    rows: Any = select(*public(tasks, _names(shape)), *more).where(*conditions)  # of more columns than the stubs know
    if shape.is_after:
        here, place = (
            tuple_(key, tasks.c.id),
            tuple_(bind("after", type_=Text() if shape.sort.kind is str else _MOMENT), TASK_ID),
        )
        rows = rows.where(here < place if shape.sort.is_reversed else here > place)
    return rows.order_by(*_ordered(key, tasks.c.id, shape.sort)).limit(_LIMIT + 1)


def _names(shape: Shape) -> tuple[str, ...]:
    return PUBLIC_IN_TRASH if shape.in_trash else PUBLIC


def _numbered(task: Subquery, sort: TaskSort) -> Subquery:
    """Give each task its number, and measure them: the bytes of each, and those up to its end."""
    window: dict[str, Any] = {"order_by": _ordered(task.c.key, task.c.id, sort), "rows": (None, 0)}
    size = func.octet_length(cast(task.c.document, Text))
    columns: tuple[ColumnElement[Any], ...] = (
        *task.c,
        size.label("size"),
        func.row_number().over(**window).label("position"),
        func.sum(size).over(**window).label("end"),
    )
    return select(*columns).subquery("numbered")


def _ordered(key: ColumnElement[Any], task_id: ColumnElement[Any], sort: TaskSort) -> tuple[ColumnElement[Any], ...]:
    """Order by a key, and by id where it is the same: the one direction or the other, so that one index serves both."""
    return (key.desc(), task_id.desc()) if sort.is_reversed else (key.asc(), task_id.asc())


def _search() -> ColumnElement[bool]:
    """Look for words. If the last of them may be a beginning, mark it so: it stands at the end of the query's text."""
    asked = select(func.websearch_to_tsquery(cast("simple", REGCONFIG), bind("filter_q", type_=Text)).label("query"))
    query = asked.subquery("asked").c.query
    as_text = cast(query, Text)
    ends_in_word = and_(bind("ends_in_beginning", type_=Boolean), func.right(as_text, 1) == "'")
    marked = case((ends_in_word, cast(as_text + ":*", TSQUERY)), else_=query)
    return tasks.c.words.op("@@", is_comparison=True)(select(marked).scalar_subquery())


_FILTERS: dict[str, ColumnElement[bool]] = {
    "completed": tasks.c.completed == bind("filter_completed", type_=Boolean),
    "created_after": tasks.c.created_at > bind("filter_created_after", type_=_MOMENT),
    "created_before": tasks.c.created_at < bind("filter_created_before", type_=_MOMENT),
    "updated_after": tasks.c.updated_at > bind("filter_updated_after", type_=_MOMENT),
    "updated_before": tasks.c.updated_at < bind("filter_updated_before", type_=_MOMENT),
    "ids": tasks.c.id == any_(cast(bind("filter_ids"), ARRAY[UUID](Uuid))),
    "q": _search(),
}
