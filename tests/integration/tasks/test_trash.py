"""Deleted tasks come back when restored, and never after permanent removal."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from backend.config import Settings
from tests.fixtures.calls.api import new_user, serve
from tests.fixtures.calls.tasks import (
    MISSING_ID,
    Task,
    create,
    error_of,
    everything_of,
    path_of,
    read,
    revision_of,
    task_of,
)
from tests.fixtures.postgres.database import execute

AT_ONCE = 20
COUNTED = "SELECT task_count, (SELECT count(*) FROM tasks WHERE user_id = users.id) FROM users WHERE id = %s"
STONES = "SELECT id::text, revision FROM tombstones WHERE user_id = %s ORDER BY revision"
AGE = "UPDATE tombstones SET deleted_at = '2000-01-01T00:00:00Z' WHERE user_id = %s"
IS_NEW = "SELECT deleted_at > now() - interval '1 hour' FROM tombstones WHERE user_id = %s"


def delete(client: httpx.Client, task: Task) -> None:
    """Move a task to the trash."""
    assert client.delete(path_of(task)).status_code == 204


def remove(client: httpx.Client, task: Task) -> None:
    """Delete a task permanently."""
    response = client.delete(path_of(task), params={"permanent": "true"})
    assert (response.status_code, response.content) == (204, b"")


def restore(client: httpx.Client, task: Task) -> Task:
    """Restore a task."""
    return task_of(client.post(f"{path_of(task)}/restore"))


def stones_of(database_url: str, user_id: str) -> list[tuple[Any, ...]]:
    """Return the ids and numbers of permanently deleted tasks."""
    return execute(database_url, STONES, user_id)


@pytest.mark.requirement("FR-136")
def test_a_deleted_task_counts_as_missing_for_all_but_restoring_and_removing(client: httpx.Client) -> None:
    task = create(client)
    delete(client, task)
    before = everything_of(client)

    for method, suffix, body in [
        ("GET", "", None),
        ("HEAD", "", None),
        ("PUT", "", {"title": "b"}),
        ("PATCH", "", {"title": "b"}),
        ("PATCH", "/complete", None),
        ("DELETE", "", None),
        ("DELETE", "?permanent=false", None),
    ]:
        assert client.request(method, path_of(task) + suffix, json=body).status_code == 404
    assert everything_of(client) == before


@pytest.mark.requirement("FR-137")
@pytest.mark.parametrize("is_deleted", [False, True], ids=["living", "in the trash"])
def test_a_task_removed_for_good_leaves_its_id_and_its_number(
    client: httpx.Client, user_id: str, database_url: str, *, is_deleted: bool
) -> None:
    kept, task = create(client, "kept"), create(client, "Nobody's business", description="Nor this")
    if is_deleted:
        delete(client, task)

    remove(client, task)

    number = 4 if is_deleted else 3
    assert revision_of(client) == number
    assert execute(database_url, COUNTED, user_id) == [(1, 1)]
    assert stones_of(database_url, user_id) == [(task["id"], number)]
    stone = str(execute(database_url, "SELECT to_jsonb(tombstones) FROM tombstones WHERE user_id = %s", user_id))
    assert "Nobody" not in stone
    assert "Nor this" not in stone
    assert client.get("/api/tasks").json()["data"] == [kept]
    for response in (client.post(f"{path_of(task)}/restore"), client.delete(f"{path_of(task)}?permanent=true")):
        error_of(response, 404, "NOT_FOUND")
    assert revision_of(client) == number


@pytest.mark.requirement("FR-137", "FR-120")
def test_an_id_is_free_again_and_can_be_removed_again(client: httpx.Client, user_id: str, database_url: str) -> None:
    for number in (2, 4, 6):
        task = create(client, "a", id=MISSING_ID)  # the identical request, which creates a new task each time
        assert task["revision"] == number - 1
        remove(client, task)
        ((aged,),) = execute(
            database_url, "SELECT deleted_at < now() - interval '1 day' FROM tombstones WHERE user_id = %s", user_id
        )

        assert (stones_of(database_url, user_id), aged) == ([(MISSING_ID, number)], False)
        assert execute(database_url, COUNTED, user_id) == [(0, 0)]
        execute(database_url, AGE, user_id)
    assert create(client, "b", id=MISSING_ID)["title"] == "b"


@pytest.mark.requirement("FR-137", "FR-096")
def test_a_task_removed_for_good_no_longer_counts(settings: Settings) -> None:
    with serve(settings.model_copy(update={"max_tasks_per_user": 1})) as small, small.client(new_user()) as client:
        task = create(client)
        delete(client, task)
        assert client.post("/api/tasks", json={"title": "b"}).status_code == 409

        remove(client, task)
        create(client, "b")
        assert client.post("/api/tasks", json={"title": "c"}).status_code == 409


@pytest.mark.requirement("FR-137")
@pytest.mark.parametrize("value", ["True", "1", "yes", "on", "t", " true", "true ", "TRUE", "null", "0", "False"])
def test_nothing_is_removed_by_another_spelling(client: httpx.Client, value: str) -> None:
    task = create(client)
    for path in (path_of(task), f"/api/tasks/{MISSING_ID}"):
        response = client.delete(path, params={"permanent": value})

        (detail,) = error_of(response, 422, "VALIDATION_ERROR")["details"]
        assert (detail["field"], detail["code"]) == ("query.permanent", "bool_parsing")
    error_of(client.delete(f"{path_of(task)}?permanent=true&permanent=true"), 422, "VALIDATION_ERROR")
    error_of(client.delete(f"{path_of(task)}?Permanent=true"), 422, "VALIDATION_ERROR")
    assert read(client, task) == task


@pytest.mark.requirement("FR-137")
def test_false_is_as_if_nothing_was_said(client: httpx.Client) -> None:
    task = create(client)

    assert client.delete(path_of(task), params={"permanent": "false"}).status_code == 204
    assert restore(client, task)["revision"] == 3


@pytest.mark.requirement("FR-136", "FR-137", "FR-037")
def test_many_at_once_count_each_change_once(client: httpx.Client, user_id: str, database_url: str) -> None:
    tasks = [create(client, str(number)) for number in range(4)]
    ways = [("DELETE", ""), ("POST", "/restore"), ("DELETE", ""), ("POST", "/restore"), ("DELETE", "?permanent=true")]

    def send(number: int) -> bool:
        method, suffix = ways[number % len(ways)]
        response = client.request(method, path_of(tasks[number % len(tasks)]) + suffix)
        assert response.status_code in {200, 204, 404}
        return response.status_code == 204

    with ThreadPoolExecutor(AT_ONCE) as threads:
        deleted = sum(threads.map(send, range(AT_ONCE * 3)))

    # Restoring responds 200 whether it changed the task or not, so only a lower bound is known from the deletions.
    assert len(tasks) + deleted <= revision_of(client) <= len(tasks) + 2 * deleted
    assert execute(database_url, COUNTED, user_id) == [(0, 0)]
    stones = stones_of(database_url, user_id)
    assert {task_id for task_id, _ in stones} == {task["id"] for task in tasks}
    assert len({number for _, number in stones}) == len(tasks)
