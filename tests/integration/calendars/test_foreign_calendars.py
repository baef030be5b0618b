"""Calendars of other programs: what is meant is stored, and what is not kept as it was is reported."""

from __future__ import annotations

import httpx
import pytest

from tests.fixtures.calls.task_files import CALENDAR, Report, counts_of, exported, imported, report_of, send, tasks_of
from tests.fixtures.calls.tasks import Task, create


def calendar(*lines: str) -> str:
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *lines, "END:VCALENDAR", ""])


def todo(*lines: str, title: str | None = "a") -> str:
    return "\r\n".join(["BEGIN:VTODO", *([f"SUMMARY:{title}"] if title is not None else []), *lines, "END:VTODO"])


def import_(client: httpx.Client, *components: str) -> Report:
    """Import a calendar; returns the report."""
    return report_of(send(client, calendar(*components).encode(), CALENDAR))


def warnings_of(report: Report) -> list[tuple[str, str]]:
    """Return the fields and codes of the warnings."""
    return [(warning["field"], warning["code"]) for warning in report["warnings"]]


@pytest.mark.requirement("FR-386")
def test_what_is_beside_the_tasks_of_a_calendar_is_skipped(client: httpx.Client) -> None:
    alarm = "BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT15M\r\nEND:VALARM"
    kinds = ("VEVENT", "VJOURNAL", "VFREEBUSY")
    others = [f"BEGIN:{kind}\r\nUID:{kind}\r\nSUMMARY:{kind}\r\nEND:{kind}" for kind in kinds]
    event_with_alarm = f"BEGIN:VEVENT\r\n{alarm}\r\nEND:VEVENT"

    report = import_(client, *others, todo(alarm), event_with_alarm)

    assert counts_of(report) == {"created": 1, "skipped": len(kinds) + 2}
    assert [task["title"] for task in tasks_of(client)] == ["a"]


SERIES = todo("UID:series@example.com", "DUE:20260504T090000Z", "DESCRIPTION:Both cans", title="Water the plants")
OCCURRENCE = todo(
    *("UID:series@example.com", "RECURRENCE-ID:20260511T090000Z", "DUE:20260511T100000Z", "STATUS:COMPLETED"),
    title="Water the plants",
)


@pytest.mark.requirement("FR-387")
@pytest.mark.parametrize("components", [[SERIES, OCCURRENCE], [OCCURRENCE, SERIES]])
def test_an_occurrence_leaves_its_series_alone(client: httpx.Client, components: list[str]) -> None:
    report = import_(client, *components)

    assert counts_of(report) == {"created": 2, "mended": 1}
    assert warnings_of(report) == [("RECURRENCE-ID", "occurrence_alone")]
    series, occurrence = sorted(tasks_of(client), key=lambda task: str(task["due_at"]))
    assert (series["status"], series["description"]) == ("todo", "Both cans")
    assert (occurrence["status"], occurrence["due_at"]) == ("done", "2026-05-11T10:00:00+00:00")
    assert counts_of(import_(client, *components)) == {"unchanged": 2, "mended": 1}
    assert imported(client, exported(client, "ics"), CALENDAR) == {"unchanged": 2}


@pytest.mark.requirement("FR-387")
def test_each_occurrence_is_a_task_of_its_own(client: httpx.Client) -> None:
    days = [todo("UID:series", f"RECURRENCE-ID;VALUE=DATE:2026050{day}", title=f"{day}") for day in range(1, 4)]

    assert counts_of(import_(client, *days, *days)) == {"created": 3, "unchanged": 3, "mended": 6}


@pytest.mark.requirement("FR-388")
@pytest.mark.parametrize("zone", ["UTC", "Etc/UTC", "Europe/Berlin", "GMT"])
def test_an_export_imports_as_unchanged_in_each_zone(client: httpx.Client, zone: str) -> None:
    create(client, "a", due_at="2026-05-04T09:00:00Z", timezone=zone)

    assert imported(client, exported(client, "ics"), CALENDAR) == {"unchanged": 1}
    assert [task["timezone"] for task in tasks_of(client)] == [zone]


