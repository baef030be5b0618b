"""List cursors: the place in a list where the next page starts, as text that clients hand back unread."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from uuid import UUID

from backend.errors import BadRequest, Detail

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLACE_BYTES = 8 + 16
_CHECK_BYTES = 6


def encode(created_at: datetime, task_id: UUID) -> str:
    """Write the place right after the task of this time and id."""
    microseconds = (created_at - _EPOCH) // timedelta(microseconds=1)
    place = microseconds.to_bytes(8, "big") + task_id.bytes
    return base64.urlsafe_b64encode(place + _check(place)).decode()


def decode(cursor: str) -> tuple[datetime, UUID]:
    """Read a place back; raises BadRequest for anything that encode() did not write."""
    try:
        place = base64.urlsafe_b64decode(cursor)[:_PLACE_BYTES]
        created_at = _EPOCH + timedelta(microseconds=int.from_bytes(place[:8], "big"))
        task_id = UUID(bytes=place[8:])
    except (ValueError, OverflowError):
        raise _not_ours() from None
    # Base64 has many spellings of the same bytes; ours is one.
    if encode(created_at, task_id) != cursor:
        raise _not_ours()
    return created_at, task_id


def _check(place: bytes) -> bytes:
    """Tell our cursors from typing errors. No secret: a forged place still shows only the caller's own tasks."""
    return hashlib.blake2s(place, digest_size=_CHECK_BYTES, person=b"tasks").digest()


def _not_ours() -> BadRequest:
    message = "This cursor is not one of ours; take next_cursor as it was given, or start without a cursor."
    return BadRequest(message, details=(Detail("query.cursor", "cursor_invalid", message),))
