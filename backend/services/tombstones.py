"""What the statements that leave tombstones share, and the one that tells followers of a list what has left it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Text, Uuid, case, cast, column, func, literal_column
from sqlalchemy import bindparam as bind
from sqlalchemy.dialects.postgresql import Insert, array, insert
from sqlalchemy.types import TypeEngine
from sqlmodel import select

from backend.models.tables import tombstones
from backend.services.resources.parameters import USER_ID

MOVED: ColumnElement[str] = literal_column("'moved'", Text)
NAMES = ("user_id", "id", "revision", "kind", "list_ids")


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


def _say_moved() -> Insert:
    """Say that each task in the arrays has left its list."""
    kinds: dict[str, TypeEngine[Any]] = {"id": Uuid(), "left": Uuid(), "revision": BigInteger()}
    arrays = [cast(bind(name), ARRAY(kind)) for name, kind in zip(MOVED_TASKS, kinds.values(), strict=True)]
    each = func.unnest(*arrays).table_valued(*(column(name, kind) for name, kind in kinds.items()))
    moved = each.render_derived(name="moved")
    columns: list[Any] = [cast(USER_ID, Text), moved.c.id, moved.c.revision, MOVED, array([moved.c.left])]
    rows: Any = select(*columns)  # more columns than the stubs support
    return replacing(insert(tombstones).from_select(NAMES, rows))


MOVED_TASKS = ("each_moved_id", "each_left_list", "each_moved_revision")  # parameters: their nth elements are one task
SAY_MOVED = _say_moved()
