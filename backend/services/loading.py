"""What a change reads in its first message, in which it also locks the user's row: its rows, and what stands beside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, FromClause, Text, and_, case, func, or_
from sqlalchemy import bindparam as bind
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import select
from sqlmodel.sql.expression import SelectOfScalar

from backend.database.statements import Compiled, joined
from backend.models.tables import idempotency_keys as keys
from backend.models.tables import users
from backend.services.resources.parameters import USER_ID

KEPT = timedelta(hours=24)  # the time for which answers are stored

R = TypeVar("R")

KEY = bind("name", type_=Text)

_inserted = insert(users).values(id=USER_ID)
# Locks the user's row, or inserts it on a user's first write. WHERE false: the lock alone writes no new version of it.
LOCK = _inserted.on_conflict_do_update(
    index_elements=[users.c.id], set_={"revision": users.c.revision}, where=users.c.id.is_(None)
)
IS_ANSWERED = and_(keys.c.status.is_not(None), keys.c.created_at > func.now() - KEPT)
# What every change reads, and what one with a key reads of the answer that is stored under it.
STATE: dict[str, ColumnElement[Any]] = {
    "revision": users.c.revision,
    "task_count": users.c.task_count,
    "now": func.now(),
    "last_position": users.c.last_position,
}
_ANSWER: dict[str, ColumnElement[Any]] = {
    "request_hash": keys.c.request_hash,
    "status": case((IS_ANSWERED, keys.c.status)),
    "headers": keys.c.headers,
    "body": keys.c.body,
}


@dataclass(frozen=True, slots=True, eq=False)
class Rows(Generic[R]):
    """Which rows of a table a change reads, each as a named tuple of columns; the condition includes the tenant filter.

    What `beside` has is read with each row, and what `once` has beside the user's counters.
    """

    source: FromClause
    row: type[R]
    condition: ColumnElement[bool]
    beside: Mapping[str, ColumnElement[Any]] = field(default_factory=dict)
    once: Mapping[str, ColumnElement[Any]] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[ColumnElement[Any], ...]:
        """Return what is read of each row: the columns that it is made of, and then what stands beside it."""
        names: tuple[str, ...] = self.row._fields  # type: ignore[attr-defined]  # of a named tuple
        return (*(self.source.c[name] for name in names), *self.beside.values())

    def found(self, once: dict[str, Any], values: list[tuple[Any, ...]]) -> Found[R]:
        """Name the values of these columns."""
        make, end = self.row._make, len(self.row._fields)  # type: ignore[attr-defined]
        beside = [dict(zip(self.beside, each[end:], strict=True)) for each in values] if self.beside else []
        return Found([make(each[:end]) for each in values], beside, once)


class Found(NamedTuple, Generic[R]):
    """The rows that a change has read, and what was read beside each and once, by the names that `Rows` gave it."""

    rows: list[R]
    beside: list[dict[str, Any]]
    once: dict[str, Any]


@lru_cache(maxsize=64)
def loading_of(rows: Rows[Any], *, has_key: bool, locks: bool = True) -> tuple[Compiled, tuple[str, ...]]:
    """Return the statements of a load, and the names of what stands before the columns of the rows."""
    locking = [LOCK] if locks else []
    return joined(*locking, reading(rows, has_key=has_key)), tuple(_once(rows, has_key=has_key))


def _once(rows: Rows[Any], *, has_key: bool) -> dict[str, ColumnElement[Any]]:
    return {**STATE, **(_ANSWER if has_key else {}), **rows.once}


def reading(rows: Rows[Any], *, has_key: bool) -> SelectOfScalar[Any]:
    """Select the user's counters, the time, the answer stored under the key, and the rows, unless there is one."""
    source: FromClause = users
    condition = rows.condition
    if has_key:
        source = source.outerjoin(keys, and_(keys.c.user_id == USER_ID, keys.c.key == KEY))
        condition = and_(condition, or_(keys.c.status.is_(None), keys.c.created_at <= func.now() - KEPT))
    source = source.outerjoin(rows.source, condition)
    once = _once(rows, has_key=has_key).values()
    return select(*once, *rows.columns).select_from(source).where(users.c.id == USER_ID)
