"""The priority of tasks: set, kept, listed, and carried by files."""

from __future__ import annotations

from typing import Any

import httpx
import psycopg2
import pytest
from icalendar import Calendar, Todo

from backend.models.task_file import FileFormat
from tests.fixtures.calls.listing import pages
from tests.fixtures.calls.task_files import CALENDAR, CSV, TYPES, exported, imported, lines_of, problems, tasks_of
from tests.fixtures.calls.tasks import Task, create, error_of, path_of
from tests.fixtures.postgres.database import execute

WORDS = {0: None, 1: "high", 2: "high", 3: "high", 4: "high", 5: "medium", 6: "low", 7: "low", 8: "low", 9: "low"}


def edit(client: httpx.Client, task: Task, **fields: Any) -> Task:
    """Change a task, and return it."""
    response = client.patch(path_of(task), json=fields)
    assert response.status_code == 200, response.text
    changed: Task = response.json()["data"]
    return changed


def titles(client: httpx.Client, **query: Any) -> list[str]:
    """List all pages of two, and return the titles."""
    return [task["title"] for page in pages(client, limit=2, **query) for task in page]


def calendar_of(*priorities: int) -> bytes:
    """Write a calendar by another library, with a task for each priority, whose title says it."""
    calendar = Calendar()
    for priority in priorities:
        todo = Todo()
        todo.add("UID", f"{priority}@example.com")
        todo.add("SUMMARY", str(priority))
        todo.add("PRIORITY", priority)
        calendar.add_component(todo)
    written: bytes = calendar.to_ical()
    return written


def numbers_of(client: httpx.Client) -> dict[str, int]:
    """Export all tasks as a calendar, and read their priorities by another library."""
    found = Calendar.from_ical(exported(client, "ics"))
    return {str(todo["SUMMARY"]): int(todo.get("PRIORITY", 0)) for todo in found.walk("VTODO")}


@pytest.fixture
def from_calendar(client: httpx.Client) -> dict[str, Task]:
    """A task of each priority of iCalendar, by its number."""
    assert imported(client, calendar_of(*WORDS), CALENDAR) == {"created": 10}
    return {task["title"]: task for task in client.get("/api/tasks").json()["data"]}


@pytest.mark.requirement("FR-288")
def test_a_task_has_the_priority_that_was_sent_or_none(client: httpx.Client) -> None:
    plain = create(client, "a")
    assert plain["priority"] is None
    for word in ("high", "medium", "low", None):
        task = create(client, "a", priority=word)
        assert task["priority"] == word
        assert client.get(path_of(task)).json()["data"] == task
        assert edit(client, plain, priority=word)["priority"] == word
    assert numbers_of(client) == {"a": 0}
    rows = [{"title": word, "priority": word} for word in ("high", "medium", "low")]
    assert imported(client, lines_of(rows)) == {"created": 3}
    assert numbers_of(client) == {"a": 0, "high": 1, "medium": 5, "low": 9}


@pytest.mark.requirement("FR-288")
@pytest.mark.parametrize("value", ["urgent", "HIGH", "", "none", 1, True, ["high"]])
def test_another_priority_is_refused_everywhere(client: httpx.Client, value: object) -> None:
    task = create(client, "a", priority="low")

    for response in (
        client.post("/api/tasks", json={"title": "b", "priority": value}),
        client.patch(path_of(task), json={"priority": value}),
    ):
        assert [each["field"] for each in error_of(response, 422, "VALIDATION_ERROR")["details"]] == ["priority"]
    assert problems(client, lines_of([{"title": "b", "priority": value}])) == [(1, "priority", "enum")]
    assert client.get("/api/tasks").json()["data"] == [task]


