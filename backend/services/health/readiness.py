"""Whether this process can serve: the database answers, its schema is ours, and row-level security works."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog
from psycopg2.errorcodes import UNDEFINED_TABLE
from sqlalchemy import Executable, text

from backend.database.errors import RoleRefused, StatementRefused
from backend.database.guard import ROLE_OF_LIST
from backend.database.session import SessionFactory
from backend.errors import ServiceUnavailable
from backend.models.user import NOBODY
from backend.services.health import rls_check

logger = structlog.get_logger()

_APPLIED = "(SELECT array_agg(migration_id) FROM _yoyo_migration) AS applied"
_STATE = text(f"{rls_check.BEFORE} SELECT rls.*, {_APPLIED} FROM ({rls_check.SQL}) AS rls")  # noqa: S608 - constants
_SCHEMA = text(f"SELECT {_APPLIED}")
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
            return self._find_reason()
        except RoleRefused:
            return _NO_RLS
        except ServiceUnavailable as error:
            return error.message
        except StatementRefused as error:
            logger.warning("schema_unreadable", reason=str(error))
            return _NO_SCHEMA if error.sqlstate == UNDEFINED_TABLE else ServiceUnavailable.message

    def _find_reason(self) -> str | None:
        """Do the same; raises what sessions raise."""
        try:
            rows = self._read(_STATE, rls_check.parameters())
        except RoleRefused as error:
            # A migration that is pending may have to make the role.
            if error.role == ROLE_OF_LIST and (outdated := self._judge(self._read(_SCHEMA, {})[0][0])):
                return outdated
            raise
        if outdated := self._judge(rows[0][3]):
            return outdated
        if gaps := rls_check.gaps_of((role, name, gap) for role, name, gap, _ in rows):
            logger.error("row_level_security_off", reason="; ".join(gaps))
            return _NO_RLS
        return None

    def _read(self, statement: Executable, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        with self.sessions(NOBODY) as session:
            return session.exec(statement, params=params)

    def _judge(self, applied: list[str] | None) -> str | None:
        """Return why the schema is not as it should be, None if it is."""
        missing = self.migrations.difference(applied or ())
        return f"The database schema is outdated: {len(missing)} migrations are pending." if missing else None
