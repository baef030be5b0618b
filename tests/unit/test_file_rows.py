"""What readers find in files, and that they read back what writers wrote, even byte by byte."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar, Todo

from backend.errors import ValidationFailed
from backend.formats.csv import COLUMNS
from backend.formats.rows import MAX_ROW_BYTES, FileRow, Lines
from backend.models.task_file import FileFormat
from backend.services.task_files.export_service import writer_of
from backend.services.task_files.reader import reader_of
from backend.utils.priorities import PriorityNumber, word_of
from tests.fixtures.calls.task_files import DESCRIPTIONS, LABELS, LARGEST, STATUSES, TITLES

NOW = "2026-11-21T09:30:00.123456+00:00"
ID = "0197c1f0-7a3b-7c4d-8e5f-6a7b8c9d0e1f"
OTHER_ID = "0197c1f0-7a3b-7c4d-8e5f-6a7b8c9d0e20"
OTHERS = uuid.UUID("5f0c9d1e-52c5-4f6d-9d0a-6a1f3b7e2c48")  # namespace of ids made from other programs' UIDs
LONG = "x" * 1000 + "\n"
CALENDAR = "BEGIN:VCALENDAR\r\n{}\r\nEND:VCALENDAR\r\n"


def read(file_format: FileFormat, data: bytes, step: int = MAX_ROW_BYTES, zone: str = "UTC") -> list[FileRow]:
    """Read a file that arrives in pieces of this size."""
    reader = reader_of(file_format, zone)
    rows = [row for at in range(0, len(data), step) for row in reader.read(data[at : at + step])]
    return [row for row in [*rows, *reader.end()] if row]


def found(file_format: FileFormat, text: str) -> list[Any]:
    """Read a file; returns the fields of each row, or its line and what is wrong with it."""
    return [
        (row.line, row.problem.field, row.problem.code) if row.problem else dict(row.fields)
        for row in read(file_format, text.encode())
        if not row.is_skipped
    ]


def task_of(
    number: int,
    title: str,
    description: str | None,
    *,
    status: str = "todo",
    dates: dict[str, str] | None = None,
) -> dict[str, Any]:
    completed = status == "done"
    return {
        "id": str(uuid.UUID(int=number)),
        "user_id": "alice",
        "title": title,
        "description": description,
        "completed": completed,
        "completed_at": NOW if completed else None,
        "created_at": NOW,
        "updated_at": NOW,
        "revision": number + 1,
        "status": status,
        **dict.fromkeys(("due_date", "due_at", "start_date", "start_at", "timezone")),
        **(dates or {}),
        "priority": None,
        "labels": [],
        "list_id": None,
        "position": "i000000001",
        "parent_id": None if number % 2 else str(uuid.UUID(int=number + 1)),
    }


NO_DATES = dict.fromkeys(("due_date", "due_at", "start_date", "start_at", "timezone"))
SOME_DAYS: st.SearchStrategy[dict[str, str | None]] = st.dates().map(lambda day: {"due_date": day.isoformat()})
SOME_ZONES = ["Europe/Berlin", "Pacific/Auckland", "America/St_Johns", "Australia/Lord_Howe", "Etc/GMT+12"]
# Many of them within an hour that clocks show twice.
SOME_TIMES = st.datetimes(timezones=st.just(UTC)) | st.datetimes(
    datetime(2026, 10, 24, 23),  # noqa: DTZ001 - naive bounds
    datetime(2026, 10, 25, 3),  # noqa: DTZ001
    timezones=st.just(UTC),
)


@st.composite
def some_dates(draw: st.DrawFn) -> dict[str, str | None]:
    """Draw the dates of a task, as an answer has them."""
    if draw(st.booleans()):
        return draw(SOME_DAYS)
    start, due = sorted([draw(SOME_TIMES), draw(SOME_TIMES)])
    return {
        "start_at": start.isoformat(),
        "due_at": due.isoformat(),
        "timezone": draw(st.none() | st.sampled_from(SOME_ZONES)),
    }


def written(file_format: FileFormat, *tasks: dict[str, Any]) -> bytes:
    writer = writer_of(file_format)
    lines = "".join(json.dumps(task, ensure_ascii=False) + "\n" for task in tasks)
    return (writer.beginning + writer.write(lines) + writer.ending).encode()


@pytest.mark.requirement("FR-227")
@pytest.mark.parametrize("file_format", FileFormat)
@settings(deadline=None, max_examples=150)
@given(
    texts=st.lists(st.tuples(TITLES, DESCRIPTIONS, STATUSES, some_dates(), LABELS), max_size=4), step=st.integers(1, 60)
)
def test_what_is_written_is_read(
    file_format: FileFormat, texts: list[tuple[str, str | None, str, dict[str, str], list[str]]], step: int
) -> None:
    tasks = [
        task_of(number, *text[:2], status=text[2], dates=text[3]) | {"labels": text[4]}
        for number, text in enumerate(texts)
    ]

    rows = read(file_format, written(file_format, *tasks), step)

    assert [row.problem for row in rows] == [None] * len(tasks)
    for row, task in zip(rows, tasks, strict=True):
        names = ("id", "title", "description", "status", *NO_DATES)
        assert {name: row.fields[name] for name in names} == {name: task[name] for name in names}
        assert (row.fields["labels"] or []) == task["labels"]
        assert row.fields["created_at"] == NOW


@pytest.mark.requirement("FR-227", "FR-224")
@pytest.mark.parametrize("file_format", FileFormat)
@pytest.mark.parametrize("description", LARGEST[1:])
def test_the_largest_task_fits_into_a_row(file_format: FileFormat, description: str) -> None:
    labels = [chr(0x1F95B + number) + "\U0001f95b" * 59 for number in range(50)]
    tasks = [task_of(number, LARGEST[0], description, status="done") | {"labels": labels} for number in range(2)]
    file = written(file_format, *tasks)
    if file_format is FileFormat.JSON_LINES:
        file = "".join(json.dumps(task) + "\n" for task in tasks).encode()  # with every character escaped

    rows = read(file_format, file, 1000)

    assert [row.fields["description"] for row in rows] == [description] * 2
    assert [row.fields["labels"] for row in rows] == [labels] * 2


@pytest.mark.requirement("FR-224")
def test_no_more_of_a_line_is_held_than_a_row_may_have() -> None:
    lines = Lines()
    for _ in range(100):
        assert list(lines.read(b"x" * MAX_ROW_BYTES)) == []
        assert len(lines._held) == MAX_ROW_BYTES  # noqa: SLF001 - what it holds cannot be seen otherwise

    assert [(line.number, len(line.data), line.is_cut) for line in lines.read(b"\ny\n")] == [
        (1, MAX_ROW_BYTES, True),
        (2, 2, False),
    ]


@pytest.mark.requirement("FR-225")
@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("{", "json_invalid"),
        ("[" * 100_000, "json_invalid"),
        ('{"title": NaN}', "json_invalid"),
        ("9" * 10_000, "json_invalid"),
        ('[{"title": "a"}]', "object_type"),
        ('"a"', "object_type"),
        ('{"title": "a", "title": "b"}', "duplicate_key"),
        ("x" * MAX_ROW_BYTES, "row_too_long"),
    ],
    ids=lambda value: value[:20],
)
def test_a_bad_line_of_json_is_bad_alone(line: str, code: str) -> None:
    good = '{"title": "a"}'

    assert found(FileFormat.JSON_LINES, f"\ufeff{good}\r\n\n  \n{line}\n{good}") == [
        {"title": "a"},
        (4, "row", code),
        {"title": "a"},
    ]


@pytest.mark.requirement("FR-224")
@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("title\na\n", [{"title": "a"}]),
        ("\ufeff\r\nDescription,TITLE,\r\nb,a,\r\n,,,\r\n\r\n", [{"title": "a", "description": "b"}]),
        ("title,description\na\n", [{"title": "a", "description": None}]),
        ("title,description\na,\n", [{"title": "a", "description": None}]),
        ("title,description\na,'\n", [{"title": "a", "description": ""}]),
        ("title,completed\na,TRUE\nb,False\nc,\nd,yes\n",
         [{"title": "a", "completed": True}, {"title": "b", "completed": False}, {"title": "c", "completed": None},
          {"title": "d", "completed": "yes"}]),
        ('title\n"a\r\nb"\n"c ""d"", e"\n', [{"title": "a\r\nb"}, {"title": 'c "d", e'}]),
        ('title,id\n5" disk\n5" a,"b"\n', [{"title": '5" disk', "id": None}, {"title": '5" a', "id": "b"}]),
        ("title\n'=1+1\n''=1+1\n", [{"title": "=1+1"}, {"title": "'=1+1"}]),
        ("title\n'tis\n' =x\n", [{"title": "'tis"}, {"title": " =x"}]),
        ("title,description\n,b\n", [{"title": None, "description": "b"}]),
        ('title,labels\na,"home, errand"\nb,\nc,"\'=x,y"\nd,","\n',
         [{"title": "a", "labels": ["home", " errand"]}, {"title": "b", "labels": None},
          {"title": "c", "labels": ["=x", "y"]}, {"title": "d", "labels": []}]),
    ],
)  # fmt: skip
def test_csv_is_read_as_people_and_spreadsheets_write_it(text: str, rows: list[dict[str, object]]) -> None:
    assert found(FileFormat.CSV, text) == rows


@pytest.mark.requirement("FR-400")
@pytest.mark.parametrize("step", [1, 7, MAX_ROW_BYTES])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("first", ["\ufeff", "\n\n"])
def test_the_first_row_shows_what_separates_cells(separator: str, first: str, step: int) -> None:
    rows = [
        f'{first}id|"title"|Labels', '|"a|b"|"x,y"', "||", "", f'{ID}|"c\r\n\r\n""d"""|', '|"k"l|', "|m||n", "|o|p",
    ]  # fmt: skip
    text = "\r\n".join(rows).replace("|", separator)

    found_rows = read(FileFormat.CSV, text.encode(), step)

    line = 2 if first == "\ufeff" else 4
    assert [dict(row.fields) or (row.line, row.problem and row.problem.code) for row in found_rows] == [
        {"id": None, "title": f"a{separator}b", "labels": ["x", "y"]},
        {"id": ID, "title": 'c\r\n\r\n"d"', "labels": None},
        (line + 6, "csv_invalid"),
        (line + 7, "too_many_cells"),
        {"id": None, "title": "o", "labels": ["p"]},
    ]


