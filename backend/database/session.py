"""The session factory that services get: sessions that see one user's rows."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple, Protocol, Self, TypeVar, TypeVarTuple, overload
from uuid import UUID

import psycopg2
import structlog
from sqlalchemy import Executable
from sqlmodel.sql.expression import Select, SelectOfScalar

from backend.database.engine import Connection, Engine
from backend.database.errors import DatabaseUnavailable, Interrupted, RoleRefused, meaning_of
from backend.database.guard import BEGIN, TIMEOUT, guard_for, guard_values
from backend.database.statements import Compiled, compile_once, describe

_Columns = TypeVarTuple("_Columns")
_Column = TypeVar("_Column")

_ROLLBACK = describe("ROLLBACK")

logger = structlog.get_logger(__name__)


class Origin(NamedTuple):
    """By whom, through what and with which request changes are made: it is noted with them."""

    actor: str = "user"  # or the word token, a colon, and the id of a personal access token
    via: str = "command"
    request_id: str | None = None


BY_COMMAND = Origin()


@dataclass(slots=True)
class Session:
    """Runs statements for a user on a connection, in a round trip each. With `list_id`, it sees that list only."""

    connection: Connection
    user_id: str
    list_id: UUID | None = None
    may_be_done: ClassVar[bool] = True  # if the connection is lost while a statement runs

    @overload
    def exec(
        self, statement: Select[*_Columns], *, params: Mapping[str, Any] | None = None
    ) -> list[tuple[*_Columns]]: ...

    @overload
    def exec(
        self, statement: SelectOfScalar[_Column], *, params: Mapping[str, Any] | None = None
    ) -> list[tuple[_Column]]: ...

    @overload
    def exec(self, statement: Executable, *, params: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]: ...

    def exec(self, statement: Executable, *, params: Mapping[str, Any] | None = None) -> list[Any]:
        """Run a statement, which sees and changes only this user's rows, in one round trip; returns its rows."""
        return self.run(compile_once(statement), params or {})

    def run(self, statement: Compiled, params: Mapping[str, Any]) -> list[Any]:
        """Run a compiled statement in the same way."""
        return _send(self, statement, params, before=guard_for(self.list_id))

    def end(self) -> None:
        """Return the connection."""
        self.connection.close()


@dataclass(slots=True)
class Transaction:
    """A transaction of a user: two messages, and reads between them. Each of them takes a round trip.

    Unless it is committed, it is rolled back.
    """

    connection: Connection
    user_id: str
    list_id: UUID | None = None
    may_be_done: bool = False  # if the connection is lost now
    _is_open: bool = False

    def begin(self, statements: Compiled, params: Mapping[str, Any]) -> list[Any]:
        """Begin with these statements; returns the rows of the last one."""
        self._is_open = True
        return _send(self, statements, params, before=BEGIN + guard_for(self.list_id))

    def read(self, statement: Compiled, params: Mapping[str, Any]) -> list[Any]:
        """Run a statement between the two; the guard is still in force, but less time is left. Returns its rows."""
        return _send(self, statement, params, before=TIMEOUT)

    def commit(self, statements: Compiled, params: Mapping[str, Any]) -> None:
        """Run these statements and commit. The guard is still in force, but less time is left."""
        self.may_be_done = True
        _send(self, statements, params, before=TIMEOUT, after="; COMMIT")
        self._is_open = False

    def end(self) -> None:
        """Roll back what was begun and not committed, and return the connection."""
        try:
            if self._is_open and self.connection.is_valid:
                with suppress(psycopg2.Error):  # only when the connection is lost, and the transaction with it
                    self.connection.send("ROLLBACK", None, _ROLLBACK)
        finally:
            self.connection.close()


def _send(
    work: Session | Transaction, statement: Compiled, params: Mapping[str, Any], *, before: str, after: str = ""
) -> list[Any]:
    """Send a statement between other SQL.

    A session of one list prepares nothing: Postgres would plan anew whenever the two roles take turns.
    """
    connection = work.connection
    sql = connection.prepared_sql(statement) if work.list_id is None else statement.sql
    guard = guard_values(work.user_id, work.list_id, connection.server_milliseconds())
    return connection.send(f"{before}{statement.settings}{sql}{after}", {**params, **guard}, statement.description)


class Sessions(Protocol):
    """Opens the sessions of services: they see all that their user has, or one list only, if there is a `list_id`."""

    @property
    def list_id(self) -> UUID | None:
        """Return the list that sessions are limited to."""
        ...

    @property
    def origin(self) -> Origin:
        """Return by whom and through what changes are made."""
        ...

    def __call__(self, user_id: str) -> AbstractContextManager[Session]:
        """Open a session whose every statement sees and changes only this user's rows."""
        ...

    def transaction(self, user_id: str) -> AbstractContextManager[Transaction]:
        """Open a transaction of this user."""
        ...


_Work = TypeVar("_Work", Session, Transaction)


@dataclass(frozen=True, slots=True)
class SessionFactory:
    """Opens sessions on one engine."""

    engine: Engine
    log_level: int = logging.WARNING  # for an unavailable database
    list_id: UUID | None = None
    origin: Origin = BY_COMMAND

    def limited_to(self, list_id: UUID | None) -> Self:
        """Return a factory whose sessions see this list only; None means all that their user has."""
        return self if list_id is None else replace(self, list_id=list_id)

    def made_by(self, origin: Origin) -> Self:
        """Return a factory whose changes are noted with this origin."""
        return replace(self, origin=origin)

    def __call__(self, user_id: str) -> AbstractContextManager[Session]:
        """Open a session: each statement is its own transaction, and sees and changes only this user's rows.

        Raises DatabaseUnavailable when the database does not answer, is full, or takes too long; its subclass
        Interrupted when the connection is lost; its subclass RoleRefused when the database cannot restrict the session
        to this user; and StatementRefused for anything else it refuses.
        """
        return self._opened(Session, user_id)

    def transaction(self, user_id: str) -> AbstractContextManager[Transaction]:
        """Open a transaction of this user, and roll it back if the block does not commit it.

        Raises what a session raises.
        """
        return self._opened(Transaction, user_id)

    @contextmanager
    def _opened(self, kind: type[_Work], user_id: str) -> Iterator[_Work]:
        work = kind(self._connect(), user_id, self.list_id)
        try:
            yield work
        except psycopg2.Error as error:
            failure = meaning_of(error, is_connected=work.connection.is_valid, may_be_done=work.may_be_done)
            self._log(failure)
            raise failure from None  # the error's text holds what users wrote
        finally:
            work.end()

    def _connect(self) -> Connection:
        try:
            return self.engine.connect()
        except DatabaseUnavailable as failure:
            self._log(failure)
            raise

    def _log(self, failure: Exception) -> None:
        """Log what callers do not handle."""
        match failure:
            case RoleRefused():
                logger.error("row_level_security_off", reason=failure.reason)
            case Interrupted():
                logger.log(self.log_level, "database_interrupted", reason=failure.reason)
            case DatabaseUnavailable():
                logger.log(self.log_level, "database_unavailable", reason=failure.reason)
