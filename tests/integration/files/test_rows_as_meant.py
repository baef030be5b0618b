"""Rows whose meaning is clear are stored, and what is not kept is told."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.fixtures.calls.subtasks import chain
from tests.fixtures.calls.task_files import (
    CALENDAR,
    CSV,
    LINES,
    Report,
    counts_of,
    lines_of,
    problems,
    report_of,
    send,
    tasks_of,
)
from tests.fixtures.calls.tasks import create, read

JSON = "application/json"
INVISIBLE = "\u200b\u2060"


def calendar(*todos: str) -> str:
    return "\r\n".join(["BEGIN:VCALENDAR", *(f"BEGIN:VTODO\r\n{todo}\r\nEND:VTODO" for todo in todos), "END:VCALENDAR"])


def import_(client: httpx.Client, file: str, kind: str = LINES) -> Report:
    return report_of(send(client, file.encode(), kind))


def warnings_of(report: Report) -> list[tuple[str, str]]:
    return [(warning["field"], warning["code"]) for warning in report["warnings"]]


@pytest.mark.requirement("FR-463")
@pytest.mark.parametrize("title", ["", " ", INVISIBLE, "\u2800"], ids=ascii)
@pytest.mark.parametrize("form", ["jsonl", "json", "csv", "ics"])
def test_a_title_of_which_nothing_can_be_seen_is_none(client: httpx.Client, form: str, title: str) -> None:
    files = {
        "jsonl": (lines_of([{"title": title, "description": "b"}]), LINES),
        "json": (json.dumps([{"title": title, "description": "b"}]), JSON),
        "csv": (f"title,description\n{title},b\n", CSV),
        "ics": (calendar(f"SUMMARY:{title}\r\nDESCRIPTION:b"), CALENDAR),
    }
    report = import_(client, *files[form])

    assert (counts_of(report), warnings_of(report)) == ({"created": 1, "mended": 1}, [("title", "title_missing")])
    assert [task["title"] for task in tasks_of(client)] == ["b"]


@pytest.mark.requirement("FR-463")
def test_an_existing_task_keeps_its_title(client: httpx.Client) -> None:
    task = create(client, "a")
    report = import_(client, lines_of([{"title": INVISIBLE, "id": task["id"]}]))
    assert (counts_of(report), warnings_of(report)) == ({"unchanged": 1, "mended": 1}, [("title", "title_missing")])
    assert read(client, task)["title"] == "a"


@pytest.mark.requirement("FR-464")
def test_a_parent_that_is_below_its_own_subtask_is_told(client: httpx.Client) -> None:
    tasks = chain(client, *"abc")
    report = import_(client, lines_of([{"id": tasks["a"]["id"], "parent_id": tasks["c"]["id"]}]))

    assert (counts_of(report), warnings_of(report)) == ({"unchanged": 1, "mended": 1}, [("parent_id", "parent_cycle")])
    assert read(client, tasks["a"])["parent_id"] is None
    own = calendar("UID:x\r\nSUMMARY:x\r\nRELATED-TO:x")
    assert warnings_of(import_(client, own, CALENDAR)) == [("parent_id", "parent_cycle")]
    circle = calendar(*(f"UID:{a}\r\nSUMMARY:{a}\r\nRELATED-TO;RELTYPE=CHILD:{b}" for a, b in ("pq", "qp")))
    assert warnings_of(import_(client, circle, CALENDAR)) == [("row", "parent_cycle")]
    turned = calendar(*(f"UID:{a}\r\nSUMMARY:{a}\r\nRELATED-TO:{b}" for a, b in ("rs", "sr")))
    assert warnings_of(import_(client, turned, CALENDAR)) == [("parent_id", "parent_cycle")]


@pytest.mark.requirement("FR-464")
def test_a_parent_that_is_too_deep_is_left_out_whichever_task_names_the_other(client: httpx.Client) -> None:
    lowest = chain(client, *"abcde")["e"]["id"]
    child = f"UID:child\r\nSUMMARY:child\r\nRELATED-TO:{lowest}"
    parent = f"UID:{lowest}\r\nSUMMARY:e\r\nRELATED-TO;RELTYPE=CHILD:other"

    for file, counts, field in (
        (calendar(child), {"created": 1, "mended": 1}, "parent_id"),
        (calendar(child), {"unchanged": 1, "mended": 1}, "parent_id"),
        (calendar(parent, "UID:other\r\nSUMMARY:other"), {"created": 1, "unchanged": 1}, "row"),
    ):
        report = import_(client, file, CALENDAR)
        assert (counts_of(report), warnings_of(report)) == (counts, [(field, "too_deep")])
    assert {task["title"] for task in tasks_of(client) if task["parent_id"] is None} == {"a", "child", "other"}
    assert problems(client, lines_of([{"title": "f", "parent_id": lowest}])) == [(1, "parent_id", "too_deep")]


@pytest.mark.requirement("FR-464")
def test_a_parent_with_too_many_subtasks_is_left_out(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.services.tasks.tree.MAX_BELOW", 1)
    file = calendar("UID:a\r\nSUMMARY:a", *(f"UID:{each}\r\nSUMMARY:{each}\r\nRELATED-TO:a" for each in "bc"))
    report = import_(client, file, CALENDAR)
    assert (counts_of(report), warnings_of(report)) == ({"created": 3, "mended": 1}, [("row", "too_many_subtasks")])


@pytest.mark.requirement("FR-465")
@pytest.mark.parametrize(
    ("hint", "yes", "no"),
    [
        ("sep=;\r\n", "WAHR", "FALSCH"),
        ('"sep=;"\r\n', "vrai", "Faux"),
        ("SEP=;\r\n\r\n", "VERDADERO", "FALSO"),
        ("", " PRAWDA", "FAŁSZ"),
    ],
)
def test_a_spreadsheet_of_another_country_is_read(client: httpx.Client, hint: str, yes: str, no: str) -> None:
    file = f"\ufeff{hint}title;completed;due_date;start_date\r\na;{yes};04.05.2026;3.5.2026\r\nb;{no};;\r\n"
    assert counts_of(import_(client, file, CSV)) == {"created": 2}
    a, b = sorted(tasks_of(client), key=lambda task: str(task["title"]))
    assert (a["completed"], a["due_date"], a["start_date"]) == (True, "2026-05-04", "2026-05-03")
    assert (b["completed"], b["due_date"]) == (False, None)


@pytest.mark.requirement("FR-465")
@pytest.mark.parametrize("day", ["2026-5-4", "2026/05/04", "2026.5.04", " 04.05.2026 "])
def test_days_that_can_be_read_in_one_way_are_read(client: httpx.Client, day: str) -> None:
    assert counts_of(import_(client, f"title,due_date\na,{day}\n", CSV)) == {"created": 1}
    assert [task["due_date"] for task in tasks_of(client)] == ["2026-05-04"]


@pytest.mark.requirement("FR-465")
@pytest.mark.parametrize("day", ["05/04/2026", "5/4/26", "25/12/2026", "4-5-2026"])
@pytest.mark.parametrize("column", ["due_date", "start_date"])
def test_days_that_can_be_read_in_two_ways_are_refused_with_what_to_write(
    client: httpx.Client, column: str, day: str
) -> None:
    report = import_(client, f"title,{column}\na,{day}\nb,\n", CSV)

    ((error),) = report["errors"]
    assert (counts_of(report), error["line"], error["field"]) == ({"created": 1, "failed": 1}, 2, column)
    assert error["code"] == "day_format"
    assert "2026-05-04" in error["message"]
    assert day not in error["message"]


@pytest.mark.requirement("FR-465")
@pytest.mark.parametrize("day", ["31.02.2026", "04.05.26", "2026/13/01", "4.5.2026 10:00"])
def test_what_is_no_day_is_refused_as_before(client: httpx.Client, day: str) -> None:
    assert problems(client, f"title,due_date\na,{day}\n", CSV) == [(2, "due_date", "day_format")]


@pytest.mark.requirement("FR-466")
@pytest.mark.parametrize("value", ["soon", 1, [], "2026-05-04"])
def test_a_list_is_archived_only_by_a_time(client: httpx.Client, value: Any) -> None:
    said = {"id": "0197c1f0-7a3b-7c4d-8e5f-6a7b8c9d0e1f", "name": "Home", "archived_at": value}
    assert problems(client, lines_of([{"type": "list", "data": said}])) == [(1, "archived_at", "moment_format")]
    assert client.get("/api/lists").json()["data"] == []


@pytest.mark.requirement("FR-467")
@pytest.mark.parametrize("second", ['"data": [{"title": "b"}]', '"data" : []'])
def test_a_second_array_of_a_file_is_told(client: httpx.Client, second: str) -> None:
    first = '{"data": [{"title": "a"}], "page": {"data": [{"title": "c"}]}, '
    report = import_(client, f"{first}{second}}}", JSON)

    assert counts_of(report) == {"created": 1, "failed": 1}
    assert [(error["line"], error["code"]) for error in report["errors"]] == [(1, "duplicate_key")]
    assert [task["title"] for task in tasks_of(client)] == ["a"]


@pytest.mark.requirement("FR-468")
def test_tasks_of_a_calendar_that_were_created_in_one_second_keep_its_order(client: httpx.Client) -> None:
    titles = ["c", "a", "d", "b"]
    todos = [f"UID:{title}\r\nSUMMARY:{title}\r\nCREATED:20260504T090000Z" for title in titles]
    file = calendar(*todos, "UID:e\r\nSUMMARY:e\r\nCREATED:20260504T090001Z")

    assert counts_of(import_(client, file, CALENDAR)) == {"created": 5}
    listed = client.get("/api/tasks", params={"sort": "created_at"}).json()["data"]
    assert [task["title"] for task in listed] == [*titles, "e"]
    assert {task["created_at"][:19] for task in listed[:4]} == {"2026-05-04T09:00:00"}
    assert listed[4]["created_at"] == "2026-05-04T09:00:01+00:00"
    assert counts_of(import_(client, file, CALENDAR)) == {"unchanged": 5}
