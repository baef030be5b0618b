"""What Python's reader of JSON lets pass, and JSON (RFC 8259) does not have or does not want."""

from __future__ import annotations

from collections import Counter
from typing import Any, Never


class RepeatedKeyError(Exception):
    """A key is there more than once: readers would disagree about which one counts."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key


def unambiguous(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object of its members; raises RepeatedKeyError."""
    found = dict(members)
    if len(found) < len(members):
        ((key, _),) = Counter(key for key, _ in members).most_common(1)
        raise RepeatedKeyError(key)
    return found


def refuse_constant(name: str) -> Never:
    """Raise ValueError for NaN, Infinity and -Infinity, which are Python's idea and not JSON."""
    raise ValueError(name)
