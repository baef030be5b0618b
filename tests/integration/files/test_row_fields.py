"""What a row omits or leaves empty, field by field and format by format: the table of the guide."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from backend.models.task_file import FileFormat, ImportedTask
from tests.fixtures.calls.lists import make
from tests.fixtures.calls.task_files import (
    CSV,
    TYPES,
    counts_of,
    exported,
    imported,
    lines_of,
    report_of,
    send,
    tasks_of,
)
from tests.fixtures.calls.tasks import Task, create, path_of, read, task_of
from tests.fixtures.documents.requirements import ROOT

GUIDE = ROOT / "docs" / "files.md"
SPECIFICATION = ROOT / "specs" / "006-first-hour" / "spec.md"
EARLIER = "2020-01-02T03:04:05+00:00"
STATE = {"status", "completed", "completed_at"}  # one of them says it for all
COUNTED = {"updated_at", "revision"}
MOVES = {"list_id", "parent_id"}  # a task that leaves them is the last where it comes


class Meaning(NamedTuple):
    """A line of the table: the properties of a field, and what it is when it is empty."""

    properties: list[str]
    existing: str
    new: str


def table_of(document: Path) -> dict[str, Meaning]:
    """Read the lines of the table, by the fields that they are about."""
    text = document.read_text(encoding="utf-8")
    lines = re.findall(r"^\| `(\w+)` \| ([A-Z-]+(?:, [A-Z-]+)*) \| (.*?) ?\| (.+) \|$", text, re.MULTILINE)
    return {field: Meaning(properties.split(", "), *meanings) for field, properties, *meanings in lines}


TABLE = table_of(GUIDE)
FIELDS = [name for name in ImportedTask.model_fields if name != "id"]


def file_of(form: FileFormat, task_id: str | None, *empty: str) -> str:
    """Write a file with one row that has these fields, all empty, and a title where the format needs one."""
    if form is FileFormat.JSON_LINES:
        return lines_of([{"id": task_id, **dict.fromkeys(empty)}])
    if form is FileFormat.CSV:
        title = {} if "title" in empty else {"title": "a"}
        row = {"id": task_id or "", **title, **dict.fromkeys(empty, "")}
        return "".join(f"{','.join(cells)}\n" for cells in (row.keys(), row.values()))
    uid = [f"UID:{task_id}"] if task_id else []
    lines = [*uid, *(f"{TABLE[name].properties[0]}:" for name in empty)]
    return "\r\n".join(["BEGIN:VCALENDAR", "BEGIN:VTODO", *lines, "END:VTODO", "END:VCALENDAR", ""])


def full(client: httpx.Client, empty: str = "") -> Task:
    """Create a task that has everything that can stand beside this field."""
    parent = create(client, "above", list_id=make(client, "Home")["id"])
    dates: dict[str, Any] = {"due_date": "2026-11-21", "start_date": "2026-11-20"}
    if empty in {"due_at", "start_at", "timezone"}:
        dates = {"due_at": "2026-11-21T09:00:00Z", "start_at": "2026-11-20T09:00:00Z", "timezone": "Europe/Berlin"}
    return create(
        client, "a", description="Two", status="done", priority="high", labels=["x"], list_id=parent["list_id"],
        parent_id=None if empty == "list_id" else parent["id"], **dates,
    )  # fmt: skip


def differences(before: Task, after: Task) -> Task:
    """Return the values that have changed, without those that count changes."""
    return {name: after[name] for name in after if name not in COUNTED and after[name] != before[name]}


@pytest.mark.requirement("FR-427")
def test_the_table_has_every_field() -> None:
    assert TABLE.keys() == set(ImportedTask.model_fields)
    assert table_of(SPECIFICATION) == TABLE


@pytest.mark.requirement("FR-427")
@pytest.mark.parametrize("form", FileFormat)
@pytest.mark.parametrize("field", FIELDS)
def test_an_empty_value_in_an_existing_task_is_what_the_table_says(
    client: httpx.Client, form: FileFormat, field: str
) -> None:
    task, meaning = full(client, field), TABLE[field].existing

    report = report_of(send(client, file_of(form, task["id"], field), TYPES[form]))

    changed = differences(task, read(client, task))
    if meaning.startswith("stays"):
        assert changed == {}
    elif field in STATE:
        assert changed == {"status": "todo", "completed": False, "completed_at": None}
    else:
        assert changed.pop(field) == json.loads(meaning.strip("`"))
        assert changed.keys() <= {"position"} if field in MOVES else not changed
    warnings = [(warning["field"], warning["code"]) for warning in report["warnings"]]
    assert warnings == [("title", "title_missing")] * meaning.endswith("with a warning")


@pytest.mark.requirement("FR-427")
@pytest.mark.parametrize("form", FileFormat)
def test_what_a_row_omits_stays_as_it_is(client: httpx.Client, form: FileFormat) -> None:
    task = full(client)
    left = {name for name in FIELDS if task[name] in (None, [], False, "todo")}
    assert left == {"due_at", "start_at", "timezone"}

    assert imported(client, file_of(form, task["id"]), TYPES[form]) == {"unchanged": 1}
    assert read(client, task) == task


@pytest.mark.requirement("FR-427")
@pytest.mark.parametrize("form", FileFormat)
@pytest.mark.parametrize("field", FIELDS)
def test_an_empty_value_in_a_new_task_is_what_an_omitted_one_is(
    client: httpx.Client, form: FileFormat, field: str
) -> None:
    before = create(client, "before")
    named = {"description"} if field == "title" else {"title"}
    rows = [{**dict.fromkeys(named, "a"), **empty} for empty in ({}, {field: None})]
    if form is FileFormat.JSON_LINES:
        files = [lines_of([row]) for row in rows]
    elif form is FileFormat.CSV:
        rows = [{"title": "", **row} for row in rows]
        files = [",".join(row) + "\n" + ",".join(str(value or "") for value in row.values()) for row in rows]
    else:
        text = f"{TABLE[min(named)].properties[0]}:a\r\n"
        todos = [text, f"{text}{TABLE[field].properties[0]}:\r\n"]
        files = [f"BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\n{todo}END:VTODO\r\nEND:VCALENDAR" for todo in todos]

    first, again = (report_of(send(client, file, TYPES[form])) for file in files)

    assert counts_of(first) == {"created": 1} | ({"mended": 1} if field == "title" else {})
    assert again["unchanged"] == 1  # a row without an id makes a task once: the two say the same
    (task,) = (task for task in tasks_of(client) if task["id"] != before["id"])
    meaning = TABLE[field].new
    if meaning.startswith("`"):
        assert task[field] == json.loads(meaning.strip("`"))
    elif field == "title":
        assert task["title"] == task["description"] == "a"
    else:
        assert task[field] > before[field]


@pytest.mark.requirement("FR-427")
@pytest.mark.parametrize("form", FileFormat)
def test_a_row_without_a_title_and_description_is_untitled_or_refused(client: httpx.Client, form: FileFormat) -> None:
    unknown = "00000000-0000-0000-0000-000000000001"
    kind = TYPES[form]

    if form is FileFormat.CSV:  # always has a title, even if it is empty
        assert imported(client, f"id,title\n{unknown},\n", kind) == {"created": 1, "mended": 1}
    else:
        for row_id in (unknown, None):
            report = report_of(send(client, file_of(form, row_id), kind))
            assert [(error["field"], error["code"]) for error in report["errors"]] == [("title", "missing")]
        assert imported(client, file_of(form, unknown, "priority"), kind) == {"created": 1, "mended": 1}
    assert [task["title"] for task in tasks_of(client)] == ["Untitled"]


@pytest.mark.requirement("FR-427")
@pytest.mark.parametrize(
    ("description", "title", "codes"),
    [
        (" \n \u200b\n\u2800 a\x07 \nb", "\u2800 a", ["title_missing"]),
        ("x" * 501, "x" * 500, ["title_missing", "shortened"]),
        ("\u200b", "Untitled", ["title_missing"]),
    ],
    ids=range(3),
)
def test_a_title_is_made_of_what_can_be_seen(
    client: httpx.Client, description: str, title: str, codes: list[str]
) -> None:
    report = report_of(send(client, lines_of([{"description": description}])))

    assert [warning["code"] for warning in report["warnings"]] == codes
    assert [task["title"] for task in tasks_of(client)] == [title]


@pytest.mark.requirement("FR-428")
@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"status": None, "completed": True}, "done"),
        ({"status": None, "completed": None, "completed_at": EARLIER}, "done"),
        ({"status": "in_progress", "completed": None, "completed_at": None}, "in_progress"),
        ({"status": "done", "completed": None, "completed_at": None}, "done"),
        ({"status": None, "completed": None, "completed_at": None}, "todo"),
        ({"completed": None, "completed_at": EARLIER}, "done"),
        ({"status": None, "completed_at": EARLIER}, "done"),
    ],
    ids=range(7),
)
@pytest.mark.parametrize("is_done", [False, True])
def test_an_empty_state_says_nothing_beside_another_one(
    client: httpx.Client, said: dict[str, Any], status: str, *, is_done: bool
) -> None:
    tasks = [create(client, form, completed=is_done) for form in ("JSON lines", "CSV")]
    cells = ["" if value is None else str(value) for value in said.values()]

    report_of(send(client, lines_of([{"id": tasks[0]["id"], **said}])))
    report_of(send(client, f"id,title,{','.join(said)}\n{tasks[1]['id']},CSV,{','.join(cells)}\n", "text/csv"))

    assert [read(client, task)["status"] for task in tasks] == [status] * 2


TIMES = {"start_at": "2026-11-20T09:00:00+00:00", "due_at": "2026-11-21T09:00:00+00:00", "timezone": "Europe/Berlin"}


@pytest.mark.requirement("FR-428")
@pytest.mark.parametrize(
    ("row", "dates", "field"),
    [
        ({"due_date": "2026-11-21"}, {"due_date": "2026-11-21"}, "start_at"),
        (
            {"due_at": "2026-11-19T09:00:00+00:00"},
            {"due_at": "2026-11-19T09:00:00+00:00", "timezone": TIMES["timezone"]},
            "start_at",
        ),
        ({"start_date": "2026-11-20"}, {"due_at": TIMES["due_at"], "timezone": TIMES["timezone"]}, "start_date"),
    ],
    ids=range(3),
)
@pytest.mark.parametrize("form", FileFormat)
def test_of_start_and_due_that_contradict_each_other_the_due_date_stays(
    client: httpx.Client, form: FileFormat, row: dict[str, str], dates: dict[str, str], field: str
) -> None:
    task = create(client, "a", **TIMES)
    ((name, value),) = row.items()
    calendar_value = value.replace("-", "").replace(":", "").replace("+0000", "Z")
    file = {
        FileFormat.JSON_LINES: lines_of([{"id": task["id"], **row}]),
        FileFormat.CSV: f"id,title,{name}\n{task['id']},a,{value}\n",
        FileFormat.CALENDAR: f"BEGIN:VCALENDAR\nBEGIN:VTODO\nUID:{task['id']}\n"
        f"{TABLE[name].properties[0]}:{calendar_value}\nEND:VTODO\nEND:VCALENDAR\n",
    }[form]

    report = report_of(send(client, file, TYPES[form]))

    assert counts_of(report) == {"updated": 1, "mended": 1}
    assert [(warning["field"], warning["code"]) for warning in report["warnings"]] == [(field, "start_dropped")]
    names = ("due_date", "due_at", "start_date", "start_at", "timezone")
    after = read(client, task)
    assert {name: after[name] for name in names if after[name] is not None} == dates


@pytest.mark.requirement("FR-428")
def test_a_row_that_contradicts_itself_or_has_another_fault_is_refused(client: httpx.Client) -> None:
    task = create(client, "a", due_date="2026-11-21", start_date="2026-11-20")
    rows = [{"start_date": "2026-11-20", "due_at": TIMES["due_at"]}, {"timezone": "Europe/Berlin"}]

    report = report_of(send(client, lines_of({"id": task["id"], **row} for row in rows)))

    assert [error["code"] for error in report["errors"]] == ["start_and_due_differ", "timezone_without_time"]
    assert read(client, task) == task


@pytest.mark.requirement("FR-427")
@pytest.mark.parametrize("name", ["uid", "request_hash", "user_id", "revision", "updated_at", "deleted_at"])
def test_a_column_that_only_the_service_sets_is_ignored(client: httpx.Client, name: str) -> None:
    assert imported(client, f"title,{name}\nmilk,y\n", CSV) == {"created": 1}


@pytest.mark.requirement("FR-429")
@pytest.mark.parametrize("form", FileFormat)
def test_ones_own_file_takes_back_what_was_added_since(client: httpx.Client, form: FileFormat) -> None:
    tasks = [create(client, "none"), create(client, "empty", description=""), create(client, "all")]
    file = exported(client, form)
    home = make(client, "Home")
    parent = create(client, "above", list_id=home["id"])
    added = {"description": "Two", "status": "done", "priority": "high", "labels": ["x"], "parent_id": parent["id"]}
    days = {"due_date": "2026-11-21", "start_date": "2026-11-20"}
    for task, dates in zip(tasks, (days, TIMES, TIMES), strict=True):
        task_of(client.patch(path_of(task), json=added | dates))

    assert imported(client, file, TYPES[form]) == {"updated": 3}
    assert [differences(task, read(client, task)) for task in tasks] == [{}] * 3


@pytest.mark.requirement("FR-429")
@pytest.mark.parametrize("form", FileFormat)
def test_ones_own_file_gives_back_what_was_taken_since(client: httpx.Client, form: FileFormat) -> None:
    first, second = full(client), full(client, "due_at")
    file = exported(client, form)
    bare: Task = {
        "description": None, "priority": None, "labels": [], "parent_id": None, "list_id": None, "due_date": None,
        "due_at": None, "start_date": None, "start_at": None,
    }  # fmt: skip
    for task in (first, second):
        task_of(client.patch(path_of(task), json=bare))

    assert imported(client, file, TYPES[form]) == {"updated": 2, "unchanged": 2}
    assert [differences(task, read(client, task)) for task in (first, second)] == [{}, {}]
