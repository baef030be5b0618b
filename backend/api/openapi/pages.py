"""/docs, where people read about the API and try it, and the contract. The page needs no internet."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.routing import APIRoute
from fastapi.staticfiles import StaticFiles
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send

from backend.api.http.preconditions import tags_in

_PAGE = Path(__file__).parent / "page"
_LIBRARY = "fastapi_standalone_docs"
# Only our own files and our own API; Swagger UI has its icons in `data:` URLs.
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


class Assets(StaticFiles):
    """Files that a browser may cache but must revalidate each time. They are always sent whole."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, ignoring Range (RFC 9110, section 14.2), because Starlette's Range errors are not JSON."""
        headers = [header for header in scope["headers"] if header[0] != b"range"]
        await super().__call__({**scope, "headers": headers}, receive, send)

    def file_response(self, *arguments: Any, **options: Any) -> Response:
        """Return a file that must be revalidated."""
        response = super().file_response(*arguments, **options)
        response.headers["Cache-Control"] = "no-cache"
        return response


def add_contract(app: FastAPI) -> None:
    """Serve the contract. Browsers may keep it, and ask whether it is still the same."""

    @cache
    def written() -> tuple[bytes, str]:
        content = JSONResponse(app.openapi()).body
        return bytes(content), hashlib.sha256(content).hexdigest()[:32]

    @app.get("/openapi.json", include_in_schema=False)
    def get_contract(request: Request) -> Response:  # not on the event loop: the first call builds it
        content, tag = written()
        headers = {"ETag": f'"{tag}"', "Cache-Control": "no-cache"}
        known = tags_in("If-None-Match", request.headers.getlist("If-None-Match"))
        if known is not None and known.match_weakly(tag):
            return Response(status_code=304, headers=headers)
        return Response(content, media_type="application/json", headers=headers)


def add_docs(app: FastAPI) -> None:
    """Serve the page and its assets. It shows the operations in the order of the routes."""
    operations = [route.name for route in app.routes if isinstance(route, APIRoute) and route.include_in_schema]
    html = (_PAGE / "index.html").read_text().replace('operations=""', f'operations="{" ".join(operations)}"')
    page = HTMLResponse(html, headers={"Content-Security-Policy": CONTENT_POLICY})
    libraries: list[str | tuple[str, str]] = [(_LIBRARY, "static/swagger"), (_LIBRARY, "static/fastapi")]

    @app.get("/docs", include_in_schema=False)
    async def get_page() -> HTMLResponse:
        return page

    app.mount("/docs/assets", Assets(directory=_PAGE, packages=libraries))