@pytest.mark.requirement("FR-225")
@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("title\na,b\nc\n", [(2, "row", "too_many_cells"), {"title": "c"}]),
        ('title\n"a"b\nc\n', [(2, "row", "csv_invalid"), {"title": "c"}]),
        ('title\na\n"b\nc\n"d', [{"title": "a"}, (3, "row", "csv_invalid")]),
        ('title\n"b\nc\nd\n', [(2, "row", "quote_unclosed"), {"title": "c"}, {"title": "d"}]),
        ('title,id\n"b\n\nc,\n' + LONG * 140 + "d\n",
         [(2, "row", "quote_unclosed"), *[{"title": each, "id": None} for each in ["c", *[LONG.strip()] * 140, "d"]]]),
        ("title\n" + "a" * MAX_ROW_BYTES + '\n"b\n' + "c" * MAX_ROW_BYTES + "\nd\n",
         [(2, "row", "row_too_long"), (3, "row", "quote_unclosed"), (4, "row", "row_too_long"), {"title": "d"}]),
    ],
    ids=range(6),
)  # fmt: skip
def test_a_bad_row_of_csv_is_bad_alone(text: str, rows: list[object]) -> None:
    assert found(FileFormat.CSV, text) == rows


@pytest.mark.requirement("FR-224", "FR-227")
def test_no_cell_begins_like_a_formula() -> None:
    texts = ["=1", "+1", "-1", "@a", "\t=1", "\r=1", " =1", "\uff1d1", "'=1", "''@"]
    data = written(FileFormat.CSV, *(task_of(1, "a", text) for text in texts)).decode()

    assert data.startswith(",".join(COLUMNS) + "\r\n")
    assert [row.split(",")[2].lstrip('"')[0] for row in data.split("\r\n")[1:-1]] == ["'"] * len(texts)


