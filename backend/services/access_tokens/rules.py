"""The rule about personal access tokens: a pure function from a request and a time to the token as it is stored."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from backend.errors import Conflict, Detail, NotFound
from backend.models.access_token import AccessTokenCreate


class AccessTokenNotFound(NotFound):
    """A missing, revoked, foreign or malformed id of a personal access token; the answer does not say which."""

    message = "Personal access token not found. Check the id: GET /api/me/tokens lists your tokens."


class TooManyAccessTokens(Conflict):
    """The user already has the maximum number of personal access tokens."""

    message = "You have the maximum number of personal access tokens. Revoke one that you no longer need."

    def __init__(self) -> None:
        super().__init__(details=(Detail("body", "too_many_tokens", self.message),))


class Row(NamedTuple):
    """A stored token. Its fields are the stored columns, except the user's id."""

    id: UUID
    name: str
    scopes: list[str]
    token_hash: bytes
    created_at: datetime
    expires_at: datetime
    list_id: UUID | None
    last_used_at: datetime | None = None


def new_token(token_id: UUID, token_hash: bytes, data: AccessTokenCreate, now: datetime) -> Row:
    """Return the token that a request makes."""
    scopes = [scope.value for scope in data.scopes]
    expires_at = now + timedelta(days=data.expires_in_days)
    return Row(token_id, data.name, scopes, token_hash, now, expires_at, data.list_id)
