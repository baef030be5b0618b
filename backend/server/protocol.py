"""A client connection with limits: input that never reaches the application must not cost it anything.

uvicorn limits neither the size of headers nor the time a client takes. Nothing here runs per header, and requests that
arrive in one piece need no timer.
"""

from __future__ import annotations

import asyncio
import uuid
from enum import Enum
from typing import Any

from httptools import HttpParserError, HttpParserUpgrade
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from backend.api.http.envelope import error_response
from backend.api.http.security_headers import security_headers
from backend.api.http.stream_signal import Signal
from backend.api.middleware.limits import MAX_ADDRESS_BYTES
from backend.api.middleware.request_context import log_unread_request
from backend.errors import (
    AddressTooLong,
    BadRequest,
    HeadersTooLarge,
    RequestTimeout,
    ServiceUnavailable,
    TaskAPIError,
)
from backend.identity.claims import SHORTER, refusal
from backend.server.asgi import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, ASGISendEvent, Scope
from backend.server.http1 import CLOSE, has_length_up_to, judge_head
from backend.server.pipelining import PipeliningProtocol
from backend.server.state import ServerConfig, ServiceState

SLICE_BYTES = 8 * 1024
# Up to two slices are read before the limit takes effect: one before unfinished bytes count, one before the check.
MAX_UNFINISHED_BYTES = 64 * 1024 - 2 * SLICE_BYTES
MAX_PIPELINED = 100
MAX_DROPPED_BYTES = 1024 * 1024  # behind an answer or a refusal: as much as MAX_BODY_BYTES allows by default
LINGER_SECONDS = 2.0  # to read our last answer; closing at once could destroy it for a client that still sends
SHUTDOWN_PATIENCE_SECONDS = 1.0  # for bodies and answers in progress when the service shuts down

_AUTHORIZATION = b"authorization:"


class Stage(Enum):
    """How far a connection has read."""

    IDLE = "between requests"
    HEAD = "the beginning of a request is there"
    BODY = "the headers are complete, the body is not"


