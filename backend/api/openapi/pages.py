"""/docs to try the API and /redoc to read about it. All assets are served locally, so both work without internet."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from fastapi.staticfiles import StaticFiles
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

_CONTRACT = "/openapi.json"
_ASSETS = "/docs/assets"
_ICON = f"{_ASSETS}/favicon.png"
_PACKAGE = "fastapi_standalone_docs"
_SWAGGER_UI = {
    "deepLinking": False,  # it logs warnings about names like list_tasks
    "defaultModelsExpandDepth": 0,
    "displayRequestDuration": True,
    "operationsSorter": "alpha",
    "persistAuthorization": True,
    "showCommonExtensions": False,  # regular expressions below input fields
    "tryItOutEnabled": True,
}
# Swagger UI shows nothing until an answer ends, and an event stream never does: show the first seconds only.
_SCRIPT = b"""<script>
async function fetchForAWhile(url, options) {
  const response = await fetch(url, options);
  if (!response.ok) return response;
  const reader = response.body.getReader(), parts = [];
  const end = setTimeout(() => {
    parts.push("\\n: this page has stopped listening; the stream goes on\\n");
    reader.cancel();
  }, 3000);
  for (let part; !(part = await reader.read()).done;) parts.push(part.value);
  clearTimeout(end);
  return new Response(new Blob(parts), response);
}
ui.getConfigs().requestInterceptor = request => {
  if (request.headers.accept === "text/event-stream") request.userFetch = fetchForAWhile;
  return request;
};
</script>
"""
_INLINE_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)
_INLINE_STYLE = re.compile(rb"<style>(.*?)</style>", re.DOTALL)
# Redoc adds two styles to its page: an empty one, which it then fills rule by rule, and one for its scroll bars.
_REDOC_STYLES = (
    " 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' 'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='"
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
    """Serve both pages and their assets from the fastapi-standalone-docs package."""
    swagger_ui = get_swagger_ui_html(
        openapi_url=_CONTRACT,
        title=app.title,
        swagger_js_url=f"{_ASSETS}/swagger-ui-bundle.js",
        swagger_css_url=f"{_ASSETS}/swagger-ui.css",
        swagger_favicon_url=_ICON,
        swagger_ui_parameters=_SWAGGER_UI,
    )
    redoc = get_redoc_html(
        openapi_url=_CONTRACT,
        title=app.title,
        redoc_js_url="/redoc/redoc.standalone.js",
        redoc_favicon_url=_ICON,
        with_google_fonts=False,
    )
    _add_page(app, "/docs", bytes(swagger_ui.body).replace(b"</body>", _SCRIPT + b"</body>"))
    _add_page(app, "/redoc", bytes(redoc.body), styles=_REDOC_STYLES, more="; worker-src blob:")  # for its search
    app.mount(_ASSETS, Assets(packages=[(_PACKAGE, "static/swagger"), (_PACKAGE, "static/fastapi")]))
    app.mount("/redoc", Assets(packages=[(_PACKAGE, "static/redoc")]))  # it looks for its logo there


def _add_page(app: FastAPI, path: str, html: bytes, styles: str = "", more: str = "") -> None:
    """Serve a page that may use only our files, our API, and its own inline scripts and styles, by hash."""
    page = HTMLResponse(html)
    page.headers["Content-Security-Policy"] = (
        f"default-src 'none'; script-src 'self'{_hashes(_INLINE_SCRIPT, html)}; "
        f"style-src 'self'{_hashes(_INLINE_STYLE, html)}{styles}; img-src 'self' data:; connect-src 'self'; "
        f"frame-ancestors 'none'; base-uri 'none'; form-action 'none'{more}"
    )

    @app.get(path, include_in_schema=False)
    async def get_page() -> HTMLResponse:
        return page


def _hashes(inline: re.Pattern[bytes], html: bytes) -> str:
    digests = (hashlib.sha256(text).digest() for text in inline.findall(html))
    return "".join(f" 'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
