"""Sees every flight to the database: counts it for the request it is made for, measures it, and says which are slow.

A flight is a statement or the end of a transaction: what is sent in one go, and waited for. What is said of a statement
is its text, in which placeholders stand for all that users wrote.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import structlog
from opentelemetry import metrics, trace
from opentelemetry.metrics import CallbackOptions, Observation
from psycopg2.extensions import TRANSACTION_STATUS_IDLE, TRANSACTION_STATUS_INERROR, TRANSACTION_STATUS_INTRANS
from sqlalchemy import Connection, Engine, QueuePool, event
from sqlalchemy.engine import ExceptionContext

from backend.utils.budget import current_budget

SHOWN_CHARACTERS = 1000  # of a statement

_KEY = "flight"  # of what is kept with a connection
_SYSTEM = {"db.system.name": "postgresql"}
_POOL = {"db.client.connection.pool.name": "task-api"}
# Neither of a lock (FOR UPDATE OF) nor of an upsert (DO UPDATE SET).
_CHANGE = re.compile(r"(?<!FOR )(?<!DO )\b(INSERT|UPDATE|DELETE)(?: INTO| FROM)? (\w+)")
_SOURCE = re.compile(r"\bFROM (\w+)")

logger = structlog.get_logger()
# These do nothing unless telemetry is exported.
_tracer = trace.get_tracer("task-api")
_meter = metrics.get_meter("task-api")
_durations = _meter.create_histogram(
    "db.client.operation.duration",
    unit="s",
    description="Duration of flights to the database.",
    explicit_bucket_boundaries_advisory=(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0),
)


@dataclass(frozen=True, slots=True)
class Statement:
    """What can be said of a statement: what it does mainly, to which tables, and its text."""

    operation: str
    summary: str
    text: str


@lru_cache(maxsize=1024)
def describe(sql: str) -> Statement:
    """Describe a statement by its text, with placeholders and without the guard."""
    text = " ".join(sql.split())
    changes = _CHANGE.findall(text)
    if changes:
        return Statement(
            changes[-1][0], " ".join(f"{verb} {table}" for verb, table in changes), text[:SHOWN_CHARACTERS]
        )
    operation = "SELECT" if text.startswith("WITH") else text.partition(" ")[0].upper()
    source = _SOURCE.search(text)
    return Statement(operation, f"{operation} {source[1]}" if source else operation, text[:SHOWN_CHARACTERS])


@dataclass(slots=True)
class _Flight:
    statement: Statement
    count: int
    span: trace.Span
    began: float


class Flights:
    """Sees every flight of an engine. What takes longer than `slow_seconds` is logged; with 0, nothing is."""

    def __init__(self, engine: Engine, slow_seconds: float, clock: Callable[[], float] = time.perf_counter) -> None:
        self._slow_seconds = slow_seconds
        self._clock = clock
        event.listen(engine, "before_cursor_execute", self._statement_begins)
        event.listen(engine, "after_cursor_execute", self._statement_ends)
        event.listen(engine, "handle_error", self._failed)
        event.listen(engine, "commit", self._commit_begins)
        event.listen(engine, "rollback", self._rollback_begins)
        # The end of a transaction is over when the connection is about to go back to its place.
        event.listen(engine, "reset", self._reset)

    def _statement_begins(
        self, connection: Connection, cursor: Any, _sql: str, _parameters: object, context: Any, _many: object
    ) -> None:
        # The driver sends a BEGIN of its own in front of the first statement of a transaction.
        driver = cursor.connection
        is_first = not driver.autocommit and driver.get_transaction_status() == TRANSACTION_STATUS_IDLE
        # As it was before the guard was put in front of it.
        self._begin(connection, context.statement, count=2 if is_first else 1)

    def _commit_begins(self, connection: Connection) -> None:
        self._transaction_ends(connection, "COMMIT")

    def _rollback_begins(self, connection: Connection) -> None:
        self._transaction_ends(connection, "ROLLBACK")

    def _transaction_ends(self, connection: Connection, sql: str) -> None:
        """Begin a flight, if there is a transaction: without one, the driver sends nothing."""
        driver = None if connection.invalidated else connection.connection.driver_connection
        if driver and driver.get_transaction_status() in {TRANSACTION_STATUS_INTRANS, TRANSACTION_STATUS_INERROR}:
            self._begin(connection, sql, count=1)

    def _begin(self, connection: Connection, sql: str, count: int) -> None:
        statement = describe(sql)
        span = _tracer.start_span(statement.summary, kind=trace.SpanKind.CLIENT)
        connection.info[_KEY] = _Flight(statement, count, span, self._clock())

    def _statement_ends(self, connection: Connection, *_arguments: object) -> None:
        self._end(connection.info)

    def _reset(self, _driver: object, entry: Any, _state: object) -> None:
        self._end(entry.info)

    def _failed(self, context: ExceptionContext) -> None:
        connection = context.connection
        is_there = connection is not None and not connection.invalidated and not connection.closed
        self._end(connection.info if connection and is_there else {}, context.original_exception)

    def _end(self, info: dict[Any, Any], error: BaseException | None = None) -> None:
        flight: _Flight | None = info.pop(_KEY, None)
        if flight is None:
            return
        seconds = self._clock() - flight.began
        budget = current_budget()
        budget.database_seconds += seconds
        budget.flights += flight.count
        attributes = {**_SYSTEM, "db.operation.name": flight.statement.operation}
        if error is not None:
            attributes["error.type"] = getattr(error, "pgcode", None) or type(error).__name__
            flight.span.set_status(trace.StatusCode.ERROR)
        _durations.record(seconds, attributes)
        if flight.span.is_recording():
            flight.span.set_attributes({**attributes, **_described(flight.statement)})
        flight.span.end()
        if 0 < self._slow_seconds < seconds:
            logger.warning("slow_statement", statement=flight.statement.text, duration_ms=round(seconds * 1000, 1))


def _described(statement: Statement) -> dict[str, str]:
    return {"db.query.summary": statement.summary, "db.query.text": statement.text}


def gauge_pool(engine: Engine, waiting: Callable[[], int]) -> None:
    """Measure from now on how many connections an engine has, and how many requests wait for one."""

    def pool() -> QueuePool:
        return cast(QueuePool, engine.pool)

    def count(_options: CallbackOptions) -> Iterator[Observation]:
        yield Observation(pool().checkedin(), {**_POOL, "db.client.connection.state": "idle"})
        yield Observation(pool().checkedout(), {**_POOL, "db.client.connection.state": "used"})

    def most(_options: CallbackOptions) -> Iterator[Observation]:
        yield Observation(pool().size(), _POOL)

    def pending(_options: CallbackOptions) -> Iterator[Observation]:
        yield Observation(waiting(), _POOL)

    _meter.create_observable_up_down_counter(
        "db.client.connection.count", [count], "{connection}", "Connections to the database, idle and used."
    )
    _meter.create_observable_up_down_counter(
        "db.client.connection.max", [most], "{connection}", "Connections that there may be."
    )
    _meter.create_observable_up_down_counter(
        "db.client.connection.pending_requests", [pending], "{request}", "Requests that wait for a connection."
    )
