"""Files sent with bad intent: each is refused or reported, nothing else is affected, and none causes a 500."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.fixtures.calls.task_files import (
    CALENDAR,
    CSV,
    LINES,
    counts_of,
    imported,
    problems,
    report_of,
    send,
    tasks_of,
)
from tests.fixtures.calls.tasks import Task, error_of
from tests.fixtures.telemetry.logs import events

pytestmark = pytest.mark.requirement("FR-225")

GOOD = '{"title": "good"}'
MEGABYTE = 1024 * 1024
VTODO = "BEGIN:VTODO\nSUMMARY:good\n"


def calendar(*lines: str) -> str:
    return "\n".join(["BEGIN:VCALENDAR", *lines, "END:VCALENDAR", ""])


@pytest.fixture(autouse=True)
def _no_defect(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    assert events(caplog, "request_failed") == []


@pytest.mark.parametrize(
    "bad",
    [
        "x" * 3 * MEGABYTE,
        '{"title": "' + "x" * 3 * MEGABYTE + '"}',
        "[" * MEGABYTE,
        '{"a":' * 20_000 + "1" + "}" * 20_000,
        '{"title": ' + "[" * 50_000 + "]" * 50_000 + "}",
        '{"title": "a", ' + ",".join(f'"x{number}": 1' for number in range(9000)) + "}",
        '{"title": "a\0b"}',
        '{"title": "a\\u0000b"}',
        '{"title": "\\ud83d"}',
        '{"title": 1e999}',
        '{"id": {"$ne": null}, "title": "a"}',
        '{"title": {"a": 1}}',
        '{"title": "a", "__proto__": {}}',
        '{"title": "a", "completed_at": "9999-12-31T23:59:59-15:59"}',
        '{"title": "a", "created_at": "0001-01-01T00:00:00+15:59"}',
    ],
    ids=lambda bad: bad[:30],
)
def test_a_hostile_line_is_bad_alone(client: httpx.Client, bad: str) -> None:
    file = f"{GOOD}\n{bad}\n{GOOD}\n".encode()

    assert [line for line, _, _ in problems(client, file)] == [2]

    assert [task["title"] for task in tasks_of(client)] == ["good", "good"]


def test_a_million_empty_lines_are_nothing(client: httpx.Client) -> None:
    empty = "\n" * 10**6
    assert imported(client, empty) == {}
    for kind, file in ((CSV, "title"), (CALENDAR, "BEGIN:VCALENDAR\nEND:VCALENDAR")):
        assert imported(client, file + empty[: 10**5], kind) == {}


@pytest.mark.parametrize(
    "lines",
    [
        [VTODO * 20_000],
        [VTODO + "BEGIN:VALARM\n" * 20_000 + "END:VALARM\n" * 20_000 + "END:VTODO"],
        [VTODO + "RRULE:FREQ=SECONDLY;COUNT=999999999\n" * 20_000 + "END:VTODO"],
        [VTODO + "SUMMARY:again\n" * 50_000 + "END:VTODO"],
        [VTODO + "DTSTART;TZID=" + "../" * 1000 + "etc/passwd:20260101T000000\nEND:VTODO"],
        ["BEGIN:VTODO\nSUMMARY;" + ";".join(f"X{number}=1" for number in range(9000)) + ":good\nEND:VTODO"],
        ["BEGIN:VTODO\nSUMMARY:\n" + " \n" * 20_000 + " good\nEND:VTODO"],
        ["END:VTODO\n" * 1000, "END:VEVENT\n", "X:y\n:\n;\n \n\t\n"],
        ["BEGIN:VTODO\nSUMMARY:a\0\nEND:VTODO", "BEGIN:\nEND:\n", "BEGIN:X\n" * 5000],
        ["BEGIN:VTODO\nUID:" + "u" * 100_000 + "\nSUMMARY:good\nEND:VTODO"],
        ["BEGIN:VTODO\nSUMMARY:good\nX-TASK-API-SUMMARY:" + "[" * 100_000 + "\nEND:VTODO"],
        ["BEGIN:VTODO\nSUMMARY:good\nCOMPLETED;TZID=" + "x" * 5000 + ":20260101T000000\nEND:VTODO"],
    ],
    ids=range(12),
)
def test_a_hostile_calendar_stores_nothing_but_tasks(client: httpx.Client, lines: list[str]) -> None:
    report_of(send(client, calendar(*lines).encode(), CALENDAR))

    assert {task["title"] for task in tasks_of(client)} <= {"good"}


@pytest.mark.parametrize(
    "rows",
    [
        '"' + "x" * 2 * MEGABYTE,
        'x"y,"z\n' * 50_000,
        '"' * 100_001,
        "," * 100_000,
        "a" + ",b" * 50_000,
        '"\n' * 50_001,
        "\0\r\r\0",
        "\r" * 1000 + "x",
    ],
    ids=lambda rows: ascii(rows[:12]),
)
def test_hostile_csv_is_bad_alone(client: httpx.Client, rows: str) -> None:
    report = report_of(send(client, f"title\ngood\n{rows}\n".encode(), CSV))

    assert counts_of(report)["created"] >= 1
    assert "good" in {task["title"] for task in tasks_of(client)}


@pytest.mark.parametrize(
    ("kind", "file"),
    [
        (CSV, b""),
        (CSV, b"\xff\xfet\x00i\x00t\x00l\x00e\x00"),
        (CSV, b"name\na\n"),
        (CSV, b"title:id\na:b\n"),
        (CSV, b"title;id,x\na;b\n"),
        (CSV, b"title,title\na,b\n"),
        (CSV, b"title,,id\na,b,c\n"),
        (CSV, b"title," + b"c," * 100_000 + b"\n"),
        (CSV, b'"title\n'),
        (CSV, b'title,"x"y\n'),
        (CSV, b"title," + b"x" * 5000 + b"\n"),
        (CALENDAR, b""),
        (CALENDAR, b"\xfe\xff"),
        (CALENDAR, b"BEGIN:VTODO\nSUMMARY:a\nEND:VTODO\n"),
        (CALENDAR, b"title\na\n"),
    ],
    ids=range(15),
)
def test_what_is_no_such_file_is_refused(client: httpx.Client, task: Task, kind: str, file: bytes) -> None:
    assert task
    error = error_of(send(client, file, kind), 422, "VALIDATION_ERROR")

    assert "Nothing was imported" in error["message"]
    assert len(error["details"]) == 1
    assert "xxxx" not in json.dumps(error["details"][0]["message"])


def test_lines_in_another_encoding_are_all_bad(client: httpx.Client) -> None:
    wide = f"{GOOD}\n{GOOD}\n".encode("utf-16")
    error_of(send(client, wide, LINES), 422, "VALIDATION_ERROR")
    report = report_of(send(client, b"\n" + wide, LINES))

    assert report["created"] == 0
    assert report["failed"] == 3


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": ""},
        {"Content-Type": "application/xml"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "text/csv, application/jsonl"},
        {"Content-Type": "text/csvx"},
        {"Content-Type": "text/csv; charset=iso-8859-1"},
        {"Content-Type": "text/csv; charset*=utf-16''x"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": "text/csv", "Content-Encoding": "gzip"},
        {"Content-Type": "application/jsonl", "Content-Encoding": "identity, br"},
    ],
    ids=str,
)
def test_what_says_that_it_is_something_else_is_refused(client: httpx.Client, task: Task, headers: Any) -> None:
    assert task
    response = client.post("/api/tasks/import", content=b"title\na\n", headers=headers)

    error_of(response, 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("kind", ["text/csv", "TEXT/CSV; Charset=UTF-8", 'text/csv;header=present; charset="utf8"'])
def test_a_type_may_be_spelled_in_every_way(client: httpx.Client, kind: str) -> None:
    assert imported(client, b"title\na\n", kind) == {"created": 1}


def test_conditions_and_parameters_mean_nothing_here(client: httpx.Client, task: Task) -> None:
    assert task
    error_of(send(client, GOOD, **{"If-Match": "*"}), 400, "BAD_REQUEST")
    response = client.post("/api/tasks/import?format=csv", content=GOOD, headers={"Content-Type": LINES})
    error_of(response, 422, "VALIDATION_ERROR")


def test_nothing_that_was_sent_is_repeated_or_logged(client: httpx.Client, caplog: pytest.LogCaptureFixture) -> None:
    secret = "a-secret-of-mine"  # noqa: S105 - it is none
    bad = [{"title": "x" * 501 + secret}, {"title": secret, "id": secret}, {"title": "a", "created_at": secret}]

    response = send(client, "".join(json.dumps(row) + "\n" for row in bad) + secret)

    assert report_of(response)["failed"] == 4
    assert secret not in response.text
    assert secret not in caplog.text
