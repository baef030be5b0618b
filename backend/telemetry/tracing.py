"""Sends traces and metrics where OpenTelemetry's standard variables say; without these, nothing is sent.

What clients write must not be exported: of the headers that ask to continue a trace, only the ids are read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.propagators.textmap import CarrierT, Getter, default_getter
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_TRACE_PARENT = "traceparent"


@contextmanager
def exporting(version: str) -> Iterator[bool]:
    """Export traces and metrics until the block ends, then send the rest. Gives whether anything is exported."""
    signals = exported_signals()
    if not signals:
        yield False
        return
    # Imports hundreds of modules, which a service without a collector does not need.
    from backend.telemetry.exporters import export  # noqa: PLC0415

    with export(signals, version, TraceParent()):
        yield True


def exported_signals() -> list[str]:
    """Return the signals that the variables ask for: TRACES, METRICS, both or neither."""
    return [signal for signal in ("TRACES", "METRICS") if _is_asked_for(signal)]


def trace_id_of(values: Sequence[str]) -> str | None:
    """Return the trace id of a request's `traceparent` headers; None unless there is exactly one, and well-formed."""
    if not values:
        return None
    context = TraceParent().extract({_TRACE_PARENT: values})
    return _trace_id(trace.get_current_span(context))


def current_trace_id() -> str | None:
    """Return the id of the current trace, if there is one."""
    return _trace_id(trace.get_current_span())


def _trace_id(span: trace.Span) -> str | None:
    context = span.get_span_context()
    return trace.format_trace_id(context.trace_id) if context.is_valid else None


class TraceParent(TraceContextTextMapPropagator):
    """Reads the header `traceparent` of W3C Trace Context, but not `tracestate`, which may contain anything."""

    def extract(
        self, carrier: CarrierT, context: Context | None = None, getter: Getter[CarrierT] = default_getter
    ) -> Context:
        """Continue the trace that the carrier names; if it names two, neither."""
        values = getter.get(carrier, _TRACE_PARENT) or []
        return super().extract({_TRACE_PARENT: values if len(values) == 1 else []}, context)


def _is_asked_for(signal: str) -> bool:
    endpoints = (f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
    return (
        any(os.environ.get(name) for name in endpoints)
        and (os.environ.get(f"OTEL_{signal}_EXPORTER") or "otlp") == "otlp"
        and os.environ.get("OTEL_SDK_DISABLED", "").lower() != "true"
    )