@pytest.mark.requirement("FR-389")
@pytest.mark.parametrize(
    ("line", "is_part"),
    [
        ("Status: COMPLETED", True),
        ("STATUS: COMPLETED", True),
        ("status:COMPLETED", True),
        ("and then", True),
        ("https://example.com/a;b", True),
        ("STATUS:COMPLETED", False),
        ("PERCENT-COMPLETE:100", False),
    ],
)
def test_lines_of_notes_that_were_not_folded_are_part_of_them(
    client: httpx.Client, line: str, *, is_part: bool
) -> None:
    report = import_(client, todo("DESCRIPTION:Call the shop", line, "X-Vendor:1", "PRIORITY:5"))

    assert warnings_of(report) == ([("DESCRIPTION", "lines_joined")] if is_part else [])
    (task,) = tasks_of(client)
    assert task["description"] == ("Call the shop\n" + line if is_part else "Call the shop")
    assert (task["completed"], task["priority"]) == (not is_part, "medium")


@pytest.mark.requirement("FR-389")
def test_lines_of_a_comment_that_were_not_folded_say_nothing_of_the_task(client: httpx.Client) -> None:
    import_(client, todo("COMMENT:Call the shop", "Status: COMPLETED", "maybe", "PRIORITY:5"))

    (task,) = tasks_of(client)
    assert (task["completed"], task["priority"]) == (False, "medium")


@pytest.mark.requirement("FR-389")
def test_a_file_whose_values_all_begin_with_a_space_is_read(client: httpx.Client) -> None:
    import_(client, todo("SUMMARY: a", "DESCRIPTION: Call the shop", "STATUS: COMPLETED", title=None))

    (task,) = tasks_of(client)
    assert (task["description"], task["completed"]) == (" Call the shop", True)


@pytest.mark.requirement("FR-390")
@pytest.mark.parametrize(
    ("lines", "said", "warnings"),
    [
        (["SUMMARY:a", "PRIORITY:x"], {"priority": None}, ["PRIORITY priority_invalid"]),
        (["SUMMARY:a", "PRIORITY:12"], {"priority": None}, ["PRIORITY priority_invalid"]),
        (["DESCRIPTION:\\n Call\\nthe shop"], {"title": "Call"}, ["title title_missing"]),
        (["SUMMARY: "], {"title": "Untitled"}, ["title title_missing"]),
        ([f"SUMMARY:{'x' * 501}"], {"title": "x" * 500}, ["title shortened"]),
        (["SUMMARY:a", f"DESCRIPTION:{'x' * 10_001}"], {"description": "x" * 10_000}, ["description shortened"]),
        (["SUMMARY:a", "CATEGORIES:food\\, drink,b"], {"labels": ["food drink", "b"]}, ["labels label_respelled"]),
        (["SUMMARY:a", f"CATEGORIES:{'x' * 61}"], {"labels": ["x" * 60]}, ["labels shortened"]),
        (
            ["SUMMARY:a", f"CATEGORIES:{','.join(str(number) for number in range(100, 151))}"],
            {"labels": [str(number) for number in range(100, 150)]},
            ["labels labels_dropped"],
        ),
    ],
    ids=range(9),
)
def test_what_does_not_fit_into_a_task_is_mended(
    client: httpx.Client, lines: list[str], said: Task, warnings: list[str]
) -> None:
    report = import_(client, todo("UID:1", *lines, title=None))

    assert counts_of(report) == {"created": 1, "mended": 1}
    assert [" ".join(warning) for warning in warnings_of(report)] == warnings
    (task,) = tasks_of(client)
    assert {name: task[name] for name in said} == said


