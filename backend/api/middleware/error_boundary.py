"""Answers every error that no inner layer answered."""

from __future__ import annotations

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.api.http.oauth import answer_of
from backend.api.http.request_state import request_state
from backend.errors import InternalError, TaskAPIError

logger = structlog.get_logger()


class ErrorBoundary:
    """Answers unhandled errors: our own errors unchanged, any defect as a 500 without details."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and answer what it raises."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answering = False

        async def send_noting(message: Message) -> None:
            nonlocal answering
            answering = True
            await send(message)

        request_id = request_state(scope)["request_id"]
        try:
            await self.app(scope, receive, send_noting)
        except TaskAPIError as error:
            await answer_of(error, scope, request_id)(scope, receive, send)
        except Exception:
            logger.exception("request_failed")
            if answering:
                raise  # part of the answer is sent: only closing the connection tells the client
            await answer_of(InternalError(), scope, request_id)(scope, receive, send)
