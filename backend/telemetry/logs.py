"""Sets up the logs: one line per event to stderr, as JSON for machines or as text for people.

Our own events have a name in snake_case and fields; docs/telemetry.md lists all. Messages of libraries have the same
form, with the field `logger` naming the library. The log never shows what users wrote: a traceback has neither the
values of variables nor messages that quote them, and a library's message is cut after its first line.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import TextIO

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

# Libraries that log too much: addresses that they request, and headers that clients sent.
_QUIET = {
    "httpcore": logging.WARNING,
    "httpx": logging.WARNING,
    "opentelemetry": logging.CRITICAL,  # backend/telemetry/exporters.py logs what matters
    "urllib3": logging.CRITICAL,
}

# Errors whose messages describe code. Those of others quote values: a KeyError the key, a ValueError the text.
_SPEAKS_OF_CODE = {
    AttributeError,
    ImportError,
    ModuleNotFoundError,
    NameError,
    NotImplementedError,
    RecursionError,
    RuntimeError,
    TypeError,
    UnboundLocalError,
    ZeroDivisionError,
}

_ENCODER = json.JSONEncoder(default=repr)  # built once, not for each line

logger = structlog.get_logger()


def set_up_logs(level: str, *, as_json: bool) -> None:
    """Log everything of this level or above: our events, messages of libraries, warnings and failures."""
    lowest = logging.getLevelNamesMapping()[level.upper()]
    processors: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(format_exception),
    ]
    renderer = structlog.processors.JSONRenderer(_as_json) if as_json else _for_people(sys.stderr)
    structlog.configure(
        processors=[*processors, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(lowest),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )
    logging.basicConfig(handlers=[_handler(processors, renderer)])
    logging.getLogger().setLevel(lowest)  # even if there are handlers already
    for name, quiet in _QUIET.items():
        logging.getLogger(name).setLevel(quiet)
    logging.captureWarnings(capture=True)
    _log_what_fails()


def _as_json(event: EventDict, **_options: object) -> str:
    return _ENCODER.encode(event)


def _for_people(stream: TextIO) -> Processor:
    # Every value stays on one line: quoted, with control characters escaped.
    console = structlog.dev.ConsoleRenderer(colors=stream.isatty(), repr_native_str=True, sort_keys=False)

    def render(logger: WrappedLogger, method: str, event: EventDict) -> str:
        is_request = event["event"] == "request" and "logger" not in event
        return _request_line(event) if is_request else console(logger, method, event)

    return render


def _request_line(event: EventDict) -> str:
    """Format a request as a short line. One that failed also has its id, which finds the other lines about it."""
    line = f"{event['method']} {event['route']} {event['status']} {event['duration_ms']:.1f} ms"
    is_success = 0 < event["status"] < 400  # noqa: PLR2004 - the statuses of successes and redirects
    return line if is_success else f"{line} request_id={event['request_id']}"


def _handler(processors: list[Processor], renderer: Processor) -> logging.Handler:
    """Return the handler that writes messages of libraries in the form of our events."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[_first_line, structlog.stdlib.add_logger_name, *processors],
            processors=[ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    return handler


def _first_line(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Keep only the first line of a library's message: asyncio, for example, puts a task's error into the next."""
    event["event"] = event["event"].partition("\n")[0]
    event.pop("stack_info", None)
    return event


def _log_what_fails() -> None:
    """Log uncaught errors instead of printing them."""

    def process_failed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        logger.critical("process_failed", exc_info=(kind, error, trace))

    def thread_failed(failure: threading.ExceptHookArgs) -> None:
        name = failure.thread.name if failure.thread else None
        logger.error("thread_failed", thread=name, exc_info=failure.exc_value)

    def error_ignored(ignored: sys.UnraisableHookArgs) -> None:
        logger.error("error_ignored", exc_info=ignored.exc_value)

    sys.excepthook, threading.excepthook, sys.unraisablehook = process_failed, thread_failed, error_ignored


def format_exception(exc_info: ExcInfo) -> str:
    """Format a traceback as Python does, without the messages that quote values."""
    return "".join(_lines(exc_info[1], set())).rstrip()


def _lines(error: BaseException, seen: set[int]) -> Iterator[str]:
    seen.add(id(error))
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None and id(before) not in seen:
        yield from _lines(before, seen)
        yield "which led to\n"
    if error.__traceback__ is not None:
        yield "Traceback (most recent call last):\n"
        yield from traceback.format_tb(error.__traceback__)
    yield f"{_name(error)}\n"
    if isinstance(error, BaseExceptionGroup):
        for number, part in enumerate(error.exceptions, start=1):
            yield f"part {number}:\n"
            yield from _lines(part, seen)


def _name(error: BaseException) -> str:
    kind = type(error)
    name = (
        kind.__qualname__ if kind.__module__ in {"builtins", "__main__"} else f"{kind.__module__}.{kind.__qualname__}"
    )
    # The messages of our own errors are safe.
    is_safe = kind in _SPEAKS_OF_CODE or kind.__module__.startswith("backend.")
    return f"{name}: {error}" if is_safe and str(error) else name
