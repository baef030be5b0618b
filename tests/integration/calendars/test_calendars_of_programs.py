"""Small calendars as usual programs write them: each comes in whole, and goes back under its own UIDs."""

from __future__ import annotations

from typing import Any

import httpx
import icalendar
import pytest

from tests.fixtures.calls.task_files import CALENDAR, counts_of, exported, imported, report_of, send, tasks_of

DESKTOP = """\
BEGIN:VCALENDAR
PRODID:-//Desktop//EN
VERSION:2.0
BEGIN:VTIMEZONE
TZID:Europe/Berlin
X-TZINFO:Europe/Berlin[2026a]
BEGIN:DAYLIGHT
TZOFFSETTO:+020000
TZOFFSETFROM:+010000
TZNAME:(DST)
DTSTART:19800406T020000
RRULE:FREQ=YEARLY;BYMONTH=4;BYDAY=1SU;UNTIL=19800406T010000Z
END:DAYLIGHT
END:VTIMEZONE
BEGIN:VTODO
CREATED:20260501T081500Z
LAST-MODIFIED:20260502T081500Z
DTSTAMP:20260502T081500Z
UID:9d4f2c1e-7b1a-4a46-8f5e-2f6f8b0f7c11
SUMMARY:Call the plumber
PRIORITY:1
CATEGORIES:Home,Phone calls
DTSTART;TZID=Europe/Berlin:20260504T080000
DUE;TZID=Europe/Berlin:20260504T090000
X-MOZ-GENERATION:3
DESCRIPTION;ALTREP="data:text/html,%3Cb%3EAsk%3C%2Fb%3E":Ask about the tap
SEQUENCE:1
BEGIN:VALARM
ACTION:DISPLAY
TRIGGER:-PT15M
DESCRIPTION:Default description
END:VALARM
END:VTODO
END:VCALENDAR
"""
PHONE = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Phone//EN
CALSCALE:GREGORIAN
BEGIN:VTODO
UID:4D6BD9B4-0C5E-4E9A-9D54-6C7F2F0B9A10
CREATED:20260501T081500Z
DTSTAMP:20260501T081500Z
SUMMARY:Milk
STATUS:COMPLETED
COMPLETED:20260503T101112Z
PERCENT-COMPLETE:100
X-APPLE-SORT-ORDER:799999999
SEQUENCE:0
END:VTODO
BEGIN:VTODO
UID:4D6BD9B4-0C5E-4E9A-9D54-6C7F2F0B9A11
CREATED:20260501T081500Z
SUMMARY:Oat milk
RELATED-TO;RELTYPE=PARENT:4D6BD9B4-0C5E-4E9A-9D54-6C7F2F0B9A10
DUE;VALUE=DATE:20260504
X-APPLE-SORT-ORDER:700000000
END:VTODO
END:VCALENDAR
"""
SYNCHRONIZER = """\
BEGIN:VCALENDAR
PRODID:-//Synchronizer//EN
VERSION:2.0
BEGIN:VTIMEZONE
TZID:(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
BEGIN:VTODO
UID:040000008200E00074C5B7101A82E00800000000D0C5A0E1
CLASS:PUBLIC
SUMMARY;LANGUAGE=en-us:Send the report
DUE;TZID="(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna":20260504T090000
STATUS:IN-PROCESS
PERCENT-COMPLETE:50
X-MICROSOFT-CDO-IMPORTANCE:2
END:VTODO
END:VCALENDAR
"""
JOURNAL = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Journal//EN
BEGIN:VTODO
DTSTAMP:20260501T081500Z
UID:1714548900000-journal@example.org
SUMMARY:Trip
RELATED-TO;RELTYPE=CHILD:1714548900001-journal@example.org
COLOR:olive
ESTIMATED-DURATION:PT1H
DUE:
END:VTODO
BEGIN:VTODO
UID:1714548900001-journal@example.org
SUMMARY:Pack
PRIORITY:0
END:VTODO
BEGIN:VJOURNAL
UID:1714548900002-journal@example.org
SUMMARY:Diary
END:VJOURNAL
END:VCALENDAR
"""
OLD = """\
BEGIN:VCALENDAR
VERSION:1.0
BEGIN:VTODO
UID:42
CATEGORIES:PERSONAL
DCREATED:20260501T081500Z
SUMMARY;ENCODING=QUOTED-PRINTABLE;CHARSET=ISO-8859-1:B=E4cker
DESCRIPTION;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:Br=C3=B6tchen=0D=0A=
und Kuchen
DUE:20260504T090000
DALARM:20260504T084500;;;
PRIORITY:3
STATUS:NEEDS ACTION
END:VTODO
END:VCALENDAR
"""
FILES: dict[str, tuple[str, list[str], list[dict[str, Any]]]] = {
    "desktop": (
        DESKTOP,
        [],
        [
            {
                "title": "Call the plumber",
                "description": "Ask about the tap",
                "due_at": "2026-05-04T07:00:00+00:00",
                "timezone": "Europe/Berlin",
                "labels": ["Home", "Phone calls"],
                "priority": "high",
            }
        ],
    ),
    "phone": (
        PHONE,
        [],
        [
            {"title": "Milk", "status": "done", "completed_at": "2026-05-03T10:11:12+00:00"},
            {"title": "Oat milk", "status": "todo", "due_date": "2026-05-04"},
        ],
    ),
    "synchronizer": (
        SYNCHRONIZER,
        ["property_not_kept", "timezone_guessed"],
        [{"title": "Send the report", "status": "in_progress", "due_at": "2026-05-04T07:00:00+00:00"}],
    ),
    "journal": (JOURNAL, [], [{"title": "Pack", "priority": None}, {"title": "Trip", "due_at": None}]),
    "old": (
        OLD,
        [],
        [{"title": "B\u00e4cker", "description": "Br\u00f6tchen\nund Kuchen", "due_at": "2026-05-04T09:00:00+00:00"}],
    ),
}


def links_of(file: str) -> set[tuple[str, str]]:
    """Return each UID with that of its parent, or without one."""
    calendar: Any = icalendar.Calendar.from_ical(file)
    return {(str(todo["UID"]), str(todo.get("RELATED-TO", ""))) for todo in calendar.walk("VTODO")}


@pytest.mark.requirement("FR-386", "FR-417")
@pytest.mark.parametrize("program", FILES)
@pytest.mark.parametrize("ending", ["\n", "\r\n"], ids=["unix", "windows"])
def test_the_calendar_of_a_program_comes_in_and_goes_back(client: httpx.Client, program: str, ending: str) -> None:
    file, codes, expected = FILES[program]
    report = report_of(send(client, file.replace("\n", ending).encode(), CALENDAR))

    assert counts_of(report)["created"] == len(expected)
    assert [warning["code"] for warning in report["warnings"]] == codes
    tasks = sorted(tasks_of(client), key=lambda task: str(task["title"]))
    assert [{name: task[name] for name in each} for task, each in zip(tasks, expected, strict=True)] == expected

    back = exported(client, "ics")
    assert {uid for uid, _ in links_of(back)} == {line[4:] for line in file.split("\n") if line.startswith("UID:")} - {
        "1714548900002-journal@example.org"
    }
    assert sum(bool(parent) for _, parent in links_of(back)) == (program in {"phone", "journal"})
    for again in (file, back):
        assert imported(client, again.encode(), CALENDAR)["unchanged"] == len(expected)
