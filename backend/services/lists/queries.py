"""The statements about lists, built once."""

from __future__ import annotations

from itertools import chain, product
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    DateTime,
    Subquery,
    Text,
    Uuid,
    any_,
    cast,
    column,
    func,
    literal,
    literal_column,
    null,
    true,
    update,
)
from sqlalchemy import bindparam as bind
from sqlalchemy.dialects.postgresql import array, insert
from sqlalchemy.sql.dml import Insert, Update
from sqlmodel import select
from sqlmodel.sql.expression import Select

from backend.errors import ListChanged, ListNotFound, TooManyLists
from backend.models.export import ExportedList
from backend.models.list import MAX_LISTS, ListPublic
from backend.models.tables import lists, tasks, tombstones
from backend.models.task import Status
from backend.services.lists.rules import Row
from backend.services.resources import statements
from backend.services.resources.parameters import OWN_LISTS, OWNED, USER_ID
from backend.services.resources.resource import Resource
from backend.services.resources.tombstones import MOVED, NAMES, replacing
from backend.services.tasks.columns import STATUS
from backend.services.unit_of_work import Rows

_FIRST_ID: ColumnElement[Any] = literal(UUID(int=0), Uuid)
_LIVING = lists.c.deleted_at.is_(None)
_MOVED: ColumnElement[str] = literal_column(f"'{MOVED}'", Text)

# What lists are: all that is the same for every resource follows from this.
LISTS = Resource(
    kind="list",
    table=lists,
    row=Row,
    public=ListPublic,
    exported=ExportedList,
    max_rows=MAX_LISTS,
    too_many=TooManyLists,
    not_found=ListNotFound,
    changed_since=ListChanged,
    shown={"archived": lists.c.archived_at.is_not(None).label("archived")},
)
_LIST_ID: ColumnElement[Any] = LISTS.value("id")
_REVISION: ColumnElement[int] = LISTS.value("revision")


def _list(*, is_in_trash: bool, with_counts: bool) -> Select[str, str | None]:
    """Select lists in the order of their positions, each with the numbers of its tasks if asked for."""
    columns, beside = LISTS.public_columns(is_in_trash=is_in_trash), None
    if with_counts:
        counted = _counted()
        none = func.json_build_object(*chain(*((status.value, 0) for status in Status)))
        columns = (*columns, func.coalesce(counted.c.counts, none).label("counts"))
        beside = (counted, counted.c.list_id == lists.c.id)
    is_archived = lists.c.archived_at.is_not(None) == bind("archived", type_=Boolean)
    condition = lists.c.deleted_at.is_not(None) if is_in_trash else _LIVING & is_archived
    return statements.listed(LISTS, columns, (lists.c.position, lists.c.id), condition, beside=beside)


def _counted() -> Any:
    """Count the living tasks of each status in each list, all at once, and from an index alone.

    Materialized, because Postgres might otherwise count all of them for each list. With a range of lists, it takes the
    index that has lists, also before it has statistics: IS NOT NULL would tell it nothing.
    """
    pairs = ((status.value, func.count().filter(literal(status.value) == STATUS)) for status in Status)
    return (
        select(tasks.c.list_id, func.json_build_object(*chain(*pairs)).label("counts"))
        .where(OWNED, tasks.c.in_trash.is_(False), tasks.c.list_id >= _FIRST_ID)
        .group_by(tasks.c.list_id)
        .cte("counted")
        .prefix_with("MATERIALIZED")
    )


