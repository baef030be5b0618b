"""Checks the head of a request (RFC 9112) before any work starts for it.

Nothing here runs per header, except for requests with a repeated header or a transfer coding.
"""

from __future__ import annotations

import re

from httptools import HttpRequestParser

from backend.api.http.header_parameters import malformed_header
from backend.errors import BadRequest, UnknownTransferCoding

_Headers = list[tuple[bytes, bytes]]  # with lower-case names

# RFC 3986, section 3.2.2: an address in brackets or a name, then a port. Every part may be missing.
_NAME = rb"[\w.~!$&'()*+,;=-]*"
_HOST = re.compile(rb"(?:\[[\w.:~%%-]+\]|%b(?:%%[0-9A-Fa-f]{2}%b)*)(?::[0-9]*)?[ \t]*" % (_NAME, _NAME))
_NO_BODY = b"0"


def judge_head(headers: _Headers, parser: HttpRequestParser) -> None:
    """Raise BadRequest or UnknownTransferCoding for an ambiguous head."""
    fields = dict(headers)
    host = fields.get(b"host")
    if host is None:
        is_clear = parser.get_http_version() == "1.0"
    else:
        is_repeated = len(fields) < len(headers) and len(_all(b"host", headers)) > 1
        is_clear = not is_repeated and _HOST.fullmatch(host) is not None
    if not is_clear:
        raise malformed_header("Host", "host_invalid", "Send one header Host, with the host that the address names")
    is_coded = b"transfer-encoding" in fields
    if is_coded and _all(b"transfer-encoding", headers) != [b"chunked"]:
        raise UnknownTransferCoding
    if parser.should_upgrade() and (is_coded or fields.get(b"content-length", _NO_BODY).strip() != _NO_BODY):
        # The parser would read the body as the next request.
        raise BadRequest("Send a body without the header Upgrade: no other protocol is spoken here.")


def _all(name: bytes, headers: _Headers) -> list[bytes]:
    return [value.strip().lower() for each, value in headers if each == name]
