"""Whether this process can serve: the database answers and its schema is the one this code was written for."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from psycopg2.errors import InvalidParameterValue, UndefinedTable
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from backend.database.session import SessionFactory
from backend.errors import ServiceUnavailable

logger = logging.getLogger(__name__)

_APPLIED = text("SELECT migration_id FROM _yoyo_migration")
_NOBODY = ""


@dataclass(slots=True)
class Readiness:
    """Asks the database, and remembers a good answer for `remember_seconds`.

    Longer than the five minutes after which Neon suspends an idle compute: being asked must not keep it awake.
    """

    sessions: SessionFactory
    migrations: frozenset[str]
    remember_seconds: float = 600
    clock: Callable[[], float] = time.monotonic
    _good_until: float = field(default=float("-inf"), init=False)

    def check(self) -> None:
        """Return when ready; raises ServiceUnavailable when the database is away or its schema is outdated."""
        if self.clock() < self._good_until:
            return
        try:
            with self.sessions(_NOBODY) as session:
                applied = set(session.scalars(_APPLIED))
        except DBAPIError as error:
            logger.warning("the schema cannot be read: %s", error)
            if isinstance(error.orig, UndefinedTable | InvalidParameterValue):  # no table, or no role to read it as
                raise ServiceUnavailable("The database has no schema yet: no migration is applied.") from error
            raise ServiceUnavailable from error
        if missing := self.migrations - applied:
            raise ServiceUnavailable(f"The database schema is outdated: {len(missing)} migrations are pending.")
        self._good_until = self.clock() + self.remember_seconds
