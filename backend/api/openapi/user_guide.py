"""/docs/guide: the pages of docs/, which `make guide` builds into this package. They need no internet."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from backend.api.http.envelope import GUIDE
from backend.api.openapi.pages import Assets
from backend.errors import NotFound

BUILT = Path(__file__).parent / "guide"


class _Pages(Assets):
    """The built pages and their files."""

    def __init__(self, folder: Path, policy: str) -> None:
        super().__init__(directory=folder)
        self.policy = policy

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file, or the start page for the address of the guide."""
        try:
            return await super().get_response("index.html" if path == "." else path, scope)
        except HTTPException as error:
            if error.status_code == HTTPStatus.NOT_FOUND:
                raise NotFound(f"The user guide has no such page. It begins at {GUIDE}") from error
            raise

    def file_response(self, *arguments: Any, **options: Any) -> Response:
        """Return a file. A 304 has the policy of its page, too, because browsers keep the headers of the 304."""
        response = super().file_response(*arguments, **options)
        if str(arguments[0]).endswith(".html"):
            response.headers["Content-Security-Policy"] = self.policy
        return response


async def _refuse(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """Answer for a guide that was not built."""
    raise NotFound("This service was installed without its user guide. Run make guide, and start it again.")


def add_guide(app: FastAPI) -> None:
    """Serve the guide. A service without a guide starts all the same, and says what is missing."""
    policy = BUILT / "policy.txt"  # the build writes it last
    pages = _Pages(BUILT / "pages", policy.read_text(encoding="utf-8")) if policy.exists() else _refuse

    @app.get(GUIDE.rstrip("/"), include_in_schema=False)
    async def redirect_to_guide() -> RedirectResponse:
        return RedirectResponse(GUIDE)

    app.mount(GUIDE, pages)