@pytest.mark.requirement("FR-226", "FR-224")
def test_a_calendar_of_another_program_is_read() -> None:
    todo = "\n".join(
        [
            "begin:vtodo", "DTSTAMP:20260101T000000Z", "UID:a b@example.com", 'SUMMARY;LANGUAGE=en;X="a:b":Milk\\, eg',
            " gs\\; \\\\", "\t and more", "RRULE:FREQ=DAILY", "CATEGORIES:a", " b", "COMPLETED:20260102T030405Z",
            "CREATED:20250102T030405Z", "ATTACH:" + "x" * 300_000, "BEGIN:VALARM",
            "DESCRIPTION:not this one", "END:VALARM", "END:VALARM",  # the second ends nothing
            "DESCRIPTION:a\\nb\\Nc", "DESCRIPTION:nor this", "END:VTODO",
        ]
    )  # fmt: skip
    zone = "BEGIN:VTIMEZONE\nTZID:X\nBEGIN:STANDARD\nEND:STANDARD\nEND:VTIMEZONE"

    (row,) = found(FileFormat.CALENDAR, CALENDAR.format(f"{zone}\n{todo}"))

    assert uuid.UUID(row.pop("id")).version == 5
    assert row == {
        "title": "Milk, eggs; \\ and more",
        "description": "a\nb\nc",
        "completed": True,
        "completed_at": "2026-01-02T03:04:05+00:00",
        "created_at": "2025-01-02T03:04:05+00:00",
        "labels": ["ab"],
    }


