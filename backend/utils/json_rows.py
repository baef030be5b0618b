"""Tasks as JSON lines: each is an object, and blank ones mean nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Never

from backend.errors import Detail
from backend.utils.rows import NOT_UTF_8, ROW, TOO_LONG, FileRow, Line, Lines

_INVALID = Detail(ROW, "json_invalid", "This is not valid JSON")
_NO_OBJECT = Detail(ROW, "object_type", "Each line must be a JSON object")
_REPEATED = Detail(ROW, "duplicate_key", "A key is there more than once")


class _RepeatedKeyError(Exception):
    """Readers would disagree about which one counts."""


@dataclass(slots=True)
class JSONReader:
    """Reads JSON lines."""

    _lines: Lines = field(default_factory=Lines)

    def read(self, piece: bytes) -> Iterator[FileRow]:
        """Give the rows that end in the next piece."""
        return _rows(self._lines.read(piece))

    def end(self) -> Iterator[FileRow]:
        """Give the row that ends with the file."""
        return _rows(self._lines.end())


class JSONWriter:
    """Writes JSON lines."""

    beginning = ""
    ending = ""

    def write(self, lines: str) -> str:
        """Write them as they are."""
        return lines


def _rows(lines: Iterable[Line]) -> Iterator[FileRow]:
    for line in lines:
        if line.is_cut:
            yield FileRow(line.number, problem=TOO_LONG)
        elif line.data.strip():
            yield _row(line)


def _row(line: Line) -> FileRow:
    problem = _INVALID
    try:
        fields = json.loads(line.data.decode(), object_pairs_hook=_unambiguous, parse_constant=_refuse_constant)
        if isinstance(fields, dict):
            return FileRow(line.number, fields, size=len(line.data))
        problem = _NO_OBJECT
    except UnicodeDecodeError:
        problem = NOT_UTF_8
    except _RepeatedKeyError:
        problem = _REPEATED
    except (ValueError, RecursionError):  # no JSON, or too much of it in itself
        pass
    return FileRow(line.number, problem=problem)


def _unambiguous(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) < len(members):
        raise _RepeatedKeyError
    return found


def _refuse_constant(name: str) -> Never:
    """Refuse NaN and Infinity, which are Python's idea and not JSON."""
    raise ValueError(name)
