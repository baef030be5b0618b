"""Tasks as JSON lines: each line is an object, and blank lines are ignored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from backend.errors import Detail
from backend.formats.csv import names_columns
from backend.formats.rows import BLANK_LINES, NOT_UTF_8, ROW, TOO_LONG, FileRow, Line, Lines, unreadable
from backend.utils.strict_json import RepeatedKeyError, refuse_constant, unambiguous

INVALID = Detail(
    ROW,
    "json_invalid",
    "This is not valid JSON: put keys and texts in double quotes, and check that nothing is cut off",
)
_TOO_DEEP = Detail(ROW, "json_invalid", "This is nested too deeply: a task has no brackets within brackets")
_NO_OBJECT = Detail(ROW, "object_type", "Each row must be a JSON object, like {…}")
_A_CSV = Detail(ROW, "json_invalid", "This file begins with the names of columns, as a CSV does: send it as text/csv")
_REPEATED = Detail(ROW, "duplicate_key", "A key appears more than once: keep one of them")


@dataclass(slots=True)
class JSONReader:
    """Reads JSON lines."""

    _lines: Lines = field(default_factory=lambda: Lines(BLANK_LINES))

    def read(self, piece: bytes) -> Iterator[FileRow | None]:
        """Return the rows that end in the next piece."""
        return map(_row_of, self._lines.read(piece))

    def end(self) -> Iterator[FileRow | None]:
        """Return the row that ends with the file."""
        return map(_row_of, self._lines.end())


class JSONWriter:
    """Writes JSON lines."""

    beginning = ""
    ending = ""

    def write(self, lines: str) -> str:
        """Return the lines unchanged."""
        return lines


def _row_of(line: Line) -> FileRow | None:
    if line.number == 1 and names_columns(line.data):
        raise unreadable(_A_CSV)
    return row_of(line)


def row_of(line: Line) -> FileRow | None:
    """Read an object; returns None for a blank line."""
    if line.is_cut:
        return FileRow(line.number, problem=TOO_LONG)
    if not line.data.strip():
        return None
    problem = INVALID
    try:
        fields = _DECODER.decode(line.data.decode())
        if isinstance(fields, dict):
            return FileRow(line.number, fields, size=len(line.data))
        problem = _NO_OBJECT
    except UnicodeDecodeError:
        problem = NOT_UTF_8
    except RepeatedKeyError:
        problem = _REPEATED
    except RecursionError:
        problem = _TOO_DEEP
    except ValueError:
        pass
    return FileRow(line.number, problem=problem)


# Made once: json.loads() would make one for each row.
_DECODER = json.JSONDecoder(object_pairs_hook=unambiguous, parse_constant=refuse_constant)
