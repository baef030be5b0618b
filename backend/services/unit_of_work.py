"""A unit of work, as every change is done: load in one round trip, decide in Python, store in one.

The load begins the transaction and locks the user's row. So one user's changes run one after another, cannot deadlock,
and decide with what the previous one stored. The store ends the transaction; if there is nothing to store, it is rolled
back, along with the row it made for a user who has never written anything.

If the connection is lost during the load, nothing was done. During the store, it may have been done.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Executable, FromClause, Text, and_, case, func, or_, update
from sqlalchemy import bindparam as bind
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import select
from sqlmodel.sql.expression import SelectOfScalar

from backend.database.session import Sessions, Transaction
from backend.database.statements import Compiled, compile_once, joined
from backend.errors import KeyReused
from backend.models.tables import idempotency_keys as keys
from backend.models.tables import users
from backend.services.resources.parameters import USER_ID
from backend.services.resources.tombstones import BURY, Tombstone, arrays_of
from backend.utils.positions import given_position

KEPT = timedelta(hours=24)  # the time for which answers are stored

KEY = bind("name", type_=Text)

_inserted = insert(users).values(id=USER_ID)
# Locks the user's row, or inserts it on a user's first write. WHERE false: the lock alone writes no new version of it.
LOCK = _inserted.on_conflict_do_update(
    index_elements=[users.c.id], set_={"revision": users.c.revision}, where=users.c.id.is_(None)
)
IS_ANSWERED = and_(keys.c.status.is_not(None), keys.c.created_at > func.now() - KEPT)
_COUNTED: dict[str, ColumnElement[Any]] = {
    "revision": bind("counted_revision", type_=BigInteger),
    "task_count": bind("counted_task_count", type_=BigInteger),
    "last_position": bind("counted_last_position", type_=Text),
}
COUNT = update(users).where(users.c.id == USER_ID).values(_COUNTED)
_ANSWER = (keys.c.request_hash, case((IS_ANSWERED, keys.c.status)), keys.c.headers, keys.c.body)


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Which rows of which table a change reads; the condition includes the tenant filter.

    `of_user` are values that are read once, beside the user's counters.
    """

    source: FromClause
    columns: tuple[ColumnElement[Any], ...]
    condition: ColumnElement[bool]
    of_user: tuple[ColumnElement[Any], ...] = ()


class Counters(NamedTuple):
    """The revision of a user's last change, how many tasks the user has, and the greatest position of all of them."""

    revision: int = 0
    task_count: int = 0
    last_position: str = ""


class KeyedRequest(NamedTuple):
    """A request that is done once only: the key that the client sent, and the request's hash."""

    key: str
    request_hash: bytes


class Answer(NamedTuple):
    """The answer to a request."""

    status: int
    headers: dict[str, str]
    body: str


