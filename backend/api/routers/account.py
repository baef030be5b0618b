"""/api/me: the user's own account."""

from __future__ import annotations

from typing import Annotated

from fastapi import Body, Query, Response
from fastapi.responses import StreamingResponse

from backend.api.deps import AnyExport, Confirmed, TokenAuthenticator, of_user
from backend.api.http.envelope import document_response
from backend.api.openapi.answers import AccountAnswer
from backend.api.openapi.files import json_lines
from backend.api.openapi.operations import errors, invalid, success
from backend.api.routers.router import Router
from backend.errors import NotConfirmed
from backend.models.user import AccountUpdate, ErasureQuery
from backend.models.values.times import ZONE_EXAMPLE
from backend.services.account.export import ExportService
from backend.services.account.lines import LINES
from backend.services.account.service import UserService

router = Router("/api/me", "account")

Users = Annotated[UserService, of_user(UserService)]
Exports = Annotated[ExportService, of_user(ExportService)]
AccountEdit = Annotated[
    AccountUpdate,
    Body(openapi_examples={"zone": {"summary": "Set your time zone", "value": {"timezone": ZONE_EXAMPLE}}}),
]
_NO_ZONE = invalid("timezone", "timezone_unknown", f"Must be the IANA name of a time zone, like {ZONE_EXAMPLE}")


@router.get("", summary="Read the account", responses=success(200, "Your account", AccountAnswer))
def get_account(users: Users) -> Response:
    """Read your account: your user id as in your token, how many changes you have made, and your time zone."""
    return document_response(users.get())


@router.patch(
    "",
    summary="Set the time zone",
    responses=success(200, "Your account as it is now", AccountAnswer) | errors(_NO_ZONE),
)
def update_account(users: Users, data: AccountEdit) -> Response:
    """Set the time zone in which your days begin and end, or clear it with null.

    Listings use it to tell which tasks are overdue, or due before or after a day. What you do not send stays as it is.
    You can send the whole account back: what only the service sets is ignored.
    """
    return document_response(users.update(data))


@router.get(
    "/export",
    summary="Export the account and all its data",
    response_class=StreamingResponse,
    responses=json_lines("All your data", LINES),
)
def export_account(export: AnyExport, exports: Exports) -> Response:
    """Export everything stored about you as a file of JSON lines: each line is an object with `type` and `data`.

    The lines are, in this order: your `account`; the lines of type `label` and `list`; the tasks by id, also deleted
    tasks, as `task`; what remains of permanently deleted tasks, as `removed_task`; the answers that are kept for a day,
    with their `idempotency_key`; personal access tokens, as `access_token`, without the token itself; if you sign in
    here, your address as `credentials` and your sessions as `session`; and the `end`. A file without the last line is
    incomplete: export again. What exists throughout the export appears exactly once; what changes during it appears in
    its old or new state. `POST /api/tasks/import` reads the labels, lists and tasks back.

    A server runs two of your exports at a time, and answers 429 to a third.
    """
    with export.slot() as slot:
        return export.account(exports.begin()).holding(slot)


@router.delete(
    "",
    summary="Erase the account and all its data",
    status_code=204,
    dependencies=[Confirmed],
    responses=success(204, "All your data is erased") | errors(NotConfirmed),
)
def erase_account(
    users: Users, authenticator: TokenAuthenticator, _query: Annotated[ErasureQuery, Query()]
) -> Response:
    """Erase your account and everything stored about you. This cannot be undone.

    Send your user id as `confirm`; otherwise the answer is 422 and nothing is erased. This keeps programs that try
    every call from erasing an account. The account to erase is always the one that your token names.

    Anything you write at the same moment is either erased too or starts a new account. Other servers may accept a
    cached personal access token for up to a minute, so a script can also start a new account: if scripts use tokens,
    revoke them a minute before.
    """
    try:
        users.erase()
    finally:
        authenticator.forget(users.user_id)
    return Response(status_code=204)
