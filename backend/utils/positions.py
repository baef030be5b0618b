"""Positions in an order that people arrange: texts that compare byte by byte, with room between any two.

They are the keys of fractional indexing: an integer, whose first letter tells its length, and then a fraction.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from fractional_indexing import BASE_62_DIGITS, FIError, generate_key_between, validate_order_key

from backend.errors import NoRoom

MAX_POSITION_LENGTH = 200
LAST = ""  # in place of the position of what is to be put last
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Of an integer of 16 digits, which has room for the microseconds until the year 2286. Decimal digits are among the 62.
_HEAD = "p"


def last_position(now: datetime, revision: int) -> str:
    """Return the position of what this change of its user puts last: after all that earlier ones have put last.

    The time comes first, in microseconds. The revision behind it makes it the user's only one, and the 1 a valid one: a
    position must not end in 0. The default of the column has the same form.
    """
    moment = (now - _EPOCH) // timedelta(microseconds=1)
    return f"{_HEAD}{moment:016}{revision % 1_000_000:06}1"


SIDES = ("after", "before")
END = "~"  # after every position


def gap(side: str, near: str | None, next_ones: Iterable[str | None]) -> tuple[str | None, str | None]:
    """Return the positions between which something comes to stand on this side of a position; None means the end.

    `next_ones` are those that come next on this side, of different kinds of rows; None means that there is none.
    """
    found = [position for position in next_ones if position is not None]
    if side == "after":
        return near, min(found, default=None)
    return max(found, default=None), near


def position_within(low: str | None, high: str | None, current: str | None = None) -> str:
    """Return a position between two others: the current one, if that is between them. Raises NoRoom.

    None means that nothing is there. Without both, it is LAST.
    """
    if current is not None and (low is None or low < current) and (high is None or current < high):
        return current
    if low is high is None:
        return LAST
    try:
        position: str = generate_key_between(low, high)
    except FIError:
        raise NoRoom from None
    if not is_position(position):  # too long, or the first of all, before which nothing fits
        raise NoRoom
    return position


def is_position(text: str) -> bool:
    """Return whether a text can be a position."""
    if not text or len(text) > MAX_POSITION_LENGTH or not set(text) <= set(BASE_62_DIGITS):
        return False
    try:
        validate_order_key(text)
    except FIError:
        return False
    return True