@pytest.mark.requirement("FR-226")
@pytest.mark.parametrize(
    ("properties", "said"),
    [
        (f"UID:{ID}", {"id": ID}),
        (f"UID:{ID.upper()}\nSTATUS:completed", {"id": str(uuid.uuid5(OTHERS, ID.upper())), "status": "done"}),
        ("STATUS:IN-PROCESS\nCOMPLETED:no time", {"status": "in_progress"}),
        ("STATUS:Needs-Action", {"status": "todo"}),
        ("STATUS:CANCELLED\nPERCENT-COMPLETE:100", {"status": "cancelled"}),
        ("STATUS:CONFIRMED\nPERCENT-COMPLETE:100", {"completed": True}),
        ("STATUS:CONFIRMED", {}),
        ("PERCENT-COMPLETE:", {"completed": False}),
        ("PERCENT-COMPLETE:100", {"completed": True}),
        ("PERCENT-COMPLETE:50\nDESCRIPTION:", {"status": "in_progress", "description": None}),
        ('DESCRIPTION:\nX-TASK-API-DESCRIPTION:""', {"description": ""}),
        ("DESCRIPTION:\nX-TASK-API-DESCRIPTION:[", {"description": None}),
        ("STATUS: \nSUMMARY:", {"status": None, "title": None}),
        ("STATUS:\nPERCENT-COMPLETE:\nCOMPLETED:", {"status": None}),
        ("STATUS:\nCOMPLETED:no time", {"completed": True}),
        ("PERCENT-COMPLETE:0", {"completed": False}),
        ("COMPLETED:", {"completed": False}),
        ("X-TASK-API-CATEGORIES:\nX-TASK-API-POSITION:", {"labels": [], "position": None}),
        ("X-TASK-API-CATEGORIES:\nCATEGORIES:a", {"labels": ["a"]}),
        ('SUMMARY:a\nX-TASK-API-SUMMARY:"a\\\\u0001"', {"title": "a\x01"}),
        ('SUMMARY:edited\nX-TASK-API-SUMMARY:"a\\\\u0001"', {"title": "edited"}),
        ("SUMMARY:a\nX-TASK-API-SUMMARY:[", {"title": "a"}),
        ("SUMMARY:a\nX-TASK-API-SUMMARY:1", {"title": "a"}),
    ],
)
def test_properties_say_what_fields_do(properties: str, said: dict[str, object]) -> None:
    rows = found(FileFormat.CALENDAR, CALENDAR.format(f"BEGIN:VTODO\n{properties}\nEND:VTODO"))

    assert rows == [said]


