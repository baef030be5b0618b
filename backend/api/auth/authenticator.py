"""Whose bearer token it is: one of the sign-in, or a personal access token, which the database knows.

A personal access token is looked up once, and remembered for less than a minute. So it costs a round trip now and then,
and one that was revoked elsewhere is no good a minute later.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from starlette.types import Scope

from backend.database.connection_limiter import ConnectionLimiter
from backend.database.session import SessionFactory
from backend.errors import ServiceUnavailable, Unauthorized
from backend.identity.access_token_format import claimed_user_id, is_access_token, refused
from backend.identity.jwt import TokenMemory, Verifier
from backend.services.access_tokens.service import AccessTokenService
from backend.utils.greenlets import in_greenlet

MAX_LOOK_UPS = 100  # at once, the others being refused
REMEMBERED_SECONDS = 55.0  # with the time that a look-up takes: less than a minute


@dataclass(frozen=True, slots=True)
class Principal:
    """Who sends a request, and what the token allows; without scopes, all that the user may do."""

    user_id: str
    scopes: frozenset[str] | None = None


def bearer_token(scope: Scope) -> str:
    """Read the token (RFC 6750, section 2.1); two Authorization headers are one too many to trust either."""
    values: list[bytes] = [value for name, value in scope["headers"] if name == b"authorization"]
    if not values:
        raise Unauthorized
    scheme, _, token = values[0].decode("latin-1").partition(" ")
    token = token.strip(" ")  # blanks alone may surround it: a no-break space, say, makes it another token
    if len(values) > 1 or scheme.lower() != "bearer" or not token:
        raise Unauthorized(invalid_token=True)
    return token


class Authenticator:
    """Tells whose tokens they are."""

    def __init__(
        self,
        verifier: Verifier,
        sessions: SessionFactory,
        connection_limiter: ConnectionLimiter,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._verifier = verifier
        self._sessions = sessions
        self._connection_limiter = connection_limiter
        self._clock = clock
        self._memory = TokenMemory[Principal]()
        self._under_way: dict[str, asyncio.Task[Principal]] = {}  # look-ups

    async def principal(self, token: str, before_look_up: Callable[[], None] = lambda: None) -> Principal:
        """Return whose token it is; `before_look_up` may raise instead of letting the database be asked.

        Raises Unauthorized for a token that is no good, and ServiceUnavailable while that cannot be told.
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
        return await asyncio.shield(look_up)  # whoever leaves, others wait for it too

    async def _look_up(self, token: str, user_id: str) -> Principal:
        began, this = self._clock(), asyncio.current_task()
        try:
            async with (
                self._connection_limiter
            ):  # all look-ups are one user there: who guesses must not keep others waiting
                grant = await _use(AccessTokenService(self._sessions, user_id), token)
            if grant is None:
                raise refused()
            principal = Principal(user_id, grant.scopes)
            if self._under_way.get(token) is this:  # else something was revoked meanwhile
                self._memory.keep(token, principal, began + min(REMEMBERED_SECONDS, grant.seconds))
            return principal
        finally:
            if self._under_way.get(token) is this:
                del self._under_way[token]

    def forget(self, user_id: str) -> None:
        """Look up this user's personal access tokens again: one of them may be revoked."""
        self._memory.forget(lambda principal: principal.user_id == user_id)
        self._under_way = {
            token: look_up for token, look_up in self._under_way.items() if claimed_user_id(token) != user_id
        }


def _note_outcome(look_up: asyncio.Task[Principal]) -> None:
    """Take notice of an error, though all who waited for it may have left."""
    with suppress(asyncio.CancelledError):
        look_up.exception()


_use = in_greenlet(AccessTokenService.use)
