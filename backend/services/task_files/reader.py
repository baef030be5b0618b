"""Imports a file that arrives in pieces, and holds no more of it than the part that is stored next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, NamedTuple, TypeGuard
from uuid import UUID

from backend.database.giving_way import in_turns
from backend.errors import Conflict, Detail
from backend.formats.beginnings import LONGEST, refuse_other_files
from backend.formats.csv import CSVReader
from backend.formats.json_array import ArrayReader
from backend.formats.jsonl import JSONReader
from backend.formats.rows import ROW, FileRow, Reader, is_uid
from backend.models.base import Input
from backend.models.export import line_of, read_line
from backend.models.task_file import (
    MAX_BAD_ROWS,
    MAX_ERRORS,
    MAX_WARNINGS,
    AnyFormat,
    FileFormat,
    ImportedTask,
    ImportReport,
    ReadFormat,
    RowError,
    RowWarning,
    mended,
    read_task,
)
from backend.services.account.lines import LINES
from backend.services.registry import RESOURCES
from backend.services.resources.resource import Resource
from backend.services.task_files.import_rules import Link, Placed, Stored
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
MICROSECONDS = 1_000_000
MAX_LINKS = 10_000  # subtasks that the rows of a file name
_MANY_LINKS = Detail(
    ROW,
    "subtasks_left_out",
    f"The tasks of this file name more than {MAX_LINKS} subtasks: those from here on were left out. Split the file",
)
_UNFINISHED = Detail(
    ROW, "export_unfinished", "The export that begins here lacks its last line: part of it may be missing. Export again"
)
# What else an import takes, each with a part of its own: what comes later may name it.
_BESIDE = {each.kind: (each, each.imported) for each in RESOURCES if each.imported}
NO_ROOM = "The database is temporarily unavailable. What came before is stored: import the file again later."


class PartRow(NamedTuple):
    """A row to store, with the line that it begins on."""

    line: int
    placed: Placed
    mends: tuple[Detail, ...] = ()


class BesideRow(NamedTuple):
    """A row of another kind, with its line: it is the last row of its part, and tasks may name it after that."""

    line: int
    kind: str
    row: Input


Part = Sequence[PartRow | BesideRow | Link]


def reader_of(file_format: AnyFormat, zone: str) -> Reader:
    """Return a reader for a format. Times that name no zone are in this one."""
    if file_format is FileFormat.CALENDAR:
        # Its library is large, and most processes do not need it.
        from backend.formats.calendar.reader import CalendarReader  # noqa: PLC0415

        return CalendarReader(zone)
    readers: dict[AnyFormat, Callable[[], Reader]]
    readers = {FileFormat.JSON_LINES: JSONReader, FileFormat.CSV: CSVReader, ReadFormat.JSON: ArrayReader}
    return readers[file_format]()


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
    _beginning: bytes = b""
    _part: list[PartRow | BesideRow] = field(default_factory=list)
    _bytes: int = 0
    # The lines that wait for a parent, by its id, and whether each is counted as mended already.
    _waiting: dict[UUID, list[tuple[int, bool]]] = field(default_factory=dict)
    _links: dict[UUID, Link] = field(default_factory=dict)  # by the id of the subtask
    _in_second: dict[datetime, int] = field(default_factory=dict)  # how many tasks were created, less one
    _number: Counter[str] = field(default_factory=Counter)  # of rows beside tasks, by their kind
    _unfinished: int | None = None  # the line where an export of an account begins that has not ended

    @property
    def has_stopped(self) -> bool:
        """Return whether the rest of the file is ignored."""
        return self.report.stopped_at_line is not None

    def read(self, piece: bytes) -> Iterator[Part]:
        """Yield the parts that the next piece fills. Raises ValidationFailed for a file that cannot be read."""
        if len(self._beginning) < LONGEST:
            self._beginning += piece[: LONGEST - len(self._beginning)]
            refuse_other_files(self._beginning)
        return self._parts(self.reader.read(piece))

    def end(self) -> Iterator[Part]:
        """Yield the parts that are left at the end. Raises ValidationFailed for a file that cannot be read."""
        yield from self._parts(self.reader.end())
        if self._part:
            yield self._full()
        links = [*self._links.values()]
        yield from (links[start : start + PART_ROWS] for start in range(0, len(links), PART_ROWS))
        self._tell_who_waits()

    def store(self, part: Part) -> Part:
        """Store the beginning of a part, and add its results to the report; returns the rest, nearly always nothing.

        Raises ServiceUnavailable when the database is away.
        """
        links = [each for each in part if isinstance(each, Link)]
        if links:
            for link, problem in zip(links, self.service.join(links), strict=True):
                self._warn(link.line, (problem,) if problem else ())
        tasks = [row for row in part if isinstance(row, PartRow)]
        results = self.service.store([row.placed for row in tasks]) if tasks else []
        for row, result in in_turns(zip(tasks, results, strict=False)):
            if self._count(result, row.line):
                mends = row.mends + result.mends
                self.report.mended += bool(mends)
                self._warn(row.line, mends)
                self._waiting.pop(row.placed.id, None)
                if result.awaits is not None:
                    self._waiting.setdefault(result.awaits, []).append((row.line, bool(mends)))
                if result.left is not None and len(self._links) < MAX_LINKS:
                    again = Link(row.line, row.placed.id, result.left, row.placed.other_uids, in_same_list=True)
                    self._links.setdefault(again.id, again)
        is_whole = len(results) == len(tasks)
        for beside in (row for row in part if isinstance(row, BesideRow) and is_whole):
            self._count(self.service.bring(beside.kind, beside.row), beside.line)
        self.report.errors.sort(key=lambda error: error.line)
        self.report.warnings.sort(key=lambda warning: warning.line)
        return [] if is_whole else part[len(results) :]

    def _count(self, result: Stored | Detail, line: int) -> TypeGuard[Stored]:
        """Count what became of a row, and return whether it is stored."""
        if isinstance(result, Detail):
            self._report(line, result)
            return False
        setattr(self.report, result.fate, getattr(self.report, result.fate) + 1)
        return True

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
            is_full = len(self._part) >= PART_ROWS or self._bytes >= PART_BYTES or self._ends_beside
            if is_full or lines >= TURN_LINES:
                lines = 0
                yield self._full() if is_full else []

    def _take(self, row: FileRow) -> None:
        self._warn(row.line, row.notices)
        if row.is_skipped:
            self.report.skipped += 1
            return
        line = line_of(row.fields, LINES)
        if line is None:
            self._take_task(row)
        else:
            self._take_line(row, *line)

    def _take_line(self, row: FileRow, kind: str, data: Mapping[str, object]) -> None:
        """Take a line of an account's export. What is in the trash, and what an import does not take, is skipped."""
        if kind in {"account", "end"}:
            self._unfinished = row.line if kind == "account" else None
        elif kind not in {"task", *_BESIDE} or data.get("deleted_at") is not None:
            self.report.skipped += 1
        elif kind == "task":
            uid = data.get("uid")
            self._take_task(replace(row, fields=data, uid=uid if is_uid(uid) else None))
        else:
            read = self._read_beside(*_BESIDE[kind], data)
            if isinstance(read, Detail):
                self._report(row.line, read)
            else:
                self._part.append(BesideRow(row.line, kind, read))

    def _read_beside(self, resource: Resource[Any], model: type[Input], data: Mapping[str, object]) -> Input | Detail:
        """Read what is no task; returns a Detail for what is wrong with it, and if there are more than may be."""
        self._number[resource.kind] += 1
        try:
            resource.refuse_one_more(self._number[resource.kind] - 1)
        except Conflict as error:
            return replace(error.details[0], field=ROW)
        return read_line(model, data)

    @property
    def _ends_beside(self) -> bool:
        return bool(self._part) and isinstance(self._part[-1], BesideRow)

    def _take_task(self, row: FileRow) -> None:
        fitting, mends = fitted(row) if row.is_foreign else (row.fields, ())
        fields, more = mended(fitting)
        task = row.problem or read_task(fields)
        if isinstance(task, Detail):
            self._report(row.line, task)
        else:
            task_id = task.id or self.ids.next_of(task)
            task = self._in_order(task) if row.is_foreign else task
            placed = Placed(task_id, task, row.uid, row.other_uids, row.is_foreign)
            self._part.append(PartRow(row.line, placed, (*row.mends, *mends, *more)))
            self._bytes += row.size
            self._link(placed, row)

    def _in_order(self, task: ImportedTask) -> ImportedTask:
        """Create a task after the earlier ones of the same second: calendars have times to the second."""
        at = task.created_at
        if at is None or at.microsecond:
            return task
        earlier = self._in_second[at] = self._in_second.get(at, -1) + 1
        later = timedelta(microseconds=min(earlier, MICROSECONDS - 1))
        return task.model_copy(update={"created_at": at + later}) if earlier else task

    def _link(self, placed: Placed, row: FileRow) -> None:
        """Remember the subtasks that a row names. The first row that names one counts."""
        for each in row.subtasks:
            if len(self._links) >= MAX_LINKS:
                self._warn(row.line, (_MANY_LINKS,))
                return
            others = (*placed.other_uids, *([each.other] if each.other else ()))
            self._links.setdefault(each.id, Link(row.line, each.id, placed.id, others))

    def _tell_who_waits(self) -> None:
        """Warn of the rows whose parent has not come, and of an export whose end has not."""
        if self._unfinished is not None:
            self._report(self._unfinished, _UNFINISHED)
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