@pytest.mark.requirement("FR-391")
@pytest.mark.parametrize(
    ("lines", "description"),
    [
        (["DESCRIPTION;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:Gr=C3=BC=C3=9Fe=0D=0Aan =", "alle"], "Grüße\nan alle"),
        (["DESCRIPTION;CHARSET=ISO-8859-1;QUOTED-PRINTABLE:Gr=FC=DFe C:\\new"], "Grüße C:\\new"),
        (["DESCRIPTION;ENCODING=QUOTED-PRINTABLE:a=0D=0Ab=", ""], "a\nb"),
        (["DESCRIPTION;ENCODING=QUOTED-PRINTABLE:a=", "STATUS:COMPLETED=", " b"], "aSTATUS:COMPLETED b"),
    ],
)
def test_texts_in_quoted_printable_are_decoded(client: httpx.Client, lines: list[str], description: str) -> None:
    assert counts_of(import_(client, todo(*lines, "PRIORITY:5"))) == {"created": 1}
    (task,) = tasks_of(client)
    assert (task["description"], task["completed"], task["priority"]) == (description, False, "medium")


@pytest.mark.requirement("FR-392")
@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (["PERCENT-COMPLETE:100"], "done"),
        (["PERCENT-COMPLETE:40"], "in_progress"),
        (["PERCENT-COMPLETE:0"], "todo"),
        (["PERCENT-COMPLETE:40", "STATUS:NEEDS-ACTION"], "todo"),
    ],
)
def test_a_percentage_without_a_status_says_how_far_a_task_is(
    client: httpx.Client, lines: list[str], status: str
) -> None:
    assert counts_of(import_(client, todo(*lines))) == {"created": 1}
    assert [task["status"] for task in tasks_of(client)] == [status]


BERLIN = "Europe/Berlin"
MOMENT = "2026-05-04T07:00:00+00:00"


@pytest.mark.requirement("FR-393")
@pytest.mark.parametrize(
    ("lines", "said", "warnings"),
    [
        (["CREATED:20260504T090000"], {"created_at": MOMENT}, ["CREATED moment_local"]),
        (["CREATED;TZID=Asia/Tokyo:20260504T160000"], {"created_at": MOMENT}, ["CREATED moment_local"]),
        (["CREATED:20260504"], {"created_at": "2026-05-03T22:00:00+00:00"}, ["CREATED moment_local"]),
        (["COMPLETED:20260504T090000"], {"completed_at": MOMENT, "status": "done"}, ["COMPLETED moment_local"]),
        (["COMPLETED:20260132T030405Z"], {"status": "done"}, ["COMPLETED moment_dropped"]),
        (["CREATED:"], {"status": "todo"}, []),
        (["CREATED:soon"], {"status": "todo"}, ["CREATED moment_dropped"]),
        (["CREATED:16010101T000000Z"], {"status": "todo"}, ["CREATED moment_dropped"]),
        (["CREATED:00010101"], {"status": "todo"}, ["CREATED moment_dropped"]),
        (["COMPLETED:"], {"status": "todo"}, []),
    ],
    ids=range(10),
)
def test_times_that_are_not_in_utc_or_none_at_all_are_mended(
    client: httpx.Client, lines: list[str], said: Task, warnings: list[str]
) -> None:
    client.patch("/api/me", json={"timezone": BERLIN}).raise_for_status()

    report = import_(client, todo("UID:1", *lines))

    assert counts_of(report) == {"created": 1} | ({"mended": 1} if warnings else {})
    assert [" ".join(warning) for warning in warnings_of(report)] == warnings
    (task,) = tasks_of(client)
    assert {name: task[name] for name in said} == said