@pytest.mark.requirement("FR-288", "FR-290")
def test_a_word_keeps_the_number_that_it_already_stands_for(
    client: httpx.Client, from_calendar: dict[str, Task]
) -> None:
    numbers = {str(number): number for number in WORDS}
    for task in from_calendar.values():
        assert edit(client, task, priority=task["priority"]) == task
    operations = [
        {"op": "update", "id": task["id"], "data": {"title": title, "priority": task["priority"]}}
        for title, task in from_calendar.items()
    ]
    assert client.post("/api/tasks/batch", json={"operations": operations}).status_code == 200
    for form in (FileFormat.JSON_LINES, FileFormat.CSV):
        assert imported(client, exported(client, form).encode(), TYPES[form]) == {"unchanged": 10}
    assert numbers_of(client) == numbers
    task = from_calendar["2"]
    for word, number in (("low", 9), ("high", 1), (None, 0), ("high", 1)):
        assert edit(client, task, priority=word)["priority"] == word
        assert numbers_of(client) == numbers | {"2": number}


@pytest.mark.requirement("FR-288")
def test_changes_of_the_state_keep_the_number(client: httpx.Client, from_calendar: dict[str, Task]) -> None:
    path = path_of(from_calendar["3"])
    assert client.patch(f"{path}/complete").json()["data"]["priority"] == "high"
    assert client.delete(path).status_code == 204
    (in_trash,) = client.get("/api/tasks?deleted=true&priority=high").json()["data"]
    assert in_trash["priority"] == "high"
    assert client.post(f"{path}/restore").json()["data"]["priority"] == "high"
    assert edit(client, from_calendar["3"], title="b")["priority"] == "high"

    assert numbers_of(client)["b"] == 3
    (changed,) = (each for each in client.get("/api/changes").json()["data"] if each["id"] == from_calendar["3"]["id"])
    assert changed["priority"] == "high"


@pytest.mark.requirement("FR-290")
def test_the_numbers_of_a_calendar_come_back_as_they_went(
    client: httpx.Client, stranger: httpx.Client, from_calendar: dict[str, Task]
) -> None:
    assert {title: task["priority"] for title, task in from_calendar.items()} == {
        str(number): word for number, word in WORDS.items()
    }
    assert numbers_of(client) == {str(number): number for number in WORDS}
    assert imported(client, calendar_of(*WORDS), CALENDAR) == {"unchanged": 10}
    assert imported(stranger, exported(client, "ics").encode(), CALENDAR) == {"created": 10}
    assert numbers_of(stranger) == numbers_of(client)
    other = calendar_of(2).replace(b"PRIORITY:2", b"PRIORITY:3")  # the same word, another number
    assert imported(client, other, CALENDAR) == {"updated": 1}
    assert numbers_of(client)["2"] == 3


@pytest.mark.requirement("FR-290")
def test_a_file_without_a_priority_leaves_it_alone_and_one_with_it_sets_it(
    client: httpx.Client, from_calendar: dict[str, Task]
) -> None:
    task = from_calendar["2"]
    todo = f"BEGIN:VCALENDAR\nBEGIN:VTODO\nUID:{task['id']}\nSUMMARY:%s\nEND:VTODO\nEND:VCALENDAR"

    def after(content: str, kind: str) -> int:
        assert imported(client, content.encode(), kind) == {"updated": 1}
        numbers = numbers_of(client)
        return numbers.pop((numbers.keys() - {str(number) for number in WORDS}).pop())

    assert after(todo % "b", CALENDAR) == 2
    assert after(f"id,title\n{task['id']},c\n", CSV) == 2
    assert after(lines_of([{"id": task["id"], "title": "d"}]), TYPES[FileFormat.JSON_LINES]) == 2
    assert after(todo % "e\nPRIORITY:7", CALENDAR) == 7
    assert after(todo % "f\nPRIORITY:0", CALENDAR) == 0
    assert after(f"id,title,priority\n{task['id']},g,medium\n", CSV) == 5
    assert after(f"id,title,priority\n{task['id']},h,\n", CSV) == 0
    assert after(lines_of([{"id": task["id"], "title": "i", "priority": "low"}]), TYPES[FileFormat.JSON_LINES]) == 9
    assert imported(client, (todo % "i\nPRIORITY:10").encode(), CALENDAR) == {"unchanged": 1, "mended": 1}
    assert problems(client, f"id,title,priority\n{task['id']},j,2\n", CSV) == [(2, "priority", "enum")]


