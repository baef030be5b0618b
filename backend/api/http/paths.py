"""Paths: what their parameters stand for, and routes that accept only the exact spelling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi.routing import APIRoute
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.types import Receive, Scope, Send

from backend.api.http.request_state import request_state
from backend.errors import NotFound

SIGN_IN = "/api/auth"
TOKEN_PATH = f"{SIGN_IN}/token"  # OAuth 2 says what it answers, errors as well
# The paths under /api that need no token, since people get theirs there.
OPEN = frozenset({SIGN_IN, TOKEN_PATH, *(f"{SIGN_IN}/{name}" for name in ("register", "login", "refresh", "logout"))})


class IdConvertor(StringConvertor):
    """What `{task_id:id}` stands for in a path: anything but the end of a fixed path, like /api/tasks/batch."""

    regex = "(?!(?:batch|export|import)$)[^/]+"


class LabelConvertor(StringConvertor):
    """What `{name:label}` stands for in a path: all of its rest, because a label may contain slashes."""

    regex = "(?s:.+)"


register_url_convertor("id", IdConvertor())
register_url_convertor("label", LabelConvertor())


class ExactRoute(APIRoute):
    """A route that accepts only the exact spelling of its path.

    Its operation id is the handler's name: it is stable, and generated clients name their methods after it.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **{**options, "operation_id": endpoint.__name__})

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Note the template of the path for the log, and answer the request."""
        request_state(scope)["route"] = self.path_format
        # The `$` in the framework's patterns also matches before a final line break, unless a parameter includes it.
        if scope["path"].endswith("\n") and not self.path.endswith("}"):
            raise NotFound
        await super().handle(scope, receive, send)
