"""Positions in an order that people arrange: texts that compare byte by byte, with room between any two.

They are the keys of fractional indexing: an integer, whose first letter tells its length, and then a fraction.
What has equal positions is in the order of the ids.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from fractional_indexing import (
    BASE_62_DIGITS,
    FIError,
    generate_key_between,
    validate_order_key,
)

from backend.errors import NoRoom

MAX_POSITION_LENGTH = 200
LAST = ""  # in place of the position of what is to be put last
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Of an integer of 16 digits, which has room for the microseconds until the year 2286. Decimal digits are among the 62.
_HEAD = "p"
# From here on, no client chooses positions: so there is always room for what comes last.
_LATE = "q"
_TOO_LATE = "r"  # from here on, nothing is put


def last_position(now: datetime, revision: int, greatest: str = "") -> str:
    """Return the position of what this change puts last: after `greatest`, the user's greatest position until now.

    The time comes first, in microseconds. The revision behind it makes sure that the user has no equal position. The 1
    makes it valid: a position must not end in 0. The default of the column has the same form. When the clock has gone
    back, or a client has written a later position, it is the next position after the greatest.
    """
    position = f"{_time(now)}{revision % 1_000_000:06}1"
    return position if position > greatest else position_within(greatest, None)


def last_positions(now: datetime, greatest: str) -> str:
    """Return the beginning of positions for many things that are put last at once: 10 digits and a 1 follow it."""
    time = _time(now)
    return time if time > greatest else position_within(greatest, None)


def _time(now: datetime) -> str:
    return f"{_HEAD}{(now - _EPOCH) // timedelta(microseconds=1):016}"


def given_position(wanted: str, now: datetime, revision: int, greatest: str) -> str:
    """Return the wanted position; the last position for LAST, or for a wish so late that it might leave no room."""
    is_possible = wanted != LAST and (wanted < _LATE or wanted <= greatest)
    return wanted if is_possible else last_position(now, revision, greatest)


class Place(NamedTuple):
    """Where something stands. Places compare in the order in which things are listed."""

    position: str
    id: UUID


SIDES = ("after", "before")
END = Place("~", UUID(int=0))  # after every place


class Room(NamedTuple):
    """The position of what comes to a place, and new positions of what makes room before and after it.

    The nearest come first.
    """

    before: list[str]
    position: str
    after: list[str]


def make_room(before: Sequence[str | None], after: Sequence[str | None], pause: Callable[[], None]) -> Room:
    """Put something between two positions. If it does not fit, move as few things beside it as possible.

    `before` and `after` have the positions on their side, the nearest first; None is the end, after all. The furthest
    positions stay as they are. `pause` is called again and again: to renumber a thousand takes tens of milliseconds.
    Raises NoRoom.
    """
    for number in range(max(len(before), len(after))):
        pause()
        if number < len(after) and (made := _positions_within(before[0], after[number], number + 1, pause)):
            return Room([], made[0], made[1:])
        if number < len(before) and (made := _positions_within(before[number], after[0], number + 1, pause)):
            return Room(made[-2::-1], made[-1], [])
    raise NoRoom


def _positions_within(low: str | None, high: str | None, number: int, pause: Callable[[], None]) -> list[str]:
    """Return this many positions between two positions; none if they do not fit."""
    try:
        made = [position_within(low, high)]  # if one does not fit, that is soon known
        if number > 1:
            made = _spread(low, high, number, pause)
    except NoRoom:
        return []
    return made if max(made) < _TOO_LATE else []


def _spread(low: str | None, high: str | None, number: int, pause: Callable[[], None]) -> list[str]:
    """Return the positions that `generate_n_keys_between` makes, with a pause before every position. Raises NoRoom."""
    made: list[str | None] = [low, *number * [None], high]
    gaps = [(0, number + 1)]
    while gaps:
        first, last = gaps.pop()
        if last - first > 1:
            pause()
            # At an open end, they follow one another.
            middle = first + 1 if made[last] is None else last - 1 if made[first] is None else (first + last + 1) // 2
            made[middle] = _position_between(made[first], made[last])
            gaps += [(first, middle), (middle, last)]
    return [position for position in made[1:-1] if position is not None]


def position_within(low: str | None, high: str | None) -> str:
    """Return a position between two positions. Raises NoRoom.

    None means that nothing is there. Without both, it is LAST.
    """
    return LAST if low is high is None else _position_between(low, high)


def _position_between(low: str | None, high: str | None) -> str:
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
