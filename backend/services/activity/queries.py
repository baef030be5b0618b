"""The statements that list events, built once for each choice of filters."""

from __future__ import annotations

from collections.abc import Container
from itertools import compress, product
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Integer, Text, Uuid, exists, literal_column, text, union_all
from sqlalchemy import bindparam as bind
from sqlmodel import select

from backend.models.activity import EventPublic
from backend.models.tables import events, tasks
from backend.services.resources.parameters import owned
from backend.services.resources.statements import as_json

_ENTITY = bind("entity", type_=Uuid)
# By the filter: which events it leaves.
_CONDITIONS: dict[str, tuple[ColumnElement[bool], ...]] = {
    "task": (events.c.entity_id == _ENTITY, events.c.kind == "task"),
    "kind": (events.c.kind == bind("filter_kind", type_=Text),),
    "verb": (events.c.verb == bind("filter_verb", type_=Text),),
    "before": (events.c.revision < bind("before_revision", type_=BigInteger),),
}
# That the task of a listing is known.
_KNOWN: Any = select(*map(literal_column, ("NULL::timestamptz", "0::bigint", "NULL::text"))).where(
    exists().where(owned(tasks), tasks.c.id == _ENTITY) | exists().where(owned(events), *_CONDITIONS["task"])
)


def _list(*filters: str) -> Any:
    """Select events, the latest first: the time, the number and the document of each.

    Of a task, a row without a document comes last if the user has the task, or events of it.
    """
    conditions = [condition for name in filters for condition in _CONDITIONS[name]]
    columns: Any = select(*(events.c[name] for name in EventPublic.model_fields))  # more than the stubs support
    found = (
        columns.where(owned(events), *conditions)
        .order_by(events.c.revision.desc())
        .limit(bind("max_rows", type_=Integer))
        .subquery("found")
    )
    page: Any = select(found.c.at, found.c.revision, as_json(found))
    if "task" not in filters:
        return page.order_by(found.c.revision.desc())
    return union_all(page, _KNOWN).order_by(text("2 DESC"))


def key_of(filters: Container[str]) -> tuple[str, ...]:
    """Return the key of the listing with these filters."""
    return tuple(name for name in _CONDITIONS if name in filters)


LISTINGS = {
    key: _list(*key)
    for key in (tuple(compress(_CONDITIONS, chosen)) for chosen in product((False, True), repeat=len(_CONDITIONS)))
    if not {"task", "kind"} <= {*key}
}