@pytest.mark.requirement("FR-342")
@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ("SUMMARY:a", {}),
        (f"X-TASK-API-LIST:{ID}", {"list_id": ID}),
        (f"x-task-api-list;X=y: {ID} ", {"list_id": ID}),
        ("X-TASK-API-LIST:", {"list_id": None}),
        ("X-TASK-API-LIST: \nSUMMARY:a", {"list_id": None}),
        (f"X-TASK-API-LIST:{ID}\nX-TASK-API-LIST:{OTHER_ID}\nX-TASK-API-LIST:", {"list_id": ID}),
        (f"X-TASK-API-LIST:\nX-TASK-API-LIST:{ID}", {"list_id": None}),
        ("X-TASK-API-LIST:none", {"list_id": "none"}),
    ],
)
def test_a_calendar_names_the_list_or_the_inbox_or_neither(properties: str, said: dict[str, object]) -> None:
    (fields,) = found(FileFormat.CALENDAR, CALENDAR.format(f"BEGIN:VTODO\n{properties}\nEND:VTODO"))

    assert {name: value for name, value in fields.items() if name == "list_id"} == said


@pytest.mark.requirement("FR-367")
@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ("SUMMARY:a", {}),
        (f"RELATED-TO:{ID}", {"parent_id": ID}),
        (f"related-to;X=y;reltype=parent: {ID} ", {"parent_id": ID}),
        (f"RELATED-TO;RELTYPE=CHILD:{OTHER_ID}\nRELATED-TO;RELTYPE=PARENT:{ID}", {"parent_id": ID}),
        (f"RELATED-TO;RELTYPE=SIBLING:{ID}", {}),
        (f"RELATED-TO;RELTYPE=PARENT,CHILD:{ID}", {}),
        (f"RELATED-TO:{ID}\nRELATED-TO:{OTHER_ID}", {"parent_id": ID}),
        ("X-TASK-API-PARENT:", {"parent_id": None}),
        (f"X-TASK-API-PARENT:\nRELATED-TO:{ID}", {"parent_id": ID}),
        ("RELATED-TO:", {"parent_id": None}),
        ("RELATED-TO:other@example.com", {"parent_id": str(uuid.uuid5(OTHERS, "other@example.com"))}),
    ],
)
def test_a_calendar_names_the_parent_or_none_or_neither(properties: str, said: dict[str, object]) -> None:
    (fields,) = found(FileFormat.CALENDAR, CALENDAR.format(f"BEGIN:VTODO\n{properties}\nEND:VTODO"))

    assert {name: value for name, value in fields.items() if name == "parent_id"} == said


@pytest.mark.requirement("FR-294")
@pytest.mark.parametrize(
    ("properties", "labels"),
    [
        ("CATEGORIES:home,errand", ["home", "errand"]),
        ("CATEGORIES;LANGUAGE=en:home\nUID:1\nCategories:errand,", ["home", "errand"]),
        ('CATEGORIES;X="a:b":a\\;b,c\\\\,d\nCATEGORIES:', ["a;b", "c\\", "d"]),
        ("CATEGORIES:one\\, two,three", ["one, two", "three"]),
        ("CATEGORIES:\nCATEGORIES: ,", []),
        ("CATEGORIES:ho\n me", ["home"]),
    ],
)
def test_categories_are_labels_in_one_line_or_several(properties: str, labels: list[str]) -> None:
    (fields,) = found(FileFormat.CALENDAR, CALENDAR.format(f"BEGIN:VTODO\n{properties}\nEND:VTODO"))

    assert fields["labels"] == labels


