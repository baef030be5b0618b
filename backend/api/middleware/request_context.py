"""The layer around all that answer: names each request, and logs one line when it is answered."""

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

from backend.api.http.request_state import request_state
from backend.api.http.security_headers import security_headers
from backend.database.deadline import begin_work
from backend.telemetry.tracing import current_trace_id, trace_id_of

UNKNOWN = "(unknown)"

logger = structlog.get_logger()

# The start of a JWT, a personal access token, a refresh token or an invitation, anywhere in the text.
_TOKEN = re.compile(r"eyJ[\w=-]*\.[\w.=-]*|(?:tk_|rt1\.|iv1\.)[\w-]{20}")
_ID_HEADERS = {b"x-request-id", b"traceparent"}
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}", re.ASCII)


class RequestContext:
    """Names each request, starts its database deadline and counters, and logs one line when it is answered.

    Every answer, whatever layer it comes from, carries the headers that are in the state at that time. `route_of`
    returns the template of a path that no route of ours has noted.
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
        """Name the request, pass it on, and log it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = _sent_id(scope) or self.new_id()
        scope.setdefault("state", {})
        state = request_state(scope)
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
                state["sending"] = len(message["body"])  # bytes that stay in memory until the client has read all
            await send(message)

        work = begin_work()
        names = bind_contextvars(**_names(request_id))
        try:
            await self.app(scope, receive, send_named)
        finally:
            logger.info(
                "request",
                user=state.get("user_id"),
                method=scope["method"],
                route=state.get("route") or self.route_of(scope["path"]),
                status=status,
                duration_ms=_milliseconds(self.clock() - started),
                database_ms=_milliseconds(work.database_seconds),
                round_trips=work.round_trips,
            )
            reset_contextvars(**names)


def _sent_id(scope: Scope) -> str | None:
    """Return the client's request id if it is valid, else the id of its trace.

    An invalid id counts as none, and so do two different ones. Most requests have neither header.
    """
    if _ID_HEADERS.isdisjoint(dict(scope["headers"])):
        return None
    headers = Headers(scope=scope)
    sent, *others = {*headers.getlist("x-request-id")} or {""}
    if not others and _REQUEST_ID.fullmatch(sent) and not _TOKEN.search(sent):
        return sent
    return trace_id_of(headers.getlist("traceparent"))


def _names(request_id: str) -> dict[str, str]:
    """Return the fields for every log line of the request."""
    trace_id = current_trace_id()
    return {"request_id": request_id, "trace_id": trace_id} if trace_id else {"request_id": request_id}


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 2)


def log_unread_request(request_id: str, status: int) -> None:
    """Log a request that was refused before its method and path could be read."""
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
    """Return a function from a path to its template, like /api/tasks/{task_id}: the path itself may hold anything."""
    contexts = [(context.path_format or UNKNOWN, context.path_regex) for context in iter_route_contexts(routes)]
    found = {template: regex for template, regex in contexts if regex}

    def route_of(path: str) -> str:
        return next((template for template, regex in found.items() if regex.match(path)), UNKNOWN)

    return route_of
