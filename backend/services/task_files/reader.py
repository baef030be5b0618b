"""Imports a file that arrives in pieces, and holds no more of it than the part that is stored next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from backend.errors import Detail
from backend.formats.csv import CSVReader
from backend.formats.jsonl import JSONReader
from backend.formats.rows import FileRow, Reader
from backend.models.task_file import (
    MAX_BAD_ROWS,
    MAX_ERRORS,
    MAX_WARNINGS,
    FileFormat,
    ImportedTask,
    ImportReport,
    RowError,
    RowWarning,
    mended,
    read_task,
)
from backend.services.task_files.import_service import ImportService

PART_ROWS = 250
PART_BYTES = 256 * 1024
TURN_LINES = 500  # lines that are read while other work waits for its turn: some milliseconds
NO_ROOM = "The database is temporarily unavailable. What came before is stored: import the file again later."


class PartRow(NamedTuple):
    """A row to store, with the line that it begins on."""

    line: int
    task: ImportedTask
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
    report: ImportReport = field(default_factory=_nothing_yet)
    _part: Part = field(default_factory=list)
    _bytes: int = 0

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

    def store(self, part: Part) -> None:
        """Store a part, and add its results to the report. Raises ServiceUnavailable when the database is away."""
        fates = self.service.store([row.task for row in part])
        for row, fate in zip(part, fates, strict=True):
            if isinstance(fate, Detail):
                self._report(row.line, fate)
            else:
                setattr(self.report, fate, getattr(self.report, fate) + 1)
                self.report.mended += bool(row.mends)
                self._warn(row.line, row.mends)
        self.report.errors.sort(key=lambda error: error.line)
        self.report.warnings.sort(key=lambda warning: warning.line)

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
        fields, mends = mended(row.fields)
        task = row.problem or read_task(fields)
        if isinstance(task, Detail):
            self._report(row.line, task)
        else:
            self._part.append(PartRow(row.line, task, (*row.mends, *mends)))
            self._bytes += row.size

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
