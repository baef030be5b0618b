"""The statements that list tasks. Each takes a round trip, and returns tasks as JSON text, a row for every task.

Under row-level security, an index can serve only conditions that leak nothing, such as = and < on columns. So each
listing reads the index of its sort only from the start of its page to its end.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from itertools import chain, compress
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    DateTime,
    Integer,
    SmallInteger,
    Subquery,
    Text,
    case,
    cast,
    exists,
    false,
    func,
    null,
    true,
    tuple_,
    union_all,
)
from sqlalchemy import bindparam as bind
from sqlalchemy.types import TypeEngine
from sqlmodel import select

from backend.database.statements import Compiled, compile_statement
from backend.models.tables import tasks, users
from backend.models.task import Status
from backend.models.task_query import INBOX, TaskQuery, TaskSort
from backend.models.values.cursor import Key
from backend.services.resources.parameters import OWNED, USER_ID, owned
from backend.services.resources.statements import as_json, is_unknown, tag_of_account
from backend.services.tasks.columns import (
    PUBLIC,
    PUBLIC_IN_TRASH,
    SHOWN,
    STATUS,
    TASK_ID,
    as_json_of_many,
    public,
    subtask_counts,
)
from backend.services.tasks.due_queries import DUE_CONDITIONS, zone_of
from backend.services.tasks.listing_filters import (
    CONDITIONS,
    IDS,
    KEYS_OF_COMPLETED,
    OF_ONE_SIDE,
    OF_STATUS,
    PARENT_ID,
    PREPARED_FILTERS,
    is_read_in_order,
)

MAX_BYTES = 4 * 1024 * 1024  # of tasks in a page, plus one task
MAX_IN_SHORT = 50  # tasks: they cannot exceed MAX_BYTES, so no bytes are counted

_MOMENT = DateTime(timezone=True)
_TYPES: dict[type[Key], TypeEngine[Any]] = {str: Text(), datetime: _MOMENT, int: SmallInteger()}
_TAG = tag_of_account()
_STATE = func.concat_ws(" ", users.c.revision, _TAG, type_=Text)
_LIMIT: ColumnElement[int] = bind("max_rows", type_=Integer)

# Before a statement that reads tasks in the order of an index. Postgres does not know how many tasks each user has: it
# would read all of somebody who has many, and sort them for one page.
_IN_ORDER = "SET LOCAL enable_sort = off; "


@dataclass(frozen=True, slots=True)
class Shape:
    """What distinguishes the statements of listings; `filters` names the filters that are set."""

    sort: TaskSort = TaskSort.CREATED_AT_REVERSED
    is_after: bool = False  # whether it starts after a cursor
    is_conditional: bool = False  # whether the client knows tags, and with the right one needs no tasks
    in_trash: bool = False
    filters: frozenset[str] = frozenset()
    with_total: bool = False
    with_counts: bool = False  # of each status
    is_short: bool = False  # whether no bytes are counted, and the tasks alone are read
    with_subtasks: bool = False  # with the numbers of their subtasks
    of_living: bool = False  # whether they are the subtasks of a task that must be there

    @property
    def is_read_in_order(self) -> bool:
        """Return whether an index has the tasks in this order, and no filter has another index."""
        return is_read_in_order(self.sort.column, self.filters)

    @property
    def has_two_sides(self) -> bool:
        """Return whether open and done tasks are read separately in this order, as their index holds them apart."""
        return self.is_read_in_order and self.sort.column == "due_key" and self.filters.isdisjoint(OF_ONE_SIDE)

    @property
    def beside(self) -> tuple[str, ...]:
        """Name what stands beside the texts: numbers beside the tag, and beside a task its key, unless it is shown."""
        wanted = {"total": self.with_total, "counts": self.with_counts, "key": not is_shown(self.sort)}
        return tuple(compress(wanted, wanted.values()))


class Account(NamedTuple):
    """What the statement of a listing needs of the user's row."""

    tag: ColumnElement[str]
    zone: ColumnElement[Any]


# A listing can have thousands of shapes, at about 6 kB each. Their sources would be twenty times as large.
@lru_cache(maxsize=2048)
def compiled_list(shape: Shape) -> Compiled:
    """Compile the statement of a listing."""
    compiled = compile_statement(list_statement(shape))
    if not shape.filters <= PREPARED_FILTERS:
        compiled = replace(compiled, prepared=())
    return replace(compiled, settings=_IN_ORDER) if shape.is_read_in_order else compiled


