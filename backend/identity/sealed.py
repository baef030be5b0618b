"""Texts that only this service can have made: a prefix, then what they say and a MAC of it in base64url.

What they say can be read by everybody. Without the secret, nobody can change it or make another one.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import NamedTuple

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from backend.identity.shared_secret import checked_secret

KEY_BYTES = 32
MAC_BYTES = 32
KEY_ID_BYTES = 4


class SignInSecrets(NamedTuple):
    """The secret of our own issuer, and while it is being replaced the previous one. Keys are derived from them."""

    current: str
    previous: str | None = None

    def derived(self, purpose: str, length: int = KEY_BYTES) -> list[bytes]:
        """Return the keys for a purpose, the current one first; raises ConfigurationError for a weak secret."""
        named = {"SIGN_IN_SECRET": self.current, "SIGN_IN_PREVIOUS_SECRET": self.previous}
        secrets = [checked_secret(secret, setting) for setting, secret in named.items() if secret is not None]
        return [_derived(secret, purpose, length) for secret in secrets]


def _derived(secret: bytes, purpose: str, length: int) -> bytes:
    """Derive a key (RFC 5869)."""
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=f"task-api {purpose}".encode()).derive(secret)


class Seal:
    """Makes and opens texts of one kind."""

    def __init__(self, prefix: str, secrets: SignInSecrets, content_bytes: int) -> None:
        self._prefix = prefix
        keys = secrets.derived(f"seal {prefix}", KEY_ID_BYTES + KEY_BYTES)
        # By their ids, the current one first.
        self._keys = {key[:KEY_ID_BYTES]: key[KEY_ID_BYTES:] for key in keys}
        self._current = next(iter(self._keys))
        self._bytes = KEY_ID_BYTES + content_bytes + MAC_BYTES
        self.length = len(self._written(bytes(self._bytes)))

    def seal(self, content: bytes) -> str:
        """Return a text that says this."""
        said = self._current + content
        return self._written(said + _mac(self._keys[self._current], said))

    def open(self, text: str) -> bytes | None:
        """Return what a text says; None unless it was made here."""
        if len(text) != self.length or not text.isascii() or not text.startswith(self._prefix):
            return None
        encoded = text.removeprefix(self._prefix)
        try:
            data = urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
        except ValueError:
            return None
        said, mac = data[:-MAC_BYTES], data[-MAC_BYTES:]
        key = self._keys.get(said[:KEY_ID_BYTES])
        # The last character may carry unused bits; only one spelling is accepted.
        if key is None or self._written(data) != text or not hmac.compare_digest(mac, _mac(key, said)):
            return None
        return said[KEY_ID_BYTES:]

    def _written(self, data: bytes) -> str:
        return self._prefix + urlsafe_b64encode(data).decode().rstrip("=")


def _mac(key: bytes, said: bytes) -> bytes:
    return hmac.digest(key, said, sha256().name)