@pytest.mark.requirement("FR-294")
def test_many_lines_of_categories_are_as_long_as_a_row_may_be() -> None:
    lines = "CATEGORIES:a\n" * (MAX_ROW_BYTES // len("CATEGORIES:a\n"))

    fits, too_long = found(
        FileFormat.CALENDAR,
        CALENDAR.format(f"BEGIN:VTODO\n{lines}END:VTODO\nBEGIN:VTODO\n{lines}SUMMARY:a\nEND:VTODO"),
    )

    assert fits["labels"] == ["a"] * (MAX_ROW_BYTES // len("CATEGORIES:a\n"))
    assert too_long[1:] == ("row", "row_too_long")


@pytest.mark.requirement("FR-283")
@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ("DUE;VALUE=DATE:20261121", {"due_date": "2026-11-21"}),
        ("DUE:20261121\nDTSTART:20261120", {"due_date": "2026-11-21", "start_date": "2026-11-20"}),
        ("DUE:20261121T093000Z", {"due_at": "2026-11-21T09:30:00+00:00"}),
        ("DUE:20261121T093000", {"due_at": "2026-11-21T09:30:00+00:00"}),
        (
            "DUE;TZID=Europe/Berlin:20261121T093000",
            {"due_at": "2026-11-21T08:30:00+00:00", "timezone": "Europe/Berlin"},
        ),
        (
            'DUE;TZID="W. Europe Standard Time":20260721T093000\nDURATION:PT1H',
            {"due_at": "2026-07-21T07:30:00+00:00", "timezone": "Europe/Berlin"},
        ),
        (
            "DTSTART;TZID=Asia/Tokyo:20261121T093000\nDUE;TZID=Europe/Berlin:20261121T093000",
            {
                "start_at": "2026-11-21T00:30:00+00:00",
                "due_at": "2026-11-21T08:30:00+00:00",
                "timezone": "Europe/Berlin",
            },
        ),
        # Clocks skip this time, and show the next one twice.
        (
            "DUE;TZID=Europe/Berlin:20260329T023000",
            {"due_at": "2026-03-29T01:30:00+00:00", "timezone": "Europe/Berlin"},
        ),
        (
            "DUE;TZID=Europe/Berlin:20261025T023000",
            {"due_at": "2026-10-25T00:30:00+00:00", "timezone": "Europe/Berlin"},
        ),
        (
            "DUE:20261025T013000Z\nX-TASK-API-TIMEZONE:Europe/Berlin",
            {"due_at": "2026-10-25T01:30:00+00:00", "timezone": "Europe/Berlin"},
        ),
        (
            "DUE:20261121T093000Z\nX-TASK-API-DUE:2026-11-21T09:30:00.120000+00:00",
            {"due_at": "2026-11-21T09:30:00.120000+00:00"},
        ),
        (
            "DUE:20261121T093001Z\nX-TASK-API-DUE:2026-11-21T09:30:00.120000+00:00",
            {"due_at": "2026-11-21T09:30:01+00:00"},
        ),
        ("DUE:20261121T093000Z\nX-TASK-API-DUE:now", {"due_at": "2026-11-21T09:30:00+00:00"}),
        ("DUE:20261121\nX-TASK-API-TIMEZONE:Europe/Berlin", {"due_date": "2026-11-21"}),
        (
            "DUE:20261121T093000Z\nX-TASK-API-TIMEZONE:Atlantis",
            {"due_at": "2026-11-21T09:30:00+00:00", "timezone": None},
        ),
        ("DUE:\nX-TASK-API-DTSTART:\nX-TASK-API-TIMEZONE:", NO_DATES),
        ("X-TASK-API-DUE:2026-11-21T09:30:00.120000+00:00\nX-TASK-API-TIMEZONE:Europe/Berlin", {}),
    ],
)
def test_dates_of_a_calendar_are_read(properties: str, said: dict[str, str]) -> None:
    rows = found(FileFormat.CALENDAR, CALENDAR.format(f"BEGIN:VTODO\n{properties}\nEND:VTODO"))

    named = [name for name in ("due", "start") if any(each.startswith(name) for each in said)]
    assert rows == [{f"{name}_{kind}": None for name in named for kind in ("date", "at")} | said]


