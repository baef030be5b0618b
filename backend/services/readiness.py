"""Whether this process can serve: the database answers, its schema is ours, and it keeps users apart by itself."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from psycopg2.errorcodes import UNDEFINED_TABLE
from sqlalchemy import text

from backend.database.session import RoleRefused, SessionFactory, StatementRefused
from backend.errors import ServiceUnavailable
from backend.services import wall

logger = logging.getLogger(__name__)

_APPLIED = "(SELECT array_agg(migration_id) FROM _yoyo_migration) AS applied"
_STATE = text(f"SELECT wall.*, {_APPLIED} FROM ({wall.SQL}) AS wall")  # noqa: S608 - constants
_NO_WALL = "The database does not keep users apart by itself; the log says why."


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

    @property
    def is_remembered(self) -> bool:
        """Tell whether check() would answer from memory: then it needs no connection."""
        return self.clock() < self._good_until

    def check(self) -> None:
        """Return when ready.

        Raises ServiceUnavailable when the database is away, its schema is outdated, or the second wall does not stand.
        """
        if self.is_remembered:
            return
        try:
            with self.sessions(wall.NOBODY) as session:
                rows = session.connection().execute(_STATE, wall.parameters()).all()
        except RoleRefused as error:
            raise ServiceUnavailable(_NO_WALL) from error
        except StatementRefused as error:
            logger.warning("the schema cannot be read: %s", error)
            if error.sqlstate == UNDEFINED_TABLE:
                raise ServiceUnavailable("The database has no schema yet: no migration is applied.") from error
            raise ServiceUnavailable from error
        if missing := self.migrations.difference(rows[0].applied or ()):
            raise ServiceUnavailable(f"The database schema is outdated: {len(missing)} migrations are pending.")
        if gaps := wall.gaps_of((row.name, row.gap) for row in rows):
            logger.error("the second wall does not stand: %s", "; ".join(gaps))
            raise ServiceUnavailable(_NO_WALL)
        self._good_until = self.clock() + self.remember_seconds
