"""Statements, compiled for the driver once each, and described for telemetry.

A compiled statement is remembered by identity: build it at import, or cache what builds it. Its parameters have the
driver's own types, because SQLAlchemy converts nothing, in or out. None is called like a column: in an UPDATE,
SQLAlchemy would set that column.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any

from sqlalchemy import BindParameter, Executable, TextClause
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
from sqlalchemy.types import NullType, String, TypeEngine

from backend.database.prepared import PLACEHOLDER, Prepared, prepared_form

SHOWN_CHARACTERS = 1000  # of a statement

_DIALECT = PGDialect_psycopg2()  # type: ignore[no-untyped-call]
_OF_MANY = "is_of_many_rows"
OF_MANY_ROWS = {_OF_MANY: True}  # execution options of a statement
_UNKNOWN = "unknown"  # Postgres infers the type
_CAST = re.compile(r"CAST\(%\((\w+)\)s AS ([^()]+)\)")  # the value has this type, unless it has another
# For types that are written as texts, like REGCONFIG.
_WRITE_TEXT = String().literal_processor(_DIALECT)  # type: ignore[no-untyped-call]
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
    """Statements of one message, with the driver's placeholders for their values."""

    sql: str
    description: Description
    prepared: tuple[Prepared, ...] = ()  # the same statements, for connections that prepare; none if they never are
    settings: str = ""  # SQL in front of them, by which Postgres plans them


def compile_statement(statement: Executable) -> Compiled:
    """Compile a statement. Values that are part of it are written into it.

    Plain SQL is never prepared: it may be several statements. Nor is what takes the ids of many rows, or changes many
    (`OF_MANY_ROWS`): how it is best planned depends on how many.
    """
    compiled = statement.compile(dialect=_DIALECT)  # type: ignore[attr-defined]
    constants = {name: _written(bind) for name, bind in compiled.binds.items() if not bind.required}
    sql = PLACEHOLDER.sub(lambda found: constants.get(found[1], found[0]), str(compiled))
    types = {name: _type_of(bind.type) for name, bind in compiled.binds.items() if bind.required}
    types |= {name: kind for name, kind in _CAST.findall(sql) if types[name] == _UNKNOWN}
    is_plain = isinstance(statement, TextClause)
    is_of_many = "UUID[]" in types.values() or statement.get_execution_options().get(_OF_MANY, False)
    return Compiled(sql, describe(sql), () if is_plain or is_of_many else (prepared_form(sql, types),))


def _written(constant: BindParameter[Any]) -> str:
    """Write a constant as SQL."""
    write = constant.type.dialect_impl(_DIALECT).literal_processor(_DIALECT) or _WRITE_TEXT
    return write(constant.value)


def _type_of(kind: TypeEngine[Any]) -> str:
    """Return the SQL name of a type."""
    if isinstance(kind, NullType):
        return _UNKNOWN
    return _DIALECT.type_compiler_instance.process(kind).partition(" COLLATE ")[0]


@lru_cache(maxsize=512)
def compile_once(statement: Executable) -> Compiled:
    """Compile a statement and cache the result; for statements that are built at import."""
    return compile_statement(statement)


@lru_cache(maxsize=512)
def joined(*statements: Executable) -> Compiled:
    """Compile statements that are sent as one message. A SELECT at its end describes it."""
    parts = [compile_once(statement) for statement in statements]
    sql = "; ".join(part.sql for part in parts)
    description = parts[-1].description if parts[-1].sql.startswith("SELECT") else describe(sql)
    prepared = tuple(chain.from_iterable(part.prepared for part in parts))
    return Compiled(sql, description, prepared if all(part.prepared for part in parts) else ())


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
