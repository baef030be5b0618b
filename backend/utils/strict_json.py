"""Refuses what Python's JSON parser accepts, but JSON (RFC 8259) forbids or discourages."""

from __future__ import annotations

from collections import Counter
from typing import Any, Never


class RepeatedKeyError(Exception):
    """A key occurs more than once: parsers would disagree about which one counts."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key


def unambiguous(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object from its members; raises RepeatedKeyError when a key occurs twice."""
    found = dict(members)
    if len(found) < len(members):
        ((key, _),) = Counter(key for key, _ in members).most_common(1)
        raise RepeatedKeyError(key)
    return found


def refuse_constant(name: str) -> Never:
    """Raise ValueError for NaN, Infinity and -Infinity, which Python accepts but JSON does not have."""
    raise ValueError(name)
