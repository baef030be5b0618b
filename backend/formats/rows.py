"""Rows of files, whichever format they are in: what readers find, and the lines that they find it in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from backend.errors import Detail, ValidationFailed

ROW = "row"  # in the place of a field: the whole of it
MAX_ROW_BYTES = 128 * 1024  # what the largest task takes when a program escapes each of its characters

TOO_LONG = Detail(ROW, "row_too_long", f"A row must not be longer than {MAX_ROW_BYTES} bytes")
NOT_UTF_8 = Detail(ROW, "encoding_invalid", "This is not UTF-8")

BLANK_LINES = re.compile(rb"(?:[\t\v\f\r ]*+\n)++")

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class FileRow:
    """What one row says: fields of a task, or what is wrong with it. `line` is the first of its lines."""

    line: int
    fields: Mapping[str, object] = field(default_factory=dict)
    problem: Detail | None = None
    size: int = 0  # in bytes


class Reader(Protocol):
    """Reads a file that comes in pieces. Raises ValidationFailed when it cannot be what it should be.

    What it gives stands for a bounded amount of work each: a row, or None for a line with which none ends.
    """

    def read(self, piece: bytes) -> Iterator[FileRow | None]:
        """Give the rows that end in the next piece."""
        ...

    def end(self) -> Iterator[FileRow | None]:
        """Give the rows that end with the file."""
        ...


class Writer(Protocol):
    """Writes a file in pieces: what comes before all tasks, some tasks, what comes behind them."""

    beginning: str
    ending: str

    def write(self, lines: str) -> str:
        """Write the rows of some tasks, which are given as JSON lines."""
        ...


def documents(lines: str) -> Iterator[dict[str, Any]]:
    """Read JSON lines of ours."""
    return map(json.loads, lines.split("\n")[:-1])  # a text may hold what splitlines() takes for the end of a line


class Line(NamedTuple):
    """A line with its end; of one that is too long, only the beginning."""

    number: int
    data: bytes
    is_cut: bool


@dataclass(slots=True)
class Lines:
    """Cuts pieces into lines. It never holds more than one of them, nor more of that than a row may have.

    Whole lines that `skipped` matches are counted and not given: many of them cost next to nothing. A reader may change
    it from one line to the next.
    """

    skipped: re.Pattern[bytes] | None = None
    number: int = 0
    _held: bytearray = field(default_factory=bytearray)
    _is_cut: bool = False

    def read(self, piece: bytes) -> Iterator[Line]:
        """Give the lines that end in the next piece."""
        start = self._skip(piece, 0)
        while end := piece.find(b"\n", start) + 1:
            if self.number and not self._held and end - start <= MAX_ROW_BYTES:
                self.number += 1
                yield Line(self.number, piece[start:end], is_cut=False)  # as most are
            else:
                self._hold(piece[start:end])
                yield self._line()
            start = self._skip(piece, end)
        self._hold(piece[start:])

    def end(self) -> Iterator[Line]:
        """Give the last line, if the file does not end with the end of one."""
        if self._held:
            yield self._line()

    def _skip(self, piece: bytes, start: int) -> int:
        found = self.skipped.match(piece, start) if self.skipped and not self._held else None
        if found is None:
            return start
        self.number += piece.count(b"\n", start, found.end())
        return found.end()

    def _hold(self, piece: bytes) -> None:
        room = MAX_ROW_BYTES - len(self._held)
        self._is_cut |= len(piece) > room
        self._held += piece[:room]

    def _line(self) -> Line:
        self.number += 1
        data = bytes(self._held)
        line = Line(self.number, data.removeprefix(_BYTE_ORDER_MARK) if self.number == 1 else data, self._is_cut)
        self._held.clear()
        self._is_cut = False
        return line


def unreadable(detail: Detail) -> ValidationFailed:
    """Make the error for a file of which nothing can be read."""
    return ValidationFailed("The file cannot be read; see details. Nothing of it was imported.", details=(detail,))
