"""Texts of calendars: coded as in vCalendar 1.0, and notes that a program did not fold; and percentages."""

from __future__ import annotations

from base64 import b64encode

import httpx
import pytest

from tests.fixtures.calls.task_files import CALENDAR, Report, counts_of, exported, imported, report_of, send, tasks_of
from tests.fixtures.calls.tasks import Task, create


def import_(client: httpx.Client, *lines: str, title: str | None = "SUMMARY:a") -> Report:
    todo = ["BEGIN:VTODO", *([title] if title else []), *lines, "END:VTODO"]
    file = "\r\n".join(["BEGIN:VCALENDAR", "VERSION:1.0", *todo, "END:VCALENDAR", ""])
    return report_of(send(client, file.encode(), CALENDAR))


def warnings_of(report: Report) -> list[tuple[str, str]]:
    return [(warning["field"], warning["code"]) for warning in report["warnings"]]


def the_task(client: httpx.Client) -> Task:
    (task,) = tasks_of(client)
    return task


NOTES = b64encode("Grüße,\ran; alle\\ C:\\new".encode()).decode()


@pytest.mark.requirement("FR-460")
@pytest.mark.parametrize(
    "lines",
    [
        [f"DESCRIPTION;ENCODING=BASE64:{NOTES}"],
        [f"DESCRIPTION;BASE64;CHARSET=UTF-8:{NOTES}"],
        [f"DESCRIPTION;ENCODING=b:{NOTES}"],
        ["DESCRIPTION;ENCODING=BASE64:", f"    {NOTES[:12]}", f"    {NOTES[12:]}", ""],
    ],
    ids=range(4),
)
def test_texts_in_base64_are_decoded(client: httpx.Client, lines: list[str]) -> None:
    assert counts_of(import_(client, *lines, "PRIORITY:5")) == {"created": 1}
    task = the_task(client)
    assert (task["description"], task["priority"]) == ("Grüße,\nan; alle\\ C:\\new", "medium")


@pytest.mark.requirement("FR-460")
def test_a_title_and_labels_may_be_coded_too(client: httpx.Client) -> None:
    lines = [
        f"SUMMARY;ENCODING=BASE64;CHARSET=ISO-8859-1:{b64encode('Grüße'.encode('latin-1')).decode()}",
        "CATEGORIES;ENCODING=QUOTED-PRINTABLE:Gr=C3=BC=C3=9Fe,b",
        f"CATEGORIES;ENCODING=BASE64:{b64encode(b'c').decode()}",
    ]
    assert counts_of(import_(client, *lines, title=None)) == {"created": 1}
    assert (the_task(client)["title"], the_task(client)["labels"]) == ("Grüße", ["Grüße", "b", "c"])


@pytest.mark.requirement("FR-460")
@pytest.mark.parametrize(
    "value", [b64encode(b"\x89PNG\r\n\x1a\n\xff").decode(), b64encode(b"a\0b").decode(), "%%%", "a"]
)
def test_what_is_no_text_in_base64_is_left_out_and_told(client: httpx.Client, value: str) -> None:
    lines = (f"DESCRIPTION;ENCODING=BASE64:{value}", f"CATEGORIES;ENCODING=BASE64:{value}", "CATEGORIES:b")
    report = import_(client, *lines)

    assert counts_of(report) == {"created": 1, "mended": 1}
    assert warnings_of(report) == [("DESCRIPTION", "text_dropped"), ("CATEGORIES", "text_dropped")]
    assert (the_task(client)["description"], the_task(client)["labels"]) == (None, ["b"])