@pytest.mark.requirement("FR-283")
@pytest.mark.parametrize(
    ("line", "due_at"),
    [
        ("DUE:20260721T093000", "2026-07-20T21:30:00+00:00"),
        ("DUE:20260721T093000Z", "2026-07-21T09:30:00+00:00"),
        ("DUE;TZID=Asia/Tokyo:20260721T093000", "2026-07-21T00:30:00+00:00"),
    ],
)
def test_a_time_that_names_no_zone_is_in_that_of_the_reader(line: str, due_at: str) -> None:
    file = CALENDAR.format(f"BEGIN:VTODO\n{line}\nEND:VTODO").encode()
    (row,) = read(FileFormat.CALENDAR, file, zone="Pacific/Auckland")

    assert row.fields["due_at"] == due_at


@pytest.mark.requirement("FR-283")
def test_a_zone_is_written_once_and_another_library_finds_the_time() -> None:
    dates = {"due_at": "2026-11-21T08:30:00+00:00", "timezone": "Europe/Berlin"}
    tasks = [task_of(number, "a", None, dates=dates) for number in range(3)]
    calendar = Calendar.from_ical(written(FileFormat.CALENDAR, *tasks))

    assert [zone["TZID"] for zone in calendar.walk("VTIMEZONE")] == ["Europe/Berlin"]
    dues: list[Any] = [task["DUE"] for task in calendar.walk("VTODO")]
    assert [str(due.dt) for due in dues] == ["2026-11-21 09:30:00+01:00"] * 3


@pytest.mark.requirement("FR-283")
@pytest.mark.parametrize(("cell", "value"), [("", None), ("2026-11-21", "2026-11-21")])
def test_an_empty_cell_of_a_date_clears_it(cell: str, value: str | None) -> None:
    assert found(FileFormat.CSV, f"title,due_date\na,{cell}\n") == [{"title": "a", "due_date": value}]
    assert found(FileFormat.CSV, "title\na\n") == [{"title": "a"}]


