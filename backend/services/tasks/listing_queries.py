"""The statements that list tasks. Each is one round trip, and returns JSON text.

Under row-level security, an index can serve only conditions that leak nothing, such as = and < on columns. So each
listing reads the index of its sort only from the start of its page to its end.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
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
from backend.models.tables import tasks, users
from backend.models.task import TaskSort
from backend.services.tasks.columns import OWNED, PUBLIC, PUBLIC_IN_TRASH, TASK_ID, as_json, public
from backend.services.unit_of_work import USER_ID

MAX_BYTES = 4 * 1024 * 1024  # of tasks in a page, plus one task
MAX_IN_SHORT = 64  # tasks: they cannot exceed MAX_BYTES, so no bytes are counted

TaskPage = Select[str, str, bool, datetime | str, UUID, int | None]
ShortPage = Select[str, str | None, int | None]

_MOMENT = DateTime(timezone=True)
_MICROSECONDS = cast(extract("epoch", users.c.created_at) * 1_000_000, BigInteger)
# Changes with every write: a purge changes only the task count, a recreated account its time.
_TAG = func.concat_ws("-", users.c.revision, users.c.task_count, _MICROSECONDS, type_=Text)
_LIMIT: ColumnElement[int] = bind("max_rows", type_=Integer)
_KNOWN: ColumnElement[Any] = cast(bind("known"), ARRAY[str](Text))  # tags that the client has; null means any


@dataclass(frozen=True, slots=True)
class Shape:
    """What distinguishes the statements of listings; `filters` names the filters that are set."""

    sort: TaskSort = TaskSort.CREATED_AT_REVERSED
    is_after: bool = False  # whether it starts after a cursor
    in_trash: bool = False
    filters: frozenset[str] = frozenset()
    with_total: bool = False
    is_short: bool = False  # whether it can be read the short way


# A listing can have thousands of shapes, at about 6 kB each. Their sources would be twenty times as large.
@lru_cache(maxsize=2048)
def compiled_list(shape: Shape) -> Compiled:
    """Compile the statement of a listing."""
    return compile_statement(list_statement(shape))


def list_statement(shape: Shape) -> TaskPage | ShortPage:
    """Build the statement that selects a page of tasks."""
    return _short_list(shape) if shape.is_short else _long_list(shape)


def _short_list(shape: Shape) -> ShortPage:
    """Select each task of a page, and one more, as JSON, in the order they are read.

    Each row also has the tag of all the user's data and, if requested, the number of tasks in all pages. There is one
    row without a task if there are no tasks, and none if the user has never written anything. Postgres needs two thirds
    of the time that one row with an array would take, most of it for planning.
    """
    conditions = _conditions(shape, _TAG)
    task = _found(shape, conditions, ()).correlate(users).subquery("task")
    page = select(as_json(task).label("document")).lateral("page")
    rows: Any = select(_TAG, page.c.document, _total(shape, conditions))
    typed: ShortPage = rows.select_from(users.outerjoin(page, true())).where(users.c.id == USER_ID)
    return typed


def _long_list(shape: Shape) -> TaskPage:
    """Select one row: a page of tasks, with its metadata.

    The columns are: the tag of all the user's data, the array of tasks, whether more follow, the key and the id of the
    last one, and, if requested, the number of tasks in all pages.
    """
    account = select(func.coalesce(func.max(_TAG), "0").label("tag")).where(users.c.id == USER_ID).cte("account")
    tag = select(account.c.tag).scalar_subquery()
    conditions = _conditions(shape, tag)
    columns: list[Any] = [tag, *_long_page(shape, conditions), _total(shape, conditions)]
    page: Any = select(*columns)  # more columns than the stubs support
    typed: TaskPage = page
    return typed


def _conditions(shape: Shape, tag: ColumnElement[str]) -> tuple[ColumnElement[bool], ...]:
    return (
        OWNED,
        tasks.c.in_trash == shape.in_trash,
        tag != all_(_KNOWN),  # reads nothing for a client that already has it
        *(_FILTERS[name] for name in sorted(shape.filters)),
    )


def _total(shape: Shape, conditions: tuple[ColumnElement[bool], ...]) -> ColumnElement[Any]:
    if not shape.with_total:
        return null()
    return select(func.count()).select_from(tasks).where(*conditions).correlate(users).scalar_subquery()


def _long_page(shape: Shape, conditions: tuple[ColumnElement[bool], ...]) -> tuple[ColumnElement[Any], ...]:
    """Write the tasks as JSON, and count their bytes: the page ends when there are too many."""
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
    """Return whether a page can be read the short way: with few tasks, sorted by a field that is shown."""
    return limit <= MAX_IN_SHORT and sort.column in PUBLIC


def _written(shape: Shape, conditions: tuple[ColumnElement[bool], ...]) -> Subquery:
    """Read a page's tasks and one more, and write each as JSON."""
    found = _found(shape, conditions, (tasks.c[shape.sort.column].label("key"),)).subquery("found")
    shown = select(*public(found, _names(shape))).correlate(found).lateral("shown")
    document = func.row_to_json(shown.table_valued())
    # OFFSET keeps this query separate. Otherwise each document would be written twice: to measure and to send it.
    written = select(found.c.key, found.c.id, document.label("document")).join(shown, true()).offset(0)
    return written.subquery("written")


def _found(shape: Shape, conditions: tuple[ColumnElement[bool], ...], more: tuple[ColumnElement[Any], ...]) -> Any:
    """Read a page's tasks and one more, with the columns shown and those in `more`."""
    key = tasks.c[shape.sort.column]
    rows: Any = select(*public(tasks, _names(shape)), *more).where(*conditions)  # more columns than the stubs support
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
    """Add each task's number, its size in bytes, and the bytes up to its end."""
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
    """Order by a key and then by id, both in the same direction, so that one index serves both directions."""
    return (key.desc(), task_id.desc()) if sort.is_reversed else (key.asc(), task_id.asc())


def _search() -> ColumnElement[bool]:
    """Search for words. The last one, at the end of the query's text, is marked as a prefix if it may be one."""
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