@pytest.mark.requirement("FR-461")
@pytest.mark.parametrize(
    "line",
    [
        "COMPLETED:yesterday",
        "COMPLETED:2026-05-04 by Bob",
        "DUE:as soon as you can",
        "CREATED;VALUE=DATE:soon",
        "STATUS:waiting for Bob",
        "PRIORITY:high",
        "PERCENT-COMPLETE:nearly all",
        "SEQUENCE:first the flour",
        "DURATION:two hours",
        "CLASS:maths",
        "URL:see the wiki",
        "NAME:Bob",
        "SOURCE:a friend",
    ],
)
def test_a_property_whose_value_is_not_of_its_type_is_part_of_notes(client: httpx.Client, line: str) -> None:
    report = import_(client, "DESCRIPTION:Call", line, "and then", "PERCENT-COMPLETE:0", "PRIORITY:5")

    assert warnings_of(report) == [("DESCRIPTION", "lines_joined")]
    task = the_task(client)
    assert task["description"] == f"Call\n{line}\nand then"
    assert (task["status"], task["priority"], task["due_date"]) == ("todo", "medium", None)


@pytest.mark.requirement("FR-461")
@pytest.mark.parametrize("line", ["SUMMARY:of the talk", "DUE:20300101", "STATUS:COMPLETED", "PRIORITY:1"])
def test_what_a_task_has_said_already_is_part_of_the_notes_behind_it(client: httpx.Client, line: str) -> None:
    report = import_(client, "DUE:20260504", "STATUS:IN-PROCESS", "PRIORITY:5", "DESCRIPTION:Call", line)

    assert warnings_of(report) == [("DESCRIPTION", "lines_joined")]
    task = the_task(client)
    assert (task["title"], task["description"]) == ("a", f"Call\n{line}")
    assert (task["due_date"], task["status"], task["priority"]) == ("2026-05-04", "in_progress", "medium")


@pytest.mark.requirement("FR-461")
def test_properties_behind_notes_still_count(client: httpx.Client) -> None:
    report = import_(
        client,
        *("DESCRIPTION:Call", "DTSTAMP:20260504T090000Z", 'DUE;X-A="a:b";TZID=Europe/Berlin:20260504T090000'),
        *("DESCRIPTION:b", "STATUS:COMPLETED", "COMMENT:c", "COMPLETED:2026-05-04T09:00:00.5Z", "DESCRIPTION:d"),
        f"DUE;X-A={'a' * 2000}",
        f" {'b' * 10}:20260101",
        "DESCRIPTION:e",
        *("PRIORITY: 5", "PRIORITY:", "DESCRIPTION;LANGUAGE=de:e", "SUMMARY;LANGUAGE=de:f"),
    )

    assert ("DESCRIPTION", "lines_joined") not in warnings_of(report)
    task = the_task(client)
    assert (task["title"], task["description"], task["status"]) == ("a", "Call", "done")
    assert task["due_at"] == "2026-05-04T07:00:00+00:00"


@pytest.mark.requirement("FR-461")
def test_a_title_in_other_letters_than_the_notes_is_part_of_them_and_told(client: httpx.Client) -> None:
    report = import_(client, "DESCRIPTION:Call", "Summary:Bob", title=None)

    assert warnings_of(report) == [("DESCRIPTION", "lines_joined"), ("title", "title_missing")]
    assert (the_task(client)["title"], the_task(client)["description"]) == ("Call", "Call\nSummary:Bob")


@pytest.mark.requirement("FR-462")
def test_a_percentage_that_is_not_kept_is_told_once(client: httpx.Client) -> None:
    todos = [
        line
        for number in (0, 40, 60, 100)
        for line in ("BEGIN:VTODO", f"SUMMARY:{number}", f"PERCENT-COMPLETE:{number}", "END:VTODO")
    ]
    report = import_(client, "COMMENT:mine", "END:VTODO", *todos, "BEGIN:VTODO", "SUMMARY:last")

    assert counts_of(report) == {"created": 6}
    assert warnings_of(report) == [("COMMENT", "property_not_kept"), ("PERCENT-COMPLETE", "property_not_kept")]


@pytest.mark.requirement("FR-462")
@pytest.mark.parametrize("status", ["todo", "in_progress", "done", "cancelled"])
def test_a_percentage_of_an_export_of_ours_is_never_told(client: httpx.Client, status: str) -> None:
    create(client, "a", status=status)
    report = report_of(send(client, exported(client, "ics").encode(), CALENDAR))
    assert (counts_of(report), report["warnings"]) == ({"unchanged": 1}, [])
    assert imported(client, exported(client, "ics"), CALENDAR) == {"unchanged": 1}
