"""Tombstones: what the followers of changes learn of rows that are gone, and of tasks that have left a list."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Text, Uuid, case, cast, column, func
from sqlalchemy import bindparam as bind
from sqlalchemy.dialects.postgresql import Insert, array, insert
from sqlalchemy.types import TypeEngine
from sqlmodel import select

from backend.database.giving_way import in_turns
from backend.models.tables import tombstones
from backend.services.resources.parameters import USER_ID

MOVED = "moved"  # the kind of a task that has left a list, and is still there
NAMES = ("user_id", "id", "revision", "kind", "list_ids")
_TYPES: dict[str, TypeEngine[Any]] = {"kind": Text(), "id": Uuid(), "revision": BigInteger(), "list": Uuid()}
BURIED = tuple(f"each_buried_{name}" for name in _TYPES)  # parameters: their nth elements are one tombstone


class Tombstone(NamedTuple):
    """What is gone, by which change, and the list that it was in, if any, whose followers are told, too."""

    kind: str
    id: UUID
    revision: int
    list_id: UUID | None = None


def replacing(tombstone: Insert) -> Insert:
    """Let a tombstone replace another one: the same id may have been used and removed before.

    It also tells the followers of the lists that the other one tells.
    """
    old, new = tombstones.c.list_ids, tombstone.excluded.list_ids
    return tombstone.on_conflict_do_update(
        index_elements=[tombstones.c.user_id, tombstones.c.id],
        set_={
            **{name: tombstone.excluded[name] for name in ("revision", "deleted_at", "kind")},
            "list_ids": case((old.op("@>", is_comparison=True)(new), old), else_=old.op("||")(new)),
        },
    )


def _bury() -> Insert:
    """Leave the tombstones in the arrays."""
    arrays = [cast(bind(name), ARRAY(kind)) for name, kind in zip(BURIED, _TYPES.values(), strict=True)]
    rows = func.unnest(*arrays).table_valued(*(column(name, kind) for name, kind in _TYPES.items()))
    each = rows.render_derived(name="buried")
    lists: ColumnElement[Any] = func.array_remove(array([each.c.list]), None)
    columns: list[Any] = [cast(USER_ID, Text), each.c.id, each.c.revision, each.c.kind, lists]
    buried: Any = select(*columns)  # more columns than the stubs support
    return replacing(insert(tombstones).from_select(NAMES, buried))


def arrays_of(buried: Iterable[Tombstone]) -> dict[str, list[Any]]:
    """Return the parameters of BURY."""
    arrays: dict[str, list[Any]] = {name: [] for name in BURIED}
    for tombstone in in_turns(buried):
        for values, value in zip(arrays.values(), tombstone, strict=True):
            values.append(value)
    return arrays


BURY = _bury()
