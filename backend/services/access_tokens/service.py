"""One user's personal access tokens."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from uuid_utils.compat import uuid7

from backend.database.retry import once_only, reads, repeatable
from backend.database.session import Session, Sessions
from backend.errors import AccessTokenNotFound, TooManyAccessTokens
from backend.identity.access_token_format import hash_of, new_access_token
from backend.models.access_token import AccessTokenCreate
from backend.services.access_tokens import queries as access_token_queries
from backend.services.tasks import batch_queries

MAX_TOKENS = 50  # per user, expired ones included


class Grant(NamedTuple):
    """What a valid token may do, and for how many more seconds."""

    scopes: frozenset[str]
    seconds: float


@dataclass(frozen=True, slots=True)
class AccessTokenService:
    """The tokens of one user."""

    sessions: Sessions
    user_id: str
    new_id: Callable[[], UUID] = uuid7

    @once_only
    def create(self, data: AccessTokenCreate) -> str:
        """Create a token; returns it as JSON, with the token itself. Raises TooManyAccessTokens."""
        token = new_access_token(self.user_id)
        params = {
            "principal": self.user_id,
            "new_token": self.new_id(),
            "hash": hash_of(token),
            "new_name": data.name,
            "new_scopes": [scope.value for scope in data.scopes],
            "days": data.expires_in_days,
        }
        with self.sessions.transaction(self.user_id) as sessions, sessions(self.user_id) as session:
            # Of two concurrent requests, the second also counts the first one's token.
            session.exec(batch_queries.LOCK, params={"principal": self.user_id})
            if len(json.loads(self._list(session))) >= MAX_TOKENS:
                raise TooManyAccessTokens
            ((made,),) = session.exec(access_token_queries.CREATE, params=params)
        return f'{made[:-1]},"token":"{token}"}}'

    @reads
    def list(self) -> str:
        """List all tokens as a JSON array, the newest first."""
        with self.sessions(self.user_id) as session:
            return self._list(session)

    def _list(self, session: Session) -> str:
        ((tokens,),) = session.exec(access_token_queries.LIST, params={"principal": self.user_id})
        return tokens

    @repeatable
    def revoke(self, token_id: UUID) -> None:
        """Revoke a token by deleting it; raises AccessTokenNotFound."""
        with self.sessions(self.user_id) as session:
            rows = session.exec(access_token_queries.REVOKE, params={"principal": self.user_id, "token": token_id})
        if not rows:
            raise AccessTokenNotFound

    @repeatable
    def use(self, token: str) -> Grant | None:
        """Record the use of a token, and return what it may do; None if it is not valid."""
        params = {"principal": self.user_id, "hash": hash_of(token)}
        with self.sessions(self.user_id) as session:
            rows = session.exec(access_token_queries.USE, params=params)
        return Grant(frozenset(rows[0][0]), float(rows[0][1])) if rows else None
