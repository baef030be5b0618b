"""Statements, compiled for the driver once each, and the guard that turns row-level security on for them.

The guard goes in front, in the same round trip. It makes settings that are local to the statement or its transaction:
the role that row-level security binds, the user whose rows are visible, the time left (also the longest that the
transaction may then be idle: a worker that is cut off must not keep a user's row locked), no bitmap scans (which lose
the order in which a page is read), and UTC. No setting outlives them, so this also works through a transaction pooler.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Executable
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2

ROLE = "task_api"  # created by the migrations

TIMEOUT = "SET LOCAL statement_timeout = %(guard_milliseconds)s; "
# SET LOCAL, because Postgres neither plans nor answers it: it costs a tenth of the same settings by set_config.
# Without a user, `guard_user_id` is '', which matches nobody.
GUARD = (
    f"SET LOCAL role = '{ROLE}'; SET LOCAL app.user_id = %(guard_user_id)s; {TIMEOUT}"
    "SET LOCAL idle_in_transaction_session_timeout = %(guard_milliseconds)s; "
    "SET LOCAL enable_bitmapscan = off; SET LOCAL TimeZone = 'UTC'; "
)
# Each statement sees what was committed before it: after waiting for a lock, it sees the newest rows.
BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED; "
SHOWN_CHARACTERS = 1000  # of a statement

_DIALECT = PGDialect_psycopg2()  # type: ignore[no-untyped-call]
# But not the UPDATE of a lock (FOR UPDATE OF) or of an upsert (DO UPDATE SET).
_CHANGE = re.compile(r"(?<!FOR )(?<!DO )\b(INSERT|UPDATE|DELETE)(?: INTO| FROM)? (\w+)")
_SOURCE = re.compile(r"\bFROM (\w+)")


@dataclass(frozen=True, slots=True)
class Description:
    """A description of a statement: its main operation, a summary with the tables, and its text."""

    operation: str
    summary: str
    text: str


@dataclass(frozen=True, slots=True)
class Compiled:
    """A statement with the driver's placeholders for its values."""

    sql: str
    constants: Mapping[str, Any]  # the values that are part of the statement
    description: Description


def compile_statement(statement: Executable) -> Compiled:
    """Compile a statement."""
    compiled = statement.compile(dialect=_DIALECT)  # type: ignore[attr-defined]
    return Compiled(str(compiled), compiled.params, describe(str(compiled)))


@lru_cache(maxsize=256)
def compile_once(statement: Executable) -> Compiled:
    """Compile a statement and cache the result; for statements that are built at import."""
    return compile_statement(statement)


@lru_cache(maxsize=256)
def joined(*statements: Executable) -> Compiled:
    """Compile statements that are sent as one message; one that ends with a SELECT is described by that."""
    each = [compile_once(statement) for statement in statements]
    sql = "; ".join(compiled.sql for compiled in each)
    constants = {name: value for compiled in each for name, value in compiled.constants.items()}
    description = each[-1].description if each[-1].sql.startswith("SELECT") else describe(sql)
    return Compiled(sql, constants, description)


def describe(sql: str) -> Description:
    """Describe a statement by its text, with placeholders and without the guard."""
    text = " ".join(sql.split())
    shown = text[:SHOWN_CHARACTERS]
    changes = _CHANGE.findall(text)
    if changes:
        return Description(changes[-1][0], " ".join(f"{verb} {table}" for verb, table in changes), shown)
    operation = "SELECT" if text.startswith("WITH") else text.partition(" ")[0].upper()
    source = _SOURCE.search(text)
    return Description(operation, f"{operation} {source[1]}" if source else operation, shown)