def list_statement(shape: Shape) -> CompoundSelect[Any]:
    """Select the state of all the user's data, then the tasks of a page and one more task, in the order they are read.

    The state is the revision and the tag in one text, so that no task needs another column. It is null if these are the
    subtasks of no living task. There is no row at all if the user has never written anything. Postgres would take half
    as long again for one row with all tasks, and longer for a join of tag and tasks.
    """
    account = Account(_of_user(_TAG), _of_user(users.c.timezone))
    state: ColumnElement[Any] = case((_has_living_parent(), _STATE)) if shape.of_living else _STATE
    numbers = _counts(shape, account)
    first = select(state, *(numbers.get(name, null()) for name in shape.beside)).where(users.c.id == USER_ID)
    page = (_short_page if shape.is_short else _long_page)(shape, _conditions(shape, account)).subquery("page")
    columns = (page.c.key if name == "key" else null() for name in shape.beside)
    return union_all(first, select(page.c.document, *columns))


def _of_user(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Select from the user's row. `max` makes it one value, even if the filter were missing."""
    return select(func.max(column)).where(users.c.id == USER_ID).correlate(None).scalar_subquery()


def _conditions(shape: Shape, account: Account) -> tuple[ColumnElement[bool], ...]:
    zone = zone_of(account.zone)
    names = sorted(shape.filters)
    of_keys = KEYS_OF_COMPLETED if shape.sort.column == "completed_key" else {}
    return (
        OWNED,
        tasks.c.in_trash == shape.in_trash,
        *((is_unknown(account.tag),) if shape.is_conditional else ()),
        *(DUE_CONDITIONS[name](zone) if name in DUE_CONDITIONS else CONDITIONS[name] for name in names),
        *(of_keys[name] for name in names if name in of_keys),
    )


def _counts(shape: Shape, account: Account) -> dict[str, ColumnElement[Any]]:
    """Count the tasks on all pages, and the tasks of each status, if requested."""
    counts: dict[str, ColumnElement[Any]] = {}
    if shape.with_total:
        counts["total"] = _counted(func.count(), _conditions(shape, account))
    if shape.with_counts:
        of_any_status = replace(shape, filters=shape.filters - OF_STATUS)
        shown = STATUS
        pairs = ((status.value, func.count().filter(shown == status.value)) for status in Status)
        of_statuses = cast(func.json_build_object(*chain(*pairs)), Text)
        counts["counts"] = _counted(of_statuses, _conditions(of_any_status, account))
    return counts


def _counted(count: ColumnElement[Any], conditions: tuple[ColumnElement[bool], ...]) -> ColumnElement[Any]:
    return select(count).select_from(tasks).where(*conditions).scalar_subquery()


def is_shown(sort: TaskSort) -> bool:
    """Return whether a listing is sorted by a column that clients see as it is."""
    return sort.column in PUBLIC and sort.column not in SHOWN


def can_be_short(query: TaskQuery) -> bool:
    """Return whether a page has so few tasks that no bytes need to be counted, and nothing beside them."""
    return query.limit <= MAX_IN_SHORT and is_shown(query.sorting) and query.include is None


def _short_page(shape: Shape, conditions: tuple[ColumnElement[bool], ...]) -> Any:
    task = _found(shape, conditions, ()).subquery("task")
    return select(as_json(task).label("document"))


def _long_page(shape: Shape, conditions: tuple[ColumnElement[bool], ...]) -> Any:
    """Read no more tasks than MAX_BYTES allow, and one more, which shows that there are more."""
    task = _written(shape, conditions)
    size = func.octet_length(task.c.document)
    order = _ordered(task.c.key, task.c.id, shape.sort)
    # A task is read if the one before it is on the page: if all tasks before that one do not fill the page.
    before = func.coalesce(func.sum(size).over(order_by=order, rows=(None, -2)), 0)
    page = select(task.c.document, task.c.key, before.label("before")).subquery("page")
    return select(page.c.document, page.c.key).where(page.c.before < MAX_BYTES)


def _written(shape: Shape, conditions: tuple[ColumnElement[bool], ...]) -> Subquery:
    """Read a page's tasks and one more task, and write them as JSON."""
    found = _found(shape, conditions, (tasks.c[shape.sort.column].label("key"),)).subquery("found")
    counts = [subtask_counts(found).label("subtask_counts")] if shape.with_subtasks else []
    shown = select(*public(found, _names(shape)), *counts).correlate(found).lateral("shown")
    is_public = not (shape.in_trash or shape.with_subtasks)
    document = as_json_of_many(found, shown) if is_public else as_json(shown)
    # OFFSET keeps this query separate. Otherwise each document would be written twice: to measure and to send it.
    written = select(found.c.key, found.c.id, document.label("document")).join(shown, true()).offset(0)
    return written.subquery("written")


def _found(shape: Shape, conditions: tuple[ColumnElement[bool], ...], more: tuple[ColumnElement[Any], ...]) -> Any:
    """Read a page's tasks and one more task, with the columns shown and `more` columns."""
    if not shape.has_two_sides:
        return _first(shape, conditions, more)
    sides = (tasks.c.completed == false(), tasks.c.completed == true())
    both = union_all(*(_first(shape, (*conditions, side), more) for side in sides)).subquery("both")
    page: Any = select(*both.c)  # more columns than the stubs support
    return page.order_by(*_ordered(both.c.key, both.c.id, shape.sort)).limit(_LIMIT + 1)


def _first(shape: Shape, conditions: tuple[ColumnElement[bool], ...], more: tuple[ColumnElement[Any], ...]) -> Any:
    """Read the first tasks that fulfil the conditions: as many as a page may have, and one more."""
    key = tasks.c[shape.sort.column]
    rows: Any = select(*public(tasks, _names(shape)), *more).where(*conditions)  # more columns than the stubs support
    if shape.is_after:
        here, place = (
            tuple_(key, tasks.c.id),
            tuple_(bind("after", type_=_TYPES[shape.sort.kind]), TASK_ID),
        )
        rows = rows.where(here < place if shape.sort.is_reversed else here > place)
    if "ids" in shape.filters:
        return _first_of_each(rows, key, shape.sort)
    return rows.order_by(*_place_first(shape), *_ordered(key, tasks.c.id, shape.sort)).limit(_LIMIT + 1)


def _first_of_each(rows: Any, key: ColumnElement[Any], sort: TaskSort) -> Any:
    """Look each named task up, and sort what is found. Without OFFSET, Postgres might read all tasks that there are."""
    named = select(func.unnest(IDS).label("id")).distinct().subquery("named")
    one = rows.add_columns(key.label("place")).where(tasks.c.id == named.c.id).correlate(named).offset(0).lateral("one")
    found: Any = select(*(one.c[column.name] for column in rows.selected_columns))
    return found.select_from(named.join(one, true())).order_by(*_ordered(one.c.place, one.c.id, sort)).limit(_LIMIT + 1)


def _place_first(shape: Shape) -> tuple[ColumnElement[Any], ...]:
    """Order the inbox by the list first, which is null for all of its tasks.

    Postgres does not see that IS NULL leaves one value, nor then that an index of lists is in the order asked for. So
    it would read past all tasks in lists, or sort the whole inbox.
    """
    if INBOX not in shape.filters or shape.sort.column not in {"created_at", "position"}:
        return ()
    return (tasks.c.list_id.desc() if shape.sort.is_reversed else tasks.c.list_id.asc(),)


def _names(shape: Shape) -> tuple[str, ...]:
    return PUBLIC_IN_TRASH if shape.in_trash else PUBLIC


def _ordered(key: ColumnElement[Any], task_id: ColumnElement[Any], sort: TaskSort) -> tuple[ColumnElement[Any], ...]:
    """Order by a key and then by id, both in the same direction, so that one index serves both directions."""
    return (key.desc(), task_id.desc()) if sort.is_reversed else (key.asc(), task_id.asc())


def _has_living_parent() -> ColumnElement[bool]:
    """Return whether the task whose subtasks are listed is there."""
    parent = tasks.alias("parent")
    return exists().where(owned(parent), parent.c.id == PARENT_ID, parent.c.in_trash.is_(False))
