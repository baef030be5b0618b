"""Listings: their order, their pages and their cursors, over HTTP."""

from __future__ import annotations

import uuid

import httpx
import pytest

from tests.fixtures.calls.api import API
from tests.fixtures.calls.feed import sync_token
from tests.fixtures.calls.listing import disturbed
from tests.fixtures.calls.listing import pages as walk
from tests.fixtures.calls.tasks import create, error_of, everything_of, path_of, task_of
from tests.fixtures.postgres.database import execute


def insert_tasks(database_url: str, user_id: str, count: int) -> None:
    """Store tasks that were all created at the same moment."""
    execute(
        database_url,
        """
        INSERT INTO users (id, revision) VALUES (%s, 1);
        INSERT INTO tasks (user_id, id, title, created_at, revision)
        SELECT %s, gen_random_uuid(), number::text, '2026-01-01 12:00:00.000001+00', 1
        FROM generate_series(1, %s) AS number
        """,
        user_id,
        user_id,
        count,
    )


@pytest.mark.requirement("FR-016", "FR-017", "FR-041")
def test_the_listing_holds_my_tasks_newest_first_and_nobody_elses(client: httpx.Client, stranger: httpx.Client) -> None:
    create(stranger, "theirs")
    tasks = [create(client, str(number)) for number in range(3)]
    tasks[0] = task_of(client.put(path_of(tasks[0]), json={"title": "an edit does not move a task"}))

    response = client.get("/api/tasks")

    assert response.status_code == 200
    page = {"limit": 1000, "has_more": False, "next_cursor": None, "since": sync_token(4)}
    assert response.json() == {"data": tasks[::-1], "page": page}


@pytest.mark.requirement("FR-016", "FR-017")
def test_an_empty_listing_is_an_empty_array(client: httpx.Client, stranger: httpx.Client) -> None:
    create(stranger)

    assert client.get("/api/tasks?limit=1").json() == {
        "data": [],
        "page": {"limit": 1, "has_more": False, "next_cursor": None, "since": sync_token(0)},
    }


@pytest.mark.requirement("FR-016")
def test_tasks_of_the_same_moment_are_ordered_by_id(client: httpx.Client, user_id: str, database_url: str) -> None:
    insert_tasks(database_url, user_id, 20)

    ids = [task["id"] for task in client.get("/api/tasks").json()["data"]]

    assert ids == sorted(ids, reverse=True)
    assert len(ids) == 20


@pytest.mark.requirement("FR-018")
@pytest.mark.parametrize("limit", [1, 3, 6, 7, 8])
def test_pages_hold_every_task_once_also_those_of_the_same_moment(
    client: httpx.Client, user_id: str, database_url: str, limit: int
) -> None:
    insert_tasks(database_url, user_id, 7)

    pages = walk(client, limit=limit)

    assert [task for page in pages for task in page] == client.get("/api/tasks").json()["data"]
    assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)
    assert 1 <= len(pages[-1]) <= limit


@pytest.mark.requirement("FR-018")
def test_tasks_that_stand_still_are_visited_once_while_others_come_and_go(
    client: httpx.Client, api: API, user_id: str
) -> None:
    tasks = [create(client, str(number)) for number in range(40)]
    standing, passing = tasks[::2], tasks[1::2]
    with api.client(user_id) as other, disturbed(other, passing, title="new"):
        seen = [task["id"] for page in walk(client, limit=2) for task in page]

    assert len(seen) == len(set(seen))
    assert [task["id"] for task in standing[::-1]] == [id_ for id_ in seen if id_ in {task["id"] for task in standing}]


@pytest.mark.requirement("FR-018")
def test_the_task_that_a_cursor_stands_on_may_be_deleted(client: httpx.Client) -> None:
    tasks = [create(client, str(number)) for number in range(4)]
    page = client.get("/api/tasks?limit=2").json()["page"]

    client.delete(path_of(tasks[2]))
    create(client, "new")

    assert client.get("/api/tasks", params={"cursor": page["next_cursor"]}).json()["data"] == [tasks[1], tasks[0]]


