"""The connection to a client, within bounds: what the application never sees of it must not cost it anything either.

uvicorn bounds neither the size of headers nor the time that a client takes. Nothing here runs per header, and nothing
sets a timer for requests that arrive in one piece.
"""

from __future__ import annotations

import asyncio
import uuid
from enum import Enum
from typing import Any

from httptools import HttpParserError, HttpParserUpgrade
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

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
from backend.server.orderly import OrderlyProtocol
from backend.server.request_head import judge_head
from backend.server.state import ServerConfig, ServiceState

SLICE_BYTES = 8 * 1024
# A slice may be read before what is unfinished is counted, and another before it is seen to be too much.
MAX_UNFINISHED_BYTES = 64 * 1024 - 2 * SLICE_BYTES
MAX_PIPELINED = 100
LINGER_SECONDS = 2.0  # for a client to read our last word; closing at once may take it away from one that still sends
SHUTDOWN_PATIENCE_SECONDS = 1.0  # for bodies and answers that are just under way when the service ends

_AUTHORIZATION = b"authorization:"


class Stage(Enum):
    """How far a connection has read."""

    IDLE = "between requests"
    HEAD = "the beginning of a request is there"
    BODY = "the headers are complete, the body is not"


class BoundedProtocol(OrderlyProtocol):
    """Reads requests as uvicorn does, but no unfinished one for too long or too far, and refuses in the envelope."""

    def __init__(
        self,
        config: ServerConfig,
        server_state: ServiceState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._most_connections = config.most_connections
        self._stage = Stage.IDLE
        self._unfinished = 0  # bytes since a head, a piece of a body or a request was complete
        self._line_start = b""  # of the line that is arriving
        self._deadline: asyncio.TimerHandle | None = None
        self._refusal: TaskAPIError | None = None
        self._is_last = False  # nothing counts behind this request: by the client's own word, or it is too late
        self._lingers = False
        self._signal = Signal()  # for the request in hand, if it goes on and on

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Begin to wait for a request; end at once where others need the descriptor more."""
        super().connection_made(transport)
        self._watch()
        if len(self.connections) > self._most_connections:
            self.server_state.note_full(self._most_connections)
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        super().connection_lost(exc)
        self._forget_deadline()

    def data_received(self, data: bytes) -> None:
        """Read in slices, so that a limit is passed by no more than one; nothing counts after a refusal."""
        self._unset_keepalive_if_required()
        for start in range(0, len(data), SLICE_BYTES):
            if self._listens:
                self._read(data[start : start + SLICE_BYTES])
        if self._refusal is None and not self._lingers:
            self._watch()

    @property
    def _listens(self) -> bool:
        """Tell whether what comes still counts: not after a refusal, nor after the last request."""
        return self._refusal is None and not self._lingers and not (self._is_last and self._stage is Stage.IDLE)

    def eof_received(self) -> bool:  # type: ignore[override]  # as asyncio has it
        """Answer a client that has sent all it will send, and only then close."""
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
            cause = error.__context__  # what a callback raised
            self._refuse(cause if isinstance(cause, TaskAPIError) else BadRequest())
            return
        if self._stage is Stage.HEAD:
            _, newline, rest = piece.rpartition(b"\n")
            self._line_start = (rest if newline else self._line_start + rest)[: len(_AUTHORIZATION)]
        if self._unfinished > MAX_UNFINISHED_BYTES:
            self._refuse(self._excess())

    def _excess(self) -> TaskAPIError:
        """Say what of an unfinished head or trailer is too long."""
        if self._stage is Stage.HEAD and self._line_start.lower() == _AUTHORIZATION:
            # The token is judged before anything else, and this one is bad.
            return refusal("The token is too long.", SHORTER)
        if self._stage is Stage.HEAD and len(self.url) > MAX_ADDRESS_BYTES:
            return AddressTooLong()
        return HeadersTooLarge()

    def _feed(self, piece: bytes) -> None:
        while piece:
            try:
                self.parser.feed_data(piece)
            except HttpParserUpgrade as upgrade:
                piece = piece[upgrade.args[0] :]  # no other protocol is spoken here: what follows is HTTP as before
            else:
                return

    def on_message_begin(self) -> None:
        """Note the first byte of a request; raises BadRequest, which nobody is told, for one behind the last."""
        if self._is_last:
            raise BadRequest
        super().on_message_begin()
        self.scope["state"]["signal"] = self._signal
        self._stage = Stage.HEAD

    def on_headers_complete(self) -> None:
        """Start to handle a request. The parser answers what is raised here with an HttpParserError."""
        if len(self.pipeline) >= MAX_PIPELINED:
            raise ServiceUnavailable
        judge_head(self.headers, self.parser)
        if self.server_state.is_ending and self.cycle is not None and not self.cycle.response_started:
            self.cycle.keep_alive = True  # the last one is this one, then, and not the one before it
        super().on_headers_complete()
        if not self.cycle.keep_alive:
            # uvicorn would close right after its answer, and a client that still sends its body would never read it.
            self._is_last = self.cycle.keep_alive = True
        self.headers = []  # what the trailer of a chunked body says must not become a header of the request
        self._stage = Stage.BODY
        self._unfinished = 0

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
        """Go on with the next request, or say our last word when nothing comes before it any more."""
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
        """Let streams end, and the next answer be the last one: it says so, unless it has begun before."""
        self._signal.end()
        if self._stage is not Stage.BODY:
            self._say_that_it_is_the_last()

    def _say_that_it_is_the_last(self) -> None:
        """Close with the answer in hand. Only behind a complete request: a client that sends would not read it."""
        if self.cycle is not None and not self.cycle.response_started and not self._is_last:
            self.cycle.keep_alive = False

    def shutdown(self) -> None:
        """End when what is in hand is answered; a body that is still arriving is not waited for."""
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
        """Give the client its time for what it owes us: a request, the rest of a head, or a body nobody waits for."""
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
        """Read no further; answer the error when it is its turn, and close."""
        self._refusal = error
        self._forget_deadline()
        if self._stage is not Stage.BODY:
            if self.cycle is None or self.cycle.response_complete:
                self._answer(error)
        elif self.pipeline or self.cycle.response_started:
            self.transport.close()
        else:  # the answer to the request that is in hand, instead of the application's
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
        """End our side and let the client end its own, for a while; what it still sends counts for nothing."""
        self._lingers = True
        self.transport.write_eof()
        self._unset_keepalive_if_required()
        self._forget_deadline()
        self.flow.resume_reading()
        self._deadline = self.loop.call_later(LINGER_SECONDS, self.transport.close)
