"""/app in development: the example page of `examples/web/`, served as it is."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from starlette.responses import RedirectResponse, Response

from backend.api.openapi.pages import CONTENT_POLICY

# Nothing else of the folder is served: it may hold what somebody has left there.
_MODULES = (
    *("actions", "add", "app", "arrivals", "below", "connection", "counts", "desk", "door", "drag", "fields", "files"),
    *("filters", "keys", "list-form", "lists", "menu", "nest", "notices", "order", "page", "panel", "parse"),
    *("plan", "question", "row", "rows", "saving", "sections", "side", "tallies", "trash", "view", "views"),
    "words",
)
FILES = (
    *("task-api.js", "web/index.html", "web/icons.svg", "web/frame.css", "web/tasks.css", "web/parts.css"),
    *(f"web/{name}.js" for name in _MODULES),
)
_KINDS = {".css": "text/css", ".html": "text/html", ".js": "text/javascript", ".svg": "image/svg+xml"}


def add_example_page(app: FastAPI, folder: Path) -> None:
    """Serve the page and its files. Their addresses relate to each other as in the folder."""

    @app.get("/app", include_in_schema=False)
    async def redirect_to_page() -> RedirectResponse:
        return RedirectResponse("/app/web/")

    for name in FILES:
        _add_file(app, f"/app/{name.removesuffix('index.html')}", folder / name)


def _add_file(app: FastAPI, path: str, file: Path) -> None:
    headers = {"Content-Security-Policy": CONTENT_POLICY} if file.suffix == ".html" else None

    @app.get(path, include_in_schema=False)
    def get_file() -> Response:  # reads it each time, so that an edited file shows on reload
        return Response(file.read_bytes(), media_type=_KINDS[file.suffix], headers=headers)
