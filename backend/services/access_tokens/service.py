"""One user's personal access tokens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from uuid_utils.compat import uuid7

from backend.database.retry import once_only, reads, repeatable
from backend.database.session import Sessions
from backend.errors import AccessTokenNotFound, TooManyAccessTokens, ValidationFailed
from backend.identity.access_token_format import hash_of, new_access_token
from backend.models.access_token import AccessTokenCreate, AccessTokenPublic
from backend.services.access_tokens import queries as access_token_queries
from backend.services.tasks.rules import NO_LIST
from backend.services.unit_of_work import unit_of_work
from backend.utils.postgres_json import to_json

MAX_TOKENS = 50  # per user, expired ones included


class Grant(NamedTuple):
    """What a valid token may do, for how many more seconds, and in which list; None stands for all."""

    scopes: frozenset[str]
    seconds: float
    list_id: UUID | None


@dataclass(frozen=True, slots=True)
class AccessTokenService:
    """The tokens of one user."""

    sessions: Sessions
    user_id: str
    new_id: Callable[[], UUID] = uuid7

    @once_only
    def create(self, data: AccessTokenCreate) -> str:
        """Create a token; returns it as JSON, with the token itself.

        Raises TooManyAccessTokens, and ValidationFailed for an unknown list.
        """
        token, token_id = new_access_token(self.user_id), self.new_id()
        with unit_of_work(self.sessions, self.user_id) as unit:
            if data.list_id is None:
                tokens = unit.load(access_token_queries.OWN)
            else:
                (is_living,), tokens = unit.load_all(access_token_queries.OWN_AND_LIST, list=data.list_id)
                if not is_living:
                    raise ValidationFailed(details=(NO_LIST,))
            if len(tokens) >= MAX_TOKENS:
                raise TooManyAccessTokens
            made = AccessTokenPublic(
                id=token_id,
                name=data.name,
                scopes=data.scopes,
                created_at=unit.now,
                expires_at=unit.now + timedelta(days=data.expires_in_days),
                last_used_at=None,
                list_id=data.list_id,
            )
            unit.store(
                access_token_queries.CREATE,
                new_token=token_id,
                hash=hash_of(token, is_of_list=made.list_id is not None),
                new_name=made.name,
                new_scopes=[scope.value for scope in made.scopes],
                new_created_at=made.created_at,
                new_expires_at=made.expires_at,
                new_list=made.list_id,
            )
        return to_json({**made.model_dump(), "token": token})

    @reads
    def list(self) -> str:
        """List all tokens as a JSON array, the newest first."""
        with self.sessions(self.user_id) as session:
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
        hashes = {"hash": hash_of(token), "hash_of_list": hash_of(token, is_of_list=True)}
        with self.sessions(self.user_id) as session:
            rows = session.exec(access_token_queries.USE, params={"principal": self.user_id, **hashes})
        return Grant(frozenset(rows[0][0]), float(rows[0][1]), rows[0][2]) if rows else None
