"""/ in a browser: where the documentation, the example page and the contract are."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse

from backend.api.openapi.pages import CONTENT_POLICY

_PAGE = Path(__file__).parent / "page" / "start.html"


def start_page(*, has_example: bool) -> HTMLResponse:
    """Return the page, with a link to the example page if that is served."""
    lines = _PAGE.read_text().splitlines()
    html = "\n".join(line for line in lines if has_example or 'href="/app"' not in line)
    return HTMLResponse(html, headers={"Content-Security-Policy": CONTENT_POLICY, "Vary": "Accept"})


def is_wanted(request: Request) -> bool:
    """Return whether a request prefers a page. Browsers ask for a page first; programs ask for JSON or for anything."""
    return request.headers.get("Accept", "").startswith("text/html")
