"""How much of anything one request may be, how long it may take to arrive, and how many at once. Pure ASGI."""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.api.http.header_parameters import MAX_HEADER_BYTES
from backend.errors import AddressTooLong, HeadersTooLarge, PayloadTooLarge, RequestTimeout, ServiceUnavailable

MAX_HEADERS = 100
MAX_ADDRESS_BYTES = 8 * 1024
IMPORT_PATH = "/api/tasks/import"
MIN_PART_BYTES = 64 * 1024  # of a file to import, in the time that a client has for any other body

_HEADER_OVERHEAD_BYTES = 4  # a colon, a blank and the end of the line
_MAX_LENGTH_DIGITS = 18


class HeadLimits:
    """Refuses an address that is too long, and headers that are too many or too large."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http":
            if len(scope["raw_path"]) + len(scope["query_string"]) > MAX_ADDRESS_BYTES:
                raise AddressTooLong
            headers = scope["headers"]
            size = len(headers) * _HEADER_OVERHEAD_BYTES
            for name, value in headers:
                size += len(name) + len(value)
            if size > MAX_HEADER_BYTES or len(headers) > MAX_HEADERS:
                raise HeadersTooLarge
        await self.app(scope, receive, send)


class Concurrency:
    """Refuses requests of users while as many as there may be are in hand; others cost next to nothing."""

    def __init__(self, app: ASGIApp, max_requests: int) -> None:
        self.app = app
        self.max_requests = max_requests
        self.in_hand = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or "user_id" not in scope["state"]:
            await self.app(scope, receive, send)
            return
        if self.in_hand >= self.max_requests:
            raise ServiceUnavailable
        self.in_hand += 1
        is_counted = True

        def release_slot() -> None:
            nonlocal is_counted
            self.in_hand -= is_counted
            is_counted = False

        scope["state"]["release_slot"] = release_slot  # for an answer that goes on and on, and mostly waits
        try:
            await self.app(scope, receive, send)
        finally:
            release_slot()


class BodyLimit:
    """Refuses a body that is larger than it may be, declared or not, and one that takes too long to arrive.

    That is: the time in which it is waited for. A file to import may be larger, and has that time for each part of it:
    what is stored meanwhile is stored without holding anything for a client that does not go on.
    """

    def __init__(self, app: ASGIApp, max_bytes: int, max_import_bytes: int, timeout_seconds: float) -> None:
        self.app = app
        self.max_bytes = max_bytes
        self.max_import_bytes = max_import_bytes
        self.timeout_seconds = timeout_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        is_import = scope["path"] == IMPORT_PATH and scope["method"] == "POST"
        most = self.max_import_bytes if is_import else self.max_bytes
        declared = Headers(scope=scope).get("content-length", "0")
        if declared.isdecimal() and (len(declared) > _MAX_LENGTH_DIGITS or int(declared) > most):
            raise PayloadTooLarge
        received = in_time = 0
        clock = asyncio.get_running_loop().time
        seconds, is_complete = self.timeout_seconds, False

        # FastAPI wraps what is raised while it reads the body; the error handlers unwrap it.
        async def receive_bounded() -> Message:
            nonlocal received, in_time, seconds, is_complete
            began = clock()
            try:
                async with asyncio.timeout(None if is_complete else seconds):
                    message = await receive()
            except TimeoutError:
                raise RequestTimeout from None
            received += len(message.get("body", b""))
            if received > most:
                raise PayloadTooLarge
            is_complete = not message.get("more_body")  # then all that can follow is that the client leaves
            seconds -= clock() - began
            if is_import and received - in_time >= MIN_PART_BYTES:
                in_time, seconds = received, self.timeout_seconds
            return message

        await self.app(scope, receive_bounded, send)
