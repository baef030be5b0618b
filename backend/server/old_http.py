"""HTTP/1.0: no chunks, no `100 Continue`, and an answer without a length ends when the connection closes."""

from __future__ import annotations

import socket
import struct

from uvicorn._types import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, ASGISendEvent, Scope
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

_CLOSE = (b"connection", b"close")
_RESET_AT_ONCE = struct.pack("ii", 1, 0)  # on, with zero seconds for unsent data


class OldHTTP:
    """Runs the application for an HTTP/1.0 request, which uvicorn would answer as HTTP/1.1."""

    def __init__(self, app: ASGI3Application, cycle: RequestResponseCycle) -> None:
        self.app = app
        self.cycle = cycle

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Handle one request."""
        cycle, has_length = self.cycle, False
        cycle.waiting_for_100_continue = False

        async def send_as_of_old(message: ASGISendEvent) -> None:
            nonlocal has_length
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", ())]
                has_length = any(name == b"content-length" for name, _ in headers)
                if not has_length:
                    cycle.chunked_encoding = False  # else uvicorn would choose chunks
                message["headers"] = [*headers, _CLOSE]
                await send(message)
                cycle.keep_alive = True  # uvicorn must not close before our protocol has handled an unfinished body
                return
            if message["type"] == "http.response.body" and not has_length:
                cycle.expected_content_length = len(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, receive, send_as_of_old)
        finally:
            self._let_a_premature_end_be_a_reset()

    def _let_a_premature_end_be_a_reset(self) -> None:
        """Make uvicorn's close a reset if the answer is incomplete: a normal close would make it look complete."""
        cycle = self.cycle
        if cycle.response_started and not cycle.response_complete and not cycle.transport.is_closing():
            connection = cycle.transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_ONCE)
