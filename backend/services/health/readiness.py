"""Whether this process can serve: the database answers, its schema is ours, and row-level security works."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import structlog
from psycopg2.errorcodes import UNDEFINED_TABLE
from sqlalchemy import text

from backend.database.errors import RoleRefused, StatementRefused
from backend.database.session import SessionFactory
from backend.errors import ServiceUnavailable
from backend.models.user import NOBODY
from backend.services.health import rls_check

logger = structlog.get_logger()

_APPLIED = "(SELECT array_agg(migration_id) FROM _yoyo_migration) AS applied"
_STATE = text(f"SELECT rls.*, {_APPLIED} FROM ({rls_check.SQL}) AS rls")  # noqa: S608 - constants
_NO_SCHEMA = "The database has no schema yet: no migration is applied."
_NO_RLS = "Row-level security does not work; the log says why."


@dataclass(slots=True)
class Readiness:
    """Asks the database. Remembers a bad answer for `retry_seconds`, a good one for `remember_seconds` or longer.

    A good answer is also kept until the database is used again: health checks must not wake a suspended database, and
    checks from many workers would keep it awake. It expires when connections fail. A bad answer is kept because health
    checks need no token: they must not keep a database busy that is in trouble.
    """

    sessions: SessionFactory
    migrations: frozenset[str]
    remember_seconds: float = 600
    retry_seconds: float = 1
    clock: Callable[[], float] = time.monotonic
    is_used: bool = False  # since the last check
    _remembered_until: float = field(default=float("-inf"), init=False)
    _reason: str | None = field(default=None, init=False)  # why it is not ready
    _is_good: bool = field(default=False, init=False)

    @property
    def is_remembered(self) -> bool:
        """Return whether a refresh would do nothing, and so needs no connection."""
        if self._is_good and self.sessions.engine.is_away:
            return False
        return self.clock() < self._remembered_until or (self._is_good and not self.is_used)

    def refresh(self) -> None:
        """Ask the database, unless its answer is remembered."""
        if not self.is_remembered:
            self.is_used = False
            self._reason = self._ask()
            self._is_good = self._reason is None
            self._remembered_until = self.clock() + (self.retry_seconds if self._reason else self.remember_seconds)

    def require(self) -> None:
        """Do nothing if the process was ready at the last refresh.

        Raises ServiceUnavailable when the database was away, its schema outdated, or row-level security had a gap.
        """
        if self._reason:
            raise ServiceUnavailable(self._reason)

    def _ask(self) -> str | None:
        """Return why it is not ready, None if it is."""
        try:
            with self.sessions(NOBODY) as session:
                rows = session.exec(_STATE, params=rls_check.parameters())
            return self._judge(rows)
        except RoleRefused:
            return _NO_RLS
        except ServiceUnavailable as error:
            return error.message
        except StatementRefused as error:
            logger.warning("schema_unreadable", reason=str(error))
            return _NO_SCHEMA if error.sqlstate == UNDEFINED_TABLE else ServiceUnavailable.message

    def _judge(self, rows: list[tuple[Any, ...]]) -> str | None:
        """Return why the schema or row-level security is not as it should be; raises what sessions raise."""
        if missing := self.migrations.difference(rows[0][2] or ()):
            return f"The database schema is outdated: {len(missing)} migrations are pending."
        gaps = rls_check.gaps_of((name, gap) for name, gap, _ in rows)
        if gaps := gaps or rls_check.gaps_in_list(self.sessions):
            logger.error("row_level_security_off", reason="; ".join(gaps))
            return _NO_RLS
        return None
