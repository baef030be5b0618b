"""The statements about lists, built once."""

from __future__ import annotations

from itertools import chain, product
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    ColumnElement,
    DateTime,
    Subquery,
    Text,
    Uuid,
    any_,
    case,
    cast,
    column,
    delete,
    func,
    literal,
    literal_column,
    null,
    true,
    update,
)
from sqlalchemy import bindparam as bind
from sqlalchemy.dialects.postgresql import aggregate_order_by, array, insert
from sqlalchemy.sql.dml import Insert, Update
from sqlmodel import select
from sqlmodel.sql.expression import Select

from backend.models.list import ListPublic
from backend.models.tables import lists, tasks, tombstones, users
from backend.models.task import Status
from backend.services.lists.rules import Row
from backend.services.resources.parameters import OWN_LISTS, OWNED, USER_ID
from backend.services.resources.statements import as_json, is_unknown, tag_of_account
from backend.services.resources.tombstones import MOVED, NAMES, replacing
from backend.services.tasks.columns import STATUS
from backend.services.unit_of_work import Rows

_FIRST_ID: ColumnElement[Any] = literal(UUID(int=0), Uuid)
_LIVING = lists.c.deleted_at.is_(None)
_LIST_ID: ColumnElement[Any] = bind("list", type_=Uuid)
_REVISION: ColumnElement[int] = bind("list_revision", type_=BigInteger)
_MOVED: ColumnElement[str] = literal_column(f"'{MOVED}'", Text)

PUBLIC = tuple(name for name, field in ListPublic.model_fields.items() if field.is_required())
PUBLIC_IN_TRASH = (*PUBLIC, "deleted_at")
_SHOWN = {"archived": lists.c.archived_at.is_not(None).label("archived")}


def public(names: tuple[str, ...] = PUBLIC) -> tuple[ColumnElement[Any], ...]:
    """Return the columns of lists that clients see, in the order of the documented model."""
    return tuple(_SHOWN[name] if name in _SHOWN else lists.c[name] for name in names)


def _get() -> Select[int, str]:
    found = select(*public()).where(OWN_LISTS, lists.c.id == _LIST_ID, _LIVING).subquery("found")
    return select(found.c.revision, as_json(found))


def _list(*, is_in_trash: bool, with_counts: bool) -> Select[str, str | None]:
    """Select the tag of all the user's data, and lists as a JSON array; null for a client that has that tag.

    A user who never wrote anything has no row.
    """
    source: Any = lists
    columns = [*public(PUBLIC_IN_TRASH if is_in_trash else PUBLIC)]
    if with_counts:
        counted = _counted()
        source = lists.outerjoin(counted, counted.c.list_id == lists.c.id)
        none = func.json_build_object(*chain(*((status.value, 0) for status in Status)))
        columns.append(func.coalesce(counted.c.counts, none).label("counts"))
    is_archived = lists.c.archived_at.is_not(None) == bind("archived", type_=Boolean)
    condition = lists.c.deleted_at.is_not(None) if is_in_trash else _LIVING & is_archived
    shown = select(*columns).correlate(*([lists, counted] if with_counts else [lists])).lateral("shown")
    order = (lists.c.position, lists.c.id)
    documents: Any = func.json_agg(aggregate_order_by(func.row_to_json(shown.table_valued()), *order))
    found = (
        select(func.coalesce(cast(documents, Text), "[]"))
        .select_from(source.join(shown, true()))
        .where(OWN_LISTS, condition)
    )
    tag = tag_of_account()
    return select(tag, case((is_unknown(tag), found.scalar_subquery()))).where(users.c.id == USER_ID)


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


def _new(name: str) -> Any:
    return bind(f"wanted_{name}", type_=lists.c[name].type)


STORED = Row._fields
CHANGING = ("name", "color", "position", "archived_at", "deleted_at", "updated_at", "revision")
_IN_TRASH = tasks.c.in_trash.is_(True)
_NOT_IN_TRASH = tasks.c.in_trash.is_(False)
_TRASHED_TOGETHER = tasks.c.deleted_at == bind("trashed_at", type_=DateTime(timezone=True))

GET = _get()
# By whether they are in the trash, and with counts.
LISTS = {shape: _list(is_in_trash=shape[0], with_counts=shape[1]) for shape in product((False, True), repeat=2)}
_NAMED = OWN_LISTS & (lists.c.id == any_(cast(bind("list_ids"), ARRAY(Uuid))))
_COLUMNS = tuple(lists.c[name] for name in STORED)
_NUMBER_OF_LISTS = select(func.count()).select_from(lists).where(OWN_LISTS).scalar_subquery()
# With these ids, and how many lists the user has.
NAMED = Rows(lists, _COLUMNS, _NAMED, (_NUMBER_OF_LISTS,))
# The same, each with the numbers of its tasks: the living ones, those that went to the trash along with it, and all.
NAMED_WITH_TASKS = Rows(
    lists,
    (*_COLUMNS, _number(_NOT_IN_TRASH), _number(_IN_TRASH, tasks.c.deleted_at == lists.c.deleted_at), _number()),
    _NAMED,
    (_NUMBER_OF_LISTS,),
)
INSERT = insert(lists).values({"user_id": USER_ID, **{name: _new(name) for name in STORED}})
UPDATE = update(lists).where(OWN_LISTS, lists.c.id == _LIST_ID).values({name: _new(name) for name in CHANGING})
# The places of those among which a list moves.
OTHERS = select(lists.c.position, lists.c.id).where(OWN_LISTS, _LIVING, lists.c.id != _LIST_ID)
PLACE = _place()
REMOVE = delete(lists).where(OWN_LISTS, lists.c.id == _LIST_ID)
TRASH_TASKS = _change_tasks(_NOT_IN_TRASH, deleted_at=func.now())
SAY_FREED = _say_freed()
# Those in the trash go along: the tasks above them may be living, and a subtask is in the list of its parent.
FREE_TASKS = _change_tasks(true(), list_id=null())
TRASH_AND_FREE_TASKS = _change_tasks(true(), deleted_at=func.coalesce(tasks.c.deleted_at, func.now()), list_id=null())
RESTORE_TASKS = _change_tasks(_IN_TRASH & _TRASHED_TOGETHER, deleted_at=null())
# Those that take tasks out of the list.
TAKING_OUT = (FREE_TASKS, TRASH_AND_FREE_TASKS)
