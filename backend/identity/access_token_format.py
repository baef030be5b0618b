"""The format of personal access tokens: `tk_`, then 32 random bytes and the user's id in base64url.

The id says where to look. It is not trusted until the hash of the whole token is found there.
"""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256

from backend.errors import Unauthorized
from backend.identity.claims import MAX_USER_ID_LENGTH, is_user_id, refusal

PREFIX = "tk_"

_SECRET_BYTES = 32
MAX_LENGTH = len(PREFIX) + (_SECRET_BYTES + 4 * MAX_USER_ID_LENGTH) * 4 // 3 + 1


def new_access_token(user_id: str, random: Callable[[int], bytes] = secrets.token_bytes) -> str:
    """Make an unguessable token for a user."""
    return PREFIX + urlsafe_b64encode(random(_SECRET_BYTES) + user_id.encode()).decode().rstrip("=")


def is_access_token(token: str) -> bool:
    """Return whether this is a personal access token; a JSON Web Token never begins like one."""
    return token.startswith(PREFIX)


def claimed_user_id(token: str) -> str:
    """Return the user id that a token claims; raises Unauthorized for a malformed token."""
    encoded = token.removeprefix(PREFIX)
    try:
        data = urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)) if len(token) <= MAX_LENGTH else b""
        user_id = data[_SECRET_BYTES:].decode()
    except ValueError:
        user_id = ""
    if not is_user_id(user_id):
        raise refused()
    return user_id


def hash_of(token: str, *, is_of_list: bool = False) -> bytes:
    """Return the hash that is stored for a token. Tokens are too long to guess, so a fast hash is enough.

    That of a token for one list is another one: a service that knows of no lists, and would let it do everything, does
    not find it.
    """
    kind = b"list " if is_of_list else b""
    return sha256(kind + token.encode("utf-8", "surrogateescape")).digest()


def refused() -> Unauthorized:
    """Return the error for an unknown, revoked or expired token, which does not reveal which it is."""
    what = "This personal access token is unknown, revoked or expired."
    return refusal(what, "Create a new one.")
