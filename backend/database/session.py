"""The session factory that services get: sessions that see one user's rows."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, TypeVarTuple, overload

import psycopg2
import structlog
from sqlalchemy import Executable
from sqlalchemy.pool import PoolProxiedConnection
from sqlmodel.sql.expression import Select, SelectOfScalar

from backend.database.engine import Engine
from backend.database.errors import DatabaseUnavailable, Interrupted, RoleRefused, meaning_of
from backend.database.guard import GUARD, guard_values
from backend.database.statements import Compiled, compile_once, describe

_Columns = TypeVarTuple("_Columns")
_Column = TypeVar("_Column")

# Each statement sees what was committed before it: after waiting for a lock, it sees the newest rows.
_BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED; "  # in the round trip of the first statement
_COMMIT, _ROLLBACK = describe("COMMIT"), describe("ROLLBACK")

logger = structlog.get_logger(__name__)


class NothingChanged(Exception):
    """Rolls back a transaction not worth keeping, including the row it made for a user who never wrote anything.

    `result` is what the code that began the transaction returns.
    """

    def __init__(self, result: Any) -> None:
        super().__init__()
        self.result = result


@dataclass(slots=True)
class Session:
    """Runs statements for one user on one connection, each in one round trip."""

    engine: Engine
    connection: PoolProxiedConnection
    user_id: str
    is_transaction: bool
    _has_begun: bool = False
    _is_ending: bool = False

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
        sql = GUARD + statement.sql
        if self.is_transaction and not self._has_begun:
            self._has_begun = True
            sql = _BEGIN + sql
        guard = guard_values(self.user_id, self.engine.server_milliseconds())
        return self.engine.send(self.connection, sql, {**statement.constants, **params, **guard}, statement.description)

    @property
    def may_be_done(self) -> bool:
        """Return whether the work may have been done if the connection is lost now; else it has certainly not."""
        return self._is_ending or not self.is_transaction

    def commit(self) -> None:
        """Commit the transaction, if one was begun."""
        self._is_ending = True
        if self._has_begun:
            self.engine.send(self.connection, "COMMIT", None, _COMMIT)

    def roll_back(self) -> None:
        """Roll back the transaction, if one was begun."""
        if self._has_begun and self.connection.is_valid:
            with suppress(psycopg2.Error):  # only when the connection is lost, and the transaction with it
                self.engine.send(self.connection, "ROLLBACK", None, _ROLLBACK)


class Sessions(Protocol):
    """Opens the sessions of services."""

    def __call__(self, user_id: str) -> AbstractContextManager[Session]:
        """Open a session whose every statement sees and changes only this user's rows."""
        ...

    def transaction(self, user_id: str) -> AbstractContextManager[Sessions]:
        """Open one transaction of this user; gives a factory of sessions that join it."""
        ...


@dataclass(frozen=True, slots=True)
class SessionFactory:
    """Opens sessions on one engine."""

    engine: Engine
    log_level: int = logging.WARNING  # for an unavailable database

    def __call__(self, user_id: str) -> AbstractContextManager[Session]:
        """Open a session: each statement is its own transaction, and sees and changes only this user's rows.

        Raises DatabaseUnavailable when the database does not answer, is full, or takes too long, namely Interrupted
        when the connection is lost and RoleRefused when the database cannot restrict the session to this user, and
        StatementRefused for anything else it refuses.
        """
        return self._session(user_id, is_transaction=False)

    @contextmanager
    def transaction(self, user_id: str) -> Iterator[Sessions]:
        """Run the block as one transaction of this user; gives a factory of sessions that join it.

        Commits when the block ends, and rolls back when it raises. Raises what a session raises.
        """
        with self._session(user_id, is_transaction=True) as session:
            yield JoinedSessions(session)

    @contextmanager
    def _session(self, user_id: str, *, is_transaction: bool) -> Iterator[Session]:
        session = Session(self.engine, self._connect(), user_id, is_transaction)
        try:
            yield session
            session.commit()
        except psycopg2.Error as error:
            failure = meaning_of(error, is_connected=session.connection.is_valid, may_be_done=session.may_be_done)
            self._log(failure)
            session.roll_back()
            raise failure from None  # the error's text holds what users wrote
        except BaseException:
            session.roll_back()
            raise
        finally:
            session.connection.close()

    def _connect(self) -> PoolProxiedConnection:
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


@dataclass(frozen=True, slots=True)
class JoinedSessions:
    """Opens sessions that all join one transaction of one user."""

    session: Session

    @contextmanager
    def __call__(self, user_id: str) -> Iterator[Session]:
        """Join the transaction; raises ValueError for any other user than its own."""
        self._require(user_id)
        yield self.session

    @contextmanager
    def transaction(self, user_id: str) -> Iterator[Sessions]:
        """Join the transaction, which its opener commits; raises ValueError for another user."""
        self._require(user_id)
        yield self

    def _require(self, user_id: str) -> None:
        if user_id != self.session.user_id:
            raise ValueError("a transaction is of one user")