@pytest.mark.requirement("FR-225")
@pytest.mark.parametrize(
    ("component", "code"),
    [
        ("BEGIN:VTODO\nSUMMARY:a", "row component_unfinished"),
        ("BEGIN:VTODO\nBEGIN:VALARM\nSUMMARY:a", "row component_unfinished"),
        ("BEGIN:VTODO\nSUMMARY;A:a\nEND:VTODO", "row calendar_invalid"),
        ("BEGIN:VTODO\nSUMMARY\nEND:VTODO", "row calendar_invalid"),
        ("BEGIN:VTODO\nSUMMARY:" + "a" * MAX_ROW_BYTES + "\nUID:a\n b\nEND:VTODO", "row row_too_long"),
        ("BEGIN:VTODO\nDESCRIPTION:a" + "\n a" * (MAX_ROW_BYTES // 3) + "\nEND:VTODO", "row row_too_long"),
    ],
    ids=lambda value: value[:40],
)
def test_a_bad_component_is_bad_alone(component: str, code: str) -> None:
    good = "BEGIN:VTODO\nSUMMARY:a\nEND:VTODO"

    rows = found(FileFormat.CALENDAR, CALENDAR.format(f"{good}\n{component}\n{good}"))

    assert [rows[0], rows[2]] == [{"title": "a"}] * 2
    assert rows[1] == (5, *code.split())
    assert len(rows) == 3


@pytest.mark.requirement("FR-225")
@pytest.mark.parametrize("file_format", FileFormat)
def test_bytes_that_are_no_text_are_bad_alone(file_format: FileFormat) -> None:
    tasks = [task_of(number, f"title {number}", None) for number in range(3)]

    rows = read(file_format, written(file_format, *tasks).replace(b"title 1", b"title \xff"))

    assert [row.problem and row.problem.code for row in rows] == [None, "encoding_invalid", None]


@pytest.mark.requirement("FR-223")
def test_a_calendar_without_its_end_is_not_complete() -> None:
    data = written(FileFormat.CALENDAR, task_of(1, "a", None)).decode()
    end = "END:VCALENDAR\r\n"
    assert data.endswith(end)

    rows = found(FileFormat.CALENDAR, data.removesuffix(end))

    assert [rows[0]["title"], rows[1]] == ["a", (data.count("\n") - 1, "row", "calendar_unfinished")]
    assert found(FileFormat.CALENDAR, f"{data}{data}") == [rows[0], rows[0]]


def test_a_line_of_a_calendar_that_is_in_no_component_is_of_no_task() -> None:
    todo = f"BEGIN:VTODO\r\nUID:{ID}\r\nSUMMARY:mine\r\nEND:VTODO"
    (row,) = found(FileFormat.CALENDAR, CALENDAR.format(f"SUMMARY:nobody's\r\n{todo}\r\nSUMMARY:nobody's"))

    assert row["title"] == "mine"


def test_a_blank_that_no_line_break_follows_is_no_calendar() -> None:
    with pytest.raises(ValidationFailed):
        read(FileFormat.CALENDAR, b"\r\n ")


@pytest.mark.requirement("FR-290")
@pytest.mark.parametrize("priority", [None, *range(1, 10)])
def test_another_library_finds_the_number_of_a_priority(priority: int | None) -> None:
    task = task_of(1, "a", None) | {"priority": priority and word_of(priority), "priority_number": priority}
    calendar = Calendar.from_ical(written(FileFormat.CALENDAR, task))

    (todo,) = calendar.walk("VTODO")
    assert todo.get("PRIORITY") == (priority or 0)


@pytest.mark.requirement("FR-290")
@pytest.mark.parametrize("priority", range(10))
def test_the_number_that_another_library_writes_is_read(priority: int) -> None:
    todo = Todo()
    todo.add("PRIORITY", priority)
    todo.add("SUMMARY", "a")
    (row,) = found(FileFormat.CALENDAR, CALENDAR.format(todo.to_ical().decode()))

    assert row["priority"] == (priority or None)
    assert isinstance(row["priority"], PriorityNumber) is (priority > 0)


@pytest.mark.requirement("FR-290")
@pytest.mark.parametrize(
    ("text", "number"), [("+5", 5), (" 05 ", 5), ("-0", ...), ("00", None), ("+0", None), (" ", None)]
)
def test_a_priority_may_have_a_sign_and_zeros(text: str, number: object) -> None:
    (row,) = found(FileFormat.CALENDAR, CALENDAR.format(f"BEGIN:VTODO\nPRIORITY:{text}\nEND:VTODO"))

    assert row == ({} if number is ... else {"priority": number})


@pytest.mark.requirement("FR-290")
@pytest.mark.parametrize(
    "text", ["10", "-1", "1.0", "high", "1,2", "\u0665", "0x1", "1e0", "9" * 10_000, "0" * 100_000 + "x"]
)
def test_another_priority_is_left_out(text: str) -> None:
    rows = CALENDAR.format(f"BEGIN:VTODO\nPRIORITY:{text}\nEND:VTODO\nBEGIN:VTODO\nEND:VTODO")

    assert found(FileFormat.CALENDAR, rows) == [{}, {}]
    mends = [[mend.code for mend in row.mends] for row in read(FileFormat.CALENDAR, rows.encode())]
    assert mends == [["priority_invalid"], []]
