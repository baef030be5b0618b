"""Our own issuer of access tokens, and what keeps it apart from another one.

All tokens of ours begin with the same header, so the first characters of a token tell whose it is. Nothing is trusted
before its signature is checked with that issuer's keys.
"""

from __future__ import annotations

import re
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Protocol
from uuid import UUID

from backend.identity.claims import Expectations, refusal
from backend.identity.jwt import Signer, Verifier, verifier_from_secret
from backend.identity.sealed import SignInSecrets

OWN_ISSUER = "task-api/sign-in"
ACCESS_SECONDS = 15 * 60

_OWN_USER = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def is_own_user(user_id: str) -> bool:
    """Return whether only our own issuer may name this user: its users have UUIDs of version 7."""
    return _OWN_USER.fullmatch(user_id) is not None


class TokenVerifier(Protocol):
    """Turns bearer tokens into user ids."""

    async def user_id(self, token: str) -> str:
        """Return the user of a good token; raises Unauthorized for any other."""


class OwnIssuer:
    """Makes and verifies access tokens."""

    def __init__(self, secrets: SignInSecrets, now: Callable[[], float] = time.time) -> None:
        """Raise ConfigurationError for a weak secret."""
        current, *previous = (urlsafe_b64encode(key).decode() for key in secrets.derived("access"))
        self._now = now
        self._signer = Signer(current, key_id=OWN_ISSUER)
        self._head = self.access_token(str(UUID(int=0)), UUID(int=0)).partition(".")[0] + "."
        expected = Expectations(issuer=OWN_ISSUER)
        self.verifier = verifier_from_secret(current, expected, previous_secret=next(iter(previous), None), now=now)

    def access_token(self, user_id: str, session_id: UUID) -> str:
        """Return an access token of a user, made in this session."""
        claims = {"iss": OWN_ISSUER, "sid": str(session_id)}
        return self._signer.sign(user_id, ttl_seconds=ACCESS_SECONDS, now=self._now, **claims)

    def has_made(self, token: str) -> bool:
        """Return whether a token says that it is ours, in our own spelling."""
        return token.startswith(self._head)


class Issuers:
    """Our own issuer, and perhaps a second. Each verifies its own tokens only."""

    def __init__(self, own: OwnIssuer, other: Verifier | None) -> None:
        self._own = own
        self._other = other

    async def user_id(self, token: str) -> str:
        """Return the user of a good token; raises what a verifier raises.

        Another issuer must not name users of ours, whatever people may choose there as their id.
        """
        if self._own.has_made(token):
            return await self._own.verifier.user_id(token)
        if self._other is None:
            raise refusal("The token is not from the sign-in of this service.", "Sign in with POST /api/auth/login.")
        user_id = await self._other.user_id(token)
        if is_own_user(user_id):
            advice = "Its sub must not be a UUID of version 7 where SIGN_IN is on."
            raise refusal("Only the sign-in of this service may name such a user.", advice)
        return user_id
