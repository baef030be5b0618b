"""Compiles statements for the driver, once each, with row-level security in front.

Every statement is preceded, in the same round trip, by settings that are local to it: the role that row-level security
binds, the user whose rows are visible, the time left for it (also the longest that its transaction may then be idle: a
worker that is cut off must not keep a user's row locked), no bitmap scans (which lose the order in which a page is
read), and UTC. No setting outlives the statement or its transaction, so this also works through a transaction pooler.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from sqlalchemy import Executable
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2

from backend.database.instrumentation import Description, describe

ROLE = "task_api"  # created by the migrations

_TIMEOUT = "SET LOCAL statement_timeout = %(guard_milliseconds)s; "
# SET LOCAL, because Postgres neither plans nor answers it: it costs a tenth of the same settings by set_config.
_GUARD = (
    f"SET LOCAL role = '{ROLE}'; SET LOCAL app.user_id = %(guard_user_id)s; {_TIMEOUT}"
    "SET LOCAL idle_in_transaction_session_timeout = %(guard_milliseconds)s; "
    "SET LOCAL enable_bitmapscan = off; SET LOCAL TimeZone = 'UTC'; "
)
# Each statement sees what was committed before it: after waiting for a lock, it sees the newest rows.
_BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED; "
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


@lru_cache(maxsize=256)
def beginning(*statements: Executable) -> Compiled:
    """Join the first statements of a transaction to one message, with row-level security in front.

    It is described by its last statement, whose rows it returns: those before it lock.
    """
    sql, constants = _joined(statements)
    return Compiled(f"{_BEGIN}{_GUARD}{sql}", constants, describe(sql.rpartition("; ")[2]))


@lru_cache(maxsize=256)
def committing(*statements: Executable) -> Compiled:
    """Join the last statements of a transaction to one message that ends with COMMIT.

    The guard is still in force, but less time is left.
    """
    sql, constants = _joined(statements)
    return Compiled(f"{_TIMEOUT}{sql}; COMMIT", constants, describe(sql))


def _joined(statements: Iterable[Executable]) -> tuple[str, dict[str, Any]]:
    compiled = [statement.compile(dialect=_DIALECT) for statement in statements]  # type: ignore[attr-defined]
    return "; ".join(map(str, compiled)), {name: value for each in compiled for name, value in each.params.items()}