@pytest.mark.requirement("FR-394")
@pytest.mark.parametrize(
    ("lines", "said", "warnings"),
    [
        (
            ["DTSTART;VALUE=DATE:20260505", "DUE;VALUE=DATE:20260504"],
            {"due_date": "2026-05-04", "start_date": None},
            ["DTSTART start_dropped"],
        ),
        (
            ["DTSTART;VALUE=DATE:20260503", f"DUE;TZID={BERLIN}:20260504T090000"],
            {"due_at": MOMENT, "start_at": "2026-05-02T22:00:00+00:00", "timezone": BERLIN},
            ["DTSTART start_respelled"],
        ),
        (
            [f"DTSTART;TZID={BERLIN}:20260504T003000", "DUE;VALUE=DATE:20260504"],
            {"due_date": "2026-05-04", "start_date": "2026-05-04", "timezone": None},
            ["DTSTART start_respelled"],
        ),
        (
            ["DTSTART;VALUE=DATE:20260505", "DUE:20260504T070000Z"],
            {"due_at": MOMENT, "start_at": None, "start_date": None},
            ["DTSTART start_respelled", "DTSTART start_dropped"],
        ),
        # Clocks change on 25 October.
        (
            [f"DTSTART;TZID={BERLIN}:20261024T090000", "DURATION:P1DT1H"],
            {"start_at": "2026-10-24T07:00:00+00:00", "due_at": "2026-10-25T09:00:00+00:00", "timezone": BERLIN},
            [],
        ),
        (["DTSTART;VALUE=DATE:20260504", "DURATION:P1W"], {"due_date": "2026-05-11"}, []),
        (["DTSTART;VALUE=DATE:20260504", "DURATION:PT1H"], {"due_date": None}, ["DURATION duration_dropped"]),
        (["DTSTART:20260504T070000Z", "DURATION:soon"], {"due_at": None}, ["DURATION duration_dropped"]),
        (["DTSTART:99991231T070000Z", "DURATION:P9W"], {"due_at": None}, ["DURATION duration_dropped"]),
        (["DUE;VALUE=DATE:20260504T000000"], {"due_date": "2026-05-04", "due_at": None}, []),
    ],
    ids=range(10),
)
def test_dates_that_contradict_each_other_are_mended(
    client: httpx.Client, lines: list[str], said: Task, warnings: list[str]
) -> None:
    report = import_(client, todo("UID:1", *lines))

    assert counts_of(report) == {"created": 1} | ({"mended": 1} if warnings else {})
    assert [" ".join(warning) for warning in warnings_of(report)] == warnings
    (task,) = tasks_of(client)
    assert {name: task[name] for name in said} == said
    assert counts_of(import_(client, todo("UID:1", *lines)))["unchanged"] == 1


@pytest.mark.requirement("FR-395")
@pytest.mark.parametrize(
    "name", ["EUROPE/BERLIN", "europe/berlin", "/vendor.example/Europe/Berlin", "/a/2026_1/Europe/Berlin", "My zone"]
)
def test_a_zone_is_known_under_other_names(client: httpx.Client, name: str) -> None:
    standard = "BEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETTO:+0100\r\nEND:STANDARD"
    zones = [
        f"BEGIN:VTIMEZONE\r\nTZID:{zone}\r\nX-LIC-LOCATION:{location}\r\n{standard}\r\nEND:VTIMEZONE"
        for zone, location in (("My zone", BERLIN), ("europe/berlin", "Atlantis"))
    ]

    assert counts_of(import_(client, *zones, todo(f"DUE;TZID={name}:20260504T090000"))) == {"created": 1}
    (task,) = tasks_of(client)
    assert (task["due_at"], task["timezone"]) == (MOMENT, BERLIN)


@pytest.mark.requirement("FR-395")
def test_an_unknown_zone_is_that_of_the_account(client: httpx.Client) -> None:
    client.patch("/api/me", json={"timezone": BERLIN}).raise_for_status()
    report = import_(client, todo("DUE;TZID=/vendor.example/Atlantis:20260504T090000"))

    assert [(warning["field"], warning["code"]) for warning in report["warnings"]] == [("timezone", "timezone_guessed")]
    assert [(task["due_at"], task["timezone"]) for task in tasks_of(client)] == [(MOMENT, None)]


