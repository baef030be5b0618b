"""What HTTP/1 asks for and uvicorn leaves out: it must refuse ambiguous requests (RFC 9112) and answer HTTP/1.0.

HTTP/1.0 has no chunks and no `100 Continue`, and an answer without a length ends when the connection closes.
"""

from __future__ import annotations

import re
import socket
import struct

from httptools import HttpRequestParser
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from backend.api.http.header_parameters import malformed_header
from backend.errors import BadRequest, UnknownTransferCoding
from backend.server.asgi import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, ASGISendEvent, Scope

_Headers = list[tuple[bytes, bytes]]  # with lower-case names

# RFC 3986, section 3.2.2: an address in brackets or a name, then a port. Every part may be missing.
_NAME = rb"[\w.~!$&'()*+,;=-]*"
_HOST = re.compile(rb"(?:\[[\w.:~%%-]+\]|%b(?:%%[0-9A-Fa-f]{2}%b)*)(?::[0-9]*)?[ \t]*" % (_NAME, _NAME))
_NO_BODY = b"0"
# Headers of one value that we read, besides Host. Others are refused where they are read: Authorization with 401, keys
# and ids of events with 400, and two lengths by the parser.
_SINGLE = {
    b"content-type": "Content-Type",
    b"origin": "Origin",
    b"access-control-request-method": "Access-Control-Request-Method",
}

CLOSE = (b"connection", b"close")
_RESET_AT_ONCE = struct.pack("ii", 1, 0)  # on, with zero seconds for unsent data


def judge_head(headers: _Headers, parser: HttpRequestParser) -> None:
    """Raise BadRequest or UnknownTransferCoding for an ambiguous head, before any work starts for it.

    Nothing here runs per header, except for requests with a repeated header or a transfer coding.
    """
    fields = dict(headers)
    if len(fields) < len(headers):
        _refuse_contradictions(headers)
    host = fields.get(b"host")
    if host is None:
        is_clear = parser.get_http_version() == "1.0"
    else:
        is_repeated = len(fields) < len(headers) and len(_all(b"host", headers)) > 1
        is_clear = not is_repeated and _HOST.fullmatch(host) is not None
    if not is_clear:
        raise malformed_header("Host", "host_invalid", "Send exactly one Host header, with the host that the URL names")
    is_coded = b"transfer-encoding" in fields
    if is_coded and _all(b"transfer-encoding", headers) != [b"chunked"]:
        raise UnknownTransferCoding
    if parser.should_upgrade() and (is_coded or fields.get(b"content-length", _NO_BODY).strip() != _NO_BODY):
        # The parser would read the body as the next request.
        raise BadRequest("Send a request body without an Upgrade header. This server speaks no other protocol.")


def has_length_up_to(max_bytes: int, headers: _Headers) -> bool:
    """Return whether a request of HTTP/1.1 says that its body is at most this long."""
    fields = dict(headers)
    return b"transfer-encoding" not in fields and int(fields.get(b"content-length", _NO_BODY)) <= max_bytes


def _refuse_contradictions(headers: _Headers) -> None:
    """Refuse two values for a header that has one (RFC 9110, section 5.3): a proxy may have read the other."""
    for name, shown in _SINGLE.items():
        if len(set(_all(name, headers))) > 1:
            message = f"Send {shown} once: this request has different values for it"
            raise malformed_header(shown, "header_repeated", message)


def _all(name: bytes, headers: _Headers) -> list[bytes]:
    return [value.strip().lower() for each, value in headers if each == name]


class HTTP10:
    """Runs the application for one HTTP/1.0 request, which uvicorn would answer as HTTP/1.1."""

    def __init__(self, app: ASGI3Application, cycle: RequestResponseCycle) -> None:
        self.app = app
        self.cycle = cycle

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Run the application, and answer as HTTP/1.0 asks."""
        cycle, has_length = self.cycle, False
        cycle.waiting_for_100_continue = False

        async def send_http10(message: ASGISendEvent) -> None:
            nonlocal has_length
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", ())]
                has_length = any(name == b"content-length" for name, _ in headers)
                if not has_length:
                    cycle.chunked_encoding = False  # else uvicorn would choose chunks
                message["headers"] = [*headers, CLOSE]
                await send(message)
                cycle.keep_alive = True  # uvicorn must not close before our protocol has handled an unfinished body
                return
            if message["type"] == "http.response.body" and not has_length:
                cycle.expected_content_length = len(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, receive, send_http10)
        finally:
            self._reset_if_incomplete()

    def _reset_if_incomplete(self) -> None:
        """Make uvicorn's close a reset if the answer is incomplete: a normal close would make it look complete."""
        cycle = self.cycle
        if cycle.response_started and not cycle.response_complete and not cycle.transport.is_closing():
            connection = cycle.transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_ONCE)
