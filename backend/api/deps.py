"""What handlers ask for, one alias each. None of these blocks: they run on the event loop, not in a thread."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Annotated, TypeVar

from fastapi import Depends, Query, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import TypeAdapter

from backend.api.export import Export
from backend.api.feed import Stream
from backend.api.gate import Gate
from backend.api.headers import documented_header, malformed_header
from backend.database.session import SessionFactory
from backend.errors import BadRequest, Detail, ValidationFailed
from backend.models.change import StreamQuery
from backend.services.batch_service import BatchService
from backend.services.change_service import ChangeService
from backend.services.export_service import ExportService
from backend.services.list_service import ListService
from backend.services.readiness import Readiness
from backend.services.task_service import TaskService
from backend.services.user_service import UserService
from backend.utils.validation import POSITION, FeedPosition

_Service = TypeVar("_Service")

_POSITION = TypeAdapter[int](FeedPosition)
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
    # What nobody uses is neither purged nor asked whether it is ready, so that its database can be suspended.
    request.app.state.purging.is_used = request.app.state.readiness.is_used = True
    user_id: str = request.state.user_id
    return user_id


CurrentUser = Annotated[str, Depends(_current_user)]


def _reading(service: Callable[[SessionFactory, str], _Service]) -> Callable[..., AsyncIterator[_Service]]:
    """Make the dependency that gives a user's service which changes nothing."""

    async def give(request: Request, user_id: CurrentUser) -> AsyncIterator[_Service]:
        async with request.app.state.gate:
            yield service(request.app.state.sessions, user_id)

    return give


async def _task_service(request: Request, user_id: CurrentUser) -> AsyncIterator[TaskService]:
    async with request.app.state.gate:
        yield TaskService(request.app.state.sessions, user_id, request.app.state.max_tasks)
    _wake_streams(request, user_id)


async def _batch_service(request: Request, user_id: CurrentUser) -> AsyncIterator[BatchService]:
    async with request.app.state.gate:
        state = request.app.state
        yield BatchService(state.sessions, user_id, state.max_tasks, require_if_match=state.require_if_match)
    _wake_streams(request, user_id)


async def _user_service(request: Request, user_id: CurrentUser) -> AsyncIterator[UserService]:
    async with request.app.state.gate:
        yield UserService(request.app.state.sessions, user_id)
    _wake_streams(request, user_id)


def _wake_streams(request: Request, user_id: str) -> None:
    """Let streams of changes look for what this request may have changed."""
    if request.method != "GET":
        request.app.state.feed.wake(user_id)


async def _stream(request: Request, user_id: CurrentUser) -> AsyncIterator[Stream]:
    """Give a stream its place until it ends."""
    await request.body()  # from here on, the client can do no more than leave
    with Stream.of(request, user_id) as stream:
        yield stream


async def _export(request: Request, user_id: CurrentUser) -> AsyncIterator[Export]:
    """Give an export its place until it ends."""
    await request.body()  # from here on, the client can do no more than leave
    with Export.of(request, user_id) as export:
        yield export


async def _stream_start(
    request: Request,
    query: Annotated[StreamQuery, Query()],
    _documented: Annotated[
        str,
        documented_header(
            "Last-Event-ID",
            "The `id` of the last event that you have; it counts instead of `since`",
            example="42",
            pattern=f"^{POSITION.pattern}$",
        ),
    ],
) -> int:
    """Give the position after which the stream begins."""
    values = request.headers.getlist("Last-Event-ID")
    if not values:
        return query.since
    try:
        (value,) = values
        return _POSITION.validate_python(value)
    except ValueError:  # several values, or pydantic's error about one
        raise malformed_event_id() from None


def malformed_event_id() -> BadRequest:
    """Return the error that names the header."""
    return malformed_header("Last-Event-ID", "position_invalid", "Last-Event-ID takes the id of one event")


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
Lists = Annotated[ListService, Depends(_reading(ListService), scope="function")]
Batches = Annotated[BatchService, Depends(_batch_service, scope="function")]
Changes = Annotated[ChangeService, Depends(_reading(ChangeService), scope="function")]
ChangeStream = Annotated[Stream, Depends(_stream)]  # its place is free again after the answer
Exports = Annotated[ExportService, Depends(_reading(ExportService), scope="function")]
AccountExport = Annotated[Export, Depends(_export)]  # its place is free again after the answer
StreamStart = Annotated[int, Depends(_stream_start)]
Users = Annotated[UserService, Depends(_user_service, scope="function")]
Ready = Annotated[Readiness, Depends(_readiness)]
DatabaseGate = Annotated[Gate, Depends(_gate)]
NoQuery = Depends(_refuse_query)
NoRepetition = Depends(_refuse_repetition)
