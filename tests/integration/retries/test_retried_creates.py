"""A retried create with a client-chosen id finds the task it created, and creates nothing more."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from backend.config import Settings
from backend.models.task import TaskCreate
from backend.services.tasks.rules import TooManyTasks
from backend.services.tasks.service import TaskService
from backend.utils.fingerprint import fingerprint
from tests.fixtures.calls.api import API, new_user, serve
from tests.fixtures.calls.keys import new_key
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
from tests.fixtures.postgres.rival import Rival, rival

AT_ONCE = 50
NEW = {"title": "Buy milk", "id": MISSING_ID}
INSERT = "INSERT INTO tasks (user_id, id, title, revision, request_hash) VALUES (%s, %s, %s, %s, %s)"


def found(response: httpx.Response) -> Task:
    """Return the task of a create's response that created nothing."""
    task = task_of(response, 200)
    assert response.headers["Location"] == path_of(task)
    return task


@pytest.mark.requirement("FR-119")
def test_a_create_that_is_sent_again_answers_the_task_and_changes_nothing(client: httpx.Client) -> None:
    bodies: list[dict[str, Any]] = [
        {"title": "a"},
        {"title": "a", "description": None, "completed": False},
        {"title": "a", "description": "", "completed": True},
        {"title": "\u3042" * 500, "description": "\U0001f95b" * 10_000},
    ]
    for number, body in enumerate(bodies):
        body["id"] = MISSING_ID[:-1] + str(number)
        made = task_of(client.post("/api/tasks", json=body), 201)
        before = everything_of(client)

        assert found(client.post("/api/tasks", json=body)) == made
        assert everything_of(client) == before


@pytest.mark.requirement("FR-119")
def test_a_create_that_had_a_key_is_found_without_it_too(client: httpx.Client) -> None:
    made = task_of(client.post("/api/tasks", json=NEW, headers=new_key()), 201)

    assert found(client.post("/api/tasks", json=NEW)) == made
    assert client.post("/api/tasks", json={**NEW, "title": "Bread"}).status_code == 409


@pytest.mark.requirement("FR-119")
def test_the_same_request_may_be_written_otherwise(client: httpx.Client) -> None:
    made = create(client, "a", id=MISSING_ID)

    for again in (
        {"id": MISSING_ID.upper(), "title": " a\t", "completed": False, "description": None},
        {"completed": False, "title": "a", "id": MISSING_ID},
    ):
        assert found(client.post("/api/tasks", json=again)) == made


@pytest.mark.requirement("FR-119")
def test_what_happened_to_the_task_since_does_not_matter(client: httpx.Client) -> None:
    made = create(client, **NEW)
    path = path_of(made)
    for method, address, body in [
        ("PUT", path, {"title": "b", "description": "c"}),
        ("PATCH", f"{path}/complete", None),
        ("DELETE", path, None),
        ("POST", f"{path}/restore", None),
    ]:
        assert client.request(method, address, json=body).is_success
        if method != "DELETE":
            before = everything_of(client)
            assert found(client.post("/api/tasks", json=NEW)) == read(client, made)
            assert everything_of(client) == before
    error_of(client.post("/api/tasks", json={**NEW, "title": "b", "description": "c"}), 409, "CONFLICT")


@pytest.mark.requirement("FR-120", "FR-022")
def test_another_body_under_that_id_is_refused(client: httpx.Client) -> None:
    task = create(client, "a", id=MISSING_ID)
    before = everything_of(client)

    for other in ({"title": "b"}, {"title": "A"}, {"title": "a", "description": ""}, {"title": "a", "completed": True}):
        assert error_of(client.post("/api/tasks", json={"id": MISSING_ID, **other}), 409, "CONFLICT")["details"] == []
    assert everything_of(client) == before
    assert read(client, task) == task


