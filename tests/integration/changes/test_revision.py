"""One counter per user: what increases it, what does not, and many concurrent writers."""

from __future__ import annotations

from functools import partial
from typing import Any

import httpx
import pytest

from tests.fixtures.calls.api import API
from tests.fixtures.calls.erasure import erase
from tests.fixtures.calls.tasks import (
    MISSING_ID,
    Task,
    create,
    everything_of,
    path_of,
    read,
    revision_of,
    task_of,
)
from tests.fixtures.http.parallel import in_parallel

THREADS = 7  # odd, so that a lost toggle shows
Request = tuple[str, str, dict[str, Any] | None]


def edit(path: str, change: dict[str, Any], client: httpx.Client) -> Task:
    """Edit a task."""
    return task_of(client.put(path, json=change))


@pytest.mark.requirement("FR-035")
def test_each_change_moves_the_counter_by_one_and_marks_the_task(client: httpx.Client) -> None:
    first, second = create(client), create(client)
    changes: list[Request] = [
        ("PUT", path_of(first), {"title": "b"}),
        ("PATCH", path_of(second), {"description": "b"}),
        ("PATCH", f"{path_of(first)}/complete", None),
        ("PATCH", f"{path_of(second)}/complete", {"completed": True}),
        ("PUT", path_of(first), {"title": "c", "description": "d", "completed": False}),
    ]

    assert (first["revision"], second["revision"]) == (1, 2)
    for number, (method, path, body) in enumerate(changes, start=3):
        task = task_of(client.request(method, path, json=body))
        assert task["revision"] == number == revision_of(client)
    assert client.delete(path_of(first)).status_code == 204
    assert task_of(client.post(f"{path_of(first)}/restore"))["revision"] == 9 == revision_of(client)
    assert client.delete(f"{path_of(first)}?permanent=true").status_code == 204
    assert revision_of(client) == 10


@pytest.mark.requirement("FR-035")
def test_counters_of_users_are_apart(client: httpx.Client, stranger: httpx.Client) -> None:
    create(client)
    create(client)

    assert create(stranger)["revision"] == 1
    assert revision_of(client) == 2


@pytest.mark.requirement("FR-036", "FR-052", "FR-027")
@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PATCH", "{task}", {}, 200),
        ("PUT", "{task}", {}, 200),
        ("PUT", "{task}", {"title": "Buy milk"}, 200),
        ("PUT", "{task}", {"title": "  Buy milk\t"}, 200),
        ("PUT", "{task}", {"title": "Buy milk", "description": None, "completed": False}, 200),
        ("PATCH", "{task}", {"description": None}, 200),
        ("PATCH", "{task}/complete", {"completed": False}, 200),
        ("PUT", "{missing}", {"title": "b"}, 404),
        ("PATCH", "{missing}", {"title": "b"}, 404),
        ("PATCH", "{missing}/complete", None, 404),
        ("DELETE", "{missing}", None, 404),
        ("DELETE", "{missing}?permanent=true", None, 404),
        ("POST", "{missing}/restore", None, 404),
        ("POST", "{task}/restore", None, 200),
        ("PUT", "{task}", {"title": ""}, 422),
        ("PUT", "{task}", {"title": "b", "unknown": 1}, 422),
        ("PATCH", "{task}/complete", {"completed": 1}, 422),
        ("POST", "/api/tasks", {"title": "b", "id": "{id}"}, 409),
        ("POST", "/api/tasks", {"title": "Buy milk", "id": "{id}"}, 409),
        ("POST", "/api/tasks", {}, 422),
    ],
)  # fmt: skip
def test_what_changes_nothing_leaves_counter_revision_and_times_alone(
    client: httpx.Client, method: str, path: str, body: dict[str, Any] | None, status: int
) -> None:
    task = create(client)
    before = everything_of(client)
    address = path.format(task=path_of(task), missing=f"/api/tasks/{MISSING_ID}")
    if body and "id" in body:
        body = {**body, "id": task["id"]}

    response = client.request(method, address, json=body)

    assert response.status_code == status
    assert everything_of(client) == before
    if status == 200:
        assert task_of(response) == task


@pytest.mark.requirement("FR-036", "FR-039")
def test_a_failed_first_write_makes_no_account(client: httpx.Client) -> None:
    client.post("/api/tasks", json={})
    client.delete(f"/api/tasks/{MISSING_ID}")
    client.put(f"/api/tasks/{MISSING_ID}", json={"title": "b"})

    assert client.get("/api/me").json()["data"]["created_at"] is None


