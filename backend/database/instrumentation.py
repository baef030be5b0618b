"""Counts and times every round trip to the database for its request, and logs slow ones.

A round trip is a statement or the end of a transaction: one message and the wait for its answer. Statements are
reported as their text, with placeholders for everything that users wrote.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import structlog
from opentelemetry import metrics, trace
from opentelemetry.metrics import CallbackOptions, Observation

from backend.database.deadline import Work
from backend.database.statements import Description

if TYPE_CHECKING:
    from backend.database.engine import Engine

_SYSTEM = {"db.system.name": "postgresql"}
_POOL = {"db.client.connection.pool.name": "task-api"}

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


def record(
    work: Work, description: Description, seconds: float, slow_seconds: float, error: BaseException | None
) -> None:
    """Record a round trip that ends now, and its error if it failed. It is logged if it was slow; 0 logs none."""
    work.database_seconds += seconds
    work.round_trips += 1
    attributes = {**_SYSTEM, "db.operation.name": description.operation}
    span = _tracer.start_span(
        description.summary, kind=trace.SpanKind.CLIENT, start_time=time.time_ns() - round(seconds * 1e9)
    )
    if error is not None:
        attributes["error.type"] = getattr(error, "pgcode", None) or type(error).__name__
        span.set_status(trace.StatusCode.ERROR)
    _durations.record(seconds, attributes)
    if span.is_recording():
        texts = {"db.query.summary": description.summary, "db.query.text": description.text}
        span.set_attributes({**attributes, **texts})
    span.end()
    if 0 < slow_seconds < seconds:
        logger.warning("slow_statement", statement=description.text, duration_ms=round(seconds * 1000, 1))


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
