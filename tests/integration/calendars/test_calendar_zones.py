"""Zones of calendars that are told late, by a name that people read, or not at all."""

from __future__ import annotations

import httpx
import pytest

from backend.formats.calendar import reader as calendar_reader
from backend.formats.calendar.reader import CalendarReader
from tests.fixtures.calls.task_files import CALENDAR, Report, counts_of, report_of, send, tasks_of

BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
SUMMER = "20260504T090000"
OWN_NAME = "Customized Time Zone 1"
# As Outlook writes it.
EASTERN = [
    *("BEGIN:VTIMEZONE", f"TZID:{OWN_NAME}"),
    *("BEGIN:STANDARD", "DTSTART:16010101T020000", "TZOFFSETFROM:-0400", "TZOFFSETTO:-0500"),
    *("RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=1SU;BYMONTH=11", "END:STANDARD"),
    *("BEGIN:DAYLIGHT", "DTSTART:16010101T020000", "TZOFFSETFROM:-0500", "TZOFFSETTO:-0400"),
    *("RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=2SU;BYMONTH=3", "END:DAYLIGHT", "END:VTIMEZONE"),
]


def calendar(*lines: str) -> str:
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *lines, "END:VCALENDAR", ""])


def todo(uid: str, *lines: str) -> list[str]:
    return ["BEGIN:VTODO", f"UID:{uid}", f"SUMMARY:{uid}", *lines, "END:VTODO"]


def due(name: str) -> str:
    return f"DUE;TZID={name}:{SUMMER}"


def import_(client: httpx.Client, *lines: str) -> Report:
    return report_of(send(client, calendar(*lines).encode(), CALENDAR))


def told(report: Report) -> list[tuple[int, str, str]]:
    return [(warning["line"], warning["code"], warning["message"]) for warning in report["warnings"]]


@pytest.mark.requirement("FR-458")
def test_a_zone_may_stand_behind_the_tasks_that_name_it(client: httpx.Client) -> None:
    event = ["BEGIN:VEVENT", "UID:e", "END:VEVENT"]
    report = import_(
        client,
        *todo("before", f"DUE:{SUMMER}Z"),
        *todo("first", due(OWN_NAME)),
        *event,
        *todo("second"),
        *todo("first", f"CREATED;TZID={OWN_NAME}:{SUMMER}", "PRIORITY:5"),
        *EASTERN,
        *todo("behind", due(OWN_NAME)),
    )

    assert counts_of(report) == {"created": 4, "updated": 1, "mended": 3, "skipped": 1}
    codes = ("timezone_guessed", "timezone_guessed", "moment_local", "timezone_guessed")
    assert tuple(code for _, code, _ in told(report)) == codes
    assert all(NEW_YORK in message for _, code, message in told(report) if code == "timezone_guessed")
    tasks = {task["title"]: task for task in tasks_of(client)}
    assert [tasks[title]["timezone"] for title in ("first", "behind")] == [NEW_YORK] * 2
    assert tasks["first"]["due_at"] == "2026-05-04T13:00:00+00:00"
    assert tasks["first"]["priority"] == "medium"  # of two rows about a task, the later one still wins


@pytest.mark.requirement("FR-458")
@pytest.mark.parametrize("name", ["Nowhere", '"Home, West"'])
def test_a_zone_that_does_not_come_is_guessed_at_the_end(client: httpx.Client, name: str) -> None:
    client.patch("/api/me", json={"timezone": BERLIN}).raise_for_status()
    report = import_(client, *todo("1", due(name)), *todo("2"))

    assert counts_of(report) == {"created": 2, "mended": 1}
    assert [task["due_at"] for task in tasks_of(client) if task["title"] == "1"] == ["2026-05-04T07:00:00+00:00"]


@pytest.mark.requirement("FR-458", "FR-241")
@pytest.mark.parametrize("bound", ["_MAX_WAITING_ROWS", "_MAX_WAITING_BYTES"])
def test_few_tasks_wait_for_their_zones(bound: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calendar_reader, bound, 3 if "ROWS" in bound else 200)
    waiting = [line for number in range(10) for line in todo(str(number), due(OWN_NAME))]
    file = calendar(*waiting, *EASTERN, *todo("behind", due(OWN_NAME)))

    reader = CalendarReader(BERLIN)
    rows = [row for row in [*reader.read(file.encode()), *reader.end()] if row]

    assert [row.fields["title"] for row in rows] == [*map(str, range(10)), "behind"]
    assert [row.fields.get("timezone") for row in rows] == [None] * 10 + [NEW_YORK]
    assert all([mend.code for mend in row.mends] == ["timezone_guessed"] for row in rows)


@pytest.mark.requirement("FR-458")
@pytest.mark.parametrize("last", ["END:VCALENDAR", ""])
def test_a_waiting_task_is_not_lost_where_a_file_is_cut(client: httpx.Client, last: str) -> None:
    file = calendar(*todo("1", due(OWN_NAME)), "BEGIN:VTODO", "SUMMARY:cut").replace("END:VCALENDAR", last)
    report = report_of(send(client, file.encode(), CALENDAR))

    assert [task["title"] for task in tasks_of(client)] == ["1"]
    assert "component_unfinished" in [error["code"] for error in report["errors"]]


@pytest.mark.requirement("FR-459")
@pytest.mark.parametrize(
    ("name", "found"),
    [
        ('"Eastern Time (US & Canada)"', NEW_YORK),
        ('"Amsterdam, Berlin, Bern, Rome"', "Europe/Amsterdam"),
        ('"Mexico City"', "America/Mexico_City"),
        ('"Central America"', "America/Guatemala"),
        ('"W. Europe Daylight Time"', BERLIN),
        ('"Central European Time"', BERLIN),
        ('"(UTC+01:00) Tokyo, Berlin"', BERLIN),  # the first with this offset
    ],
)
def test_names_of_zones_that_windows_shows_are_understood(client: httpx.Client, name: str, found: str) -> None:
    report = import_(client, *todo("1", due(name)))

    assert [task["timezone"] for task in tasks_of(client)] == [found]
    assert [(code, found in message) for _, code, message in told(report)] == [("timezone_guessed", True)]


@pytest.mark.requirement("FR-459")
@pytest.mark.parametrize("name", ["eastern standard time", "America/New York", "america/new york"])
def test_names_may_have_other_capitals_and_spaces(client: httpx.Client, name: str) -> None:
    assert counts_of(import_(client, *todo("1", due(name)))) == {"created": 1}
    assert [task["timezone"] for task in tasks_of(client)] == [NEW_YORK]


@pytest.mark.requirement("FR-459")
@pytest.mark.parametrize("name", ["", '""', '" "'])
def test_an_empty_zone_is_that_of_the_account_and_the_row_says_so(client: httpx.Client, name: str) -> None:
    client.patch("/api/me", json={"timezone": BERLIN}).raise_for_status()

    report = import_(client, *todo("1", due(name), f"DTSTART;TZID={name}:{SUMMER}"))

    ((_, code, message),) = told(report)
    assert (code, "names no zone" in message) == ("timezone_guessed", True)
    assert [(task["due_at"], task["timezone"]) for task in tasks_of(client)] == [("2026-05-04T07:00:00+00:00", None)]
