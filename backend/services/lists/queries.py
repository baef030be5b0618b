"""The statements about lists, built once."""

from __future__ import annotations

from itertools import chain, product
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    Text,
    Uuid,
    any_,
    cast,
    column,
    func,
    literal,
    update,
)
from sqlalchemy import bindparam as bind
from sqlalchemy.sql.dml import Update
from sqlmodel import select
from sqlmodel.sql.expression import Select

from backend.models.list import MAX_LISTS, ExportedList, ImportedList, ListCreate, ListPublic, ListUpdate
from backend.models.move import Move
from backend.models.tables import lists, tasks
from backend.models.task import Status
from backend.services.lists.rules import ListChanged, ListConflict, ListNotFound, Row, TooManyLists
from backend.services.loading import Rows
from backend.services.resources import statements
from backend.services.resources.parameters import OWN_LISTS, OWNED
from backend.services.resources.resource import Resource
from backend.services.tasks.columns import STATUS

_FIRST_ID: ColumnElement[Any] = literal(UUID(int=0), Uuid)
_LIVING = lists.c.deleted_at.is_(None)

# What lists are: all that is the same for every resource follows from this.
LISTS = Resource(
    kind="list",
    table=lists,
    row=Row,
    public=ListPublic,
    exported=ExportedList,
    inputs=(ListCreate, ListUpdate, Move),
    max_rows=MAX_LISTS,
    too_many=TooManyLists,
    not_found=ListNotFound,
    conflict=ListConflict,
    changed_since=ListChanged,
    imported=ImportedList,
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
    """Count the living tasks of every list by their status, all at once, and from an index alone.

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

# By whether they are in the trash, and with counts.
LISTINGS = {shape: _list(is_in_trash=shape[0], with_counts=shape[1]) for shape in product((False, True), repeat=2)}
_NAMED = OWN_LISTS & (lists.c.id == any_(cast(bind("list_ids"), ARRAY(Uuid))))
# With these ids, and how many lists the user has.
NAMED = Rows(lists, Row, _NAMED, once={"number": statements.number(LISTS)})
# The same, with three numbers of tasks beside every list: living, gone to the trash along with the list, and all.
NAMED_WITH_TASKS = Rows(
    lists,
    Row,
    _NAMED,
    beside={
        "living": _number(_NOT_IN_TRASH),
        "gone_along": _number(_IN_TRASH, tasks.c.deleted_at == lists.c.deleted_at),
        "everything": _number(),
    },
    once=NAMED.once,
)
GET = statements.get(LISTS)
# The places of the lists among which one moves.
OTHERS = select(lists.c.position, lists.c.id).where(OWN_LISTS, _LIVING, lists.c.id != _LIST_ID)
PLACE = _place()
