"""Compiles statements for the driver, once each, with row-level security in front.

Every statement is preceded, in the same round trip, by settings that are local to it: the role that row-level security
binds, the user whose rows are visible, the time left for it (also the longest that its transaction may then be idle: a
worker that is cut off must not keep a user's row locked), no bitmap scans (which lose the order in which a page is
read), and UTC. No setting outlives the statement or its transaction, so this also works through a transaction pooler.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from sqlalchemy import Executable
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2

from backend.database.instrumentation import Description, describe

ROLE = "task_api"  # created by the migrations

_GUARD = (
    f"SELECT set_config('role', '{ROLE}', true), set_config('app.user_id', %(guard_user_id)s, true), "
    "set_config('statement_timeout', %(guard_milliseconds)s, true), "
    "set_config('idle_in_transaction_session_timeout', %(guard_milliseconds)s, true), "
    "set_config('enable_bitmapscan', 'off', true), "
    "set_config('TimeZone', 'UTC', true); "
)
_DIALECT = PGDialect_psycopg2()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A statement ready to send, with placeholders for its values and those of the guard."""

    sql: str
    constants: Mapping[str, Any]  # the values that are part of the statement
    description: Description

    def values(self, params: Mapping[str, Any], user_id: str, milliseconds: int) -> dict[str, Any]:
        """Return all values to send with the statement. Without a user, `user_id` is '', which matches nobody."""
        return {**self.constants, **params, "guard_user_id": user_id, "guard_milliseconds": str(milliseconds)}


@lru_cache(maxsize=256)
def compile_once(statement: Executable) -> Compiled:
    """Compile a statement and cache the result; for statements that are built at import."""
    return compile_statement(statement)


def compile_statement(statement: Executable) -> Compiled:
    """Compile a statement."""
    compiled = statement.compile(dialect=_DIALECT)  # type: ignore[attr-defined]
    return guarded(str(compiled), compiled.params)


def guarded(sql: str, constants: Mapping[str, Any] = MappingProxyType({})) -> Compiled:
    """Put row-level security in front of SQL."""
    return Compiled(_GUARD + sql, constants, describe(sql))
