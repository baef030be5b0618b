"""Titles and labels in files of which nothing can be seen, or that a terminal would obey.

What calls do with them: `tests/security/test_hostile_input.py`.
"""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from backend.models.task_file import FileFormat
from tests.fixtures.calls.task_files import (
    CALENDAR,
    CSV,
    EXPORT,
    LINES,
    TYPES,
    counts_of,
    imported,
    lines_of,
    problems,
    report_of,
    send,
    tasks_of,
)
from tests.fixtures.calls.tasks import create, error_of, read
from tests.fixtures.inputs.hostile import MARK, OBEYED, SEEN, UNSEEN

KINDS = [LINES, CSV, CALENDAR]
CLEAN = {"controls": "a\x0b\x85b", "bell": MARK, "escape": f"[2J{MARK}", "C1": f"{MARK}2J"}


def file_of(kind: str, title: str, labels: list[str] | None = None) -> bytes:
    """Write one task as a file of this type; labels are home and these."""
    if kind == LINES:
        return lines_of([{"title": title, "labels": ["home", *(labels or ())]}]).encode()
    listed = ",".join(["home", *(labels or ())])
    if kind == CSV:
        return f'title,labels\r\n"{title}","{listed}"\r\n'.encode()
    task = f"BEGIN:VTODO\r\nSUMMARY:{title}\r\nCATEGORIES:{listed}\r\nEND:VTODO\r\n"
    return f"BEGIN:VCALENDAR\r\n{task}END:VCALENDAR\r\n".encode()


def warnings_of(report: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the field and code of each warning."""
    return [(warning["field"], warning["code"]) for warning in report["warnings"]]


@pytest.mark.requirement("FR-376")
@pytest.mark.parametrize("kind", KINDS)
def test_a_title_that_cannot_be_seen_is_none(client: httpx.Client, kind: str) -> None:
    for name, text in UNSEEN.items():
        if "\t" not in text or kind != CALENDAR:
            report = report_of(send(client, file_of(kind, text), kind))
            assert ("title", "title_missing") in warnings_of(report), name
    assert {task["title"] for task in tasks_of(client)} == {"Untitled"}


@pytest.mark.requirement("FR-376")
@pytest.mark.parametrize("kind", KINDS)
def test_characters_that_words_need_stay(client: httpx.Client, kind: str) -> None:
    for text in SEEN.values():
        assert imported(client, file_of(kind, text, [text[:60]]), kind) == {"created": 1}
    assert {task["title"] for task in tasks_of(client)} == set(SEEN.values())
    assert [label["name"] for label in client.get("/api/labels").json()["data"]].count("home") == 1


@pytest.mark.requirement("FR-376", "FR-386")
@pytest.mark.parametrize("kind", [LINES, CSV])
def test_control_characters_in_a_title_of_a_file_are_removed_and_reported(client: httpx.Client, kind: str) -> None:
    for name, text in OBEYED.items():
        report = report_of(send(client, file_of(kind, text), kind))

        assert counts_of(report) == {"created": 1, "mended": 1}, name
        assert warnings_of(report) == [("title", "control_character")], name
    assert sorted(task["title"] for task in tasks_of(client)) == sorted(CLEAN.values())


@pytest.mark.requirement("FR-376", "FR-386")
def test_the_exact_title_of_a_calendar_loses_its_control_characters_too(client: httpx.Client) -> None:
    content = file_of(CALENDAR, "ab").replace(b"SUMMARY:ab", b'SUMMARY:ab\r\nX-TASK-API-SUMMARY:"a\\\\u0007b"')
    report = report_of(send(client, content, CALENDAR))

    assert (counts_of(report), warnings_of(report)) == ({"created": 1, "mended": 1}, [("title", "control_character")])
    assert [task["title"] for task in tasks_of(client)] == ["ab"]


@pytest.mark.requirement("FR-376")
def test_a_title_of_control_characters_alone_is_none(client: httpx.Client) -> None:
    report = report_of(send(client, lines_of([{"title": "\x07\x1b"}])))
    assert warnings_of(report) == [("title", "control_character"), ("title", "title_missing")]
    assert [task["title"] for task in tasks_of(client)] == ["Untitled"]
    assert problems(client, lines_of([{"title": "a\0"}])) == [(1, "title", "nul_character")]


@pytest.mark.requirement("FR-376")
@pytest.mark.parametrize("kind", [CSV, CALENDAR])
def test_labels_that_cannot_be_seen_are_ignored_like_blank_ones(client: httpx.Client, kind: str) -> None:
    assert imported(client, file_of(kind, "a", ["\u200b", "\u2800", " \ufe0f"]), kind) == {"created": 1}
    assert [task["labels"] for task in tasks_of(client)] == [["home"]]


@pytest.mark.requirement("FR-401", "FR-386")
@pytest.mark.parametrize("kind", KINDS)
def test_labels_of_dots_in_a_file_are_left_out_and_reported(client: httpx.Client, kind: str) -> None:
    report = report_of(send(client, file_of(kind, "a", [".", ".."]), kind))

    assert (counts_of(report), warnings_of(report)) == ({"created": 1, "mended": 1}, [("labels", "label_format")])
    assert [task["labels"] for task in tasks_of(client)] == [["home"]]
    assert [label["name"] for label in client.get("/api/labels").json()["data"]] == ["home"]


@pytest.mark.requirement("FR-376")
@pytest.mark.parametrize("form", TYPES)
def test_what_is_seen_comes_back_from_each_format_without_a_warning(client: httpx.Client, form: FileFormat) -> None:
    made = [create(client, text) for text in SEEN.values()]
    content = client.get(EXPORT, params={"format": form}).content

    assert imported(client, content, TYPES[form]) == {"unchanged": len(made)}
    assert [read(client, task)["title"] for task in made] == list(SEEN.values())


def test_a_control_character_is_refused(client: httpx.Client) -> None:
    for body in ({"title": "a\x07b"}, {"title": "\x1b[31mred"}):
        answer = client.post("/api/tasks", json=body)

        assert [each["code"] for each in error_of(answer, 422, "VALIDATION_ERROR")["details"]] == ["control_character"]
