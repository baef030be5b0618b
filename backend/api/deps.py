"""The dependencies of handlers. A dependency returns at once.

Each has an alias. That of a service which needs only sessions and a user is in its router: see `of_user`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Request
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase

from backend.api.auth.authenticator import Authenticator
from backend.api.auth.sign_in import PasswordOfUser, SignIn
from backend.api.http.envelope import MAX_DETAILS
from backend.api.http.header_parameters import ABSENT, filled, header, malformed_header
from backend.api.http.idempotency import OncePerKey, once_per_key
from backend.api.http.preconditions import IfMatchLines, IfNoneMatchLines, OnlyNewLines, malformed, tags_in
from backend.api.http.request_state import request_state, user_id_of
from backend.api.state import AppState, app_state, sessions_of
from backend.api.streams.changes import Stream
from backend.api.streams.download import Export
from backend.api.streams.file_types import format_of
from backend.api.streams.upload import Import
from backend.database.session import SessionFactory
from backend.errors import BadRequest, Detail, NotConfirmed, PreconditionRequired
from backend.identity.errors import SignInOff
from backend.identity.own_issuer import OWN_ISSUER
from backend.identity.password_rules import MAX_PASSWORD_LENGTH
from backend.models.sign_in.calls import PasswordLengths, SignInInfo
from backend.models.user import ErasureQuery
from backend.models.values import sync_token
from backend.models.values.etags import EntityTags, Revisions
from backend.models.values.sync_token import SyncToken
from backend.services.activity.undo_service import UndoService
from backend.services.changes.service import ChangeService
from backend.services.task_files.import_service import ImportService
from backend.services.tasks.batch import BatchService
from backend.services.tasks.service import TaskService
from backend.utils.unknown_names import unknown_name

_Service = TypeVar("_Service")

LastEventIdLines = Annotated[
    list[str],
    header(
        "Last-Event-ID",
        "The `id` of the last event that you received; it is used instead of `since`",
        example=sync_token.EXAMPLE,
        text_format="sync-token",
        max_length=sync_token.MAX_LENGTH,
    ),
]
_NO_EVENT_ID = "Send the id of one event unchanged as Last-Event-ID, or leave it out to start again"
_BEARER = HTTPBearer(
    bearerFormat="JWT",
    description=(
        "The token from your sign-in, without the word Bearer: a JWT, checked as RFC8725 recommends. In development, "
        "`.venv/bin/task-api token alice` prints one. Or a personal access token (`tk_…`): its scope `tasks:read` "
        "allows every GET of tasks, labels, lists, changes and activity, `tasks:write` allows all calls that change "
        "tasks, labels or lists, and either of them allows `GET /api/me`. One with a `list_id` allows only those about "
        "tasks, their changes, and reading lists, and shows one list."
    ),
)


class _OfUser(SecurityBase, Generic[_Service]):
    """Gives a handler the service for the token's user, and documents that a token is needed.

    The middleware has already checked the token. Its `sub` is the only source of an identity.
    """

    model = _BEARER
    scheme_name = "BearerToken"

    def __init__(self, make: Callable[[AppState, SessionFactory, str], _Service]) -> None:
        self.make = make

    def __call__(self, request: Request) -> _Service:
        """Return the service for this request's user."""
        state = app_state(request)
        return self.make(state, sessions_of(request), user_id_of(request))


def _tasks(state: AppState, sessions: SessionFactory, user_id: str) -> TaskService:
    return TaskService(sessions, user_id, state.max_tasks)


def _batches(state: AppState, sessions: SessionFactory, user_id: str) -> BatchService:
    return BatchService(sessions, user_id, state.max_tasks, require_if_match=state.require_if_match)


def _undos(state: AppState, sessions: SessionFactory, user_id: str) -> UndoService:
    return UndoService(sessions, user_id, state.max_tasks)


def _imports(state: AppState, sessions: SessionFactory, user_id: str) -> ImportService:
    sessions = sessions.made_by(sessions.origin._replace(via="import"))
    return ImportService(sessions, user_id, state.max_tasks, only_adds=state.require_if_match)


def of_user(service: Callable[[SessionFactory, str], Any]) -> Any:
    """Return the dependency for a service that needs only sessions and a user."""
    return Depends(_OfUser(lambda _, sessions, user_id: service(sessions, user_id)))


def _stream(request: Request) -> Stream:
    feed = app_state(request).feed
    quiet = feed.sessions.limited_to(request_state(request.scope)["list_id"])
    return Stream(feed, request, ChangeService(quiet, user_id_of(request)))


def _export(request: Request) -> Export:
    return Export(app_state(request).exports, request, sessions_of(request), user_id_of(request))


def _import(request: Request) -> Import:
    """Return an import; raises what `format_of` does."""
    return Import(app_state(request).imports, request, user_id_of(request), format_of(request.headers))


