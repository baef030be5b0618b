"""What is noted about a request while it is handled: the `state` of its ASGI scope."""

from __future__ import annotations

from typing import TypedDict
from uuid import UUID

from starlette.requests import HTTPConnection
from starlette.types import Scope

from backend.api.http.security_headers import Header
from backend.api.http.stream_signal import Signal


class RequestState(TypedDict, total=False):
    """The notes of the server and the middleware. A key is absent until its layer has handled the request."""

    signal: Signal  # from the server: wakes or ends a streamed answer
    request_id: str
    route: str  # the template of its path, once a route of ours has it
    headers: list[Header]  # of every answer to this request
    user_id: str  # the verified token's; under /api only
    scopes: frozenset[str] | None  # the token's; None stands for all
    actor: str  # who makes the changes, as events name it
    list_id: UUID | None  # the list that the token is limited to; None stands for all that the user has
    is_head: bool  # the client wants no body
    sending: int  # bytes of the answer that stay in memory until the client has read them


def request_state(scope: Scope) -> RequestState:
    """Return the notes about a request."""
    state: RequestState = scope["state"]
    return state


def request_id_of(request: HTTPConnection) -> str:
    """Return the name of a request in our logs."""
    return request_state(request.scope)["request_id"]


def user_id_of(request: HTTPConnection) -> str:
    """Return the user of a request under /api, which only reaches a handler with a valid token."""
    return request_state(request.scope)["user_id"]
