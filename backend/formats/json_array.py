"""Tasks as one JSON array, or as the `data` of an object, which is how a listing is answered.

The file is read element by element, and never as a whole. A scanner looks for brackets, commas and texts. It holds only
the present element, and of that no more than a row may have. The JSON parser then reads the element.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from backend.errors import Detail
from backend.formats.jsonl import INVALID, row_of
from backend.formats.rows import MAX_ROW_BYTES, ROW, FileRow, Line, unreadable

_BLANKS = b"\xef\xbb\xbf\t\n\r "  # and what a byte order mark consists of
_TEXT = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)
# What comes before the next bracket, comma or text without an end. Within an element, commas do not matter.
_WITHIN = re.compile(rb'(?:[^][{}"]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)
_BETWEEN = re.compile(rb'(?:[^][{}",]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)
_DATA = re.compile(rb'\s*"data"\s*:\s*')
_MAX_KEY_BYTES = 100
_MAX_BRACKETS = 250  # of an element, or of what is around the array: to find the end of any more would take too long

_NO_ARRAY = Detail(
    ROW,
    "array_missing",
    'The file must be a JSON array of tasks, or an object with one, like {"data": […]}. If each line has an object, '
    "send it as application/jsonl; send a CSV as text/csv",
)
_UNFINISHED = Detail(ROW, "array_unfinished", "The file ends here, but its array does not: send all of it")
_TOO_MANY_BRACKETS = Detail(
    ROW, "array_invalid", "This row has more brackets than any task: nothing from there on was read. Is one missing?"
)
_TWICE = Detail(ROW, "duplicate_key", 'The file has "data" more than once: only the first is read. Send one array')
_MORE = Detail(
    ROW, "array_ended", "After this row the array ends. Something else follows, which was not read: send one array"
)


@dataclass(slots=True)
class ArrayReader:
    """Reads a JSON array. The number of an element is the line number of its row."""

    _held: bytearray = field(default_factory=bytearray)  # of an unfinished element, or key
    _is_cut: bool = False
    _is_text: bool = False
    _is_escaped: bool = False
    _depth: int = 0  # how many brackets are open
    _brackets: int = 0  # opened since the last element
    _elements_at: int = 0  # the depth of the array's elements; 0 before and after it
    _has_ended: bool = False  # the array
    _is_over: bool = False
    _number: int = 0

    def read(self, piece: bytes) -> Iterator[FileRow | None]:
        """Yield the rows that end in the next piece."""
        start, position = 0, 0 if self._is_over else self._next(piece, 0)
        while position < len(piece) and not self._is_over:
            mark = piece[position : position + 1]
            if not self._depth:
                yield self._enter(mark, piece[start:position])
                start = position + 1
            elif mark in b"[{":
                if self._is_data(mark, piece, start, position):
                    if self._has_ended:
                        yield FileRow(self._number, problem=_TWICE)
                    else:
                        self._held.clear()
                        self._elements_at, start = 2, position + 1
                yield self._deepen()
            elif self._depth > max(self._elements_at, 1):
                self._depth -= 1
            else:
                yield self._leave(mark, piece[start:position])
                start = position + 1
            position = self._next(piece, position + 1)
        if not self._depth:
            yield self._outside(piece[start:])
        else:
            self._hold(piece[start:])
        yield None

    def end(self) -> Iterator[FileRow | None]:
        """Yield a problem if the array does not end; raises ValidationFailed if there is no array."""
        if self._is_over:
            return
        if self._depth and (self._elements_at or self._has_ended):
            yield FileRow(self._number + bool(self._elements_at), problem=_UNFINISHED)
        elif not self._has_ended:
            raise unreadable(_NO_ARRAY)

    def _next(self, piece: bytes, position: int) -> int:
        """Return where the next bracket or comma outside of texts is, or the end of the piece."""
        if not self._is_text:
            pattern = _BETWEEN if self._depth <= max(self._elements_at, 1) else _WITHIN
            position = _end_of(pattern, piece, position)
            if piece[position : position + 1] != b'"':
                return position
            self._is_text, position = True, position + 1
        position = _end_of(_TEXT, piece, position + self._is_escaped)
        self._is_escaped = piece[position : position + 1] == b"\\"  # the piece ends before what it escapes
        if piece[position : position + 1] != b'"':
            return len(piece)
        self._is_text = False
        return self._next(piece, position + 1)

    def _enter(self, mark: bytes, text: bytes) -> FileRow | None:
        """Begin the array, or the object that it is in."""
        if self._has_ended or mark not in b"[{":
            return self._outside(text + mark)
        self._outside(text)
        self._depth, self._elements_at = 1, int(mark == b"[")
        return None

    def _outside(self, text: bytes) -> FileRow | None:
        """Refuse a text before the array, and report one after it."""
        if self._is_over or not text.strip(_BLANKS):
            return None
        if not self._has_ended:
            raise unreadable(_NO_ARRAY)
        self._is_over = True
        return FileRow(self._number, problem=_MORE)

    def _is_data(self, mark: bytes, piece: bytes, start: int, position: int) -> bool:
        """Return whether this bracket opens the array `data` of the object."""
        is_member = self._depth == 1 and not self._elements_at
        if not is_member or mark != b"[" or len(self._held) + position - start > _MAX_KEY_BYTES:
            return False
        return _DATA.fullmatch(self._held + piece[start:position]) is not None

    def _deepen(self) -> FileRow | None:
        self._depth += 1
        self._brackets += 1
        if self._brackets <= _MAX_BRACKETS:
            return None
        if not self._elements_at and not self._has_ended:
            raise unreadable(_NO_ARRAY)
        self._is_over = True
        return FileRow(self._number + bool(self._elements_at), problem=_TOO_MANY_BRACKETS)

    def _leave(self, mark: bytes, text: bytes) -> FileRow | None:
        """End an element, or a member of the object. A bracket also ends the array or object around it."""
        row = self._row(text, is_last=mark != b",") if self._elements_at else None
        self._held.clear()
        self._is_cut = False
        if mark == b",":
            return row
        self._has_ended |= self._elements_at > 0
        self._elements_at = 0
        self._depth -= 1
        if not self._depth and not self._has_ended:
            raise unreadable(_NO_ARRAY)
        return row

    def _row(self, text: bytes, *, is_last: bool) -> FileRow | None:
        self._hold(text)
        if is_last and not self._number and not self._held.strip():
            return None  # an empty array
        self._number += 1
        self._brackets = 0
        line = Line(self._number, bytes(self._held), self._is_cut)
        return row_of(line) or FileRow(self._number, problem=INVALID)

    def _hold(self, text: bytes) -> None:
        text = text if self._held else text.lstrip()
        room = MAX_ROW_BYTES - len(self._held)
        self._is_cut |= len(text) > room
        self._held += text[:room]


def _end_of(pattern: re.Pattern[bytes], piece: bytes, position: int) -> int:
    found = pattern.match(piece, position)
    return found.end() if found else position
