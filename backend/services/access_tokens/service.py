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

MAX_TOKENS = 50  # of one user, expired ones included


class Grant(NamedTuple):
    """What a good token may do, and for how many seconds more."""

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
        """Make a token; returns it as JSON, with the token itself. Raises TooManyAccessTokens."""
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
            # Of two at once, the second counts what the first has made.
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
        """Make a token no good any more, and forget it; raises AccessTokenNotFound."""
        with self.sessions(self.user_id) as session:
            rows = session.exec(access_token_queries.REVOKE, params={"principal": self.user_id, "token": token_id})
        if not rows:
            raise AccessTokenNotFound

    @repeatable
    def use(self, token: str) -> Grant | None:
        """Note that a token is used, and tell what it may do; None for one that is no good."""
        params = {"principal": self.user_id, "hash": hash_of(token)}
        with self.sessions(self.user_id) as session:
            rows = session.exec(access_token_queries.USE, params=params)
        return Grant(frozenset(rows[0][0]), float(rows[0][1])) if rows else None
