"""Tasks as comma-separated values (RFC 4180), with the column names in the first row.

Spreadsheets treat a text as a formula if it begins with =, +, -, @ or the like, and a stranger's formula can do harm
(OWASP: CSV injection). The writer puts an apostrophe before such a text, which spreadsheets take for "this is text".
The reader removes it. A text that already begins with apostrophes and such a sign gets an apostrophe more, so that
every text comes back unchanged. An empty cell means no value, and a lone apostrophe an empty text. In a short row, the
missing cells are empty, because spreadsheets leave out empty cells at the end. Labels are separated by commas.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, repeat

from backend.errors import Detail
from backend.formats.fields import DAY, FIELDS, PLAIN, FileField
from backend.formats.rows import (
    MAX_ROW_BYTES,
    NOT_UTF_8,
    ROW,
    TOO_LONG,
    FileRow,
    Line,
    Lines,
    documents,
    unreadable,
)
from backend.utils.unknown_names import unknown_name

COLUMNS = tuple(FIELDS)
_KNOWN = {*COLUMNS, "user_id", "deleted_at", "uid", "request_hash"}

_BEGINS_A_FORMULA = r"(?:\s*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]|\Z)"
_TO_GUARD = re.compile(rf"'*{_BEGINS_A_FORMULA}")
_GUARDED = re.compile(rf"'+{_BEGINS_A_FORMULA}")
_SEPARATORS = (",", ";", "\t")  # as spreadsheets write them, depending on the country
_BLANK_ROWS = {mark: re.compile(rf"(?:(?:[\t\v\f\r ]*+|{mark}++\r?+)\n)++".encode()) for mark in _SEPARATORS}
_QUOTED = {mark: re.compile(rf'[^"{mark}][^{mark}]*|{mark}|(")'.encode()) for mark in _SEPARATORS}
_DAYS = {name for name, each in FIELDS.items() if each is DAY}
_AMBIGUOUS = re.compile(r"\s*[0-9]{1,2}[-/][0-9]{1,2}[-/](?:[0-9]{2}){1,2}\s*", re.ASCII)
_SEPARATOR_HINT = re.compile(rb'"?sep=.?"?\s*', re.IGNORECASE)  # what Excel takes from the first line

_UNCLOSED = Detail(ROW, "quote_unclosed", "A cell begins with a quotation mark, but has none at its end: add it")
_INVALID = Detail(ROW, "csv_invalid", 'Quote the whole cell ("…"), and double the quotation marks in it ("")')
_TOO_MANY_CELLS = Detail(
    ROW, "too_many_cells", "This row has more cells than the first row has names: quote those with commas"
)
NO_TITLE = Detail(
    "title",
    "missing",
    "The first row must contain the names of the columns, separated by commas, and one must be title",
)
_WHICH_DAY = "Countries read this day in different ways: write the year first, like 2026-05-04"
_TWICE = "This column appears more than once: keep one of them"


class CSVWriter:
    """Writes comma-separated values."""

    beginning = ",".join(COLUMNS) + "\r\n"
    ending = ""

    def write(self, lines: str) -> str:
        """Write a row for each task."""
        text = io.StringIO(newline="")
        rows = ([_cell(each, task[name]) for name, each in FIELDS.items()] for task in documents(lines))
        csv.writer(text, lineterminator="\r\n").writerows(rows)
        return text.getvalue()


def _cell(field: FileField, value: object) -> object:
    said = None if value is None else field.write(value)
    return f"'{said}" if field.is_text and said is not None and _TO_GUARD.match(said) else said


@dataclass(slots=True)
class CSVReader:
    """Reads comma-separated values. Columns may be in any order, and only `title` is required.

    The first row shows whether there are semicolons or tabs in place of the commas.
    """

    _separator: str = ","
    _lines: Lines = field(default_factory=lambda: Lines(_BLANK_ROWS[","]))
    _columns: list[str] | None = None
    _held: bytearray = field(default_factory=bytearray)  # an unfinished row: a cell has a line break in it
    _first: int = 0  # the number of its first line

    def read(self, piece: bytes) -> Iterator[FileRow | None]:
        """Yield the rows that end in the next piece."""
        for line in self._lines.read(piece):
            yield from self._take(line)

    def end(self) -> Iterator[FileRow | None]:
        """Yield the rows that end with the file."""
        for line in self._lines.end():
            yield from self._take(line)
        yield from self._give_up()
        if self._columns is None:
            raise unreadable(NO_TITLE)

    def _take(self, line: Line) -> Iterator[FileRow | None]:
        if line.is_cut or len(self._held) + len(line.data) > MAX_ROW_BYTES:
            yield from self._give_up()
        if line.is_cut:
            yield self._row(line.number, TOO_LONG)
            return
        is_open = _is_open(line.data, self._separator, is_open=bool(self._held))
        if not self._held:
            self._first = line.number
        self._held += line.data
        self._lines.skipped = None if is_open else _BLANK_ROWS[self._separator]  # in a cell, a blank line counts
        if is_open:
            yield None
        else:
            yield self._row(self._first, self._release())

    def _give_up(self) -> Iterator[FileRow | None]:
        """Read the held lines as separate rows. Only the first is bad: it opens a cell that never closes."""
        lines = Lines(_BLANK_ROWS[self._separator], self._first - 1)
        for line in chain(lines.read(self._release()), lines.end()):
            is_bad = _is_open(line.data, self._separator, is_open=False)
            yield self._row(line.number, _UNCLOSED if is_bad else line.data)

    def _release(self) -> bytes:
        held = bytes(self._held)
        self._held.clear()
        self._lines.skipped = _BLANK_ROWS[self._separator]
        return held

    def _row(self, line: int, content: bytes | Detail) -> FileRow | None:
        """Read a row; returns None for a blank row, and for the first row, which names the columns."""
        if isinstance(content, bytes) and (not content.strip() or (line == 1 and _SEPARATOR_HINT.fullmatch(content))):
            return None
        if self._columns is None and isinstance(content, bytes):
            self._separator = _separator_of(content) or ","
            self._lines.skipped = _BLANK_ROWS[self._separator]
        cells = content if isinstance(content, Detail) else _cells(content, self._separator)
        if isinstance(cells, list) and not any(cells):
            return None
        if self._columns is None:
            self._columns = _columns(cells)
            return None
        if isinstance(cells, Detail):
            return FileRow(line, problem=cells)
        if any(cells[len(self._columns) :]):
            return FileRow(line, problem=_TOO_MANY_CELLS)
        ambiguous = _ambiguous_day(self._columns, cells)
        return FileRow(line, _fields(self._columns, cells), ambiguous, size=sum(map(len, cells)))


def _is_open(line: bytes, separator: str, *, is_open: bool) -> bool:
    """Return whether a quoted cell is open after this line; `is_open` says whether it was open before."""
    mark = separator.encode()
    position = 0 if is_open else _next_quoted(line, 0, separator)
    while position >= 0:
        closing = line.find(b'"', position)
        if closing < 0:
            return True
        is_doubled = line[closing + 1 : closing + 2] == b'"'
        following = line.find(mark, closing) + 1 or len(line)
        position = closing + 2 if is_doubled else _next_quoted(line, following, separator)
    return False


def _next_quoted(line: bytes, start: int, separator: str) -> int:
    """Return where the next quoted cell begins, after its quotation mark; -1 if there is none."""
    if line.find(b'"', start) < 0:
        return -1
    while match := _QUOTED[separator].match(line, start):
        if match[1]:
            return match.end()
        start = match.end()
    return -1


def names_columns(row: bytes) -> bool:
    """Return whether a CSV can begin with this row: one of its cells is `title`."""
    return _separator_of(row) is not None


def _separator_of(first: bytes) -> str | None:
    """Return what separates the names in the first row: with it, one of them is `title`."""
    return next((mark for mark in _SEPARATORS if "title" in _names(_cells(first, mark))), None)


def _cells(row: bytes, separator: str) -> list[str] | Detail:
    try:
        (cells,) = csv.reader([row.decode()], delimiter=separator, strict=True)
    except UnicodeDecodeError:
        return NOT_UTF_8
    except (csv.Error, ValueError):
        return _INVALID
    return cells


def _columns(cells: list[str] | Detail) -> list[str]:
    """Read the names of the columns; raises ValidationFailed."""
    if isinstance(cells, Detail):
        raise unreadable(cells)
    names = _names(cells)
    while names and not names[-1]:
        names.pop()
    if "title" not in names:
        raise unreadable(NO_TITLE)
    for name in names:
        if name not in _KNOWN:
            raise unreadable(Detail(name or ROW, "extra_forbidden", unknown_name(name, COLUMNS, kind="column")))
        if names.count(name) > 1:
            raise unreadable(Detail(name, "repeated", _TWICE))
    return names


def _names(cells: list[str] | Detail) -> list[str]:
    return [] if isinstance(cells, Detail) else [cell.strip().lower() for cell in cells]


def _ambiguous_day(columns: Iterable[str], cells: list[str]) -> Detail | None:
    """Return the problem with a day that countries read differently, such as 05/04/2026."""
    named = zip(columns, cells, strict=False)
    name = next((name for name, cell in named if name in _DAYS and _AMBIGUOUS.fullmatch(cell)), None)
    return Detail(name, "day_format", _WHICH_DAY) if name else None


def _fields(columns: Iterable[str], cells: list[str]) -> dict[str, object]:
    named = zip(columns, chain(cells, repeat("")), strict=False)
    return {name: _value(FIELDS.get(name, PLAIN), cell) for name, cell in named}


def _value(field: FileField, cell: str) -> object:
    if not cell:
        return None
    return field.read(cell[1:] if field.is_text and _GUARDED.match(cell) else cell)