@pytest.mark.requirement("FR-289")
@pytest.mark.parametrize(
    "words",
    [
        *("high", "medium", "low", "none", "none,high", "low,medium", "high,low", "high,high,none,low"),
        *("none,low,medium", "high,medium,low,none"),
    ],
)
def test_priorities_are_listed(client: httpx.Client, from_calendar: dict[str, Task], words: str) -> None:
    wanted = words.split(",")
    numbers = sorted(
        (number for number, word in WORDS.items() if (word or "none") in wanted), key=lambda each: each or 10
    )
    expected = [str(number) for number in numbers]

    assert titles(client, priority=words, sort="priority") == expected
    assert titles(client, priority=words, sort="-priority") == expected[::-1]
    assert sorted(titles(client, priority=words)) == sorted(expected)
    counted = client.get("/api/tasks", params={"priority": words, "include_counts": "true", "include_total": "true"})
    page = counted.json()["page"]
    assert page["total"] == page["counts"]["todo"] == len(expected)
    assert len(from_calendar) == len(WORDS)


@pytest.mark.requirement("FR-289")
def test_tasks_of_one_number_are_in_the_order_of_their_ids(client: httpx.Client) -> None:
    ids = sorted(create(client, "a", priority="medium")["id"] for _ in range(5))

    for sort, expected in (("priority", ids), ("-priority", ids[::-1])):
        assert [task["id"] for page in pages(client, sort=sort, limit=2) for task in page] == expected


@pytest.mark.requirement("FR-289")
@pytest.mark.parametrize("words", ["urgent", "high,", "HIGH", "high, low", ",", "null", "1"])
def test_an_unknown_word_is_refused(client: httpx.Client, words: str) -> None:
    details = error_of(client.get("/api/tasks", params={"priority": words}), 422, "VALIDATION_ERROR")["details"]
    assert [(each["field"], each["code"]) for each in details] == [("query.priority", "enum")]


@pytest.mark.requirement("FR-289")
def test_a_cursor_belongs_to_priorities_and_not_to_their_spelling(
    client: httpx.Client, from_calendar: dict[str, Task]
) -> None:
    page = client.get("/api/tasks", params={"priority": "high,low", "limit": 1}).json()["page"]

    again = {"limit": 1, "cursor": page["next_cursor"]}
    assert client.get("/api/tasks", params={**again, "priority": "low,high,low"}).status_code == 200
    assert client.get("/api/tasks", params={**again, "priority": "high"}).status_code == 400
    assert from_calendar


@pytest.mark.requirement("FR-288")
def test_the_account_is_exported_with_the_word(client: httpx.Client, from_calendar: dict[str, Task]) -> None:
    exported_tasks = [line for line in client.get("/api/me/export").text.splitlines() if '"type":"task"' in line]

    for task in tasks_of(client):
        assert from_calendar[task["title"]]["priority"] == task["priority"]
        (line,) = (each for each in exported_tasks if task["id"] in each)
        assert f'"priority":{"null" if task["priority"] is None else chr(34) + task["priority"] + chr(34)}' in line
        assert "priority_number" not in line


@pytest.mark.requirement("FR-029", "FR-288")
@pytest.mark.parametrize("number", [0, 11, -1])
def test_the_table_repeats_the_rule(client: httpx.Client, user_id: str, database_url: str, number: int) -> None:
    create(client, "a")

    with pytest.raises(psycopg2.IntegrityError, match="ck_tasks_priority_known"):
        execute(database_url, "UPDATE tasks SET priority = %s WHERE user_id = %s", number, user_id)