@pytest.mark.requirement("FR-018", "FR-011")
def test_a_cursor_shows_another_user_only_that_users_own_tasks(client: httpx.Client, stranger: httpx.Client) -> None:
    theirs = create(stranger)
    for number in range(2):
        create(client, str(number))
    cursor = client.get("/api/tasks?limit=1").json()["page"]["next_cursor"]

    assert stranger.get("/api/tasks", params={"cursor": cursor}).json()["data"] == [theirs]


@pytest.mark.requirement("FR-017")
def test_a_page_holds_up_to_1000_tasks_by_default(client: httpx.Client, user_id: str, database_url: str) -> None:
    insert_tasks(database_url, user_id, 1001)

    first = client.get("/api/tasks").json()

    assert (len(first["data"]), first["page"]["limit"], first["page"]["has_more"]) == (1000, 1000, True)
    rest = client.get("/api/tasks", params={"cursor": first["page"]["next_cursor"]}).json()
    assert len({task["id"] for task in first["data"] + rest["data"]}) == 1001
    assert rest["page"] == {**first["page"], "has_more": False, "next_cursor": None}
    assert client.get("/api/tasks?limit=1000").json() == first


@pytest.mark.requirement("FR-017", "FR-042", "FR-044")
@pytest.mark.parametrize(
    "limit",
    ["0", "1001", "-1", "+5", "%2B5", "1_0", "5.0", "1e2", "%205", "5%20", "ten", "NaN", "Infinity", "true", "null",
     "9" * 9, "9" * 30, "%00", "5%00", "%D9%A3", "%EF%BC%95", "%ff", "[]", "0x10"],
)  # fmt: skip
def test_a_bad_limit_is_refused_by_name(client: httpx.Client, limit: str) -> None:
    error = error_of(client.get(f"/api/tasks?limit={limit}"), 422, "VALIDATION_ERROR")

    assert [detail["field"] for detail in error["details"]] == ["query.limit"]


@pytest.mark.requirement("FR-043")
@pytest.mark.parametrize("query", ["limit=5&limit=6", "limit=x&limit=5", "cursor=a&cursor=b"])
def test_a_parameter_that_is_sent_twice_is_refused(client: httpx.Client, query: str) -> None:
    error = error_of(client.get(f"/api/tasks?{query}"), 422, "VALIDATION_ERROR")

    name = query.partition("=")[0]
    assert [detail["field"] for detail in error["details"]] == [f"query.{name}"]


@pytest.mark.requirement("FR-043")
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/api/tasks", "/api/tasks/{id}", "/api/tasks/{id}/complete", "/api/me"])
def test_an_unknown_parameter_is_refused_everywhere(client: httpx.Client, method: str, path: str) -> None:
    address = path.format(id=create(client)["id"])
    before = everything_of(client)

    response = client.request(
        method, f"{address}?user_id=someone&Limit=5", json={"title": "a"} if method == "POST" else None
    )

    if response.status_code != 405:  # the path does not allow the method
        error = error_of(response, 422, "VALIDATION_ERROR")
        assert {"query.user_id", "query.Limit"} <= {detail["field"] for detail in error["details"]}
    assert everything_of(client) == before


@pytest.mark.requirement("FR-019")
def test_a_cursor_that_is_not_ours_is_a_bad_request(client: httpx.Client) -> None:
    for number in range(2):
        create(client, str(number))
    ours = client.get("/api/tasks?limit=1").json()["page"]["next_cursor"]
    flipped = ("B" if ours[5] == "A" else "A").join((ours[:5], ours[6:]))

    shortened = [ours[:-1], ours[:-4], ours[4:]]
    lengthened = [ours + "A", ours + "AAAA", ours + "=", f" {ours}", f"{ours}\n", ours * 2, "A" * 5000]
    other = ["x", "null", "1", flipped, ours.swapcase(), "é", "\x00", "=" * 40, "A" * 40, str(uuid.uuid4())]
    for cursor in shortened + lengthened + other:
        error = error_of(client.get("/api/tasks", params={"cursor": cursor}), 400, "BAD_REQUEST")
        assert [detail["field"] for detail in error["details"]] == ["query.cursor"]
    assert client.get("/api/tasks", params={"cursor": ours}).status_code == 200
