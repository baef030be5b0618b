"""/docs: to read about the API and to try it. All assets are served locally, so it works without internet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.staticfiles import StaticFiles
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

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