def _number(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
    counted = select(func.count()).select_from(tasks).where(OWNED, tasks.c.list_id == lists.c.id, *conditions)
    return counted.correlate(lists).scalar_subquery()


def _numbered(condition: ColumnElement[bool]) -> Subquery:
    """Select tasks of a list, numbered in the order of their revisions, and in that of their positions."""
    number = func.row_number().over(order_by=(tasks.c.revision, tasks.c.id)).label("number")
    place = func.row_number().over(order_by=(tasks.c.position, tasks.c.id)).label("place")
    return select(tasks.c.id, number, place).where(OWNED, tasks.c.list_id == _LIST_ID, condition).subquery("inside")


def _say_freed() -> Insert:
    """Say that the list's tasks have left it, before they do, with the revisions that they get."""
    inside = _numbered(true())
    columns: list[Any] = [
        cast(USER_ID, Text),
        inside.c.id,
        _REVISION + inside.c.number,
        literal_column(f"'{MOVED}'", Text),
        array([_LIST_ID]),
    ]
    rows: Any = select(*columns)  # more columns than the stubs support
    return replacing(insert(tombstones).from_select(NAMES, rows))


def _change_tasks(condition: ColumnElement[bool], **values: Any) -> Update:
    """Change tasks of a list, with consecutive revisions in the order of those they had.

    Those that leave the list come last in the inbox, in the order of their positions: see `last_positions`.
    """
    inside = _numbered(condition)
    if "list_id" in values:
        number = func.lpad(cast(inside.c.place, Text), 10, "0")
        values["position"] = bind("last_positions", type_=Text).concat(number).concat("1")
    return (
        update(tasks)
        .where(OWNED, tasks.c.id == inside.c.id)
        .values(
            **values,
            revision=_REVISION + inside.c.number,
            updated_at=func.greatest(func.now(), tasks.c.updated_at),
        )
    )


def _place() -> Update:
    """Put the lists in the arrays at new positions, with consecutive revisions."""
    arrays = [cast(bind(name), ARRAY(kind)) for name, kind in (("placed_lists", Uuid()), ("placed_positions", Text()))]
    rows = func.unnest(*arrays).table_valued(column("id", Uuid()), column("position", Text()), with_ordinality="number")
    each = rows.render_derived(name="placed")
    values = {"position": each.c.position, "revision": _REVISION + each.c.number}
    values["updated_at"] = func.greatest(func.now(), lists.c.updated_at)
    return update(lists).where(OWN_LISTS, lists.c.id == each.c.id).values(values)


_IN_TRASH = tasks.c.in_trash.is_(True)
_NOT_IN_TRASH = tasks.c.in_trash.is_(False)
_TRASHED_TOGETHER = tasks.c.deleted_at == bind("trashed_at", type_=DateTime(timezone=True))

GET = statements.get(LISTS)
# By whether they are in the trash, and with counts.
LISTINGS = {shape: _list(is_in_trash=shape[0], with_counts=shape[1]) for shape in product((False, True), repeat=2)}
_NAMED = OWN_LISTS & (lists.c.id == any_(cast(bind("list_ids"), ARRAY(Uuid))))
_COLUMNS = tuple(lists.c[name] for name in LISTS.stored)
_NUMBER_OF_LISTS = (statements.number(LISTS),)
# With these ids, and how many lists the user has.
NAMED = Rows(lists, _COLUMNS, _NAMED, _NUMBER_OF_LISTS)
# The same, each with the numbers of its tasks: the living ones, those that went to the trash along with it, and all.
NAMED_WITH_TASKS = Rows(
    lists,
    (*_COLUMNS, _number(_NOT_IN_TRASH), _number(_IN_TRASH, tasks.c.deleted_at == lists.c.deleted_at), _number()),
    _NAMED,
    _NUMBER_OF_LISTS,
)
INSERT = statements.insert_one(LISTS)
UPDATE = statements.update_one(LISTS)
REMOVE = statements.remove_one(LISTS)
# The places of those among which a list moves.
OTHERS = select(lists.c.position, lists.c.id).where(OWN_LISTS, _LIVING, lists.c.id != _LIST_ID)
PLACE = _place()
TRASH_TASKS = _change_tasks(_NOT_IN_TRASH, deleted_at=func.now())
SAY_FREED = _say_freed()
# Those in the trash go along: the tasks above them may be living, and a subtask is in the list of its parent.
FREE_TASKS = _change_tasks(true(), list_id=null())
TRASH_AND_FREE_TASKS = _change_tasks(true(), deleted_at=func.coalesce(tasks.c.deleted_at, func.now()), list_id=null())
RESTORE_TASKS = _change_tasks(_IN_TRASH & _TRASHED_TOGETHER, deleted_at=null())
# Those that take tasks out of the list.
TAKING_OUT = (FREE_TASKS, TRASH_AND_FREE_TASKS)
