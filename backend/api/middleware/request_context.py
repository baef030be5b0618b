"""The outermost layer: names each request, and logs one line when it is answered."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Sequence

import structlog
from fastapi.routing import iter_route_contexts
from starlette.datastructures import Headers
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, reset_contextvars

from backend.api.http.security_headers import security_headers
from backend.database.deadline import begin_budget
from backend.telemetry.tracing import current_trace_id, trace_id_of

UNKNOWN = "(unknown)"

logger = structlog.get_logger()

# As a JSON Web Token or one of ours begins, wherever somebody may have put it.
_TOKEN = re.compile(r"eyJ[\w=-]*\.[\w.=-]*|tk_[\w-]{20}")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}", re.ASCII)


class RequestContext:
    """Names each request, opens its account with the database, and logs one line when it is answered.

    Whatever the answer is and wherever it comes from, it carries the headers that are in the state by then. `route_of`
    tells the template of a path.
    """

    def __init__(
        self,
        app: ASGIApp,
        route_of: Callable[[str], str],
        new_id: Callable[[], str] = lambda: secrets.token_hex(16),
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.app = app
        self.route_of = route_of
        self.new_id = new_id
        self.clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = _sent_id(Headers(scope=scope)) or self.new_id()
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        state["headers"] = [(b"x-request-id", request_id.encode()), *security_headers(scope)]
        status, started = 0, self.clock()

        async def send_named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                own = {name for name, _ in message["headers"]}
                ours = [header for header in state["headers"] if header[0] not in own]
                message["headers"] = [*message["headers"], *ours]
            else:
                state["sending"] = len(message["body"])  # bytes: they stay in memory until the client has taken all
            await send(message)

        budget = begin_budget()
        names = bind_contextvars(**_names(request_id))
        try:
            await self.app(scope, receive, send_named)
        finally:
            logger.info(
                "request",
                user=state.get("user_id"),
                method=scope["method"],
                route=self.route_of(scope["path"]),
                status=status,
                duration_ms=_milliseconds(self.clock() - started),
                database_ms=_milliseconds(budget.database_seconds),
                round_trips=budget.round_trips,
            )
            reset_contextvars(**names)


def _sent_id(headers: Headers) -> str | None:
    """Return the request id that a client has chosen, if it is a sensible one; else the id of the trace it is part of.

    An id that is no sensible one counts as none.
    """
    sent = headers.get("x-request-id", "")
    if _REQUEST_ID.fullmatch(sent) and not _TOKEN.search(sent):
        return sent
    return trace_id_of(headers.getlist("traceparent"))


def _names(request_id: str) -> dict[str, str]:
    """Return what each line carries that is logged meanwhile."""
    trace_id = current_trace_id()
    return {"request_id": request_id, "trace_id": trace_id} if trace_id else {"request_id": request_id}


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 2)


def log_unread_request(request_id: str, status: int) -> None:
    """Log a request that was refused before there was enough of it to tell what it asks for."""
    logger.info(
        "request",
        request_id=request_id,
        user=None,
        method=UNKNOWN,
        route=UNKNOWN,
        status=status,
        duration_ms=0.0,
        database_ms=0.0,
        round_trips=0,
    )


def route_finder(routes: Sequence[BaseRoute]) -> Callable[[str], str]:
    """Return what finds the template of a path, like /api/tasks/{task_id}: the path itself may hold anything."""
    contexts = [(context.path_format or UNKNOWN, context.path_regex) for context in iter_route_contexts(routes)]
    found = {template: regex for template, regex in contexts if regex}

    def route_of(path: str) -> str:
        return next((template for template, regex in found.items() if regex.match(path)), UNKNOWN)

    return route_of
