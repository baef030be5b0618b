"""The session factory that services get: sessions that see one user's rows."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, TypeVarTuple, overload

import psycopg2
import structlog
from psycopg2.errorcodes import (
    DEADLOCK_DETECTED,
    INSUFFICIENT_PRIVILEGE,
    INVALID_PARAMETER_VALUE,
    READ_ONLY_SQL_TRANSACTION,
    SERIALIZATION_FAILURE,
)
from sqlalchemy import Executable
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import PoolProxiedConnection
from sqlmodel.sql.expression import Select, SelectOfScalar

from backend.database.connector import NoConnection
from backend.database.deadline import current_work
from backend.database.engine import Engine
from backend.database.error_text import message_of, reason
from backend.database.instrumentation import describe
from backend.database.statements import ROLE, Compiled, compile_once
from backend.errors import ServiceUnavailable

_Columns = TypeVarTuple("_Columns")
_Column = TypeVar("_Column")

_ROLLBACK = describe("ROLLBACK")

logger = structlog.get_logger(__name__)

# SQLSTATEs that mean: nothing was done, and a retry may succeed.
_NOT_DONE = {SERIALIZATION_FAILURE, DEADLOCK_DETECTED, READ_ONLY_SQL_TRANSACTION}


class StatementRefused(Exception):
    """Postgres refused a statement. Gives the reason, but nothing from the rows involved."""

    def __init__(self, error: psycopg2.Error) -> None:
        super().__init__(reason(error))
        self.sqlstate: str | None = error.pgcode


class Interrupted(ServiceUnavailable):
    """The connection was lost mid-work, or the server aborted the work: retry if doing it twice is harmless.

    `may_be_done` says whether it may have been done anyway.
    """

    def __init__(self, *, may_be_done: bool) -> None:
        super().__init__()
        self.may_be_done = may_be_done


class RoleRefused(ServiceUnavailable):
    """The login cannot switch to the role that row-level security binds: it is missing, or not granted."""

    def __init__(self, *, is_missing: bool) -> None:
        super().__init__()
        self.is_missing = is_missing


@dataclass(slots=True)
class Session:
    """Runs statements for one user on one connection."""

    engine: Engine
    connection: PoolProxiedConnection
    user_id: str

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

    def run(self, compiled: Compiled, params: Mapping[str, Any]) -> list[Any]:
        """Run a compiled statement."""
        return self.engine.run(self.connection, compiled, params, self.user_id)


@dataclass(slots=True)
class Transaction:
    """A transaction of one user: two messages, each one round trip. Unless it is committed, it is rolled back."""

    engine: Engine
    connection: PoolProxiedConnection
    user_id: str
    is_open: bool = False
    is_ending: bool = False  # from here on, the database may have committed it

    def begin(self, message: Compiled, params: Mapping[str, Any]) -> list[Any]:
        """Send a message made by `beginning`; returns the rows of its last statement."""
        self.is_open = True
        return self.engine.run(self.connection, message, params, self.user_id)

    def commit(self, message: Compiled, params: Mapping[str, Any]) -> None:
        """Send a message made by `committing`."""
        self.is_ending = True
        self.engine.run(self.connection, message, params, self.user_id)
        self.is_open = False

    def roll_back(self) -> None:
        """Roll back, if it was begun."""
        if self.is_open and self.connection.is_valid:
            with suppress(psycopg2.Error):  # only when the connection is lost, and the transaction with it
                self.engine.send(self.connection, "ROLLBACK", None, _ROLLBACK)


class Sessions(Protocol):
    """Opens the sessions of services."""

    def __call__(self, user_id: str) -> AbstractContextManager[Session]:
        """Open a session whose every statement sees and changes only this user's rows."""
        ...

    def transaction(self, user_id: str) -> AbstractContextManager[Transaction]:
        """Open a transaction of this user."""
        ...


@dataclass(frozen=True, slots=True)
class SessionFactory:
    """Opens sessions on one engine."""

    engine: Engine
    log_level: int = logging.WARNING  # for an unavailable database

    @contextmanager
    def __call__(self, user_id: str) -> Iterator[Session]:
        """Open a session: each statement is its own transaction, and sees and changes only this user's rows.

        Raises ServiceUnavailable when the database does not answer, is full, or takes too long, Interrupted when the
        connection is lost, RoleRefused when the database cannot restrict the session to this user, and
        StatementRefused for anything else it refuses.
        """
        connection = self._connect()
        try:
            yield Session(self.engine, connection, user_id)
        except psycopg2.Error as error:
            raise self._translated(error, connection) from None  # its text holds what users wrote
        finally:
            connection.close()

    @contextmanager
    def transaction(self, user_id: str) -> Iterator[Transaction]:
        """Open a transaction of this user, and roll it back if the block does not commit it.

        Raises what a session raises.
        """
        connection = self._connect()
        transaction = Transaction(self.engine, connection, user_id)
        try:
            yield transaction
        except psycopg2.Error as error:
            translated = self._translated(error, connection)
            if isinstance(translated, Interrupted):
                translated.may_be_done &= transaction.is_ending
            raise translated from None  # its text holds what users wrote
        finally:
            transaction.roll_back()
            connection.close()

    def _connect(self) -> PoolProxiedConnection:
        """Take a live connection within the remaining time."""
        if current_work().remaining_seconds() <= 0:
            logger.log(self.log_level, "database_unavailable", reason="the time of the request is over")
            raise ServiceUnavailable
        try:
            return self.engine.connect()
        except PoolTimeoutError as error:
            logger.log(self.log_level, "database_unavailable", reason=reason(error))
            raise ServiceUnavailable from error
        except NoConnection as error:
            logger.log(self.log_level, "database_unavailable", reason=error.reason)
            raise
        except InvalidRequestError as error:
            # SQLAlchemy raises this when a connection was dead and its replacement is dead too.
            logger.log(self.log_level, "database_interrupted", reason=str(error))
            raise Interrupted(may_be_done=False) from error

    def _translated(self, error: psycopg2.Error, connection: PoolProxiedConnection) -> Exception:
        """Translate a driver error into one of ours, and log it unless callers handle it."""
        if error.pgcode == READ_ONLY_SQL_TRANSACTION:
            self.engine.distrust()  # its connections lead to a server that is now read-only: another took over
            connection.invalidate(error)
        if not connection.is_valid or error.pgcode in _NOT_DONE:
            logger.log(self.log_level, "database_interrupted", reason=reason(error))
            return Interrupted(may_be_done=error.pgcode not in _NOT_DONE)
        if isinstance(error, psycopg2.OperationalError):
            logger.log(self.log_level, "database_unavailable", reason=reason(error))
            return ServiceUnavailable()
        refused = StatementRefused(error)
        # If the guard was refused, the message names the role, in any language; other refusals with these codes do not.
        is_about_role = refused.sqlstate in {INVALID_PARAMETER_VALUE, INSUFFICIENT_PRIVILEGE}
        if is_about_role and f'"{ROLE}"' in message_of(error):
            logger.error("row_level_security_off", reason=f"the role {ROLE} cannot be taken on: {refused}")
            return RoleRefused(is_missing=refused.sqlstate == INVALID_PARAMETER_VALUE)
        return refused
