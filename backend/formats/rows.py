"""Rows and lines of files in any format, and the interfaces of readers and writers.

A reader yields something, even None, for each line that it reads: else others would wait for a long row.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, TypeGuard
from uuid import UUID

from backend.errors import Detail, ValidationFailed

ROW = "row"  # in place of a field name: the whole row
MAX_ROW_BYTES = 192 * 1024  # the largest task with every character escaped

TOO_LONG = Detail(ROW, "row_too_long", f"A row must not be longer than {MAX_ROW_BYTES} bytes: shorten its texts")
NOT_UTF_8 = Detail(ROW, "encoding_invalid", 'This row is not UTF-8: save the file in UTF-8, in Excel as "CSV UTF-8"')

MAX_UID_LENGTH = 1000

BLANK_LINES = re.compile(rb"(?:[\t\v\f\r ]*+\n)++")

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def is_uid(text: object) -> TypeGuard[str]:
    """Return whether a UID can be kept: plain text, and not too much of it."""
    return isinstance(text, str) and 0 < len(text) <= MAX_UID_LENGTH and text.isprintable()


class OtherUID(NamedTuple):
    """A UID that is a UUID, but not written like our ids. Its task has the `id`.

    Releases that did not keep UIDs gave such tasks the `former_id`.
    """

    uid: str
    id: UUID
    former_id: UUID


class Named(NamedTuple):
    """A task that a row names by its UID."""

    id: UUID
    other: OtherUID | None = None


@dataclass(frozen=True, slots=True)
class FileRow:
    """A row: the fields of a task, or what is wrong with it. `line` is the number of its first line."""

    line: int
    fields: Mapping[str, object] = field(default_factory=dict)
    problem: Detail | None = None
    size: int = 0  # in bytes
    mends: tuple[Detail, ...] = ()  # what is kept in another form than the row says, or not at all
    notices: tuple[Detail, ...] = ()  # what concerns many rows, and is said once
    is_foreign: bool = False  # what does not fit into a task is cut, rather than refused
    is_skipped: bool = False  # it is no task, and is not meant to be one
    uid: str | None = None  # under which other programs know the task
    other_uids: tuple[OtherUID, ...] = ()  # that the row names
    subtasks: tuple[Named, ...] = ()  # that have no parent of their own


class Reader(Protocol):
    """Reads a file in pieces. Raises ValidationFailed when the file cannot be of this format.

    Each item takes a bounded amount of work: it is a row, or None for a line that does not end a row.
    """

    def read(self, piece: bytes) -> Iterator[FileRow | None]:
        """Return the rows that end in the next piece."""
        ...

    def end(self) -> Iterator[FileRow | None]:
        """Return the rows that end with the file."""
        ...


class Writer(Protocol):
    """Writes a file in pieces: a beginning, some tasks at a time, and an ending."""

    beginning: str
    ending: str

    def write(self, lines: str) -> str:
        """Write the rows of some tasks, given as JSON lines."""
        ...


def documents(lines: str) -> Iterator[dict[str, Any]]:
    """Parse JSON lines that we wrote."""
    return map(json.loads, lines.split("\n")[:-1])  # splitlines() would also split within some texts


class Line(NamedTuple):
    """A line with its line break. Of a line that is too long, it is the beginning or a part."""

    number: int
    data: bytes
    is_cut: bool
    continues: bool = False  # whether it is a later part of a line


@dataclass(slots=True)
class Lines:
    """Cuts pieces into lines. It holds a single line, and of that no more than a row may have.

    With `is_splitting`, it yields all parts of a longer line, rather than only the beginning.

    Whole lines that match `skipped` are counted but not yielded, so that many of them cost next to nothing. A reader
    may change `skipped` between lines.
    """

    skipped: re.Pattern[bytes] | None = None
    number: int = 0
    is_splitting: bool = False
    _continues: bool = False
    _held: bytearray = field(default_factory=bytearray)
    _is_cut: bool = False

    def read(self, piece: bytes) -> Iterator[Line]:
        """Yield the lines that end in the next piece."""
        start = self._skip(piece, 0)
        while end := piece.find(b"\n", start) + 1:
            if self.number and not self._held and not self._continues and end - start <= MAX_ROW_BYTES:
                self.number += 1
                yield Line(self.number, piece[start:end], is_cut=False)  # the usual case
            else:
                yield from self._hold(piece[start:end])
                yield self._line()
            start = self._skip(piece, end)
        yield from self._hold(piece[start:])

    def end(self) -> Iterator[Line]:
        """Yield the last line, if the file does not end with a line break."""
        if self._held:
            yield self._line()

    def _skip(self, piece: bytes, start: int) -> int:
        is_new = not self._held and not self._continues
        found = self.skipped.match(piece, start) if self.skipped and is_new else None
        if found is None:
            return start
        self.number += piece.count(b"\n", start, found.end())
        return found.end()

    def _hold(self, piece: bytes) -> Iterator[Line]:
        """Hold the next part of a line; yields what it holds if that becomes too much."""
        room = MAX_ROW_BYTES - len(self._held)
        while self.is_splitting and len(piece) > room:
            self._held += piece[:room]
            piece = piece[room:]
            yield self._line()
            self.number -= 1
            self._continues = True
            room = MAX_ROW_BYTES
        self._is_cut |= len(piece) > room
        self._held += piece[:room]

    def _line(self) -> Line:
        self.number += 1
        data = bytes(self._held)
        if self.number == 1 and not self._continues:
            data = data.removeprefix(_BYTE_ORDER_MARK)
        line = Line(self.number, data, self._is_cut, self._continues)
        self._held.clear()
        self._is_cut = self._continues = False
        return line


def unreadable(detail: Detail) -> ValidationFailed:
    """Return the error for a file that cannot be read at all."""
    return ValidationFailed(f"{detail.sentence} Nothing was imported.", details=(detail,))
