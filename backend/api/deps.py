"""What handlers ask for, one alias each. None of these blocks: they run on the event loop, not in a thread."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from backend.api.gate import Gate
from backend.errors import Detail, ValidationFailed
from backend.services.readiness import Readiness
from backend.services.task_service import TaskService
from backend.services.user_service import UserService

_BEARER = HTTPBearer(
    scheme_name="BearerToken",
    bearerFormat="JWT",
    description="The token your sign-in gives you. In development, `task-api token alice` prints one.",
    auto_error=False,  # the middleware has judged the token already; this documents it
)


async def _current_user(
    request: Request, _documented: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)]
) -> str:
    """Give the `sub` of the token, which is the only place an identity comes from."""
    user_id: str = request.state.user_id
    return user_id


CurrentUser = Annotated[str, Depends(_current_user)]


async def _task_service(request: Request, user_id: CurrentUser) -> AsyncIterator[TaskService]:
    async with request.app.state.gate:
        yield TaskService(request.app.state.sessions, user_id, request.app.state.max_tasks)


async def _user_service(request: Request, user_id: CurrentUser) -> AsyncIterator[UserService]:
    async with request.app.state.gate:
        yield UserService(request.app.state.sessions, user_id)


async def _readiness(request: Request) -> Readiness:
    readiness: Readiness = request.app.state.readiness
    return readiness


async def _gate(request: Request) -> Gate:
    gate: Gate = request.app.state.gate
    return gate


async def _refuse_query(request: Request) -> None:
    """Refuse query parameters where none are known: ignoring one would hide a typing error."""
    names = request.query_params
    if names:
        message = "Extra inputs are not permitted"
        raise ValidationFailed(details=tuple(Detail(f"query.{name}", "extra_forbidden", message) for name in names))


async def _refuse_repetition(request: Request) -> None:
    """Refuse a query parameter that is sent twice: the framework would ignore all but the last."""
    times = Counter(name for name, _ in request.query_params.multi_items())
    if repeated := [name for name in times if times[name] > 1]:
        message = "Send this parameter once"
        raise ValidationFailed(details=tuple(Detail(f"query.{name}", "repeated", message) for name in repeated))


# scope="function": the place at the gate is free again before the answer is sent, however slowly it is read.
Tasks = Annotated[TaskService, Depends(_task_service, scope="function")]
Users = Annotated[UserService, Depends(_user_service, scope="function")]
Ready = Annotated[Readiness, Depends(_readiness)]
DatabaseGate = Annotated[Gate, Depends(_gate)]
NoQuery = Depends(_refuse_query)
NoRepetition = Depends(_refuse_repetition)
