"""A connection whose requests begin in turn: each when the client has taken the answer to the one before."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from backend.server.old_http import OldHTTP
from backend.server.slow_reader import SlowReaderWatch
from backend.server.state import ServerConfig, ServiceState
from backend.utils.spreading import spread


class OrderlyProtocol(HttpToolsProtocol):
    """Begins requests as uvicorn does, but none while an answer is not taken, and not too many at once.

    So no more is in memory for a connection than one answer, and a crowd does not keep others from the event loop.
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
        """Begin to look at what the client takes."""
        super().connection_made(transport)
        unread = self.server_state.unread(self.app_state["connection_limiter"])
        self._reading = SlowReaderWatch(self.loop, transport, unread)

    def connection_lost(self, exc: Exception | None) -> None:
        """Begin nothing any more, and let what is in hand know that nobody listens."""
        super().connection_lost(exc)
        self._held_back = None
        self.resume_writing()
        if self._in_hand is not None:  # uvicorn tells only the newest request, which may be waiting behind this one
            self._in_hand.disconnected = True
            self._in_hand.message_event.set()

    def pause_writing(self) -> None:
        """Note that the client reads slower than we write, and from now on look whether it reads at all."""
        super().pause_writing()
        assert self._in_hand is not None  # noqa: S101 - what we say on our own is short
        state = self._in_hand.scope["state"]
        self._reading.begin(state.get("user_id"), state.get("sending", 0), self._timeout_seconds)

    def resume_writing(self) -> None:
        """Note that all that was written has left, and go on with the next request."""
        super().resume_writing()
        self._reading.stop()
        held_back, self._held_back = self._held_back, None
        if held_back is not None:
            self._start_asgi_task(*held_back)

    def on_response_complete(self) -> None:
        """Go on with the next request, if there is one."""
        assert self._in_hand is not None  # noqa: S101 - it is what is complete
        self._in_hand.body.clear()  # of a request that was refused, nobody reads it
        self._reading.begin_if_left()
        super().on_response_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        if self.flow.write_paused:
            self._held_back = cycle, app
            self.flow.pause_reading()  # until the request asks for its body, or is answered
            return
        self._in_hand = cycle
        if self.server_state.beginnings.may_begin():
            self._begin(cycle, app)
        else:
            self.server_state.beginnings.put_off(self._sender(cycle), partial(self._begin, cycle, app))
            self.flow.pause_reading()

    def _begin(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        if cycle.disconnected:  # the client has left meanwhile, or was refused
            return
        is_old = cycle.scope["http_version"] == "1.0"
        super()._start_asgi_task(cycle, OldHTTP(app, cycle) if is_old else app)

    def _sender(self, cycle: RequestResponseCycle) -> str:
        """Tell senders apart before anybody knows who they are: by token, or else by address."""
        tokens = [value for name, value in cycle.scope["headers"] if name == b"authorization"]
        return tokens[0].decode("latin-1") if tokens else str(self.client and self.client[0])
