"""CORS for the configured origins; other origins learn nothing."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import Receive, Scope, Send


class CORS(CORSMiddleware):
    """CORS for the configured origins and our methods, and nothing of it for others.

    Starlette alone would send other origins every header but one, and refuse preflights outside the envelope.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; what is not allowed is handled as if it named no origin."""
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
