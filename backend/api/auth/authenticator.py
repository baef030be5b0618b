"""Identifies the principal of a bearer token: a session JWT, or a personal access token stored in the database.

A personal access token is looked up once, and cached for less than a minute. So it rarely costs a round trip, and one
that was revoked elsewhere stops working within a minute.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from starlette.types import Scope

from backend.database.connection_limiter import ConnectionLimiter
from backend.database.session import SessionFactory
from backend.errors import ServiceUnavailable, Unauthorized
from backend.identity.access_token_format import claimed_user_id, is_access_token, refused
from backend.identity.jwt import TokenMemory
from backend.identity.own_issuer import TokenVerifier
from backend.services.access_tokens.service import AccessTokenService

MAX_LOOK_UPS = 100  # at once; more are refused
REMEMBERED_SECONDS = 55.0  # less than a minute even after a slow look-up


@dataclass(frozen=True, slots=True)
class Principal:
    """The user of a request, and the scopes of its token and the list that it is limited to.

    Without scopes, the token allows all that the user may do; without a list, it is for all that the user has.
    """

    user_id: str
    scopes: frozenset[str] | None = None
    list_id: UUID | None = None
    actor: str = "user"  # as events name it


def bearer_token(scope: Scope) -> str:
    """Return the token (RFC 6750, section 2.1); raises Unauthorized, also for several Authorization headers."""
    values: list[bytes] = [value for name, value in scope["headers"] if name == b"authorization"]
    if not values:
        raise Unauthorized
    scheme, _, token = values[0].decode("latin-1").partition(" ")
    token = token.strip(" ")  # only blanks may surround it; a no-break space, for example, is part of the token
    if len(values) > 1 or scheme.lower() != "bearer" or not token:
        raise Unauthorized(invalid_token=True)
    return token


class Authenticator:
    """Finds the principal of a token."""

    def __init__(
        self,
        verifier: TokenVerifier,
        sessions: SessionFactory,
        connection_limiter: ConnectionLimiter,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._verifier = verifier
        self._sessions = sessions
        self._connection_limiter = connection_limiter
        self._clock = clock
        self._memory = TokenMemory[Principal]()
        self._under_way: dict[str, asyncio.Task[Principal]] = {}  # look-ups, by token

    async def principal(self, token: str, before_look_up: Callable[[], None] = lambda: None) -> Principal:
        """Return the principal of a token; `before_look_up` may raise to prevent the database look-up.

        Raises Unauthorized for an invalid token, and ServiceUnavailable if the token cannot be checked now.
        """
        if not is_access_token(token):
            return Principal(await self._verifier.user_id(token))
        remembered = self._memory.find(token, self._clock())
        if remembered is not None:
            return remembered
        user_id = claimed_user_id(token)
        look_up = self._under_way.get(token)
        if look_up is None:
            before_look_up()
            if len(self._under_way) >= MAX_LOOK_UPS:
                raise ServiceUnavailable
            look_up = self._under_way[token] = asyncio.create_task(self._look_up(token, user_id))
            look_up.add_done_callback(_note_outcome)
        return await asyncio.shield(look_up)  # others may wait for it too, so cancelling one must not end it

    async def _look_up(self, token: str, user_id: str) -> Principal:
        began, this = self._clock(), asyncio.current_task()
        try:
            # The limiter counts all look-ups as one user, so guessed tokens cannot keep other work waiting.
            grant = await self._connection_limiter.run(AccessTokenService(self._sessions, user_id).use, token)
            if grant is None:
                raise refused()
            principal = Principal(user_id, grant.scopes, grant.list_id, f"token:{grant.token_id}")
            if self._under_way.get(token) is this:  # else a token may have been revoked during the look-up
                self._memory.keep(token, principal, began + min(REMEMBERED_SECONDS, grant.seconds))
            return principal
        finally:
            if self._under_way.get(token) is this:
                del self._under_way[token]

    def forget(self, user_id: str) -> None:
        """Drop this user's personal access tokens from the cache, because one of them may be revoked."""
        self._memory.forget(lambda principal: principal.user_id == user_id)
        self._under_way = {
            token: look_up for token, look_up in self._under_way.items() if claimed_user_id(token) != user_id
        }


def _note_outcome(look_up: asyncio.Task[Principal]) -> None:
    """Retrieve the error, because nobody may be waiting for it any more."""
    with suppress(asyncio.CancelledError):
        look_up.exception()