@pytest.mark.requirement("FR-395")
@pytest.mark.parametrize("due", ["20260230", "20260220T25", "tomorrow", ";TZID=Asia/Tokyo:00010101T000000"])
def test_what_is_no_date_leaves_the_date_alone(client: httpx.Client, due: str) -> None:
    assert counts_of(import_(client, todo("UID:a", "DUE:20260504"))) == {"created": 1}

    report = import_(client, todo("UID:a", f"DUE{due if due.startswith(';') else f':{due}'}", "STATUS:IN-PROCESS"))

    assert counts_of(report) == {"updated": 1, "mended": 1}
    assert [(warning["field"], warning["code"]) for warning in report["warnings"]] == [("DUE", "date_dropped")]
    assert [(task["due_date"], task["status"]) for task in tasks_of(client)] == [("2026-05-04", "in_progress")]


@pytest.mark.requirement("FR-395")
@pytest.mark.parametrize("due", ["2026-05-04T07:00:00Z", "20260504t070000z", "2026-05-04T070000Z"])
def test_times_with_hyphens_colons_or_small_letters_are_read(client: httpx.Client, due: str) -> None:
    assert counts_of(import_(client, todo(f"DUE:{due}"))) == {"created": 1}
    assert [task["due_at"] for task in tasks_of(client)] == [MOMENT]


@pytest.mark.requirement("FR-390")
@pytest.mark.parametrize("line", ["STATUS:X-DONE", "PERCENT-COMPLETE:abc", "PERCENT-COMPLETE:101"])
def test_what_is_no_status_leaves_the_status_alone(client: httpx.Client, line: str) -> None:
    assert counts_of(import_(client, todo("UID:a", "STATUS:COMPLETED"))) == {"created": 1}

    report = import_(client, todo("UID:a", line))

    assert counts_of(report) == {"unchanged": 1, "mended": 1}
    assert [(warning["field"], warning["code"]) for warning in report["warnings"]] == [
        (line.partition(":")[0], "status_invalid")
    ]
    assert [task["status"] for task in tasks_of(client)] == ["done"]


@pytest.mark.requirement("FR-389")
def test_a_title_is_one_line(client: httpx.Client) -> None:
    assert counts_of(import_(client, todo("STATUS: IN-PROCESS", "due:20260504", title="Plan"))) == {"created": 1}
    (task,) = tasks_of(client)
    assert (task["title"], task["status"], task["due_date"]) == ("Plan", "in_progress", "2026-05-04")


@pytest.mark.requirement("FR-396")
def test_what_has_no_place_in_a_task_is_said_once(client: httpx.Client) -> None:
    rest = ["RRULE:FREQ=WEEKLY", "location;LANGUAGE=en:Shop", "GEO:", "EXDATE:20260511", "ATTACH:https://a.example"]
    event = "BEGIN:VEVENT\r\nUID:e\r\nURL:https://a.example\r\nEND:VEVENT"

    report = import_(client, event, todo("BEGIN:VALARM", "ATTENDEE:a", "END:VALARM"), *[todo(*rest)] * 3)

    assert counts_of(report) == {"created": 4, "skipped": 2}
    names = ["RRULE", "LOCATION", "EXDATE", "ATTACH"]
    assert warnings_of(report) == [(name, "property_not_kept") for name in names]
    assert len({warning["line"] for warning in report["warnings"]}) == 1


def test_a_start_before_all_times_is_left_out(client: httpx.Client) -> None:
    """At midnight of the first day, it is still the day before in UTC."""
    report = import_(client, todo("DTSTART;VALUE=DATE:00010101", "DUE;TZID=Asia/Tokyo:20260101T100000"))

    assert counts_of(report) == {"created": 1, "mended": 1}