class Replayed(Exception):
    """The request was answered before; nothing is to be done."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


@dataclass(slots=True)
class UnitOfWork:
    """A change of a user. Once it is loaded, it counts what changes; `now` is the time of all of that."""

    transaction: Transaction
    user_id: str
    request: KeyedRequest | None = None
    now: datetime = field(init=False)
    revision: int = field(default=0, init=False)
    task_count: int = field(default=0, init=False)
    last_position: str = field(default="", init=False)  # the greatest that the user's tasks and lists have had
    _loaded: Counters = field(default=Counters(), init=False)
    _buried: list[Tombstone] = field(default_factory=list)
    _statements: list[Executable] = field(default_factory=list)
    _params: dict[str, Any] = field(default_factory=dict)

    @property
    def list_id(self) -> UUID | None:
        """Return the list that the change is limited to."""
        return self.transaction.list_id

    @property
    def counters(self) -> Counters:
        """Return the counters as they are now."""
        return Counters(self.revision, self.task_count, self.last_position)

    @property
    def changes(self) -> int:
        """Return how many changes have been counted."""
        return self.revision - self._loaded.revision

    def undo(self, counters: Counters) -> None:
        """Uncount what was counted since the counters were these. Nothing may have been stored since."""
        self.revision, self.task_count, self.last_position = counters

    def next_revision(self, changes: int = 1) -> int:
        """Count changes; returns the first of their revisions, which follow one another."""
        first = self.revision + 1
        self.revision += changes
        return first

    def give_position(self, wanted: str) -> str:
        """Return the position that the change that was counted last gives, and note it."""
        position = given_position(wanted, self.now, self.revision, self.last_position)
        self.note_positions(position)
        return position

    def note_positions(self, *positions: str) -> None:
        """Note the greatest position that was given."""
        self.last_position = max(self.last_position, *positions)

    def bury(self, kind: str, row_id: UUID, revision: int, list_id: UUID | None = None) -> None:
        """Leave a tombstone of what this change removes, or moves out of a list."""
        self._buried.append(Tombstone(kind, row_id, revision, list_id))

    def load(self, rows: Rows, **params: Any) -> list[tuple[Any, ...]]:
        """Lock the user's row, then read the counters and these rows.

        Raises what `load_all` does.
        """
        _, found = self.load_all(rows, **params)
        return found

    def load_all(self, rows: Rows, **params: Any) -> tuple[tuple[Any, ...], list[tuple[Any, ...]]]:
        """Lock the user's row, then read the counters, the values beside them, and these rows.

        Raises Replayed when the request was answered before, and KeyReused when its key belongs to another one.
        """
        params["principal"] = self.user_id
        if self.request is not None:
            params["name"] = self.request.key
        loading = _loading(rows, has_key=self.request is not None)
        found = self.transaction.begin(loading, params)
        if self.request is not None:
            _refuse_answered(self.request, found[0][4:8])
        middle = 4 if self.request is None else 8
        start = middle + len(rows.of_user)
        # The outer join gives one row without any values when there are none.
        own_rows = [row[start:] for row in found if row[start] is not None]
        self.revision, self.task_count, self.now, self.last_position = found[0][:4]
        self._loaded = self.counters
        return tuple(found[0][middle:start]), own_rows

    def read(self, statement: Executable, **params: Any) -> list[tuple[Any, ...]]:
        """Read what a change needs of other rows than those it has loaded, in a round trip of its own."""
        return self.transaction.read(compile_once(statement), {**params, "principal": self.user_id})

    def store(self, statement: Executable, **params: Any) -> None:
        """Add a statement to what is stored at the end. Statements that share a parameter must share its value."""
        self._statements.append(statement)
        for name, value in params.items():
            if self._params.setdefault(name, value) != value:
                raise ValueError(f"two statements need different values of {name}")

    def settle(self) -> None:
        """Add the tombstones, and the counters if they have moved, to what is stored; after this, nothing may count."""
        if self._buried:
            self.store(BURY, **arrays_of(self._buried))
            self._buried = []
        if self.counters != self._loaded:
            self.store(COUNT, **{f"counted_{name}": value for name, value in self.counters._asdict().items()})
            self._loaded = self.counters

    def finish(self) -> None:
        """Store what was added, and commit."""
        self.settle()
        if self._statements:
            self.transaction.commit(joined(*self._statements), {**self._params, "principal": self.user_id})


def _refuse_answered(request: KeyedRequest, stored: tuple[bytes, int | None, str, str]) -> None:
    """Raise Replayed if this request was answered before, and KeyReused if another one was under its key."""
    request_hash, status, headers, body = stored
    if status is None:
        return
    if request_hash != request.request_hash:
        raise KeyReused
    raise Replayed(Answer(status, json.loads(headers), body))


@lru_cache(maxsize=64)
def _loading(rows: Rows, *, has_key: bool) -> Compiled:
    return joined(LOCK, reading(rows, has_key=has_key))


def reading(rows: Rows, *, has_key: bool) -> SelectOfScalar[Any]:
    """Select the user's counters, the time, the answer stored under the key, and the rows, unless there is one."""
    columns: tuple[ColumnElement[Any], ...] = (users.c.revision, users.c.task_count, func.now(), users.c.last_position)
    source: FromClause = users
    condition = rows.condition
    if has_key:
        columns += _ANSWER
        source = source.outerjoin(keys, and_(keys.c.user_id == USER_ID, keys.c.key == KEY))
        condition = and_(condition, or_(keys.c.status.is_(None), keys.c.created_at <= func.now() - KEPT))
    source = source.outerjoin(rows.source, condition)
    return select(*columns, *rows.of_user, *rows.columns).select_from(source).where(users.c.id == USER_ID)


@contextmanager
def unit_of_work(
    sessions: Sessions, user_id: str, *, request: KeyedRequest | None = None, joined: UnitOfWork | None = None
) -> Iterator[UnitOfWork]:
    """Open a unit of work, which is stored when the block ends; or join one, which its opener stores."""
    if joined is not None:
        yield joined
        return
    with sessions.transaction(user_id) as transaction:
        unit = UnitOfWork(transaction, user_id, request)
        yield unit
        unit.finish()
