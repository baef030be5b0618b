"""A unit of work, as every change is done: load in a round trip, decide in Python, store in another round trip.

The load begins the transaction and locks the user's row. So the changes of a user follow one another, cannot deadlock,
and decide with what the previous change stored. The store ends the transaction. If there is nothing to store, it is
rolled back, along with the row that it made for a user who has never written anything.

If the connection is lost during the load, nothing was done. During the store, it may have been done.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Executable, Text, update
from sqlalchemy import bindparam as bind
from sqlalchemy.sql.dml import Update

from backend.database.session import BY_COMMAND, Origin, Sessions, Transaction
from backend.database.statements import compile_once, joined
from backend.errors import KeyReused, TaskAPIError
from backend.models.tables import users
from backend.services.loading import STATE, Found, R, Rows, loading_of
from backend.services.resources import events
from backend.services.resources.notes import BulkNote, Note
from backend.services.resources.parameters import USER_ID
from backend.services.resources.tombstones import BURY, Tombstone, arrays_of
from backend.utils.positions import given_position

_COUNTED: dict[str, ColumnElement[Any]] = {
    "revision": bind("counted_revision", type_=BigInteger),
    "task_count": bind("counted_task_count", type_=BigInteger),
    "last_position": bind("counted_last_position", type_=Text),
}
COUNT = update(users).where(users.c.id == USER_ID).values(_COUNTED)


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


class Changes(Protocol):
    """Rows that a unit of work changes: it stores them when it ends, unless it has undone the changes."""

    def savepoint(self) -> int:
        """Return what `undo` takes to make the rows as they are now."""

    def undo(self, savepoint: int) -> None:
        """Undo the changes since a savepoint."""

    def store(self) -> None:
        """Store the rows that differ from what was loaded."""


@dataclass(slots=True)
class UnitOfWork:
    """A change of a user. Once it is loaded, it counts what changes; `now` is the time of all of that."""

    transaction: Transaction
    user_id: str
    request: KeyedRequest | None = None
    origin: Origin = BY_COMMAND
    now: datetime = field(init=False)
    revision: int = field(default=0, init=False)
    task_count: int = field(default=0, init=False)
    last_position: str = field(default="", init=False)  # the greatest that the user's tasks and lists have had
    notes: list[Note | BulkNote] = field(default_factory=list, init=False)  # in the order of their revisions
    _loaded: Counters = field(default=Counters(), init=False)
    _is_loaded: bool = field(default=False, init=False)
    _changes: list[Changes] = field(default_factory=list)
    _buried: list[Tombstone] = field(default_factory=list)
    _statements: list[Executable] = field(default_factory=list)
    _params: dict[str, Any] = field(default_factory=dict)
    _stored_notes: int = field(default=0, init=False)  # how many of them

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

    def join(self, changes: Changes) -> None:
        """Store these changes at the end, too, behind those that joined before."""
        self._changes.append(changes)

    @contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """Undo all that the block has done if it raises: changed rows, notes, tombstones and counters.

        The block may not use `store`, whose statements cannot be undone.
        """
        counters, notes, buried = self.counters, len(self.notes), len(self._buried)
        savepoints = [changes.savepoint() for changes in self._changes]
        try:
            yield
        except TaskAPIError:
            self.revision, self.task_count, self.last_position = counters
            del self.notes[notes:]
            del self._buried[buried:]
            for changes, savepoint in zip(self._changes, savepoints, strict=True):
                changes.undo(savepoint)
            raise

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

    def note(self, kind: str, row_id: UUID, revision: int, before: Any, after: Any) -> None:
        """Note what a change that was counted did to a row; None stands for a row that is not there."""
        self.notes.append(Note(kind, row_id, revision, before, after))

    def change_many(self, kind: str, statement: Update, number: int, **params: Any) -> None:
        """Store, count and note a statement that changes this number of rows; nothing if there are none.

        The rows get revisions that follow one another, behind the parameter `counted_after`.
        """
        if number:
            self._record(events.recording(kind, statement))
            self.store(statement, counted_after=self.revision, **params)
            first = self.next_revision(number)
            self.notes.append(BulkNote(kind, statement, first, number, params))

    def bury(self, kind: str, row_id: UUID, revision: int, list_id: UUID | None = None) -> None:
        """Leave a tombstone of what this change removes, or moves out of a list."""
        self._buried.append(Tombstone(kind, row_id, revision, list_id))

    def load(self, rows: Rows[R], **params: Any) -> Found[R]:
        """Lock the user's row, then read the counters, the values beside them, and these rows.

        A second load only reads its rows, in a round trip of its own. Raises Replayed when the request was answered
        before, and KeyReused when its key belongs to another one.
        """
        params["principal"] = self.user_id
        if self._is_loaded:
            loading, names = loading_of(rows, has_key=False, locks=False)
            found = self.transaction.read(loading, params)
            return _named(rows, dict(zip(names, found[0], strict=False)), found)
        if self.request is not None:
            params["name"] = self.request.key
        loading, names = loading_of(rows, has_key=self.request is not None)
        found = self.transaction.begin(loading, params)
        once = dict(zip(names, found[0], strict=False))
        if self.request is not None:
            _refuse_answered(self.request, once)
        self.revision, self.task_count, self.now, self.last_position = map(once.__getitem__, STATE)
        self._loaded, self._is_loaded = self.counters, True
        return _named(rows, once, found)

    def read(self, statement: Executable, **params: Any) -> list[tuple[Any, ...]]:
        """Read what a change needs of other rows than those it has loaded, in a round trip of its own."""
        return self.transaction.read(compile_once(statement), {**params, "principal": self.user_id})

    def store(self, statement: Executable, **params: Any) -> None:
        """Add a statement to what is stored at the end. Statements that share a parameter must share its value."""
        self._statements.append(statement)
        for name, value in params.items():
            if self._params.setdefault(name, value) != value:
                raise ValueError(f"two statements need different values of {name}")

    def _record(self, statement: Executable, **params: Any) -> None:
        """Add a statement that stores events."""
        self.store(statement, **params, **{f"event_{name}": value for name, value in self.origin._asdict().items()})

    def settle(self) -> None:
        """Add to what is stored: changed rows, tombstones, events, and the counters if they have moved.

        It stands behind the statements that were added before. After this, nothing may count.
        """
        changes, self._changes = self._changes, []
        for each in changes:
            each.store()
        if self._buried:
            self.store(BURY, **arrays_of(self._buried))
            self._buried = []
        notes, self._stored_notes = self.notes[self._stored_notes :], len(self.notes)
        for statement, params in events.stored(notes):
            self._record(statement, **params)
        if self.counters != self._loaded:
            self.store(COUNT, **{f"counted_{name}": value for name, value in self.counters._asdict().items()})
            self._loaded = self.counters

    def finish(self) -> None:
        """Store what was added, and commit."""
        self.settle()
        if self._statements:
            self.transaction.commit(joined(*self._statements), {**self._params, "principal": self.user_id})


def _named(rows: Rows[R], once: dict[str, Any], found: list[tuple[Any, ...]]) -> Found[R]:
    """Name what was read. The outer join gives a row without any values when there are no rows."""
    start = len(found[0]) - len(rows.columns)
    return rows.found(once, [row[start:] for row in found if row[start] is not None])


def _refuse_answered(request: KeyedRequest, stored: dict[str, Any]) -> None:
    """Raise Replayed if this request was answered before, and KeyReused if another one was under its key."""
    if stored["status"] is None:
        return
    if stored["request_hash"] != request.request_hash:
        raise KeyReused
    raise Replayed(Answer(stored["status"], json.loads(stored["headers"]), stored["body"]))


@contextmanager
def unit_of_work(
    sessions: Sessions, user_id: str, *, request: KeyedRequest | None = None, joined: UnitOfWork | None = None
) -> Iterator[UnitOfWork]:
    """Open a unit of work, which is stored when the block ends; or join one, which its opener stores."""
    if joined is not None:
        yield joined
        return
    with sessions.transaction(user_id) as transaction:
        unit = UnitOfWork(transaction, user_id, request, sessions.origin)
        yield unit
        unit.finish()
