"""A connection that starts each request only when the client has read the previous answer."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from backend.server.asgi import ASGI3Application
from backend.server.http1 import HTTP10
from backend.server.slow_reader import SlowReaderWatch
from backend.server.state import ServerConfig, ServiceState
from backend.utils.spreading import spread


class PipeliningProtocol(HttpToolsProtocol):
    """Starts requests like uvicorn, but none while an answer is unread, and not too many at once.

    So a connection holds at most one answer in memory, and a burst of requests does not block the event loop.
    """

    server_state: ServiceState

    def __init__(
        self,
        config: ServerConfig,
        server_state: ServiceState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._timeout_seconds = spread(config.client_timeout_seconds)
        self._reading: SlowReaderWatch
        self._in_hand: RequestResponseCycle | None = None
        self._held_back: tuple[RequestResponseCycle, ASGI3Application] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Set up the watch for slow readers."""
        super().connection_made(transport)
        unread = self.server_state.unread(self.app_state["connection_limiter"])
        self._reading = SlowReaderWatch(self.loop, transport, unread)

    def connection_lost(self, exc: Exception | None) -> None:
        """Start no more requests, and tell the current one that the client has gone."""
        super().connection_lost(exc)
        self._held_back = None
        self.resume_writing()
        if self._in_hand is not None:  # uvicorn tells only the newest request, which may still wait for this one
            self._in_hand.disconnected = True
            self._in_hand.message_event.set()

    def pause_writing(self) -> None:
        """Watch whether the client, which reads slower than we write, reads at all."""
        super().pause_writing()
        assert self._in_hand is not None  # noqa: S101 - our own refusals are short
        state = self._in_hand.scope["state"]
        self._reading.begin(state.get("user_id"), state.get("sending", 0), self._timeout_seconds)

    def resume_writing(self) -> None:
        """Continue with the next request, now that everything written has been sent."""
        super().resume_writing()
        self._reading.stop()
        held_back, self._held_back = self._held_back, None
        if held_back is not None:
            self._start_asgi_task(*held_back)

    def on_response_complete(self) -> None:
        """Continue with the next request, if there is one."""
        assert self._in_hand is not None  # noqa: S101 - it is the request that completed
        self._in_hand.body.clear()  # nobody reads the body of a refused request
        self._reading.begin_if_left()
        super().on_response_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        if self.flow.write_paused:
            self._held_back = cycle, app
            self.flow.pause_reading()  # until the request reads its body or is answered
            return
        self._in_hand = cycle
        if self.server_state.beginnings.may_begin():
            self._begin(cycle, app)
        else:
            self.server_state.beginnings.put_off(self._sender(cycle), partial(self._begin, cycle, app))
            self.flow.pause_reading()

    def _begin(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        if cycle.disconnected:  # the client has left, or was refused
            return
        is_old = cycle.scope["http_version"] == "1.0"
        super()._start_asgi_task(cycle, HTTP10(app, cycle) if is_old else app)

    def _sender(self, cycle: RequestResponseCycle) -> str:
        """Identify a sender before authentication: by token, or else by address."""
        tokens = [value for name, value in cycle.scope["headers"] if name == b"authorization"]
        return tokens[0].decode("latin-1") if tokens else str(self.client and self.client[0])
