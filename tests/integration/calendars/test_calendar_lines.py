"""Lines of calendars that are very long, or that programs did not fold."""

from __future__ import annotations

import httpx
import pytest

from backend.formats.calendar.reader import CalendarReader
from backend.formats.rows import MAX_ROW_BYTES
from tests.fixtures.calls.task_files import CALENDAR, Report, counts_of, lines_of, problems, report_of, send, tasks_of
from tests.fixtures.calls.tasks import path_of

LONG = '"data:text/html,' + "<p>;:" * 60_000 + '"'


def calendar(*lines: str) -> str:
    begin, end = ("BEGIN:VCALENDAR", "VERSION:2.0", "BEGIN:VTODO", "UID:1"), ("END:VTODO", "END:VCALENDAR", "")
    return "\n".join([*begin, *lines, *end])


def folded(line: str) -> str:
    return "\n ".join(line[at : at + 74] for at in range(0, len(line), 74))


def import_(client: httpx.Client, *lines: str) -> Report:
    return report_of(send(client, calendar(*lines).encode(), CALENDAR))


def warnings_of(report: Report) -> list[tuple[str, str]]:
    return [(warning["field"], warning["code"]) for warning in report["warnings"]]


@pytest.mark.requirement("FR-423")
@pytest.mark.parametrize("fold", [folded, str], ids=["folded", "in one line"])
def test_a_parameter_of_any_length_is_left_out(client: httpx.Client, fold: object) -> None:
    assert callable(fold)
    report = import_(
        client,
        fold(f"SUMMARY;LANGUAGE=en;ALTREP={LONG}:Buy: milk"),
        fold(f"DUE;X-A={LONG};TZID=Europe/Berlin;X-B={LONG}:20260504T090000"),
        fold(f"RELATED-TO;X-A={LONG};RELTYPE=SIBLING:2"),
        fold(f"COMMENT;ALTREP={LONG}:mine"),
        "PRIORITY:5",
    )

    dropped = [(name, "parameter_dropped") for name in ("DUE", "RELATED-TO", "SUMMARY")]
    assert warnings_of(report) == [("COMMENT", "property_not_kept"), *dropped]
    (task,) = tasks_of(client)
    assert (task["title"], task["priority"], task["parent_id"]) == ("Buy: milk", "medium", None)
    assert (task["due_at"], task["timezone"]) == ("2026-05-04T07:00:00+00:00", "Europe/Berlin")


@pytest.mark.requirement("FR-423")
def test_short_parameters_stay(client: httpx.Client) -> None:
    line = 'DESCRIPTION;ALTREP="cid:a;b:c";ENCODING=QUOTED-PRINTABLE:Gr=C3=BC=C3=9Fe'
    assert counts_of(import_(client, "SUMMARY:a", line)) == {"created": 1}
    assert [task["description"] for task in tasks_of(client)] == ["Grüße"]


@pytest.mark.requirement("FR-423")
@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ([f"SUMMARY;ALTREP={LONG}", "UID:2"], "calendar_invalid"),
        ([f"SUMMARY;ALTREP={LONG[:-1]}:a"], "calendar_invalid"),
        ([f"SUMMARY:{'a' * (MAX_ROW_BYTES + 1)}"], "row_too_long"),
        ([folded(f"SUMMARY:{'a' * (MAX_ROW_BYTES + 1)}")], "row_too_long"),
        ([f"SUMMARY{';A=1' * MAX_ROW_BYTES}:a"], "row_too_long"),
    ],
    ids=range(5),
)
def test_what_has_no_end_or_too_long_a_value_is_refused(client: httpx.Client, lines: list[str], code: str) -> None:
    file = calendar(*lines) + calendar("SUMMARY:b").replace("UID:1", "UID:2")
    assert [found for _, _, found in problems(client, file.encode(), CALENDAR)] == [code]
    assert [task["title"] for task in tasks_of(client)] == ["b"]


@pytest.mark.requirement("FR-423")
def test_a_long_line_is_read_in_parts_wherever_the_file_is_cut() -> None:
    file = calendar(f"SUMMARY;ALTREP={LONG}:END:VTODO").encode()
    read = []
    for size in (len(file), 64 * 1024, 77_777):
        reader = CalendarReader()
        pieces = [file[at : at + size] for at in range(0, len(file), size)]
        rows = [*(row for piece in pieces for row in reader.read(piece)), *reader.end()]
        read.append([row for row in rows if row is not None])
    assert read[0] == read[1] == read[2]
    assert [(row.line, row.fields["title"]) for row in read[0]] == [(3, "END:VTODO")]


@pytest.mark.requirement("FR-424")
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_lines_that_look_like_properties_are_part_of_notes(client: httpx.Client, ending: str) -> None:
    notes = ["Shopping", "", "TODO:buy milk", "NOTE;A:b", "", "", "ETA: soon", "", "https://example.com"]
    file = calendar(
        "SUMMARY:a", f"DESCRIPTION:{notes[0]}", *notes[1:], "", "STATUS:COMPLETED", "X-VENDOR:1", "", "junk"
    )
    report = report_of(send(client, file.replace("\n", ending).encode(), CALENDAR))

    assert warnings_of(report) == [("DESCRIPTION", "lines_joined")]
    (task,) = tasks_of(client)
    assert (task["description"], task["status"]) == ("\n".join(notes), "done")


@pytest.mark.requirement("FR-424")
def test_blank_lines_between_properties_say_nothing(client: httpx.Client) -> None:
    alarm = ("BEGIN:VALARM", "ACTION:DISPLAY", "END:VALARM")
    lines = ["SUMMARY:a", "DESCRIPTION:b", "PRIORITY:5", *alarm, "STATUS:COMPLETED"]
    spread = [each for line in lines for each in (line, "", "")]
    report = import_(client, *spread)

    assert counts_of(report) == {"created": 1, "skipped": 1}
    (task,) = tasks_of(client)
    assert (task["title"], task["description"], task["priority"], task["status"]) == ("a", "b", "medium", "done")


@pytest.mark.requirement("FR-424")
def test_very_many_blank_lines_are_too_long(client: httpx.Client) -> None:
    lines = ["DESCRIPTION:a", *[""] * 500_000, "b"]
    assert [code for _, _, code in problems(client, calendar(*lines).encode(), CALENDAR)] == ["row_too_long"]


@pytest.mark.requirement("FR-425")
def test_a_position_that_comes_too_late_is_told(client: httpx.Client) -> None:
    report = import_(client, "SUMMARY:a", f"X-TASK-API-POSITION:{'z' * 27}")
    assert (counts_of(report), warnings_of(report)) == ({"created": 1, "mended": 1}, [("position", "position_late")])
    (task,) = tasks_of(client)
    assert task["position"] < "q"
    row = lines_of([{"id": task["id"], "title": "a", "position": "z" * 27}])
    assert warnings_of(report_of(send(client, row))) == [("position", "position_late")]
    client.delete(path_of(task)).raise_for_status()
    assert warnings_of(report_of(send(client, row))) == [("position", "position_late")]
