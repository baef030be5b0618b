"""Invitations to register, each for a single address. Nothing is stored: whoever has registered has used theirs up."""

from __future__ import annotations

import struct
from datetime import datetime, timedelta
from hashlib import sha256

from backend.identity.email_address import email_key
from backend.identity.sealed import Seal, SignInSecrets

PREFIX = "iv1."

_CONTENT = struct.Struct(">32sq")  # the hash of the address, and when the invitation ends, in seconds since 1970


class Invitations:
    """Writes and checks invitations."""

    def __init__(self, secrets: SignInSecrets) -> None:
        self._seal = Seal(PREFIX, secrets, _CONTENT.size)

    def new(self, email: str, now: datetime, days: int) -> str:
        """Invite an address, for this many days."""
        return self._seal.seal(_CONTENT.pack(_hash_of(email), int((now + timedelta(days=days)).timestamp())))

    def admits(self, invitation: str, email: str, now: datetime) -> bool:
        """Return whether this address may register with this invitation now."""
        content = self._seal.open(invitation)
        if content is None:
            return False
        address, ends_at = _CONTENT.unpack(content)
        return bool(address == _hash_of(email) and now.timestamp() < ends_at)


def _hash_of(email: str) -> bytes:
    return sha256(email_key(email).encode()).digest()
