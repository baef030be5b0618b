"""The session factory that services get: sessions that see one user's rows."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol

import structlog
from psycopg2.errorcodes import (
    DEADLOCK_DETECTED,
    INSUFFICIENT_PRIVILEGE,
    INVALID_PARAMETER_VALUE,
    READ_ONLY_SQL_TRANSACTION,
    SERIALIZATION_FAILURE,
)
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, InterfaceError, InvalidRequestError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlmodel import Session

from backend.database.connector import NoConnection
from backend.database.engine import ROLE
from backend.database.reasons import message_of, reason
from backend.errors import ServiceUnavailable
from backend.utils.budget import current_budget

logger = structlog.get_logger(__name__)

# What says of itself that nothing was done, and that another try is worth it.
_NOT_DONE = {SERIALIZATION_FAILURE, DEADLOCK_DETECTED, READ_ONLY_SQL_TRANSACTION}


class StatementRefused(Exception):
    """Postgres refused a statement. Says why, but holds nothing of the rows that it was about."""

    def __init__(self, error: DBAPIError) -> None:
        super().__init__(reason(error.orig))
        self.sqlstate: str | None = getattr(error.orig, "pgcode", None)


class Interrupted(ServiceUnavailable):
    """The work was lost on its way, through no fault of its own: worth another try if it may be done twice.

    `may_be_done` tells whether it may have been done all the same.
    """

    def __init__(self, *, may_be_done: bool) -> None:
        super().__init__()
        self.may_be_done = may_be_done


class RoleRefused(ServiceUnavailable):
    """Requests may not take on the role that row-level security binds: it is missing, or the login is no member."""

    def __init__(self, *, is_missing: bool) -> None:
        super().__init__()
        self.is_missing = is_missing


class Sessions(Protocol):
    """What services open their sessions with."""

    def __call__(self, user_id: str) -> AbstractContextManager[Session]:
        """Open a session whose every statement sees and changes only this user's rows."""
        ...

    def transaction(self, user_id: str) -> AbstractContextManager[Sessions]:
        """Give what opens sessions of one transaction of this user."""
        ...


@dataclass(frozen=True, slots=True)
class SessionFactory:
    """Opens sessions on one engine."""

    engine: Engine
    log_level: int = logging.WARNING  # at which a database that is away is logged

    @contextmanager
    def __call__(self, user_id: str) -> Iterator[Session]:
        """Open a session whose every statement sees and changes only this user's rows, and is a transaction by itself.

        Raises ServiceUnavailable when the database does not answer, is full, or takes longer than it may, Interrupted
        when the connection is lost, RoleRefused when the database does not let the session be one of this user alone,
        and StatementRefused for whatever else it refuses.
        """
        with self._open(user_id) as session:
            yield session

    @contextmanager
    def transaction(self, user_id: str) -> Iterator[Sessions]:
        """Make one transaction of all that is done in the block: in sessions of what it gives, for this user alone.

        It is committed when the block ends, and taken back when it raises. Raises what a session does.
        """
        is_ending = False
        try:
            # Each statement sees what was committed before it: a lock that was waited for shows what it protected.
            with self._open(user_id, isolation_level="READ COMMITTED") as session:
                yield JoinedSessions(session, user_id)
                is_ending = True
                session.commit()
        except Interrupted as error:
            error.may_be_done &= is_ending
            raise

    @contextmanager
    def _open(self, user_id: str, **options: str) -> Iterator[Session]:
        if current_budget().remaining_seconds() <= 0:
            logger.log(self.log_level, "database_unavailable", reason="the time of the request is over")
            raise ServiceUnavailable
        try:
            with Session(self.engine) as session:
                self._connect(session, {"user_id": user_id, **options})
                yield session
        except PoolTimeoutError as error:
            logger.log(self.log_level, "database_unavailable", reason=reason(error))
            raise ServiceUnavailable from error
        except DBAPIError as error:
            raise self._translated(error) from None  # its text holds what users wrote

    def _connect(self, session: Session, options: dict[str, str]) -> None:
        """Take a live connection and say whose rows it is for."""
        try:
            session.connection(execution_options=options)
        except NoConnection as error:
            logger.log(self.log_level, "database_unavailable", reason=error.reason)
            raise
        except InvalidRequestError as error:
            # What SQLAlchemy says when a connection was dead and so is the one that it opened instead.
            logger.log(self.log_level, "database_interrupted", reason=str(error))
            raise Interrupted(may_be_done=False) from error

    def _translated(self, error: DBAPIError) -> Exception:
        """Turn what the driver raised into what callers know, and log what is not theirs to handle."""
        sqlstate = getattr(error.orig, "pgcode", None) or ""
        if error.connection_invalidated or sqlstate in _NOT_DONE:
            logger.log(self.log_level, "database_interrupted", reason=reason(error.orig))
            return Interrupted(may_be_done=sqlstate not in _NOT_DONE)
        # psycopg2 reports some lost connections under other names.
        if isinstance(error, OperationalError | InterfaceError):
            logger.log(self.log_level, "database_unavailable", reason=reason(error.orig))
            return ServiceUnavailable()
        refused = StatementRefused(error)
        # The guard names the role, in whatever language; what else is refused with these codes does not.
        is_about_role = refused.sqlstate in {INVALID_PARAMETER_VALUE, INSUFFICIENT_PRIVILEGE}
        if is_about_role and f'"{ROLE}"' in message_of(error.orig):
            logger.error("second_wall_open", reason=f"the role {ROLE} cannot be taken on: {refused}")
            return RoleRefused(is_missing=refused.sqlstate == INVALID_PARAMETER_VALUE)
        return refused


@dataclass(frozen=True, slots=True)
class JoinedSessions:
    """Opens sessions that are all the same transaction, of one user."""

    session: Session
    user_id: str

    @contextmanager
    def __call__(self, user_id: str) -> Iterator[Session]:
        """Join the transaction; raises ValueError for another user than the one whose it is."""
        self._require(user_id)
        yield self.session

    @contextmanager
    def transaction(self, user_id: str) -> Iterator[Sessions]:
        """Join the transaction: it is committed by whoever opened it. Raises ValueError for another user."""
        self._require(user_id)
        yield self

    def _require(self, user_id: str) -> None:
        if user_id != self.user_id:
            raise ValueError("a transaction is of one user")
