"""Opaque text: bytes that clients return unread, as URL-safe text."""

from __future__ import annotations

import base64
import hashlib

PATTERN = "^[A-Za-z0-9_-]+$"
_CHECK_BYTES = 6


def write(content: bytes, kind: bytes) -> str:
    """Write bytes as text. Text of one kind, which up to 8 bytes name, cannot be read as another kind."""
    return base64.urlsafe_b64encode(content + _check(content, kind)).decode().rstrip("=")


def read(text: str, kind: bytes) -> bytes:
    """Read the bytes back; raises ValueError for anything that write() did not write."""
    content = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))[:-_CHECK_BYTES]
    # Base64 has several spellings of the same bytes; only ours is accepted.
    if write(content, kind) != text:
        raise ValueError
    return content


def length(content_bytes: int) -> int:
    """Return the length of the text for this many bytes."""
    return -(-(content_bytes + _CHECK_BYTES) * 4 // 3)


def _check(content: bytes, kind: bytes) -> bytes:
    """Return a checksum, to detect typing errors. Not secret: forged text still shows only the user's own tasks."""
    return hashlib.blake2s(content, digest_size=_CHECK_BYTES, person=kind).digest()
