"""Counts every round trip to the database for its request, measures it, and says which are slow.

A round trip is a statement or the end of a transaction: what is sent in one go, and waited for. What is said of a
statement is its text, in which placeholders stand for all that users wrote.
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

from backend.database.deadline import current_budget

if TYPE_CHECKING:
    from backend.database.engine import Engine

SHOWN_CHARACTERS = 1000  # of a statement

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
    description="Duration of round trips to the database.",
    explicit_bucket_boundaries_advisory=(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0),
)


@dataclass(frozen=True, slots=True)
class Description:
    """What can be said of a statement: what it does mainly, to which tables, and its text."""

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
    """One that is under way."""

    description: Description
    span: trace.Span
    began: float


class RoundTrips:
    """Sees every round trip of an engine. What takes longer than `slow_seconds` is logged; with 0, nothing is."""

    def __init__(self, slow_seconds: float, clock: Callable[[], float] = time.perf_counter) -> None:
        self._slow_seconds = slow_seconds
        self._clock = clock

    def begin(self, description: Description) -> RoundTrip:
        """Say that a round trip begins, by whoever waits for it."""
        span = _tracer.start_span(description.summary, kind=trace.SpanKind.CLIENT)
        return RoundTrip(description, span, self._clock())

    def end(self, round_trip: RoundTrip, error: BaseException | None = None) -> None:
        """Say that a round trip has ended, and with what, if it failed."""
        seconds = self._clock() - round_trip.began
        budget = current_budget()
        budget.database_seconds += seconds
        budget.round_trips += 1
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
    """Measure from now on how many connections an engine has, and how many requests wait for one."""

    def count(_options: CallbackOptions) -> Iterator[Observation]:
        yield Observation(engine.pool.checkedin(), {**_POOL, "db.client.connection.state": "idle"})
        yield Observation(engine.pool.checkedout(), {**_POOL, "db.client.connection.state": "used"})

    def most(_options: CallbackOptions) -> Iterator[Observation]:
        yield Observation(engine.pool.size(), _POOL)

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
