"""What stands before the value in a line of a calendar: the name and the parameters.

A parameter may be of any length: some programs put a whole HTML page beside a text (ALTREP). Such parameters are left
out while they are read, so that the value behind them still counts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

MAX_PARAMETER_BYTES = 1000
_SHORT = re.compile(rb'[^":]{0,1000}+:')  # most heads have no quotes, and are read at once
_MARKS = re.compile(rb'[":;]')


@dataclass(slots=True)
class Head:
    """A head that is being read. `has_dropped` says whether a long parameter was left out."""

    kept: bytearray = field(default_factory=bytearray)  # the name, and the short parameters
    has_dropped: bool = False
    _last: bytearray = field(default_factory=bytearray)  # the parameter that is being read, or its beginning
    _is_quoted: bool = False

    def take(self, content: bytes) -> bytes | None:
        """Take the next part of a line; returns the rest from the colon on, or None if the head goes on."""
        start = 0
        for mark in _MARKS.finditer(content):
            at, is_quote = mark.start(), mark[0] == b'"'
            if is_quote:
                self._is_quoted = not self._is_quoted
            elif not self._is_quoted:
                self._add(content[start:at])
                self._keep()
                start = at
                if mark[0] == b":":
                    return content[at:]
        self._add(content[start:])
        return None

    def _add(self, part: bytes) -> None:
        self._last += part[: MAX_PARAMETER_BYTES + 1 - len(self._last)]

    def _keep(self) -> None:
        """End the name or a parameter, which begins with its semicolon."""
        if len(self._last) > MAX_PARAMETER_BYTES:
            self.has_dropped = True
        else:
            self.kept += self._last
        self._last = bytearray()


def is_short(content: bytes) -> bool:
    """Return whether a line has a whole head, and that is short."""
    return _SHORT.match(content) is not None
