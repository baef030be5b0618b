"""Imports a file that arrives in pieces, and holds no more of it than the part that is stored next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple
from uuid import UUID

from backend.errors import Detail
from backend.formats.csv import CSVReader
from backend.formats.jsonl import JSONReader
from backend.formats.rows import FileRow, Reader
from backend.models.task_file import (
    MAX_BAD_ROWS,
    MAX_ERRORS,
    MAX_WARNINGS,
    FileFormat,
    ImportReport,
    RowError,
    RowWarning,
    mended,
    read_task,
)
from backend.services.task_files.import_rules import Placed
from backend.services.task_files.import_service import ImportService
from backend.services.task_files.mending import fitted
from backend.services.task_files.row_ids import RowIds

PART_ROWS = 250
PART_BYTES = 256 * 1024
TURN_LINES = 500  # lines that are read while other work waits for its turn: some milliseconds
_NO_PARENT = Detail(
    "parent_id",
    "parent_missing",
    "There is no task with this id. The task is stored, and has no parent until there is one: parent_id=none lists it",
)
NO_ROOM = "The database is temporarily unavailable. What came before is stored: import the file again later."


class PartRow(NamedTuple):
    """A row to store, with the line that it begins on."""

    line: int
    placed: Placed
    mends: tuple[Detail, ...] = ()


Part = list[PartRow]


def reader_of(file_format: FileFormat, zone: str) -> Reader:
    """Return a reader for a format. Times that name no zone are in this one."""
    if file_format is FileFormat.CALENDAR:
        # Its library is large, and most processes do not need it.
        from backend.formats.icalendar import CalendarReader  # noqa: PLC0415

        return CalendarReader(zone)
    return JSONReader() if file_format is FileFormat.JSON_LINES else CSVReader()


def _nothing_yet() -> ImportReport:
    counts = dict.fromkeys(("created", "updated", "restored", "unchanged", "failed", "mended", "skipped"), 0)
    return ImportReport(**counts, stopped_at_line=None, errors=[], warnings=[])


@dataclass(slots=True)
class TaskImport:
    """The import of one file: `read` and `end` yield parts, and `store` stores each of them.

    Each part ends a turn: a bounded amount of work, after which other work may run. If there is nothing to store yet,
    the part is empty. After too many bad rows, the import stops and reads no more.
    """

    reader: Reader
    service: ImportService
    ids: RowIds = field(default_factory=RowIds)
    report: ImportReport = field(default_factory=_nothing_yet)
    _part: Part = field(default_factory=list)
    _bytes: int = 0
    # The lines that wait for a parent, by its id, and whether each is counted as mended already.
    _waiting: dict[UUID, list[tuple[int, bool]]] = field(default_factory=dict)

    @property
    def has_stopped(self) -> bool:
        """Return whether the rest of the file is ignored."""
        return self.report.stopped_at_line is not None

    def read(self, piece: bytes) -> Iterator[Part]:
        """Yield the parts that the next piece fills. Raises ValidationFailed for a file that cannot be read."""
        return self._parts(self.reader.read(piece))

    def end(self) -> Iterator[Part]:
        """Yield the parts that are left at the end. Raises ValidationFailed for a file that cannot be read."""
        yield from self._parts(self.reader.end())
        if self._part:
            yield self._full()
        self._tell_who_waits()

    def store(self, part: Part) -> Part:
        """Store the beginning of a part, and add its results to the report; returns the rest, nearly always nothing.

        Raises ServiceUnavailable when the database is away.
        """
        results = self.service.store([row.placed for row in part])
        for row, result in zip(part, results, strict=False):
            if isinstance(result, Detail):
                self._report(row.line, result)
            else:
                setattr(self.report, result.fate, getattr(self.report, result.fate) + 1)
                mends = row.mends + result.mends
                self.report.mended += bool(mends)
                self._warn(row.line, mends)
                self._waiting.pop(row.placed.id, None)
                if result.awaits is not None:
                    self._waiting.setdefault(result.awaits, []).append((row.line, bool(mends)))
        self.report.errors.sort(key=lambda error: error.line)
        self.report.warnings.sort(key=lambda warning: warning.line)
        return part[len(results) :]

    def _parts(self, rows: Iterable[FileRow | None]) -> Iterator[Part]:
        if self.has_stopped:
            return
        lines = 0
        for row in rows:
            if row is not None:
                if self.report.failed >= MAX_BAD_ROWS:
                    self.report.stopped_at_line = row.line
                    yield self._full()
                    return
                self._take(row)
            lines += 1
            is_full = len(self._part) >= PART_ROWS or self._bytes >= PART_BYTES
            if is_full or lines >= TURN_LINES:
                lines = 0
                yield self._full() if is_full else []

    def _take(self, row: FileRow) -> None:
        self._warn(row.line, row.notices)
        if row.is_skipped:
            self.report.skipped += 1
            return
        fitting, mends = fitted(row) if row.is_foreign else (row.fields, ())
        fields, more = mended(fitting)
        task = row.problem or read_task(fields)
        if isinstance(task, Detail):
            self._report(row.line, task)
        else:
            placed = Placed(task.id or self.ids.next_of(task), task)
            self._part.append(PartRow(row.line, placed, (*row.mends, *mends, *more)))
            self._bytes += row.size

    def _tell_who_waits(self) -> None:
        """Warn of the rows whose parent has not come."""
        for line, is_mended in sorted(chain.from_iterable(self._waiting.values())):
            self.report.mended += not is_mended
            self._warn(line, (_NO_PARENT,))
        self.report.warnings.sort(key=lambda warning: warning.line)

    def _full(self) -> Part:
        part, self._part, self._bytes = self._part, [], 0
        return part

    def _report(self, line: int, problem: Detail) -> None:
        self.report.failed += 1
        if len(self.report.errors) < MAX_ERRORS:
            error = RowError(line=line, field=problem.field, code=problem.code, message=problem.message)
            self.report.errors.append(error)

    def _warn(self, line: int, details: Iterable[Detail]) -> None:
        room = MAX_WARNINGS - len(self.report.warnings)
        self.report.warnings += [
            RowWarning(line=line, field=detail.field, code=detail.code, message=detail.message)
            for detail, _ in zip(details, range(room), strict=False)
        ]
