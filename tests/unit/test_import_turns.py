"""How much of a file is read in one turn, and that skipping meaningless lines changes nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle, groupby
from types import SimpleNamespace

import pytest
from anyio import CapacityLimiter
from fastapi import Response
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.api.http.idempotency import OncePerKey
from backend.api.streams import upload as api_task_import
from backend.api.streams.upload import Import
from backend.database.connection_limiter import ConnectionLimiter
from backend.errors import Detail
from backend.formats.rows import MAX_ROW_BYTES, ROW, FileRow, Reader
from backend.models.task_file import MAX_BAD_ROWS, MAX_ERRORS, Fate, FileFormat
from backend.services.task_files.import_rules import Placed
from backend.services.task_files.import_rules import Stored as Result
from backend.services.task_files.import_service import Results
from backend.services.task_files.reader import TURN_LINES, TaskImport, reader_of

PIECE_BYTES = 64 * 1024
CALENDAR = b"BEGIN:VCALENDAR\n"
TODO = CALENDAR + b"BEGIN:VTODO\n"
HEADS = {FileFormat.JSON_LINES: b"", FileFormat.CSV: b"title,id\n", FileFormat.CALENDAR: CALENDAR}
GOOD = {
    FileFormat.JSON_LINES: b'{"title":"a"}\n',
    FileFormat.CSV: b"a\n",
    FileFormat.CALENDAR: b"BEGIN:VTODO\nSUMMARY:a\nEND:VTODO\n",
}
# With the number of the bad line.
BAD = {
    FileFormat.JSON_LINES: (b"{\n", 1),
    FileFormat.CSV: (b'"b"c\n', 1),
    FileFormat.CALENDAR: (CALENDAR + b"BEGIN:VTODO\nSUMMARY:\xff\nEND:VTODO\n", 2),
}


@dataclass
class Counting:
    """A reader that counts what it yields."""

    reader: Reader
    given: int = 0
    note: Callable[[], None] = lambda: None

    def read(self, piece: bytes) -> Iterator[FileRow | None]:
        return self._count(self.reader.read(piece))

    def end(self) -> Iterator[FileRow | None]:
        return self._count(self.reader.end())

    def _count(self, rows: Iterator[FileRow | None]) -> Iterator[FileRow | None]:
        for row in rows:
            self.given += 1
            self.note()
            yield row


@dataclass
class Stored:
    """Stands in for an account in which every row has this fate: a new task by default, none if the account is full."""

    user_id: str = "alice"
    sessions: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(list_id=None))
    titles: list[str] = field(default_factory=list)
    fate: Fate | Detail = Fate.CREATED

    def zone_of(self, _file_format: FileFormat) -> str:
        return "UTC"

    def store(self, rows: Sequence[Placed]) -> Results:
        self.titles += [row.task.title or "" for row in rows]
        return [Result(self.fate) if isinstance(self.fate, Fate) else self.fate] * len(rows)


def importing(file_format: FileFormat, stored: Stored | None = None) -> tuple[TaskImport, Counting]:
    reader = Counting(reader_of(file_format, "UTC"))
    return TaskImport(reader, stored or Stored()), reader  # type: ignore[arg-type]  # it is asked for nothing else


def turns(task_import: TaskImport, reader: Counting, data: bytes) -> list[int]:
    """Import a file; returns how much the reader yielded in each turn."""
    given = []
    for at in range(0, len(data), PIECE_BYTES):
        parts, before = task_import.read(data[at : at + PIECE_BYTES]), reader.given
        for part in parts:
            given.append(reader.given - before)
            if part:
                task_import.store(part)
            before = reader.given
        given.append(reader.given - before)
    return given


@pytest.mark.requirement("FR-241")
@pytest.mark.parametrize(
    ("file_format", "data"),
    [
        (FileFormat.JSON_LINES, b"{}\n" * 9000),
        (FileFormat.JSON_LINES, b'{"title":"a"}\n' * 9000),
        (FileFormat.CSV, b"title\n" + b"a,b\n" * 9000),
        (FileFormat.CSV, b'title\n"' + b"a\n" * (MAX_ROW_BYTES // 2 + 9000)),
        (FileFormat.CALENDAR, CALENDAR + b"BEGIN:X\n" * 9000),
        (FileFormat.CALENDAR, CALENDAR + b"END:X\n" * 9000),
        (FileFormat.CALENDAR, TODO + b"BEGIN:X\n" * 9000),
        (FileFormat.CALENDAR, TODO + b"SUMMARY:a\n" + b" a\n" * 40_000),
        (FileFormat.CALENDAR, TODO + b"UID:\n" * 9000),
        (FileFormat.CALENDAR, CALENDAR + b"BEGIN:VEVENT\nEND:VEVENT\n" * 4500),
    ],
    ids=range(10),
)
def test_a_turn_is_some_hundred_lines(file_format: FileFormat, data: bytes) -> None:
    task_import, reader = importing(file_format)

    given = turns(task_import, reader, data)

    assert max(given) <= TURN_LINES
    # The reader yielded something for each line it read, so all work was counted.
    assert reader.given >= data.count(b"\n")


@pytest.mark.requirement("FR-241")
@pytest.mark.parametrize("file_format", FileFormat)
def test_two_imports_take_turns(file_format: FileFormat, monkeypatch: pytest.MonkeyPatch) -> None:
    bad, _ = BAD[file_format]
    files = dict.fromkeys(("first", "second"), HEADS[file_format] + bad * 6000)
    looked_at = list[str]()

    async def both() -> list[Response]:
        imports = SimpleNamespace(
            computing=CapacityLimiter(1), authenticator=TakesAny(), connection_limiter=ConnectionLimiter(1, seconds=60)
        )
        running = [
            Import(imports, Sent(file), user, file_format).run(  # type: ignore[arg-type]
                Stored(),  # type: ignore[arg-type]
                OncePerKey(None, ()),
            )
            for user, file in files.items()
        ]
        monkeypatch.setattr(api_task_import, "reader_of", noting(looked_at, list(files)))
        return await asyncio.gather(*running)

    answers = asyncio.run(both())

    assert {json.loads(bytes(answer.body))["data"]["failed"] for answer in answers} <= {
        6000,
        6001,
    }  # the calendar has no end line
    taken = [(user, len(list(lines))) for user, lines in groupby(looked_at)]
    both_run = next(place for place, (user, _) in enumerate(taken) if user == "second")
    expected = [(user, TURN_LINES) for user, _ in zip(cycle(["second", "first"]), range(10), strict=False)]
    assert taken[both_run : both_run + 10] == expected


def noting(looked_at: list[str], users: list[str]) -> Callable[[FileFormat, str], Reader]:
    """Return a function that makes a reader for each user in turn and records whose line is read."""

    def noting_reader(file_format: FileFormat, zone: str) -> Reader:
        return Counting(reader_of(file_format, zone), note=partial(looked_at.append, users.pop(0)))

    return noting_reader


class TakesAny:
    """Stands in for the authenticator."""

    async def principal(self, _token: str) -> None:
        """Accept any token."""


class Sent:
    """A request whose file has already arrived."""

    def __init__(self, file: bytes) -> None:
        self.scope = {"headers": [(b"authorization", b"Bearer token")]}
        self._file = file

    async def stream(self) -> AsyncIterator[bytes]:
        """Give the whole file."""
        yield self._file


@pytest.mark.requirement("FR-241")
@pytest.mark.parametrize(
    ("file_format", "head", "nothing"),
    [
        (FileFormat.JSON_LINES, b"", b"\n"),
        (FileFormat.JSON_LINES, b"", b" \t\r\n"),
        (FileFormat.CSV, b"title\n", b"\n"),
        (FileFormat.CSV, b"title\n", b" \r\n"),
        (FileFormat.CSV, b"title\n", b",,\r\n"),
        (FileFormat.CALENDAR, b"", b"\n"),
        (FileFormat.CALENDAR, CALENDAR, b"\r\n"),
        (FileFormat.CALENDAR, CALENDAR, b"X-COMMENT:\n"),
        (FileFormat.CALENDAR, TODO, b"attach:\n base64\n\t more\n"),
        (FileFormat.CALENDAR, TODO, b"attach:base64\n\t more\n"),
    ],
    ids=range(10),
)
def test_lines_that_mean_nothing_are_counted_and_not_looked_at(
    file_format: FileFormat, head: bytes, nothing: bytes
) -> None:
    reader, (bad, place) = Counting(reader_of(file_format, "UTC")), BAD[file_format]
    lines = head + nothing * 10_000

    rows = [row for row in reader.read(lines + bad) if row]

    assert rows[-1].line == lines.count(b"\n") + place
    assert rows[-1].problem
    assert reader.given < 20


# Lines of each format, combined at random because their meaning may depend on their neighbours.
LINES = {
    FileFormat.JSON_LINES: [b"{}", b'{"title": "a"}', b"", b"  ", b"\r", b"\t ", b"{", b"\x0b"],
    FileFormat.CSV: [
        *(b"a", b'"a', b'"', b'"a"', b"", b" ", b"\r", b"a,b", b'a,"', b'","', b",", b",,\r", b", ", b"a,b,c", b'""'),
    ],
    FileFormat.CALENDAR: [
        *(b"BEGIN:VTODO", b"END:VTODO", b"begin:vevent", b"END:VEVENT", b"BEGIN:VALARM", b"END:VALARM"),
        *(b"BEGIN:VCALENDAR", b"END:VCALENDAR", b"BEGINNING:a", b"END", b"X-A:b", b"SUMMARYX:a", b" more", b"\tmore"),
        *(b"SUMMARY:a", b"summary;X=1:a", b"DESCRIPTION:a", b"UID:1", b"STATUS:COMPLETED", b"", b" ", b"\r"),
        *(b"X-TASK-API-SUMMARY:a", b"COMMENT:a", b"Status: COMPLETED", b"attach:a", b"ATTACH:", b"URL;X=1:a", b"word"),
        *(b"BEGIN:VTIMEZONE", b"END:VTIMEZONE", b"COMMENT;ENCODING=QUOTED-PRINTABLE:a=", b"DURATION:P1D"),
    ],
}


@pytest.mark.requirement("FR-241")
@pytest.mark.parametrize("file_format", FileFormat)
@settings(deadline=None, max_examples=400)
@given(data=st.data())
def test_skipping_lines_changes_nothing(file_format: FileFormat, data: st.DataObject) -> None:
    lines = data.draw(st.lists(st.sampled_from(LINES[file_format]), max_size=40))
    file = b"".join(line + b"\n" for line in [*HEADS[file_format].splitlines(), *lines])

    whole = rows_of(file_format, [file])

    # Byte by byte, no piece holds a whole line, so none is skipped.
    assert rows_of(file_format, [file[at : at + 1] for at in range(len(file))]) == whole
    assert rows_of(file_format, file.splitlines(keepends=True)) == whole


def rows_of(file_format: FileFormat, pieces: Sequence[bytes]) -> list[FileRow]:
    reader = reader_of(file_format, "UTC")
    rows = [row for piece in pieces for row in reader.read(piece)]
    return [row for row in [*rows, *reader.end()] if row]


@pytest.mark.requirement("FR-242")
def test_an_import_stops_at_the_row_behind_very_many_bad_ones() -> None:
    stored = Stored()
    task_import, reader = importing(FileFormat.JSON_LINES, stored)
    good = b'{"title": "before"}\n'
    begin = good + b"\n{}\n" * (MAX_BAD_ROWS - 1) + good + b"{}\n\n"

    turns(task_import, reader, begin)
    assert not task_import.has_stopped  # the rest may be empty
    turns(task_import, reader, b'{"title": "behind"}\n{}\n')

    assert stored.titles == ["before"] * 2
    report = task_import.report
    assert (report.created, report.failed, len(report.errors)) == (2, MAX_BAD_ROWS, MAX_ERRORS)
    assert report.stopped_at_line == begin.count(b"\n") + 1
    before = reader.given
    assert turns(task_import, reader, b"{}\n" * 50_000) == [0] * 3
    assert list(task_import.end()) == []
    assert reader.given == before
    assert task_import.report == report


@pytest.mark.requirement("FR-242")
def test_a_file_that_ends_with_the_last_bad_row_that_there_may_be_was_read_to_its_end() -> None:
    stored = Stored()
    task_import, reader = importing(FileFormat.JSON_LINES, stored)

    turns(task_import, reader, b'{"title": "a"}\n' + b"{}\n" * MAX_BAD_ROWS + b"\n" * 1000)
    parts = list(task_import.end())

    assert [len(part) for part in parts] == [1]
    assert (task_import.report.failed, task_import.report.stopped_at_line) == (MAX_BAD_ROWS, None)


@pytest.mark.requirement("FR-242")
@pytest.mark.parametrize("file_format", FileFormat)
def test_rows_that_cannot_be_stored_count_as_bad_ones(file_format: FileFormat) -> None:
    full = Stored(fate=Detail(ROW, "too_many_tasks", "Your account is full"))
    task_import, reader = importing(file_format, full)

    turns(task_import, reader, HEADS[file_format] + GOOD[file_format] * (2 * MAX_BAD_ROWS))

    assert len(full.titles) == task_import.report.failed == MAX_BAD_ROWS
    stopped_at = HEADS[file_format].count(b"\n") + MAX_BAD_ROWS * GOOD[file_format].count(b"\n") + 1
    assert task_import.report.stopped_at_line == stopped_at
