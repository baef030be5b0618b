"""Hashes passwords with argon2id. Takes about 20 ms of a processor and 19 MB, so never on the event loop.

The parameters are those of OWASP's Password Storage Cheat Sheet, and named because a library's defaults may change.
Those of pwdlib take six times as long and three times the memory. Where ours change, a login makes the hash anew.
"""

from __future__ import annotations

import unicodedata

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

_HASHER = PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19456, parallelism=1),))

# Of a password that nobody knows. Whoever has no hash is compared with it, which takes as long as with one.
NOBODYS = "$argon2id$v=19$m=19456,t=2,p=1$9SPIvX3HvXN3fP0wOY6t2g$Wbo8Iybykafphi66uDVJIyZdqzIHH1+P9KIhPlTv4v8"


def hash_password(password: str) -> str:
    """Return a new hash of a password, with a salt of its own."""
    return _HASHER.hash(_bytes(password))


def verify_password(password: str, stored: str) -> tuple[bool, str | None]:
    """Return whether a hash is of this password, and a new hash if that one has other parameters than new ones have."""
    return _HASHER.verify_and_update(_bytes(password), stored)


def _bytes(password: str) -> bytes:
    """Return what is hashed: the same for all ways to type a character. It takes half of a surrogate pair, too."""
    return unicodedata.normalize("NFC", password).encode(errors="surrogatepass")
