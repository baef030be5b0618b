"""/api/me: the caller's own account."""

from __future__ import annotations

from fastapi import APIRouter, Response

from backend.api.body import StrictRoute
from backend.api.deps import NoQuery, Users
from backend.api.documentation import ANYWHERE, UNKNOWN_PARAMETER, errors, success
from backend.api.responses import AccountAnswer, document_response
from backend.errors import Unauthorized

router = APIRouter(
    prefix="/api/me",
    tags=["account"],
    route_class=StrictRoute,
    dependencies=[NoQuery],
    responses=ANYWHERE | errors(Unauthorized, UNKNOWN_PARAMETER),
)


@router.get("", responses=success(200, "Your account", AccountAnswer))
def get_account(users: Users) -> Response:
    """Read your account: who your token says you are, and how many changes you have made."""
    return document_response(users.get())


@router.delete("", status_code=204, responses=success(204, "Everything of yours is erased"))
def erase_account(users: Users) -> Response:
    """Erase your account and every task of yours, deleted ones included. This cannot be undone."""
    users.erase()
    return Response(status_code=204)