@pytest.mark.requirement("FR-037", "FR-035")
def test_many_writers_use_each_number_once_and_leave_none_out(api: API, client: httpx.Client, user_id: str) -> None:
    shared = [create(client, str(number)) for number in range(2)]

    def write(client: httpx.Client) -> list[int]:
        """Make twenty changes, each of a different kind than the one before."""
        seen = []
        for number in range(5):
            made = create(client, str(number))
            toggled = task_of(client.patch(f"{path_of(shared[number % 2])}/complete"))
            edited = task_of(client.put(path_of(shared[0]), json={"title": f"{made['id']} {number}"}))
            assert client.delete(path_of(made)).status_code == 204
            seen += [made["revision"], toggled["revision"], edited["revision"]]
        return seen

    numbers = [number for seen in in_parallel(api, user_id, *[write] * THREADS) for number in seen]

    deletions = THREADS * 5
    assert len(numbers) == len(set(numbers)) == THREADS * 15
    assert revision_of(client) == len(shared) + len(numbers) + deletions
    assert set(numbers) <= set(range(3, revision_of(client) + 1))
    toggles = {task["id"]: THREADS * (3, 2)[number] for number, task in enumerate(shared)}
    for task in shared:
        assert read(client, task)["completed"] is (toggles[task["id"]] % 2 == 1)
    assert len(client.get("/api/tasks").json()["data"]) == len(shared)


@pytest.mark.requirement("FR-037")
def test_the_first_writes_of_a_user_may_come_at_once(api: API, client: httpx.Client, user_id: str) -> None:
    tasks: list[Task] = in_parallel(api, user_id, *[create] * THREADS)

    assert sorted(task["revision"] for task in tasks) == list(range(1, THREADS + 1))
    assert revision_of(client) == THREADS


@pytest.mark.requirement("FR-037", "FR-024")
def test_edits_of_different_fields_at_once_all_survive(api: API, client: httpx.Client, user_id: str) -> None:
    for number in range(10):
        task = create(client)
        changes: list[dict[str, Any]] = [{"title": f"b{number}"}, {"description": "c"}, {"completed": True}]

        in_parallel(api, user_id, *[partial(edit, path_of(task), change) for change in changes])

        after = read(client, task)
        assert (after["title"], after["description"], after["completed"]) == (f"b{number}", "c", True)
        assert after["revision"] == task["revision"] + 3 == revision_of(client)


@pytest.mark.requirement("FR-037", "FR-027")
def test_setting_at_once_counts_once(api: API, client: httpx.Client, user_id: str) -> None:
    task = create(client)

    def complete(client: httpx.Client) -> Task:
        return task_of(client.patch(f"{path_of(task)}/complete", json={"completed": True}))

    answers = in_parallel(api, user_id, *[complete] * THREADS)

    assert {answer["revision"] for answer in answers} == {2}
    assert revision_of(client) == 2


@pytest.mark.requirement("FR-037", "FR-119")
def test_creating_under_one_id_at_once_makes_one_task(api: API, client: httpx.Client, user_id: str) -> None:
    def post(client: httpx.Client) -> int:
        return client.post("/api/tasks", json={"title": "a", "id": MISSING_ID}).status_code

    statuses = in_parallel(api, user_id, *[post] * THREADS)

    assert sorted(statuses) == [200] * (THREADS - 1) + [201]
    assert revision_of(client) == len(client.get("/api/tasks").json()["data"]) == 1


@pytest.mark.requirement("FR-037", "FR-028")
def test_a_deletion_among_edits_counts_only_what_was_changed(api: API, client: httpx.Client, user_id: str) -> None:
    def edit_often(path: str, name: str, client: httpx.Client) -> list[int]:
        return [client.put(path, json={"title": f"{name} {number}"}).status_code for number in range(5)]

    def delete(path: str, client: httpx.Client) -> list[int]:
        return [client.delete(path).status_code]

    for _ in range(5):
        path, before = path_of(create(client)), revision_of(client)

        edits = [partial(edit_often, path, name) for name in "abc"]
        answers = in_parallel(api, user_id, *edits, partial(delete, path), partial(delete, path))

        assert sorted(answers[3] + answers[4]) == [204, 404]
        edited = [status for answer in answers[:3] for status in answer]
        assert set(edited) <= {200, 404}
        assert revision_of(client) == before + edited.count(200) + 1


@pytest.mark.requirement("FR-037", "FR-040")
def test_erasing_among_writes_leaves_whole_accounts(api: API, client: httpx.Client, user_id: str) -> None:
    def write(client: httpx.Client) -> list[int]:
        statuses = []
        for number in range(10):
            created = client.post("/api/tasks", json={"title": str(number)})
            statuses += [created.status_code, client.put(created.headers["Location"], json={"title": "b"}).status_code]
        return statuses

    def erase_often(client: httpx.Client) -> list[int]:
        return [erase(client).status_code for _ in range(10)]

    answers = in_parallel(api, user_id, write, write, write, erase_often)

    assert {status for answer in answers for status in answer} <= {201, 200, 404, 204}
    tasks = client.get("/api/tasks").json()["data"]
    revision = revision_of(client)
    assert all(task["revision"] <= revision for task in tasks)
    assert len({task["revision"] for task in tasks}) == len(tasks)
    assert erase(client).status_code == 204
    assert everything_of(client)[0]["data"] == []
