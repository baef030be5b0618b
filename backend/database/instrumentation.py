"""Counts and times every round trip to the database for its request, and logs slow ones.

A round trip is a statement or the end of a transaction: one message and the wait for its answer. Statements are
reported as their text, with placeholders for everything that users wrote.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from opentelemetry import metrics, trace
from opentelemetry.metrics import CallbackOptions, Observation

from backend.database.deadline import current_work

if TYPE_CHECKING:
    from backend.database.engine import Engine

SHOWN_CHARACTERS = 1000  # of a statement

_SYSTEM = {"db.system.name": "postgresql"}
_POOL = {"db.client.connection.pool.name": "task-api"}
# But not the UPDATE of a lock (FOR UPDATE OF) or of an upsert (DO UPDATE SET).
_CHANGE = re.compile(r"(?<!FOR )(?<!DO )\b(INSERT|UPDATE|DELETE)(?: INTO| FROM)? (\w+)")
_SOURCE = re.compile(r"\bFROM (\w+)")

logger = structlog.get_logger()
# These do nothing unless telemetry is exported.
_tracer = trace.get_tracer("task-api")
_meter = metrics.get_meter("task-api")
_durations = _meter.create_histogram(
    "db.client.operation.duration",
    unit="s",
    description="Duration of round trips to the database.",
    explicit_bucket_boundaries_advisory=(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0),
)


@dataclass(frozen=True, slots=True)
class Description:
    """A description of a statement: its main operation, a summary with the tables, and its text."""

    operation: str
    summary: str
    text: str


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


@dataclass(slots=True)
class RoundTrip:
    """A round trip in progress."""

    description: Description
    span: trace.Span
    began: float


class RoundTrips:
    """Records every round trip of an engine. Those longer than `slow_seconds` are logged; 0 logs none."""

    def __init__(self, slow_seconds: float, clock: Callable[[], float] = time.perf_counter) -> None:
        self._slow_seconds = slow_seconds
        self._clock = clock

    def begin(self, description: Description) -> RoundTrip:
        """Record the start of a round trip."""
        span = _tracer.start_span(description.summary, kind=trace.SpanKind.CLIENT)
        return RoundTrip(description, span, self._clock())

    def end(self, round_trip: RoundTrip, error: BaseException | None = None) -> None:
        """Record the end of a round trip, and its error if it failed."""
        seconds = self._clock() - round_trip.began
        work = current_work()
        work.database_seconds += seconds
        work.round_trips += 1
        attributes = {**_SYSTEM, "db.operation.name": round_trip.description.operation}
        if error is not None:
            attributes["error.type"] = getattr(error, "pgcode", None) or type(error).__name__
            round_trip.span.set_status(trace.StatusCode.ERROR)
        _durations.record(seconds, attributes)
        if round_trip.span.is_recording():
            round_trip.span.set_attributes({**attributes, **_described(round_trip.description)})
        round_trip.span.end()
        if 0 < self._slow_seconds < seconds:
            logger.warning(
                "slow_statement", statement=round_trip.description.text, duration_ms=round(seconds * 1000, 1)
            )


def _described(description: Description) -> dict[str, str]:
    return {"db.query.summary": description.summary, "db.query.text": description.text}


def gauge_pool(engine: Engine, waiting: Callable[[], int]) -> None:
    """Start to measure how many connections an engine has, and how many requests wait for one."""

    def count(_options: CallbackOptions) -> Iterator[Observation]:
        yield Observation(engine.pool.checkedin(), {**_POOL, "db.client.connection.state": "idle"})
        yield Observation(engine.pool.checkedout(), {**_POOL, "db.client.connection.state": "used"})

    def maximum(_options: CallbackOptions) -> Iterator[Observation]:
        yield Observation(engine.pool.size(), _POOL)

    def pending(_options: CallbackOptions) -> Iterator[Observation]:
        yield Observation(waiting(), _POOL)

    _meter.create_observable_up_down_counter(
        "db.client.connection.count", [count], "{connection}", "Connections to the database, idle and used."
    )
    _meter.create_observable_up_down_counter(
        "db.client.connection.max", [maximum], "{connection}", "Connections that there may be."
    )
    _meter.create_observable_up_down_counter(
        "db.client.connection.pending_requests", [pending], "{request}", "Requests that wait for a connection."
    )
