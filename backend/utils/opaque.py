"""Opaque text: bytes that clients hand back unread, as text that may stand in an address as it is."""

from __future__ import annotations

import base64
import hashlib

PATTERN = "^[A-Za-z0-9_-]+$"
_CHECK_BYTES = 6


def write(content: bytes, kind: bytes) -> str:
    """Write bytes as text. Text of one kind, up to 8 bytes that name it, cannot be read as another's."""
    return base64.urlsafe_b64encode(content + _check(content, kind)).decode().rstrip("=")


def read(text: str, kind: bytes) -> bytes:
    """Read the bytes back; raises ValueError for all that write() did not write."""
    content = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))[:-_CHECK_BYTES]
    # Base64 has many spellings of the same bytes; ours is one.
    if write(content, kind) != text:
        raise ValueError
    return content


def length(content_bytes: int) -> int:
    """Tell how long the text of so many bytes is."""
    return -(-(content_bytes + _CHECK_BYTES) * 4 // 3)


def _check(content: bytes, kind: bytes) -> bytes:
    """Tell our text from typing errors. No secret: what is forged still shows only the caller's own tasks."""
    return hashlib.blake2s(content, digest_size=_CHECK_BYTES, person=kind).digest()
