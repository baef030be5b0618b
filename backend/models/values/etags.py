"""Entity tags as If-Match and If-None-Match list them (RFC 9110, sections 8.8.3 and 13.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass

Revisions = tuple[int, ...]

# One tag, weak or strong, with what must follow it in a list. Tags are read one by one: a pattern for the whole list
# could take very long to reject a malformed one.
_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"[ \t]*(?:,|$)')
_BETWEEN = re.compile(r"[ \t,]*")
_REVISION = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)

MAX_REVISION = 2**53 - 1  # larger numbers in JSON are not exact everywhere; never reached


@dataclass(frozen=True, slots=True)
class EntityTags:
    """The tags of one header. `is_any` stands for `*`."""

    is_any: bool = False
    strong: tuple[str, ...] = ()
    weak: tuple[str, ...] = ()

    @property
    def opaque(self) -> tuple[str, ...]:
        """Return all tags for the weak comparison, which If-None-Match uses."""
        return self.strong + self.weak

    @property
    def known(self) -> tuple[str, ...] | None:
        """Return the tags of what the client has; None means any."""
        return None if self.is_any else self.opaque

    @property
    def revisions(self) -> Revisions | None:
        """Return the task revisions in the strong tags, the only ones that If-Match compares; None means any."""
        return None if self.is_any else tuple(int(tag) for tag in self.strong if _REVISION.fullmatch(tag))

    def match_weakly(self, tag: str) -> bool:
        """Return whether this tag is among them, by the weak comparison."""
        return self.is_any or tag in self.opaque


def parse_tags(value: str) -> EntityTags | None:
    """Read a header's value; returns None if it is neither `*` nor a list of entity tags."""
    if value.strip(" \t") == "*":
        return EntityTags(is_any=True)
    strong: list[str] = []
    weak: list[str] = []
    position = _skip(value, 0)
    while found := _TAG.match(value, position):
        (weak if found[1] else strong).append(found[2])
        position = _skip(value, found.end())
    if position < len(value) or not strong + weak:
        return None
    return EntityTags(strong=tuple(strong), weak=tuple(weak))


def parse_revision(value: object) -> EntityTags | None:
    """Read a revision that is written as a number or in digits; returns None if it is neither."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # JSON has one kind of number
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    if isinstance(value, int) and value > MAX_REVISION:
        return None
    return EntityTags(strong=(str(value),)) if _REVISION.fullmatch(str(value)) else None


def _skip(value: str, position: int) -> int:
    """Skip commas and blanks; a list may have extra ones (RFC 9110, section 5.6.1.2)."""
    between = _BETWEEN.match(value, position)
    return between.end() if between else position
