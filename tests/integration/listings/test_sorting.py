"""Every sort order of the listing, compared with a sort in plain Python: its order, its ties, its pages."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.fixtures.calls.api import API
from tests.fixtures.calls.listing import disturbed, pages, store_tasks, titles
from tests.fixtures.calls.tasks import Task, create, error_of

NEVER = datetime.max.replace(tzinfo=UTC)
START = datetime(2026, 1, 1, tzinfo=UTC)
LONG = "Long " * 20  # the length that is compared
WORDS = ["b", "B", "a", "ä", "Ä", "z", "Z", "10", "9", "Ω", "ω", "Ж", "牛", "\U0001f36e", f"{LONG}a", f"{LONG}b"]


def _time(name: str) -> Callable[[Task], datetime]:
    return lambda task: datetime.fromisoformat(task[name]) if task[name] else NEVER


def _due(task: Task) -> datetime:
    if task["due_date"]:
        return datetime.fromisoformat(f"{task['due_date']}T23:59:59.999999+00:00")
    return _time("due_at")(task)


KEYS: dict[str, Callable[[Task], Any]] = {
    "created_at": _time("created_at"),
    "updated_at": _time("updated_at"),
    "title": lambda task: task["title"].lower()[:100],
    "completed_at": _time("completed_at"),
    "due": _due,
    "priority": lambda task: ("high", "medium", "low", None).index(task["priority"]),
}
SORTS = [*KEYS, *(f"-{name}" for name in KEYS)]
FITS: dict[str, Callable[[Task], bool]] = {
    "": lambda _: True,
    "completed=false": lambda task: not task["completed"],
    "completed=true": lambda task: task["completed"],
    "created_after=2026-01-01T00:00:03Z": lambda task: _time("created_at")(task) > START + timedelta(seconds=3),
    "priority=low,high": lambda task: task["priority"] in {"low", "high"},
    "q=long": lambda task: "long" in task["title"].lower(),
}


def in_order(tasks: list[Task], sort: str) -> list[str]:
    """Sort tasks as the listing must; returns their ids."""
    key = KEYS[sort.removeprefix("-")]
    return [
        task["id"]
        for task in sorted(tasks, key=lambda task: (key(task), uuid.UUID(task["id"]).int), reverse=sort[0] == "-")
    ]


def ids(found: list[list[Task]]) -> list[str]:
    """List the ids of the tasks on all pages."""
    return [task["id"] for page in found for task in page]


def some_tasks(seed: int, count: int, **fields: Any) -> list[Task]:
    """Create tasks, many of them with equal times and titles."""
    chance = random.Random(seed)  # noqa: S311 - the same each time

    def moment() -> str:
        return (START + timedelta(seconds=chance.randrange(8), microseconds=chance.randrange(2))).isoformat()

    return [
        {"id": str(uuid.UUID(int=chance.getrandbits(128))), "title": chance.choice(WORDS), "created_at": moment(),
         "updated_at": moment(), "completed_at": chance.choice([None, moment()]),
         "priority": chance.choice([1, 5, 9, 10]),
         **chance.choice([{}, {"due_at": moment()}, {"due_date": "2025-12-31"}, {"due_date": "2026-01-01"}]), **fields}
        for _ in range(count)
    ]  # fmt: skip


@pytest.mark.requirement("FR-130", "FR-131", "FR-128")
@pytest.mark.parametrize("sort", SORTS)
def test_every_page_of_every_sort_is_what_plain_python_sorts(
    client: httpx.Client, user_id: str, database_url: str, sort: str
) -> None:
    store_tasks(database_url, user_id, some_tasks(1, 60))
    tasks = client.get("/api/tasks").json()["data"]
    assert len(tasks) == 60

    for query, fits in FITS.items():
        expected = in_order([task for task in tasks if fits(task)], sort)
        assert len(expected) > 5
        for limit in (7, len(expected) - 1, len(expected)):
            found = pages(client, **dict(httpx.QueryParams(query)), sort=sort, limit=limit)

            assert ids(found) == expected, (query, limit)
            assert {len(page) for page in found[:-1]} <= {limit}
    assert ids(pages(client, sort=sort, limit=1, completed="true")) == in_order(
        [task for task in tasks if task["completed"]], sort
    )


@pytest.mark.requirement("FR-130", "FR-136")
@pytest.mark.parametrize("sort", SORTS)
def test_the_trash_is_sorted_in_the_same_way(client: httpx.Client, user_id: str, database_url: str, sort: str) -> None:
    deleted_at = "2026-02-01T00:00:00+00:00"
    store_tasks(database_url, user_id, some_tasks(2, 20, deleted_at=deleted_at) + some_tasks(3, 5))
    tasks = client.get("/api/tasks?deleted=true").json()["data"]

    assert len(tasks) == 20
    assert {task["deleted_at"] for task in tasks} == {deleted_at}
    assert ids(pages(client, sort=sort, limit=6, deleted="true")) == in_order(tasks, sort)


@pytest.mark.requirement("FR-130")
def test_titles_are_compared_without_regard_to_case_by_their_first_100_characters(client: httpx.Client) -> None:
    first = create(client, "a" * 100 + "z", id="00000000-0000-4000-8000-000000000001")
    second = create(client, "A" * 100 + "a", id="00000000-0000-4000-8000-000000000002")
    for title in ("Banana", "apple", "Äpfel", "äPFEL"):
        create(client, title)

    assert titles(client, sort="title")[:4] == [first["title"], second["title"], "apple", "Banana"]
    assert {title.lower() for title in titles(client, sort="title")[4:]} == {"äpfel"}


@pytest.mark.requirement("FR-130")
def test_open_tasks_come_after_completed_ones(client: httpx.Client) -> None:
    for title, completed in {"open": False, "done": True, "done later": True}.items():
        create(client, title, completed=completed)

    assert titles(client, sort="completed_at") == ["done", "done later", "open"]
    assert titles(client, sort="-completed_at") == ["open", "done later", "done"]


@pytest.mark.requirement("FR-130", "FR-151")
def test_the_newest_come_first_by_default(client: httpx.Client) -> None:
    for title in "abc":
        create(client, title)

    assert titles(client) == titles(client, sort="-created_at") == ["c", "b", "a"]


@pytest.mark.requirement("FR-131")
@pytest.mark.parametrize("sort", SORTS)
def test_tasks_that_stand_still_are_visited_once_while_others_come_and_go(
    client: httpx.Client, api: API, user_id: str, sort: str
) -> None:
    tasks = [create(client, f"{number % 5}", completed=number % 3 == 0) for number in range(30)]
    standing, passing = tasks[::2], tasks[1::2]
    with api.client(user_id) as other, disturbed(other, passing, title="2", completed=True):
        # Where new tasks are added at the end, they may arrive faster than the walk proceeds.
        seen = ids(pages(client, sort=sort, limit=3, created_before=after(tasks)))

    assert len(seen) == len(set(seen))
    kept = {task["id"] for task in standing}
    assert [id_ for id_ in seen if id_ in kept] == in_order(standing, sort)


def after(tasks: list[Task]) -> str:
    """Return a time at which all of these, and some of the new tasks, existed."""
    return (datetime.fromisoformat(tasks[-1]["created_at"]) + timedelta(milliseconds=50)).isoformat()


@pytest.mark.requirement("FR-313")
@pytest.mark.parametrize("sort", SORTS)
def test_a_direction_that_is_sent_apart_is_a_minus(
    client: httpx.Client, user_id: str, database_url: str, sort: str
) -> None:
    store_tasks(database_url, user_id, some_tasks(3, 12))
    name, order = sort.removeprefix("-"), "desc" if sort.startswith("-") else "asc"
    expected = client.get(f"/api/tasks?limit=5&sort={sort}").json()

    for query in (f"sort={name}&order={order}", *([f"sort={sort}&order=desc"] if order == "desc" else [])):
        answer = client.get(f"/api/tasks?limit=5&{query}")
        assert answer.json() == expected  # its cursor, too
        cursor = expected["page"]["next_cursor"]
        # Whoever began with one spelling may go on with the other.
        second = client.get("/api/tasks", params={"limit": 5, "sort": sort, "cursor": cursor}).json()
        assert client.get(f"/api/tasks?limit=5&{query}&cursor={cursor}").json() == second
        assert f"&order={order}" in answer.headers["Link"]


@pytest.mark.requirement("FR-313")
def test_a_direction_alone_is_that_of_the_creation(client: httpx.Client) -> None:
    tasks = [create(client, str(number)) for number in range(3)]

    assert client.get("/api/tasks?order=asc").json()["data"] == tasks
    assert client.get("/api/tasks?order=desc").json()["data"] == tasks[::-1]
    assert client.get("/api/tasks?sort=&order=asc").json()["data"] == tasks
    assert client.get("/api/tasks?sort=title&order=").json()["data"] == tasks
    first = client.get("/api/tasks?order=asc&limit=1").json()["page"]["next_cursor"]
    assert client.get("/api/tasks", params={"order": "asc", "cursor": first}).json()["data"] == tasks[1:]
    other = client.get("/api/tasks", params={"order": "desc", "cursor": first})
    assert error_of(other, 400, "BAD_REQUEST")["details"][0]["code"] == "cursor_of_another_list"


@pytest.mark.requirement("FR-313")
@pytest.mark.parametrize("name", KEYS)
def test_a_minus_and_the_other_direction_contradict_each_other(client: httpx.Client, name: str) -> None:
    error = error_of(client.get(f"/api/tasks?sort=-{name}&order=asc"), 422, "VALIDATION_ERROR")

    (detail,) = error["details"]
    assert (detail["field"], detail["code"]) == ("query.order", "sort_and_order")
    assert "sort and order contradict each other" in detail["message"]
    for order in ("ASC", "ascending", "-1", "-asc"):
        (detail,) = error_of(client.get(f"/api/tasks?sort={name}&order={order}"), 422, "VALIDATION_ERROR")["details"]
        assert (detail["field"], detail["code"]) == ("query.order", "enum")
        assert detail["message"].startswith("Must be one of: asc, desc")
