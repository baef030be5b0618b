"""Statements, compiled for the driver once each, and described for telemetry.

A compiled statement is remembered by identity: build it at import, or cache what builds it. Its parameters have the
driver's own types, because SQLAlchemy converts nothing, in or out. None is called like a column: in an UPDATE,
SQLAlchemy would set that column.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Executable
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2

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


@lru_cache(maxsize=512)
def compile_once(statement: Executable) -> Compiled:
    """Compile a statement and cache the result; for statements that are built at import."""
    return compile_statement(statement)


@lru_cache(maxsize=512)
def joined(*statements: Executable) -> Compiled:
    """Compile statements that are sent as one message. A SELECT at its end describes it."""
    parts = [compile_once(statement) for statement in statements]
    sql = "; ".join(part.sql for part in parts)
    constants = {name: value for part in parts for name, value in part.constants.items()}
    description = parts[-1].description if parts[-1].sql.startswith("SELECT") else describe(sql)
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
