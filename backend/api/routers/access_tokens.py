"""/api/me/tokens: the user's personal access tokens."""

from __future__ import annotations

from typing import Annotated

from fastapi import Body, Path, Response

from backend.api.deps import TokenAuthenticator, of_user
from backend.api.http.envelope import data_response
from backend.api.openapi.answers import NewAccessTokenAnswer
from backend.api.openapi.operations import errors, invalid, success
from backend.api.openapi.resources import Documented, Listing
from backend.api.routers.router import Router
from backend.models.access_token import AccessTokenCreate
from backend.models.fields import CanonicalUUID
from backend.services.access_tokens import queries
from backend.services.access_tokens.rules import TooManyAccessTokens
from backend.services.access_tokens.service import AccessTokenService
from backend.utils.plain_words import TOO_FEW

ACCESS_TOKENS = Documented(
    queries.ACCESS_TOKENS,
    "token",
    listing=Listing("AccessTokenListAnswer", "All personal access tokens of the user.", "The tokens, the newest first"),
)
router = Router("/api/me/tokens", "account", ACCESS_TOKENS)

AccessTokens = Annotated[AccessTokenService, of_user(AccessTokenService)]
TokenId = Annotated[
    CanonicalUUID,
    Path(description="The token's `id` (not a secret)", examples=["0197c1f0-7a3b-7c4d-8e5f-6a7b8c9d0e1f"]),
]
NewToken = Annotated[
    AccessTokenCreate,
    Body(
        openapi_examples={
            "reads": {
                "summary": "For a script that only reads",
                "value": {"name": "Backup script", "scopes": ["tasks:read"], "expires_in_days": 90},
            },
            "writes": {
                "summary": "For a script that also writes",
                "value": {"name": "Import", "scopes": ["tasks:read", "tasks:write"], "expires_in_days": 1},
            },
            "one list": {
                "summary": "For somebody who sees one list",
                "value": {
                    "name": "Anna",
                    "scopes": ["tasks:read"],
                    "expires_in_days": 90,
                    "list_id": "0197c1f0-7a3b-7c4d-8e5f-6a7b8c9d0e1f",
                },
            },
        }
    ),
]
_NO_SCOPE = invalid("scopes", "too_short", TOO_FEW)


@router.get(
    "", summary="List the personal access tokens", responses=ACCESS_TOKENS.listed("Your personal access tokens")
)
def list_access_tokens(tokens: AccessTokens) -> Response:
    """List your personal access tokens, newest first, including expired ones. The tokens themselves are not shown."""
    return data_response(tokens.list())


@router.post(
    "",
    summary="Create a personal access token",
    status_code=201,
    responses=success(201, "The new token", NewAccessTokenAnswer) | errors(TooManyAccessTokens, _NO_SCOPE),
)
def create_access_token(tokens: AccessTokens, data: NewToken) -> Response:
    """Create a personal access token, for a script that cannot sign in every few minutes, or to share one list.

    Save `token`: it is returned only this once. Send it as `Authorization: Bearer tk_…`. It allows what its scopes
    say, until it expires or you revoke it. Managing your account and your tokens still requires a session JWT.

    With a `list_id`, whoever has the token sees that list and its tasks, and nothing else of your account: `tasks:read`
    lets them read, `tasks:write` create, change and delete tasks there. What they create is in that list. They cannot
    move tasks elsewhere or delete them for good. Of your labels, they learn the names on its tasks, and how you spell
    those that they send. Their requests count against your rate limit. While the list is in the trash, so are its
    tasks; when it is deleted for good, the token is revoked.

    You can have 50 tokens, including expired ones, which are deleted 30 days after they expire. This call ignores
    `Idempotency-Key`: each request creates a token.
    """
    return data_response(tokens.create(data), status=201)


@router.delete(
    "/{token_id}",
    summary="Revoke a personal access token",
    status_code=204,
    responses=success(204, "The token is revoked"),
)
def revoke_access_token(tokens: AccessTokens, authenticator: TokenAuthenticator, token_id: TokenId) -> Response:
    """Revoke a personal access token, by the `id` in the list. It stops working everywhere within a minute."""
    try:
        tokens.revoke(token_id)
    finally:
        authenticator.forget(tokens.user_id)
    return Response(status_code=204)
