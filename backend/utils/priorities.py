"""How much a task matters: a word for clients, and a number as iCalendar has it, where 1 matters most (RFC 5545).

The number is what is stored, so that each one of a calendar comes back. A word stands for a band of numbers.
"""

from __future__ import annotations

NO_PRIORITY = 10  # after all others; iCalendar has 0 for it
# The numbers of each word, in their order.
BANDS = {"high": range(1, 5), "medium": range(5, 6), "low": range(6, 10)}
_USUAL = {"high": 1, "medium": 5, "low": 9}  # what most programs write


class PriorityNumber(int):
    """A number that a calendar names. A number in JSON is a plain one: clients send words."""


def number_of(said: str | int | None, current: int = NO_PRIORITY) -> int:
    """Return the number of a word, or the current one if the word already stands for it: then nothing changes."""
    if isinstance(said, int):
        return int(said)
    if said == word_of(current):
        return current
    return NO_PRIORITY if said is None else _USUAL[said]


def word_of(number: int) -> str | None:
    """Return the word that stands for a number."""
    return next((word for word, band in BANDS.items() if number in band), None)
