"""The statements that every resource needs, built once for each, and what all statements share: JSON and tags."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    FromClause,
    LargeBinary,
    Text,
    all_,
    case,
    cast,
    column,
    delete,
    func,
    true,
    update,
)
from sqlalchemy import bindparam as bind
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert
from sqlalchemy.sql.dml import Delete, Insert, Update
from sqlalchemy.sql.selectable import NamedFromClause
from sqlmodel import select
from sqlmodel.sql.expression import Select

from backend.models.tables import users
from backend.services.resources.parameters import LIST_OF_SESSION, USER_ID
from backend.services.resources.resource import Resource

_RESOURCES = 64  # more than there are


def as_json(source: NamedFromClause) -> ColumnElement[str]:
    """Turn each row into JSON text, so that Python neither builds nor serialises it."""
    return cast(func.row_to_json(source.table_valued()), Text)


def tag_of_account() -> ColumnElement[str]:
    """Return the tag of all the user's data.

    It changes with every write: a purge changes only the task count, a recreated account its time. A session that is
    limited to one list sees other data, and so has other tags. They are hashed, because such a session may not learn
    how many tasks the account has. To hash every tag costs less than to ask which session it is.
    """
    parts = func.concat_ws("-", users.c.revision, users.c.task_count, users.c.created_at, LIST_OF_SESSION)
    return func.encode(func.sha256(cast(parts, LargeBinary)), "hex", type_=Text)


def is_unknown(tag: ColumnElement[str]) -> ColumnElement[bool]:
    """Return whether the client lacks what has this tag. The parameter `known` holds its tags; null means any."""
    known: ColumnElement[Any] = cast(bind("known"), ARRAY[str](Text))
    return tag != all_(known)


@lru_cache(maxsize=_RESOURCES)
def get(resource: Resource[Any]) -> Select[int, str]:
    """Select the revision of the named row, and it as JSON, unless it is in the trash."""
    columns = resource.public_columns()
    is_living = [resource.table.c.deleted_at.is_(None)] if resource.has_trash else []
    found = select(*columns).where(resource.own, _is_named(resource), *is_living).subquery("found")
    return select(found.c.revision, as_json(found))


def listed(
    resource: Resource[Any],
    columns: Iterable[ColumnElement[Any]],
    order: tuple[ColumnElement[Any], ...],
    *conditions: ColumnElement[bool],
    beside: tuple[FromClause, ColumnElement[bool]] | None = None,
) -> Select[str, str | None]:
    """Select the tag of all the user's data, and rows as a JSON array; null for a client that has that tag.

    Some columns may come from `beside`, which joins a row by a condition. A user who never wrote anything has no row.
    """
    sources = [resource.table, *([beside[0]] if beside else [])]
    source = resource.table.outerjoin(*beside) if beside else resource.table
    shown = select(*columns).correlate(*sources).lateral("shown")
    documents: Any = func.json_agg(aggregate_order_by(func.row_to_json(shown.table_valued()), *order))
    rows = select(func.coalesce(cast(documents, Text), "[]")).select_from(source.join(shown, true()))
    found = rows.where(resource.own, *conditions).scalar_subquery()
    tag = tag_of_account()
    return select(tag, case((is_unknown(tag), found))).where(users.c.id == USER_ID)


@lru_cache(maxsize=_RESOURCES)
def number(resource: Resource[Any]) -> Any:
    """Count the user's rows, those in the trash included."""
    return select(func.count()).select_from(resource.table).where(resource.own).scalar_subquery()


@lru_cache(maxsize=_RESOURCES)
def insert_one(resource: Resource[Any]) -> Insert:
    """Store a new row."""
    return insert(resource.table).values(
        {"user_id": USER_ID} | {name: resource.value(name) for name in resource.stored}
    )


@lru_cache(maxsize=_RESOURCES)
def insert_all(resource: Resource[Any]) -> Insert:
    """Store the new rows in the arrays, of which each has the values of a column."""
    new = _in_arrays(resource, "new", resource.arrays)
    names = resource.stored
    values: Any = select(cast(USER_ID, Text), *(new.c[name] for name in names))  # more columns than the stubs support
    return insert(resource.table).from_select(["user_id", *names], values)


@lru_cache(maxsize=_RESOURCES)
def update_all(resource: Resource[Any]) -> Update:
    """Store the changed rows in the arrays, of which each has the values of a column."""
    changed = _in_arrays(resource, "changed", resource.changed_arrays)
    values = {name: changed.c[name] for name in resource.changing}
    return update(resource.table).where(resource.own, resource.table.c.id == changed.c.id).values(values)


def _in_arrays(resource: Resource[Any], alias: str, names: Iterable[str]) -> Any:
    types = {name: resource.table.c[name].type for name in resource.stored}
    arrays = [cast(bind(name), ARRAY(kind)) for name, kind in zip(names, types.values(), strict=True)]
    rows = func.unnest(*arrays).table_valued(*(column(name, kind) for name, kind in types.items()))
    return rows.render_derived(name=alias)


@lru_cache(maxsize=_RESOURCES)
def update_one(resource: Resource[Any]) -> Update:
    """Store a changed row."""
    values = {name: resource.value(name) for name in resource.changing}
    return update(resource.table).where(resource.own, _is_named(resource)).values(values)


@lru_cache(maxsize=_RESOURCES)
def remove_one(resource: Resource[Any]) -> Delete:
    """Remove the named row for good."""
    return delete(resource.table).where(resource.own, _is_named(resource))


def _is_named(resource: Resource[Any]) -> ColumnElement[bool]:
    condition: ColumnElement[bool] = resource.table.c.id == resource.value("id")
    return condition
