"""One user's personal access tokens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from uuid_utils.compat import uuid7

from backend.database.retry import once_only, reads, repeatable
from backend.database.session import Sessions
from backend.errors import ValidationFailed
from backend.identity.access_token_format import hash_of, new_access_token
from backend.models.access_token import AccessTokenCreate
from backend.services.access_tokens import queries, rules
from backend.services.access_tokens.queries import ACCESS_TOKENS
from backend.services.tasks.rules import NO_LIST
from backend.services.unit_of_work import unit_of_work
from backend.utils.postgres_json import to_json


class Grant(NamedTuple):
    """What a valid token may do, for how many more seconds, and in which list; None stands for all."""

    scopes: frozenset[str]
    seconds: float
    list_id: UUID | None
    token_id: UUID


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
        token = new_access_token(self.user_id)
        token_hash = hash_of(token, is_of_list=data.list_id is not None)
        with unit_of_work(self.sessions, self.user_id) as unit:
            found = unit.load(queries.OWN, list=data.list_id)
            if data.list_id is not None and not found.once["has_list"]:
                raise ValidationFailed(details=(NO_LIST,))
            ACCESS_TOKENS.refuse_one_more(len(found.rows))
            made = rules.new_token(self.new_id(), token_hash, data, unit.now)
            unit.store(queries.INSERT, **ACCESS_TOKENS.values(made, ACCESS_TOKENS.stored))
        return to_json({name: getattr(made, name) for name in ACCESS_TOKENS.public_names()} | {"token": token})

    @reads
    def list(self) -> str:
        """List all tokens as a JSON array, the newest first."""
        with self.sessions(self.user_id) as session:
            ((tokens,),) = session.exec(queries.LIST, params={"principal": self.user_id})
            return tokens

    @repeatable
    def revoke(self, token_id: UUID) -> None:
        """Revoke a token by deleting it; raises AccessTokenNotFound."""
        with self.sessions(self.user_id) as session:
            rows = session.exec(queries.REVOKE, params={"principal": self.user_id, "access_token__id": token_id})
        if not rows:
            raise ACCESS_TOKENS.not_found

    @repeatable
    def use(self, token: str) -> Grant | None:
        """Record the use of a token, and return what it may do; None if it is not valid."""
        hashes = {"hash": hash_of(token), "hash_of_list": hash_of(token, is_of_list=True)}
        with self.sessions(self.user_id) as session:
            rows = session.exec(queries.USE, params={"principal": self.user_id, **hashes})
        return Grant(frozenset(rows[0][0]), float(rows[0][1]), *rows[0][2:]) if rows else None
