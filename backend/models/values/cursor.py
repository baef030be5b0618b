"""Cursors: where the next page of a listing starts, as text that clients return unread."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from backend.errors import BadRequest, Detail
from backend.models.fields import TITLE_KEY_LENGTH
from backend.utils import opaque
from backend.utils.positions import MAX_POSITION_LENGTH

Key = datetime | str | int  # what a listing is sorted by

LISTING_BYTES = 8  # of the id of a list
KIND = b"tasks"  # of opaque text

TIME: type[Key] = datetime
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_GREATEST_NUMBER = 2**15 - 1  # of a smallint
_MICROSECOND = timedelta(microseconds=1)
_TIME_BYTES = 8
_NUMBER_BYTES = 2
_ID_BYTES = 16
MAX_LENGTH = opaque.length(LISTING_BYTES + _ID_BYTES + 4 * TITLE_KEY_LENGTH)  # a character takes up to 4
_TEXT_LENGTH = max(TITLE_KEY_LENGTH, MAX_POSITION_LENGTH)  # the characters of positions are ASCII


def encode(listing_id: bytes, key: Key, task_id: UUID) -> str:
    """Write the cursor that starts right after the task with this key and id, in the listing with this `listing_id`."""
    if isinstance(key, datetime):
        ending = ((key - _EPOCH) // _MICROSECOND).to_bytes(_TIME_BYTES, "big", signed=True)
    elif isinstance(key, int):
        ending = key.to_bytes(_NUMBER_BYTES, "big")
    else:
        ending = key.encode()
    return opaque.write(listing_id + task_id.bytes + ending, KIND)


def decode(cursor: str, listing_id: bytes, kind: type[Key]) -> tuple[Key, UUID]:
    """Read a cursor of a listing that is sorted by keys of this kind; returns the key and the id of the last task.

    Raises BadRequest for a cursor of another listing, and for anything that encode() did not write.
    """
    try:
        content = opaque.read(cursor, KIND)
        if content[:LISTING_BYTES] != listing_id:
            raise _of_another_listing()
        task_id, ending = content[LISTING_BYTES : LISTING_BYTES + _ID_BYTES], content[LISTING_BYTES + _ID_BYTES :]
        return _READERS[kind](ending), UUID(bytes=task_id)
    except (ValueError, OverflowError):
        raise _not_ours() from None


def _time(ending: bytes) -> datetime:
    if len(ending) != _TIME_BYTES:
        raise ValueError
    return _EPOCH + int.from_bytes(ending, "big", signed=True) * _MICROSECOND


def _text(ending: bytes) -> str:
    text = ending.decode()
    if "\0" in text or len(text) > _TEXT_LENGTH:
        raise ValueError
    return text


def _number(ending: bytes) -> int:
    number = int.from_bytes(ending, "big")
    if len(ending) != _NUMBER_BYTES or number > _GREATEST_NUMBER:
        raise ValueError
    return number


_READERS: dict[type[Key], Callable[[bytes], Key]] = {datetime: _time, str: _text, int: _number}


def _not_ours() -> BadRequest:
    message = "This cursor is not valid. Send next_cursor unchanged, or start without a cursor."
    return BadRequest(message, details=(Detail("query.cursor", "cursor_invalid", message),))


def _of_another_listing() -> BadRequest:
    message = "This cursor belongs to a listing with another sort or other filters. Keep both from page to page."
    return BadRequest(message, details=(Detail("query.cursor", "cursor_of_another_list", message),))
