"""The statement behind the feed of changes: a single round trip, which sees all rows and the counter at one moment.

A user's changes become visible in the order of their revisions, because a change locks the user's row until it is
committed. So a client that has seen everything up to a revision asks for what comes later, and misses nothing.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Integer,
    Subquery,
    Text,
    any_,
    case,
    cast,
    exists,
    false,
    func,
    literal,
    or_,
    true,
    union_all,
)
from sqlalchemy import bindparam as bind
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.sql.selectable import NamedFromClause
from sqlmodel import select
from sqlmodel.sql.expression import Select

from backend.models.tables import tasks, tombstones, users
from backend.services.registry import RESOURCES
from backend.services.resources.parameters import OWNED, USER_ID
from backend.services.resources.resource import Resource
from backend.services.resources.statements import as_json

Change = Select[int, str, str]
ChangesAfter = Select[list[int] | None, list[str] | None, list[str] | None, int, int]

_SINCE: ColumnElement[int] = bind("since", type_=BigInteger)
_MAX_ROWS: ColumnElement[int] = bind("max_rows", type_=Integer)
_TYPES: ColumnElement[Any] = cast(bind("types"), ARRAY(Text))
_MAX_BYTES: ColumnElement[int] = bind("max_bytes", type_=BigInteger)


def _changes(*parts: Change) -> ChangesAfter:
    """Select one row of these parts: revisions, kinds and documents of changes; and the user's counter and last purge.

    The kinds and documents are those that fit into the page: if there are fewer than revisions, more follow. A user who
    never wrote anything has no row.
    """
    change = union_all(*parts).subquery("change")
    size = func.sum(func.octet_length(change.c.document)).over(order_by=change.c.revision)
    number = func.row_number().over(order_by=change.c.revision)
    counted = (size.label("size"), number.label("number"))
    numbered = select(*(*change.c, *counted)).subquery("numbered")
    # The first one is included, however large it is.
    fits = (numbered.c.number <= _MAX_ROWS) & or_(numbered.c.size <= _MAX_BYTES, numbered.c.number == 1)
    revisions, shown, documents = (
        func.array_agg(aggregate_order_by(column, numbered.c.number))
        for column in (numbered.c.revision, numbered.c.kind, numbered.c.document)
    )
    page = select(
        revisions.label("revisions"), shown.filter(fits).label("kinds"), documents.filter(fits).label("documents")
    ).subquery("page")
    columns: list[Any] = [*page.c, users.c.revision, users.c.purged_revision]
    rows: Any = select(*columns)  # more columns than the stubs support
    typed: ChangesAfter = rows.select_from(users.join(page, true())).where(users.c.id == USER_ID)
    return typed


def _changed(resource: Resource[Any]) -> Change:
    """Select rows that changed: in full, or only as deleted if they are in the trash.

    What clients see beside the stored columns, such as a label's number of tasks, is left out.
    """
    names = [name for name in resource.public_names() if name in resource.shown or name in resource.table.c]
    is_in_trash = resource.table.c.deleted_at.is_not(None) if resource.has_trash else false()
    changed = (
        select(*(*(resource.public_column(name) for name in names), is_in_trash.label("is_in_trash")))
        .where(resource.own, resource.table.c.revision > _SINCE)
        .order_by(resource.table.c.revision)
        .limit(_MAX_ROWS + 1)
        .subquery(f"changed_{resource.kind}")
    )
    shown = select(*(changed.c[name] for name in names)).correlate(changed).lateral("shown")
    gone = _gone(changed)
    document = case((changed.c.is_in_trash, as_json(gone)), else_=as_json(shown))
    documents = changed.join(shown, true()).join(gone, true())
    return select(changed.c.revision, _kind(resource.kind), document.label("document")).select_from(documents)


def _kind(name: str) -> ColumnElement[str]:
    return cast(literal(name), Text).label("kind")


def _tombstones(*conditions: ColumnElement[bool], kind: ColumnElement[str] = tombstones.c.kind) -> Change:
    """Select what is gone for good."""
    removed = (
        select(tombstones.c.id, kind.label("kind"), tombstones.c.revision)
        .where(tombstones.c.user_id == USER_ID, tombstones.c.revision > _SINCE, *conditions)
        .order_by(tombstones.c.revision)
        .limit(_MAX_ROWS + 1)
        .subquery("removed")
    )
    gone = _gone(removed)
    documents = removed.join(gone, true())
    return select(removed.c.revision, removed.c.kind, as_json(gone).label("document")).select_from(documents)


def _left() -> Change:
    """Select the tasks that have left the list of the session, unless they have come back.

    Row-level security shows such a session only the tombstones of what has left its list.
    """
    is_here = exists().where(OWNED, tasks.c.id == tombstones.c.id)
    is_task = or_(tombstones.c.kind == "task", tombstones.c.kind == "moved")
    return _tombstones(is_task, ~is_here, _is_wanted("task"), kind=literal("task", Text))


def _is_wanted(kind: str) -> ColumnElement[bool]:
    return literal(kind, Text) == any_(_TYPES)


def _gone(source: Subquery) -> NamedFromClause:
    return select(source.c.id, true().label("deleted"), source.c.revision).correlate(source).lateral("gone")


_PARTS = {resource.kind: _changed(resource) for resource in RESOURCES if resource.is_counted}

CHANGES = _changes(_PARTS["task"], _tombstones(tombstones.c.kind == "task"))
# Of the types in the parameter: Postgres reads no rows of the others.
CHANGES_OF_TYPES = _changes(
    *(part.where(_is_wanted(kind)) for kind, part in _PARTS.items()),
    _tombstones(tombstones.c.kind == any_(_TYPES)),
)
IN_A_LIST = ("task", "list")  # the types of which a session of one list sees changes
CHANGES_OF_LIST = _changes(*(_PARTS[kind].where(_is_wanted(kind)) for kind in IN_A_LIST), _left())