@pytest.mark.requirement("FR-120")
def test_a_task_that_the_service_named_or_that_is_older_is_another_one(client: httpx.Client, database_url: str) -> None:
    named = create(client, "a")
    older = create(client, "a", id=MISSING_ID)
    # As the migration that added the hash left existing tasks.
    execute(database_url, "UPDATE tasks SET request_hash = NULL WHERE user_id = %s", older["user_id"])

    for task in (named, older):
        error_of(client.post("/api/tasks", json={"title": "a", "id": task["id"]}), 409, "CONFLICT")


@pytest.mark.requirement("FR-119", "FR-096")
def test_a_full_account_finds_what_it_has(settings: Settings) -> None:
    with serve(settings.model_copy(update={"max_tasks_per_user": 1})) as small, small.client(new_user()) as client:
        made = create(client, **NEW)

        assert found(client.post("/api/tasks", json=NEW)) == made
        (other,) = error_of(client.post("/api/tasks", json={"title": "b"}), 409, "CONFLICT")["details"]
        assert other["code"] == "too_many_tasks"
        assert error_of(client.post("/api/tasks", json={**NEW, "title": "b"}), 409, "CONFLICT")["details"] == []
        assert client.post("/api/tasks", json=NEW, headers={"If-None-Match": "*"}).status_code == 412
        assert revision_of(client) == 1


@pytest.mark.requirement("FR-119", "FR-037")
@pytest.mark.parametrize("max_tasks", [1, 1000])
def test_of_many_at_once_one_makes_the_task_and_the_others_find_it(settings: Settings, max_tasks: int) -> None:
    with serve(settings.model_copy(update={"max_tasks_per_user": max_tasks})) as api, api.client(new_user()) as client:
        with ThreadPoolExecutor(AT_ONCE) as threads:
            sent = [threads.submit(client.post, "/api/tasks", json=NEW) for _ in range(AT_ONCE)]
        answers = [request.result() for request in sent]

        assert sorted(answer.status_code for answer in answers) == [200] * (AT_ONCE - 1) + [201]
        assert {answer.content for answer in answers} == {answers[0].content}
        assert revision_of(client) == 1


@pytest.fixture
def tasks(api: API, client: httpx.Client, user_id: str) -> TaskService:
    """The task service of a user who has one task and may have one more."""
    create(client)
    return TaskService(api.app.state.sessions, user_id, max_tasks=2)


def _take(other: Rival, user_id: str, title: str) -> None:
    """Create a task as another process does, in a transaction that has increased the revision."""
    other.execute(INSERT, user_id, MISSING_ID, title, 2, fingerprint("Buy milk", None, False))
    other.execute("UPDATE users SET task_count = task_count + 1 WHERE id = %s", user_id)


@pytest.mark.requirement("FR-119", "FR-037")
@pytest.mark.parametrize("max_tasks", [2, 3], ids=["the last one", "room for more"])
def test_a_create_finds_what_the_same_request_makes_while_it_waits(
    tasks: TaskService, database_url: str, max_tasks: int
) -> None:
    with rival(database_url, tasks.user_id) as other, ThreadPoolExecutor(1) as thread:
        _take(other, tasks.user_id, "Buy milk")
        service = TaskService(tasks.sessions, tasks.user_id, max_tasks)
        answer = thread.submit(service.create, TaskCreate.model_validate(NEW))
        other.commit_when_awaited()

        assert (answer.result().is_new, answer.result().revision) == (False, 2)


@pytest.mark.requirement("FR-096", "FR-037")
def test_a_create_is_refused_when_another_makes_the_account_full_while_it_waits(
    tasks: TaskService, database_url: str
) -> None:
    with rival(database_url, tasks.user_id) as other, ThreadPoolExecutor(1) as thread:
        _take(other, tasks.user_id, "Another")
        answer = thread.submit(tasks.create, TaskCreate(title="b"))
        other.commit_when_awaited()

        with pytest.raises(TooManyTasks):
            answer.result()
