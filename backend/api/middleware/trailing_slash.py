"""The outermost layer: one slash at the end of a path under /api, or of a page, is as good as none."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

_PAGES = {"/docs/", "/app/"}


class TrailingSlash:
    """Handles a request as if its path had one slash less at its end.

    A redirect would lose the body of a POST in some clients, and the token in others. A slash that is sent as %2F is
    part of a label's name.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, without that slash."""
        if scope["type"] == "http":
            path: str = scope["path"]
            is_one = path.endswith("/") and (path.startswith("/api/") or path in _PAGES)
            if is_one and scope["raw_path"].endswith(b"/"):
                scope = {**scope, "path": path[:-1]}
        await self.app(scope, receive, send)
