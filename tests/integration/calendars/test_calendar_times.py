"""Times and zones of calendars, as other programs write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from backend.formats.calendar.reader import CalendarReader
from tests.fixtures.calls.task_files import (
    CALENDAR,
    Report,
    counts_of,
    imported,
    lines_of,
    problems,
    report_of,
    send,
    tasks_of,
)
from tests.fixtures.calls.tasks import Task

BERLIN = "Europe/Berlin"
SUMMER, WINTER = "20260504T090000", "20260104T090000"
CENTRAL = [
    *("BEGIN:DAYLIGHT", "DTSTART:19810329T020000", "TZOFFSETFROM:+0100", "TZOFFSETTO:+0200"),
    *("RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", "END:DAYLIGHT"),
    *("BEGIN:STANDARD", "DTSTART:19961027T030000", "TZOFFSETFROM:+0200", "TZOFFSETTO:+0100"),
    *("RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU", "END:STANDARD"),
]
# As Outlook writes it.
EASTERN = [
    *("BEGIN:STANDARD", "DTSTART:16010101T020000", "TZOFFSETFROM:-0400", "TZOFFSETTO:-0500"),
    *("RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=1SU;BYMONTH=11", "END:STANDARD"),
    *("BEGIN:DAYLIGHT", "DTSTART:16010101T020000", "TZOFFSETFROM:-0500", "TZOFFSETTO:-0400"),
    *("RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=2SU;BYMONTH=3", "END:DAYLIGHT"),
]
BY_DAYS_OF_MONTH = [
    line.replace("BYDAY=1SU", "BYDAY=SU;BYMONTHDAY=1,2,3,4,5,6,7").replace("BYDAY=2SU", "BYDAY=SU;BYSETPOS=2")
    for line in EASTERN
]
AFTER_OLD_ONES = EASTERN + [line.replace("1601", "1501").replace("-0", "-1") for line in EASTERN]
BEFORE_2007 = [line.replace("BYDAY=2SU;BYMONTH=3", "BYDAY=1SU;BYMONTH=4") for line in EASTERN]
WITH_HISTORY = [
    *("BEGIN:DAYLIGHT", "DTSTART:19420901T000000", "TZOFFSETTO:+0630", "RRULE:FREQ=YEARLY;UNTIL=19451015T000000Z"),
    *("END:DAYLIGHT", "BEGIN:STANDARD", "DTSTART:19451015T000000", "TZOFFSETTO:+0530", "END:STANDARD"),
    *("BEGIN:STANDARD", "DTSTART:19060101T000000", "TZOFFSETTO:+055328", "END:STANDARD"),
]
FIXED = ["BEGIN:STANDARD", "DTSTART:19700101T000000", "TZOFFSETTO:-0300", "END:STANDARD"]
AT_ODDS = ["BEGIN:STANDARD", "DTSTART:19700101T000000", "TZOFFSETTO:+0017", "END:STANDARD"]
WITHOUT_OFFSET = ["BEGIN:STANDARD", "DTSTART:19700101T000000", "X-A:1", "END:STANDARD"]
ONLY_SUMMER = CENTRAL[:6]


def calendar(*lines: str) -> str:
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *lines, "END:VCALENDAR", ""])


def todo(*lines: str) -> list[str]:
    return ["BEGIN:VTODO", "UID:1", "SUMMARY:a", *lines, "END:VTODO"]


def zone(name: str, *rules: str) -> list[str]:
    return ["BEGIN:VTIMEZONE", f"TZID:{name}", *rules, "END:VTIMEZONE"] if rules else []


def import_(client: httpx.Client, *lines: str) -> Report:
    return report_of(send(client, calendar(*lines).encode(), CALENDAR))


def warnings_of(report: Report) -> list[tuple[str, str]]:
    return [(warning["field"], warning["code"]) for warning in report["warnings"]]


def read(client: httpx.Client, name: str, *rules: str) -> list[Task]:
    """Import tasks that are due in this zone in summer and in winter; returns them."""
    dues = [todo(f"DUE;TZID={name}:{moment}", f"DTSTART;TZID={name}:{moment}") for moment in (SUMMER, WINTER)]
    dues[1][1] = "UID:2"
    report = import_(client, *zone(name, *rules), *dues[0], *dues[1])
    assert counts_of(report) == {"created": 2, "mended": 2}, report
    assert warnings_of(report) == [("timezone", "timezone_guessed")] * 2
    tasks = sorted(tasks_of(client), key=lambda task: str(task["due_at"]), reverse=True)
    assert all(f"read as {task['timezone']}" in report["warnings"][0]["message"] for task in tasks)
    return tasks


@pytest.mark.requirement("FR-421")
@pytest.mark.parametrize(
    ("rules", "found", "hours"),
    [
        (CENTRAL, BERLIN, ("07:00", "08:00")),
        (EASTERN, "America/New_York", ("13:00", "14:00")),
        (BY_DAYS_OF_MONTH, "America/New_York", ("13:00", "14:00")),
        (AFTER_OLD_ONES, "America/New_York", ("13:00", "14:00")),
        (BEFORE_2007, "America/New_York", ("13:00", "14:00")),
        (WITH_HISTORY, "Asia/Kolkata", ("03:30", "03:30")),
        (FIXED, "Etc/GMT+3", ("12:00", "12:00")),
    ],
    ids=range(7),
)
def test_a_zone_with_a_name_of_its_own_is_known_by_its_rules(
    client: httpx.Client, rules: list[str], found: str, hours: tuple[str, str]
) -> None:
    tasks = read(client, "Customized Time Zone 1", *rules)
    assert [(task["timezone"], task["due_at"][11:16]) for task in tasks] == [(found, hour) for hour in hours]


@pytest.mark.requirement("FR-421")
@pytest.mark.parametrize(
    ("name", "found", "hours"),
    [
        ('"(UTC+01:00) Amsterdam, Berlin, Bern, Rome"', "Europe/Amsterdam", ("07:00", "08:00")),
        ('"(GMT-05:00) Eastern Time (US & Canada)"', "America/New_York", ("13:00", "14:00")),
        ('"(UTC) Dublin, Edinburgh, Lisbon, London"', "Europe/Dublin", ("08:00", "09:00")),
        ('"(UTC+08:00) Beijing, Chongqing"', "Asia/Shanghai", ("01:00", "01:00")),
        ('"(UTC-06:00) Central America"', "America/Guatemala", ("15:00", "15:00")),
        ("PST", "America/Los_Angeles", ("16:00", "17:00")),
        ("cest", BERLIN, ("07:00", "08:00")),
        ("GMT+0200", "Etc/GMT-2", ("07:00", "07:00")),
        ("UTC-3", "Etc/GMT+3", ("12:00", "12:00")),
        ('"+05:30"', "Asia/Kolkata", ("03:30", "03:30")),
        ('"+00:00"', "UTC", ("09:00", "09:00")),
    ],
)
def test_other_names_of_zones_are_understood(
    client: httpx.Client, name: str, found: str, hours: tuple[str, str]
) -> None:
    tasks = read(client, name)
    assert [(task["timezone"], task["due_at"][11:16]) for task in tasks] == [(found, hour) for hour in hours]


@pytest.mark.requirement("FR-421")
@pytest.mark.parametrize(
    ("name", "rules", "found"),
    [
        ("EST", (), "EST"),
        ("EST", FIXED, "EST"),
        ("CET", CENTRAL, "CET"),
        ("America/Sao_Paulo", EASTERN, "America/Sao_Paulo"),
        ("W. Europe Standard Time", EASTERN, BERLIN),
    ],
)
def test_names_of_iana_and_windows_are_no_guess(
    client: httpx.Client, name: str, rules: tuple[str, ...], found: str
) -> None:
    assert counts_of(import_(client, *zone(name, *rules), *todo(f"DUE;TZID={name}:{SUMMER}"))) == {"created": 1}
    assert [task["timezone"] for task in tasks_of(client)] == [found]


@pytest.mark.requirement("FR-421")
def test_a_short_name_with_summer_time_is_what_its_rules_say(client: httpx.Client) -> None:
    assert read(client, "EST", *EASTERN)[0]["timezone"] == "America/New_York"


@pytest.mark.requirement("FR-421")
@pytest.mark.parametrize("rules", [AT_ODDS, WITHOUT_OFFSET, ONLY_SUMMER, ()], ids=range(4))
def test_a_zone_that_nothing_explains_is_that_of_the_account(client: httpx.Client, rules: tuple[str, ...]) -> None:
    for name in ("Nowhere", '"+00:17"', '"(UTC+99:00) Nowhere"'):
        report = import_(client, *zone(name, *rules), *todo(f"DUE;TZID={name}:{SUMMER}"))
        assert warnings_of(report) == [("timezone", "timezone_guessed")]
        assert [task["timezone"] for task in tasks_of(client)] == [None]


@pytest.mark.requirement("FR-421", "FR-241")
def test_of_very_many_zones_and_rules_few_are_kept() -> None:
    many = [line for number in range(1000) for line in zone(f"Zone {number}", *CENTRAL)]
    file = calendar(*zone("Many", *CENTRAL * 1000, *FIXED * 1000), *many)
    reader = CalendarReader()
    rows = [*reader.read(file.encode()), *reader.end()]

    assert len(rows) >= file.count("\n") - 1  # each line was a step of its own
    zones = reader._zones  # noqa: SLF001 - what it holds cannot be seen otherwise
    assert (len(zones.ruled), zones.ruled["Many"], "Zone 998" in zones.ruled) == (500, BERLIN, False)


@pytest.mark.requirement("FR-421")
def test_very_long_names_of_zones_are_read_in_part(client: httpx.Client) -> None:
    name = f"(UTC+01:00) {'Nowhere, ' * 90}Berlin"
    assert counts_of(import_(client, *zone(name, *EASTERN), *todo(f'DUE;TZID="{name}":{SUMMER}'))) == {
        "created": 1,
        "mended": 1,
    }
    assert [task["timezone"] for task in tasks_of(client)] == ["Etc/GMT-1"]


FUTURE = datetime.now(UTC) + timedelta(days=3)


@pytest.mark.requirement("FR-422")
@pytest.mark.parametrize("name", ["CREATED", "COMPLETED", "LAST-MODIFIED"])
@pytest.mark.parametrize("moment", [f"{FUTURE:%Y%m%dT%H%M%SZ}", "99991231T235959Z"], ids=["soon", "late"])
def test_what_has_happened_in_the_future_is_left_out(client: httpx.Client, name: str, moment: str) -> None:
    report = import_(client, *todo(f"{name}:{moment}", "STATUS:COMPLETED"))

    field = {"CREATED": "created_at", "COMPLETED": "completed_at"}.get(name)
    assert warnings_of(report) == ([(field, "moment_dropped")] if field else [])
    assert counts_of(report) == {"created": 1} | ({"mended": 1} if field else {})
    (task,) = tasks_of(client)
    assert task["created_at"] <= task["completed_at"] <= task["updated_at"]
    assert counts_of(import_(client, *todo(f"{name}:{moment}", "STATUS:COMPLETED")))["unchanged"] == 1


@pytest.mark.requirement("FR-422")
def test_other_files_must_say_real_times(client: httpx.Client) -> None:
    row = lines_of([{"title": "a", "created_at": FUTURE.isoformat()}])
    assert problems(client, row) == [(1, "created_at", "moment_out_of_range")]


@pytest.mark.requirement("FR-427")
def test_an_empty_date_is_none(client: httpx.Client) -> None:
    assert imported(client, calendar(*todo(f"DUE:{SUMMER}Z", f"DTSTART:{SUMMER}Z")), CALENDAR) == {"created": 1}

    report = import_(client, *todo("DUE;VALUE=DATE:", f"DTSTART:{SUMMER}Z"))
    assert (counts_of(report), warnings_of(report)) == ({"updated": 1}, [])
    assert [task["due_at"] for task in tasks_of(client)] == [None]
    report = import_(client, *todo("DUE:", "DTSTART: "))
    assert (counts_of(report), warnings_of(report)) == ({"updated": 1}, [])
    assert [task["start_at"] for task in tasks_of(client)] == [None]
