"""Which token a call goes out with, and how it gets a new one: from the program, or for its session by a refresh."""

from __future__ import annotations

from typing import Any, Optional

from task_api_client._core.context import Context
from task_api_client._core.reading import read_maybe
from task_api_client._core.sending import attempt, json_of
from task_api_client._core.steps import Alone, Answer, AskForToken, Call, Request
from task_api_client.errors import Unauthorized
from task_api_client.values import Session, User

EARLY_SECONDS = 60  # a token that has less left is renewed before a call


def send(context: Context, request: Request, *, is_stream: bool = False) -> Call[Answer]:
    """Send a request with a token, and after a 401 once more with a new one. Raises TaskApiError."""
    token = yield from _token(context)
    try:
        return (yield from attempt(context, request, token, is_stream=is_stream))
    except Unauthorized as problem:
        fresh = yield from _renewed(context, token)
        if fresh is None:
            raise
        unsure = problem.unsure
    return (yield from attempt(context, request, fresh, is_stream=is_stream, unsure=unsure))


def data_of(context: Context, request: Request) -> Call[Any]:
    """Send a request; returns what `data` of its answer holds."""
    content = yield from content_of(context, request)
    return content.get("data") if isinstance(content, dict) else content


def content_of(context: Context, request: Request) -> Call[Any]:
    """Send a request; returns the JSON of its answer."""
    answer = yield from send(context, request)
    return answer.read()


def _token(context: Context) -> Call[Optional[str]]:
    """Return the token to send. A session's is renewed early; the clock is ours, and only a 401 is the truth."""
    is_due = context.expires_at is not None and context.timing.clock() > context.expires_at - EARLY_SECONDS
    if is_due or context.token is None:
        return (yield from _renewed(context, context.token))
    return context.token


def _renewed(context: Context, refused: Optional[str]) -> Call[Optional[str]]:
    """Return another token than this, or None if there is nothing to get one with."""
    if context.get_token is None and context.session is None:
        return None
    token: Optional[str] = yield Alone(_renewal(context, refused))
    return token


def _renewal(context: Context, refused: Optional[str]) -> Call[Optional[str]]:
    if context.token != refused:
        return context.token  # another call has renewed it meanwhile
    if context.get_token is not None:
        context.token = yield AskForToken(is_fresh=refused is not None)
        return context.token
    session = context.session
    if session is None:
        return None  # signed out meanwhile
    try:
        data = yield from without_token(context, "refresh", {"refresh_token": session.refresh_token})
    except Unauthorized:
        if context.session is session:
            forget(context)
        raise
    if context.session is session:  # otherwise somebody has signed out, or in, meanwhile
        keep(context, data)
    return context.token


def without_token(context: Context, name: str, body: Optional[dict[str, Any]] = None) -> Call[Any]:
    """Send a call of /api/auth. Each of these may be repeated: the service answers the second as the first."""
    content = None if body is None else json_of({key: item for key, item in body.items() if item is not None})
    headers = {} if content is None else {"Content-Type": "application/json"}
    path = f"/api/auth/{name}".rstrip("/")
    request = Request("GET" if body is None else "POST", path, content, headers, may_repeat=True)
    answer = yield from attempt(context, request, None)
    content_read = answer.read()
    return content_read["data"] if content_read else None


def keep(context: Context, data: dict[str, Any]) -> Session:
    """Keep the tokens of an answer, and tell the program."""
    user = read_maybe(User, data.get("user")) or (context.session.user if context.session else None)
    session = Session(data["access_token"], data["refresh_token"], user)
    context.session, context.token = session, session.access_token
    context.expires_at = context.timing.clock() + data["expires_in"]
    context.on_session(session)
    return session


def forget(context: Context) -> None:
    """Be signed out, and tell the program."""
    context.session = context.token = context.expires_at = None
    context.on_session(None)
