"""What happens to every request before and after its handler. Pure ASGI: each costs microseconds."""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.api.responses import error_response
from backend.errors import InternalError, PayloadTooLarge, TaskAPIError, Unauthorized
from backend.utils.auth import Verifier

access_log = logging.getLogger("backend.access")
error_log = logging.getLogger("backend.error")

_MAX_LENGTH_DIGITS = 18
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}", re.ASCII)


class RequestContext:
    """Names each request, tells the client the name, and logs one line when it is answered."""

    def __init__(
        self,
        app: ASGIApp,
        new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.app = app
        self.new_id = new_id
        self.clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        sent = Headers(scope=scope).get("x-request-id", "")
        request_id = sent if _REQUEST_ID.fullmatch(sent) else self.new_id()
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        status, started = 0, self.clock()

        async def send_named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        try:
            await self.app(scope, receive, send_named)
        finally:
            milliseconds = (self.clock() - started) * 1000
            user = state.get("user_id", "-")
            # %r: a path or a user id must not be able to forge a line.
            access_log.info(
                "%s %r %d %.1fms request_id=%s user=%r",
                scope["method"], scope["path"], status, milliseconds, request_id, user,
            )  # fmt: skip


class CrossOrigin(CORSMiddleware):
    """CORS for the configured origins and our methods, and nothing of it for others.

    Starlette alone would send other origins every header but one, and refuse preflights outside the envelope.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; what is not allowed is handled as if it named no origin."""
        if scope["type"] == "http" and not self._allows(Headers(scope=scope)):
            scope = {**scope, "headers": [header for header in scope["headers"] if header[0] != b"origin"]}
        await super().__call__(scope, receive, send)

    def _allows(self, headers: Headers) -> bool:
        return (
            self.is_allowed_origin(headers.get("origin", ""))
            and headers.get("access-control-request-method", "GET") in self.allow_methods
            and "access-control-request-private-network" not in headers
        )


class ErrorBoundary:
    """Answers what nobody below has answered: our own errors as they are, a defect as a 500 that says nothing."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answering = False

        async def send_noting(message: Message) -> None:
            nonlocal answering
            answering = True
            await send(message)

        request_id = scope["state"]["request_id"]
        try:
            await self.app(scope, receive, send_noting)
        except TaskAPIError as error:
            await error_response(error, request_id)(scope, receive, send)
        except Exception:
            error_log.exception("unhandled error, request_id=%s", request_id)
            if answering:
                raise  # half an answer is out: only closing the connection tells the client
            await error_response(InternalError(), request_id)(scope, receive, send)


class Authentication:
    """Judges the token of every request under /api, before its body, its path or anything else of it."""

    def __init__(self, app: ASGIApp, verifier: Verifier) -> None:
        self.app = app
        self.verifier = verifier

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http" and (scope["path"] + "/").startswith("/api/"):
            scope["state"]["user_id"] = await self.verifier.user_id(_bearer_token(scope))
        await self.app(scope, receive, send)


def _bearer_token(scope: Scope) -> str:
    """Read the token (RFC 6750, section 2.1); two Authorization headers are one too many to trust either."""
    values: list[bytes] = [value for name, value in scope["headers"] if name == b"authorization"]
    if not values:
        raise Unauthorized
    scheme, _, token = values[0].decode("latin-1").partition(" ")
    if len(values) > 1 or scheme.lower() != "bearer" or not token.strip():
        raise Unauthorized(invalid_token=True)
    return token.strip()


class BodyLimit:
    """Refuses a body that is larger than it may be, declared or not."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self.app = app
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "0")
        if declared.isdecimal() and (len(declared) > _MAX_LENGTH_DIGITS or int(declared) > self.max_bytes):
            raise PayloadTooLarge
        received = 0

        async def receive_counting() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.max_bytes:
                # FastAPI, which is reading the body, lets nothing but this one kind of exception through.
                raise HTTPException(PayloadTooLarge.status)
            return message

        await self.app(scope, receive_counting, send)


class HeadAsGet:
    """Answers HEAD wherever GET works: the same headers without the body (RFC 9110, section 9.3.2)."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def send_headers_only(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self.app({**scope, "method": "GET"}, receive, send_headers_only)
