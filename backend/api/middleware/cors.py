"""CORS for the allowed origins only."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")
PREFLIGHT_SECONDS = 7200


class CORS(CORSMiddleware):
    """CORS headers for the allowed origins (listed, or of this pattern) and our methods only.

    Starlette alone would send other origins all CORS headers but one, and refuse preflights without the envelope.
    """

    def __init__(
        self, app: ASGIApp, origins: Sequence[str], origin_pattern: str | None, exposed_headers: Sequence[str]
    ) -> None:
        super().__init__(
            app,
            allow_origins=origins,
            allow_origin_regex=origin_pattern,
            allow_credentials=True,
            allow_methods=METHODS,
            allow_headers=["*"],
            expose_headers=exposed_headers,
            max_age=PREFLIGHT_SECONDS,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, without its Origin header if that origin is not allowed."""
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            if "origin" in headers and not self._allows(headers):
                scope = {**scope, "headers": [header for header in scope["headers"] if header[0] != b"origin"]}
        await super().__call__(scope, receive, send)

    def _allows(self, headers: Headers) -> bool:
        return (
            self.is_allowed_origin(headers.get("origin", ""))
            and headers.get("access-control-request-method", "GET") in self.allow_methods
            and "access-control-request-private-network" not in headers
        )
