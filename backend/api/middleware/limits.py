"""Limits on the size of a request, its time to arrive, and the number at once. Pure ASGI."""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.api.http.header_parameters import MAX_HEADER_BYTES
from backend.api.http.paths import OPEN
from backend.api.http.request_state import request_state
from backend.errors import AddressTooLong, HeadersTooLarge, PayloadTooLarge, RequestTimeout
from backend.utils.shares import Shares
from backend.utils.spreading import spread

MAX_HEADERS = 100
MAX_ADDRESS_BYTES = 8 * 1024
MAX_SIGN_IN_BYTES = 8 * 1024
IMPORT_PATH = "/api/tasks/import"
MIN_PART_BYTES = 64 * 1024  # of an import file that must arrive per client timeout

REQUEST_BYTES = 32 * 1024  # of memory for a request, on top of its body
BODIES = 208  # of the largest size, for which a worker has room: one user may send a hundred at once

_HEADER_OVERHEAD_BYTES = 4  # colon, blank and line end
_MAX_LENGTH_DIGITS = 18


class HeadLimits:
    """Refuses a URL that is too long, and headers that are too many or too large."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; raises AddressTooLong or HeadersTooLarge."""
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


class BodyLimit:
    """Refuses a body that is too large, declared or not, and one that takes too long to arrive.

    Only time spent waiting for the body counts. A file to import may be larger, and gets the full time for each part:
    parts are stored as they arrive, so an import holds nothing while its client pauses.

    A body stays in memory until the request is answered. A worker has limited room for bodies and each user a share
    of it; a request that finds no room is refused.
    """

    def __init__(self, app: ASGIApp, max_bytes: int, max_import_bytes: int, timeout_seconds: float) -> None:
        self.app = app
        self.max_bytes = max_bytes
        self.max_import_bytes = max_import_bytes
        self.timeout_seconds = timeout_seconds
        self.room = Shares(BODIES * (REQUEST_BYTES + max_bytes))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, with a body that is judged as it arrives."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body = _Body(scope, receive, self)
        try:
            await self.app(scope, body.receive, send)
        finally:
            body.let_go()


class _Body:
    """The arriving body of one request."""

    def __init__(self, scope: Scope, receive: Receive, limit: BodyLimit) -> None:
        """Raise PayloadTooLarge if the declared length is too large."""
        self._receive = receive
        self._limit = limit
        self._user_id = request_state(scope).get("user_id", "")
        self._is_import = scope["path"] == IMPORT_PATH and scope["method"] == "POST"
        self._max_bytes = limit.max_import_bytes if self._is_import else limit.max_bytes
        if scope["path"] in OPEN:
            self._max_bytes = min(MAX_SIGN_IN_BYTES, self._max_bytes)
        self._headers = Headers(scope=scope)
        self._declared = declared = self._headers.get("content-length", "0")
        if declared.isdecimal() and (len(declared) > _MAX_LENGTH_DIGITS or int(declared) > self._max_bytes):
            raise PayloadTooLarge
        self._room = 0  # bytes that it has claimed
        self._received = self._in_time = 0
        self._seconds = 0.0  # left to wait for more
        self._is_complete = False

    async def receive(self) -> Message:
        """Receive the next message; raises RequestTimeout or PayloadTooLarge."""
        if not self._room:
            self._take_room()
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            async with asyncio.timeout(None if self._is_complete else self._seconds):
                message = await self._receive()
        except TimeoutError:
            raise RequestTimeout from None
        self._received += len(message.get("body", b""))
        if self._received > self._max_bytes:
            raise PayloadTooLarge
        self._is_complete = not message.get("more_body")  # then only a disconnect can follow
        self._seconds -= clock() - began
        if self._is_import and self._received - self._in_time >= MIN_PART_BYTES:
            self._in_time, self._seconds = self._received, self._limit.timeout_seconds
        return message

    def let_go(self) -> None:
        """Give the room back."""
        if self._room:
            self._limit.room.give_back(self._user_id, self._room)

    def _take_room(self) -> None:
        is_declared = self._declared.isdecimal() and "transfer-encoding" not in self._headers
        size = 0 if self._is_import else int(self._declared) if is_declared else self._max_bytes
        self._limit.room.claim(self._user_id, REQUEST_BYTES + size)
        self._room = REQUEST_BYTES + size
        self._seconds = spread(self._limit.timeout_seconds)
