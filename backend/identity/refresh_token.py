"""The format of refresh tokens: `rt1.`, then user, session and counter, sealed. Nothing of it is stored."""

from __future__ import annotations

import struct
from typing import NamedTuple
from uuid import UUID

from backend.identity.sealed import Seal, SignInSecrets

PREFIX = "rt1."
MAX_COUNTER = 2**63 - 1

_CONTENT = struct.Struct(">16s16sq")


class RefreshToken(NamedTuple):
    """What a refresh token says: whose it is, which session it continues, and the count of refreshes before it."""

    user_id: str
    session_id: UUID
    counter: int


class RefreshTokens:
    """Writes and reads refresh tokens."""

    def __init__(self, secrets: SignInSecrets) -> None:
        self._seal = Seal(PREFIX, secrets, _CONTENT.size)
        self.length = self._seal.length

    def write(self, token: RefreshToken) -> str:
        """Return the token as text: the same for the same content."""
        return self._seal.seal(_CONTENT.pack(UUID(token.user_id).bytes, token.session_id.bytes, token.counter))

    def read(self, text: str) -> RefreshToken | None:
        """Return what a token says; None unless it was made here."""
        content = self._seal.open(text)
        if content is None:
            return None
        user, session, counter = _CONTENT.unpack(content)
        return RefreshToken(str(UUID(bytes=user)), UUID(bytes=session), counter)
