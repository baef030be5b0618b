"""Headers that keep browsers from framing, sniffing, caching or running any answer."""

from __future__ import annotations

from starlette.types import Scope

Header = tuple[bytes, bytes]

_ALWAYS: list[Header] = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"),
]
# Browsers obey this over https only, and RFC 6797 section 7.2 forbids sending it over http.
_OVER_TLS: list[Header] = [(b"strict-transport-security", b"max-age=31536000")]


def security_headers(scope: Scope) -> list[Header]:
    """Return the headers for the answer to a request; a header that the answer itself sets replaces ours."""
    return _ALWAYS + _OVER_TLS if scope["scheme"] == "https" else _ALWAYS