class BoundedProtocol(PipeliningProtocol):
    """Reads requests like uvicorn, but limits time and size of unfinished ones, and sends errors in the envelope."""

    def __init__(
        self,
        config: ServerConfig,
        server_state: ServiceState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._max_connections = config.max_connections
        self._stage = Stage.IDLE
        self._dropped = 0  # bytes that nobody reads
        self._unfinished = 0  # bytes since the last complete head, body piece or request
        self._line_start = b""  # of the line now arriving
        self._deadline: asyncio.TimerHandle | None = None
        self._refusal: TaskAPIError | None = None
        self._is_last = False  # ignore anything after this request: the client said so, or we are shutting down
        self._lingers = False
        self._signal = Signal()  # for the current request, if it streams

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Wait for a request, or close at once if there are too many connections for our file descriptors."""
        super().connection_made(transport)
        self._watch()
        if len(self.connections) > self._max_connections:
            self.server_state.note_full(self._max_connections)
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the deadline."""
        super().connection_lost(exc)
        self._forget_deadline()

    def data_received(self, data: bytes) -> None:
        """Read in slices, so that limits are exceeded by at most one slice; ignore everything after a refusal."""
        self._unset_keepalive_if_required()
        if self._lingers or (self._stage is Stage.BODY and self.cycle.response_complete):
            self._dropped += len(data)
            if self._dropped > MAX_DROPPED_BYTES:
                self.flow.pause_reading()  # the answer to a body this long closes the connection: it lingers already
                return
        for start in range(0, len(data), SLICE_BYTES):
            if self._listens:
                self._read(data[start : start + SLICE_BYTES])
        if self._refusal is None and not self._lingers:
            self._watch()

    @property
    def _listens(self) -> bool:
        """Return whether to read more: not after a refusal or the last request."""
        return self._refusal is None and not self._lingers and not (self._is_last and self._stage is Stage.IDLE)

    def eof_received(self) -> bool:  # type: ignore[override]  # as in asyncio
        """When the client half-closes, answer its request before closing."""
        if self._stage is not Stage.IDLE or self.cycle is None or self.cycle.response_complete:
            return False
        self._is_last = True
        self._signal.end()
        return True

    def _read(self, piece: bytes) -> None:
        self._unfinished += len(piece)
        try:
            self._feed(piece)
        except HttpParserError as error:
            if not self._listens:
                return
            cause = error.__context__  # raised by a callback
            self._refuse(cause if isinstance(cause, TaskAPIError) else BadRequest())
            return
        if self._stage is Stage.HEAD:
            _, newline, rest = piece.rpartition(b"\n")
            self._line_start = (rest if newline else self._line_start + rest)[: len(_AUTHORIZATION)]
        if self._unfinished > MAX_UNFINISHED_BYTES:
            self._refuse(self._excess())

    def _excess(self) -> TaskAPIError:
        """Return the error that names the too-long part of an unfinished head or trailer."""
        if self._stage is Stage.HEAD and self._line_start.lower() == _AUTHORIZATION:
            # Elsewhere the token is checked before anything else, so a bad one decides the answer here too.
            return refusal("The token is too long.", SHORTER)
        if self._stage is Stage.HEAD and len(self.url) > MAX_ADDRESS_BYTES:
            return AddressTooLong()
        return HeadersTooLarge()

    def _feed(self, piece: bytes) -> None:
        while piece:
            try:
                self.parser.feed_data(piece)
            except HttpParserUpgrade as upgrade:
                piece = piece[upgrade.args[0] :]  # no upgrades here: what follows is still HTTP
            else:
                return

    def on_message_begin(self) -> None:
        """Note the first byte of a request; raises BadRequest, never sent, for one after the last."""
        if self._is_last:
            raise BadRequest
        super().on_message_begin()
        self.scope["state"]["signal"] = self._signal
        self._stage = Stage.HEAD

    def on_headers_complete(self) -> None:
        """Start to handle a request. The parser wraps exceptions raised here in an HttpParserError."""
        if len(self.pipeline) >= MAX_PIPELINED:
            raise ServiceUnavailable
        judge_head(self.headers, self.parser)
        if self.server_state.is_ending and self.cycle is not None and not self.cycle.response_started:
            self.cycle.keep_alive = True  # this request is now the last one, not the one before it
        super().on_headers_complete()
        if not self.cycle.keep_alive:
            # uvicorn would close right after the answer, before a client that still sends its body could read it.
            self._is_last = self.cycle.keep_alive = True
        self._dropped = 0
        self.headers = []  # the trailer of a chunked body must not add request headers
        self._stage = Stage.BODY
        self._unfinished = 0

    def _begin(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        is_short = has_length_up_to(MAX_DROPPED_BYTES, cycle.scope["headers"])  # type: ignore[arg-type]  # they are lists
        super()._begin(cycle, app if is_short or cycle.scope["http_version"] == "1.0" else self._closing(cycle, app))

    def _closing(self, cycle: RequestResponseCycle, app: ASGI3Application) -> ASGI3Application:
        """Let an answer that begins before the end of a long body say that it is the last.

        Otherwise a client could send its next request while we close.
        """

        async def run(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
            async def send_last(message: ASGISendEvent) -> None:
                if message["type"] == "http.response.start" and cycle.more_body:
                    self._is_last = True
                    others = (header for header in message.get("headers", ()) if header[0] != CLOSE[0])
                    message["headers"] = [*others, CLOSE]
                    await send(message)
                    cycle.keep_alive = True  # uvicorn would close right after the answer: see on_headers_complete
                else:
                    await send(message)

            await app(scope, receive, send_last)

        return run

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        self._unfinished = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Note the last byte of a request."""
        self._stage = Stage.IDLE
        self._unfinished = 0
        super().on_message_complete()
        if self.server_state.is_ending:
            self._say_that_it_is_the_last()

    def on_response_complete(self) -> None:
        """Continue with the next request, or send a pending refusal once all earlier answers are sent."""
        super().on_response_complete()
        if self.transport.is_closing() or not self.cycle.response_complete:
            return
        if self._refusal is not None:
            self._answer(self._refusal)
        elif self._is_last and self._stage is Stage.BODY:
            self._linger()
        elif self._is_last:
            self.transport.close()

    def end_soon(self) -> None:
        """End streams and make the next answer the last: it says `Connection: close` unless it has already started."""
        self._signal.end()
        if self._stage is not Stage.BODY:
            self._say_that_it_is_the_last()

    def _say_that_it_is_the_last(self) -> None:
        """Close after the current answer. Only for complete requests: a client that still sends would not read it."""
        if self.cycle is not None and not self.cycle.response_started and not self._is_last:
            self.cycle.keep_alive = False

    def shutdown(self) -> None:
        """Close after the current answer, without waiting long for a body that is still arriving."""
        super().shutdown()
        self._is_last = True
        if self._stage is Stage.BODY:
            self.loop.call_later(SHUTDOWN_PATIENCE_SECONDS, self._end_unfinished)
        if self._reading.is_watching:
            self._reading.look_every(SHUTDOWN_PATIENCE_SECONDS)

    def _end_unfinished(self) -> None:
        if self._stage is Stage.BODY:
            self._refuse(ServiceUnavailable())

    def _watch(self) -> None:
        """Set a deadline for what the client still has to send: a request, the rest of a head, or an unread body."""
        if self._stage is not Stage.HEAD and self.cycle is not None and not self.cycle.response_complete:
            self._forget_deadline()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(self._timeout_seconds, self._end_waiting)

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _end_waiting(self) -> None:
        if self._stage is Stage.HEAD:
            self._refuse(RequestTimeout())
        else:
            self.transport.close()

    def _refuse(self, error: TaskAPIError) -> None:
        """Stop reading, send the error when its turn comes, and close."""
        self._refusal = error
        self._forget_deadline()
        if self._stage is not Stage.BODY:
            if self.cycle is None or self.cycle.response_complete:
                self._answer(error)
        elif self.pipeline or self.cycle.response_started:
            self.transport.close()
        else:  # replaces the application's answer to the current request
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            self._answer(error)

    def _answer(self, error: TaskAPIError) -> None:
        request_id = uuid.uuid4().hex
        response = error_response(error, request_id)
        response.headers["x-request-id"] = request_id
        response.headers["connection"] = "close"
        headers = [
            *self.server_state.default_headers,
            *response.raw_headers,
            *security_headers({"scheme": self.scheme}),
        ]
        lines = [name + b": " + value + b"\r\n" for name, value in headers]
        self.transport.write(b"".join([STATUS_LINE[error.status], *lines, b"\r\n", response.body]))
        log_unread_request(request_id, error.status)
        self._linger()

    def _linger(self) -> None:
        """Half-close, then give the client a while to close its side; ignore what it still sends."""
        self._lingers = True
        self.transport.write_eof()
        self._unset_keepalive_if_required()
        self._forget_deadline()
        self.flow.resume_reading()
        self._deadline = self.loop.call_later(LINGER_SECONDS, self.transport.close)