def _last_event_id(lines: LastEventIdLines = ABSENT) -> SyncToken | None:
    """Return the sync token in the header, or None; raises BadRequest for a malformed one."""
    values = filled(lines)
    if not values:
        return None
    try:
        (value,) = values
        return SyncToken.read(value)
    except ValueError:  # several values, or not a sync token of ours
        raise malformed_event_id() from None


def malformed_event_id() -> BadRequest:
    """Return the error that names the header."""
    return malformed_header("Last-Event-ID", "sync_token_invalid", _NO_EVENT_ID)


def _confirmed(request: Request) -> None:
    """Raise NotConfirmed unless `confirm` is the user's own id. The id is only compared, never used otherwise."""
    if request.query_params.get("confirm") != user_id_of(request):
        unknown = [name for name in request.query_params if name not in ErasureQuery.model_fields]
        raise NotConfirmed(_unknown_parameter(name) for name in unknown[:MAX_DETAILS])


def _unknown_parameter(name: str) -> Detail:
    said = unknown_name(name, ErasureQuery.model_fields, kind="parameter")
    return Detail(f"query.{name}", "extra_forbidden", said)


def _if_match(request: Request, lines: IfMatchLines = ABSENT) -> Revisions | None:
    """Return the revisions that may change, None for any; raises PreconditionRequired without a required If-Match."""
    tags = tags_in("If-Match", lines)
    if tags is None:
        if app_state(request).require_if_match:
            raise PreconditionRequired
        return None
    return tags.revisions


def _if_none_match(lines: IfNoneMatchLines = ABSENT) -> EntityTags:
    """Return the tags of the versions that the client already has."""
    return tags_in("If-None-Match", lines) or EntityTags()


def _only_new(lines: OnlyNewLines = ABSENT) -> bool:
    """Return whether what is to be created must not exist yet; raises BadRequest for anything but `*`."""
    tags = tags_in("If-None-Match", lines)
    if tags is not None and not tags.is_any:
        raise malformed("If-None-Match", "can only be * here")
    return tags is not None


def _refuse_conditions(request: Request) -> None:
    """Refuse conditions where they have no effect, because a client that sends one relies on it."""
    for name in ("If-Match", "If-None-Match"):
        if filled(request.headers.getlist(name)):
            raise malformed(name, "cannot be used here; in a batch, each operation has its own if_match")


def _authenticator(request: Request) -> Authenticator:
    return app_state(request).authenticator


def _sign_in(request: Request) -> SignIn:
    return _required(app_state(request))


def _required(state: AppState) -> SignIn:
    """Return our own sign-in; raises SignInOff if there is none."""
    if state.sign_in is None:
        raise SignInOff
    return state.sign_in


def _sign_in_info(request: Request) -> SignInInfo:
    """Return what is on."""
    sign_in = app_state(request).sign_in
    if sign_in is None:
        return SignInInfo(sign_in=False, sign_up=False, issuer=None, password=None)
    lengths = PasswordLengths(min=sign_in.least_length, max=MAX_PASSWORD_LENGTH)
    return SignInInfo(sign_in=True, sign_up=sign_in.is_open, issuer=OWN_ISSUER, password=lengths)


def _own_password(state: AppState, _sessions: SessionFactory, user_id: str) -> PasswordOfUser:
    return PasswordOfUser(_required(state), user_id)


def _client_address(request: Request) -> str:
    return request.client.host if request.client else ""


Tasks = Annotated[TaskService, Depends(_OfUser(_tasks))]
Batches = Annotated[BatchService, Depends(_OfUser(_batches))]
Undos = Annotated[UndoService, Depends(_OfUser(_undos))]
ChangeStream = Annotated[Stream, Depends(_stream)]
AnyExport = Annotated[Export, Depends(_export)]
ImportServices = Annotated[ImportService, Depends(_OfUser(_imports))]
TaskFile = Annotated[Import, Depends(_import)]
LastEventId = Annotated[SyncToken | None, Depends(_last_event_id)]
Confirmed = Depends(_confirmed)
TokenAuthenticator = Annotated[Authenticator, Depends(_authenticator)]
IfMatch = Annotated[Revisions | None, Depends(_if_match)]
IfNoneMatch = Annotated[EntityTags, Depends(_if_none_match)]
OnlyNew = Annotated[bool, Depends(_only_new)]
NoConditions = Depends(_refuse_conditions)
Once = Annotated[OncePerKey, Depends(once_per_key)]
OwnSignIn = Annotated[SignIn, Depends(_sign_in)]
SignInState = Annotated[SignInInfo, Depends(_sign_in_info)]
OwnPassword = Annotated[PasswordOfUser, Depends(_OfUser(_own_password))]
ClientAddress = Annotated[str, Depends(_client_address)]
