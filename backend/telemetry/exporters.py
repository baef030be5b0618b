"""Exports traces and metrics, if configured, with OpenTelemetry's SDK and its exporters.

FastAPI puts the address and the host of a request into its span. Clients write both, so they are redacted.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import structlog
from opentelemetry import metrics, propagate, trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.propagators.textmap import TextMapPropagator
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExportResult, MetricsData, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult

NAME = "task-api"
SHUTDOWN_SECONDS = 3.0  # to send the rest at shutdown; an unreachable collector must not delay it
REDACTED = "REDACTED"

_WRITTEN_BY_CLIENTS = ("url.path", "url.query", "server.address", "http.request.method_original")

logger = structlog.get_logger()


@contextmanager
def export(signals: Collection[str], version: str, propagator: TextMapPropagator) -> Iterator[None]:
    """Export these signals until the block ends, then send the rest."""
    providers: list[TracerProvider | MeterProvider] = []
    if "TRACES" in signals:
        tracer_provider = TracerProvider(resource=_resource(version), shutdown_on_exit=False)
        tracer_provider.add_span_processor(_Redaction())
        tracer_provider.add_span_processor(BatchSpanProcessor(_SpanExporter(_Outage("traces"))))
        trace.set_tracer_provider(tracer_provider)
        propagate.set_global_textmap(propagator)
        providers.append(tracer_provider)
    if "METRICS" in signals:
        reader = PeriodicExportingMetricReader(_MetricExporter(_Outage("metrics")))
        meter_provider = MeterProvider([reader], resource=_resource(version), shutdown_on_exit=False)
        metrics.set_meter_provider(meter_provider)
        providers.append(meter_provider)
    try:
        yield
    finally:
        _shut_down(providers)


class _Redaction(SpanProcessor):
    """Redacts in each span what clients write."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002
        """Overwrite it: an attribute cannot be removed."""
        for name in _WRITTEN_BY_CLIENTS:
            if name in (span.attributes or ()):
                span.set_attribute(name, REDACTED)


@dataclass(slots=True)
class _Outage:
    """Whether a kind of telemetry reaches the collector: logged when that changes, not at each attempt."""

    signal: str
    _is_on: bool = False

    def note(self, *, succeeded: bool) -> None:
        if self._is_on and succeeded:
            logger.info("telemetry_exported_again", signal=self.signal)
        elif not self._is_on and not succeeded:
            logger.warning("telemetry_not_exported", signal=self.signal)
        self._is_on = not succeeded


class _SpanExporter(OTLPSpanExporter):
    def __init__(self, outage: _Outage) -> None:
        super().__init__()
        self._outage = outage

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = super().export(spans)
        self._outage.note(succeeded=result is SpanExportResult.SUCCESS)
        return result


class _MetricExporter(OTLPMetricExporter):
    def __init__(self, outage: _Outage) -> None:
        super().__init__()
        self._outage = outage

    def export(
        self, metrics_data: MetricsData, timeout_millis: float | None = 10_000, **options: Any
    ) -> MetricExportResult:
        result = super().export(metrics_data, timeout_millis, **options)
        self._outage.note(succeeded=result is MetricExportResult.SUCCESS)
        return result


def _resource(version: str) -> Resource:
    """Return the source of the telemetry. Environment variables win; each worker is its own instance."""
    ours = Resource({"service.name": NAME, "service.version": version, "process.pid": os.getpid()})
    return Resource.create(ours.merge(OTELResourceDetector().detect()).attributes)


def _shut_down(providers: Sequence[TracerProvider | MeterProvider]) -> None:
    """Send the rest, and wait for that, but not for long."""
    end = time.monotonic() + SHUTDOWN_SECONDS
    threads = [threading.Thread(target=provider.shutdown, daemon=True) for provider in providers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
