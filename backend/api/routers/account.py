"""/api/me: the caller's own account."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from backend.api.deps import AnyExport, Confirmed, Exports, TokenAuthenticator, Users
from backend.api.http.envelope import AccountAnswer, document_response
from backend.api.http.routes import DatabaseRoute
from backend.api.openapi.operations import ANYWHERE, UNKNOWN_PARAMETER, errors, json_lines, success
from backend.errors import Forbidden, NotConfirmed, Unauthorized
from backend.models.export import LINES
from backend.models.user import ErasureQuery

router = APIRouter(
    prefix="/api/me",
    tags=["account"],
    route_class=DatabaseRoute,
    responses=ANYWHERE | errors(Unauthorized, Forbidden, UNKNOWN_PARAMETER),
)


@router.get("", responses=success(200, "Your account", AccountAnswer))
def get_account(users: Users) -> Response:
    """Read your account: who your token says you are, and how many changes you have made."""
    return document_response(users.get())


@router.get("/export", response_class=StreamingResponse, responses=json_lines("Everything of yours", LINES))
def export_account(export: AnyExport, exports: Exports) -> Response:
    """Export everything that is stored of you, as a file of JSON lines: each is an object with `type` and `data`.

    First comes your `account`; then each `task`, deleted ones included, by id; each `removed_task`, which is what
    remains of one that is gone for good; each `idempotency_key` with the answer that is kept under it for a day; each
    `access_token` without the token itself; and the `end`. A file without the last line is not complete: export again.
    Whatever is there all the time is in it exactly once; what changes meanwhile, as it was or as it is.

    Each server exports twice at once for you; for once more the answer is 429.
    """
    return export.account(exports.begin())


@router.delete(
    "",
    status_code=204,
    dependencies=[Confirmed],
    responses=success(204, "Everything of yours is erased") | errors(NotConfirmed),
)
def erase_account(
    users: Users, authenticator: TokenAuthenticator, _query: Annotated[ErasureQuery, Query()]
) -> Response:
    """Erase your account and everything that is stored of you. This cannot be undone.

    Send your user id as `confirm`, or the answer is 422 and nothing is erased: so no program that tries out every call
    erases an account. Whose account it is, your token alone says.

    What you write at the same moment is either erased with it, or begins a new account. So may a personal access token
    do that another server still remembers, for up to a minute: revoke yours a minute before, if scripts use them.
    """
    try:
        users.erase()
    finally:
        authenticator.forget(users.user_id)
    return Response(status_code=204)
