"""Prepared statements: a direct connection has Postgres parse a statement once, and then only executes it.

The driver speaks no protocol for this, so it is done in SQL: PREPARE stands in front of the first EXECUTE, in the same
message, and under the guard's role. A pooler gives each transaction another session of Postgres, which knows nothing of
what was prepared: a connection through a pooler sends every statement as it is.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from psycopg2.extensions import connection

MAX_PREPARED = 100  # statements that a connection keeps: Postgres needs about 170 kB for each
# Postgres keeps a plan until the statistics of its tables change. A plan for small tables may not suit them any more.
MAX_PLAN_SECONDS = 5.0

PLACEHOLDER = re.compile(r"%\((\w+)\)s")


class Prepared(NamedTuple):
    """A statement that can be prepared: its name, and the SQL that prepares and executes it."""

    name: str
    prepare: str
    execute: str


def prepared_form(sql: str, types: Mapping[str, str]) -> Prepared:
    """Return a statement with the driver's placeholders in its prepared form.

    `types` are the SQL types of its values.
    """
    numbers: dict[str, int] = {}

    body = PLACEHOLDER.sub(lambda found: f"${numbers.setdefault(found[1], len(numbers) + 1)}", sql)
    name = f"task_api_{hashlib.sha256(sql.encode()).hexdigest()[:16]}"
    declared = f" ({', '.join(types[each] for each in numbers)})" if numbers else ""
    # The driver writes the elements of an array as texts, which Postgres converts only if asked to.
    values = [f"%({each})s::{types[each]}" if types[each].endswith("[]") else f"%({each})s" for each in numbers]
    given = f" ({', '.join(values)})" if values else ""
    return Prepared(name, f"PREPARE {name}{declared} AS {body}", f"EXECUTE {name}{given}")


@dataclass(slots=True)
class PreparedStatements:
    """What one connection has prepared, the statement that was used last at the end."""

    names: dict[str, None] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)
    planned: float = field(default_factory=time.monotonic)
    is_unsure: bool = False  # after an error, nobody knows which statements of the message were prepared

    def executing(self, statements: Iterable[Prepared]) -> str:
        """Return the SQL that executes these statements, and first prepares those that are not prepared yet."""
        parts: list[str] = []
        if self.is_unsure:
            parts.append("DEALLOCATE ALL")
            self.names.clear()
            self.began = self.planned = time.monotonic()
            self.is_unsure = False
        elif time.monotonic() - self.planned > MAX_PLAN_SECONDS:
            parts.append("DISCARD PLANS")
            self.planned = time.monotonic()
        for statement in statements:
            if statement.name in self.names:
                del self.names[statement.name]
            else:
                if len(self.names) == MAX_PREPARED:
                    parts.append(f"DEALLOCATE {self._forget_oldest()}")
                parts.append(statement.prepare)
            self.names[statement.name] = None
            parts.append(statement.execute)
        return "; ".join(parts)

    def _forget_oldest(self) -> str:
        oldest = next(iter(self.names))
        del self.names[oldest]
        return oldest


class DriverConnection(connection):  # type: ignore[misc]
    """A connection of the driver that knows what is prepared on it; nothing can be if it goes through a pooler."""

    prepared: PreparedStatements | None = None
