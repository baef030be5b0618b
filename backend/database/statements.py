"""Statements, compiled for the driver once each, and described for telemetry."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Executable
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

SHOWN_CHARACTERS = 1000  # of a statement

_DIALECT = PGDialect_psycopg2()  # type: ignore[no-untyped-call]
_DIALECT_OF_LIST = PGDialect_psycopg2()  # type: ignore[no-untyped-call]
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


class InSessionOfList(ColumnElement[Any]):
    """An expression in the statements of sessions that see one list only; in those of others, another one."""

    inherit_cache = False

    def __init__(self, there: ColumnElement[Any], elsewhere: ColumnElement[Any]) -> None:
        self.there = there
        self.elsewhere = elsewhere
        self.type = there.type


@compiles(InSessionOfList)
def _compile(element: InSessionOfList, compiler: SQLCompiler, **options: Any) -> str:
    is_of_list = compiler.dialect is _DIALECT_OF_LIST
    return compiler.process(element.there if is_of_list else element.elsewhere, **options)


def compile_statement(statement: Executable, *, is_of_list: bool = False) -> Compiled:
    """Compile a statement, for sessions that see all that their user has, or one list only."""
    dialect = _DIALECT_OF_LIST if is_of_list else _DIALECT
    compiled = statement.compile(dialect=dialect)  # type: ignore[attr-defined]
    return Compiled(str(compiled), compiled.params, describe(str(compiled)))


@lru_cache(maxsize=512)
def compile_once(statement: Executable, *, is_of_list: bool = False) -> Compiled:
    """Compile a statement and cache the result; for statements that are built at import."""
    return compile_statement(statement, is_of_list=is_of_list)


@lru_cache(maxsize=512)
def joined(*statements: Executable, is_of_list: bool = False) -> Compiled:
    """Compile statements that are sent as one message; one that ends with a SELECT is described by that."""
    each = [compile_once(statement, is_of_list=is_of_list) for statement in statements]
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
