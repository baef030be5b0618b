"""The session factory that services get: sessions that see one user's rows."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, InterfaceError, InvalidRequestError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlmodel import Session

from backend.errors import ServiceUnavailable

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SessionFactory:
    """Opens sessions on one engine."""

    engine: Engine

    @contextmanager
    def __call__(self, user_id: str) -> Iterator[Session]:
        """Open a session whose every statement sees and changes only this user's rows.

        Raises ServiceUnavailable when the database does not answer, is full, or takes longer than it may.
        """
        try:
            with Session(self.engine) as session:
                _connect(session, user_id)
                yield session
        except (OperationalError, InterfaceError, PoolTimeoutError) as error:
            logger.warning("database unavailable: %s", error)
            raise ServiceUnavailable from error
        except DBAPIError as error:
            # psycopg2 reports some lost connections under other names.
            if not error.connection_invalidated:
                raise
            logger.warning("database connection lost: %s", error)
            raise ServiceUnavailable from error


def _connect(session: Session, user_id: str) -> None:
    """Take a live connection and say whose rows it is for."""
    try:
        session.connection(execution_options={"user_id": user_id})
    except InvalidRequestError as error:
        # What SQLAlchemy says when a connection was dead and so is the one that it opened instead.
        logger.warning("database unavailable: %s", error)
        raise ServiceUnavailable from error
