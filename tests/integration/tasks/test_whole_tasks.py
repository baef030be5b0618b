"""A task is sent back whole: what only the service sets is ignored, unless it is that of another task or user."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from backend.models.task import READ_ONLY, ExportedTask, TaskFields, TaskPublic
from tests.fixtures.calls.api import API, new_user
from tests.fixtures.calls.batches import BATCH, results_of, run_each, send_batch, update
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

pytestmark = pytest.mark.requirement("FR-312")

Edit = Callable[[httpx.Client, Task, dict[str, Any]], httpx.Response]
EDITS: dict[str, Edit] = {
    "put": lambda client, task, body: client.put(path_of(task), json=body),
    "patch": lambda client, task, body: client.patch(path_of(task), json=body),
    "batch": lambda client, task, body: send_batch(client, update(task, **body)),
    "batch of each": lambda client, task, body: client.post(
        BATCH, json={"operations": [update(task, **body)], "atomic": False}
    ),
}
CHANGED = {
    "title": "b", "description": "c", "due_at": "2026-12-24T18:00:00+00:00", "timezone": "Europe/Berlin",
    "start_at": "2026-12-01T08:00:00+00:00",
}  # fmt: skip
NONSENSE: list[Any] = [None, 1, -1.5, True, "nonsense", "9999-12-31T23:59:59Z", "", [], {"a": ["b"]}]


@pytest.fixture(params=EDITS)
def edit(request: pytest.FixtureRequest) -> Edit:
    """Each way to edit a task."""
    return EDITS[request.param]


def edited(response: httpx.Response) -> Task:
    """Return the task of a successful edit."""
    if isinstance(response.json()["data"], list):
        (result,) = results_of(response)
        assert result["status"] == 200, result
        task: Task = result["data"]
        return task
    return task_of(response)


def refused(response: httpx.Response) -> list[tuple[str, str]]:
    """Return the fields and codes of a refused edit, as a single call has them."""
    if response.status_code == 200:
        (result,) = results_of(response)
        assert result["status"] == 422
        return [(each["field"], each["code"]) for each in result["error"]["details"]]
    details = error_of(response, 422, "VALIDATION_ERROR")["details"]
    found = [(each["field"].removeprefix("operations.0.data."), each["code"]) for each in details]
    return [each for each in found if each != ("operations.0", "validation_error")]


def test_what_is_ignored_is_what_clients_read_and_cannot_set() -> None:
    of_exports = set(ExportedTask.model_fields) - set(TaskPublic.model_fields)
    assert (set(TaskPublic.model_fields) - set(TaskFields.model_fields)) | of_exports == READ_ONLY
    assert {"id", "user_id", "created_at", "updated_at", "completed_at", "deleted_at", "revision"} <= READ_ONLY


def test_a_whole_task_with_some_fields_changed_is_an_edit_of_these(client: httpx.Client, edit: Edit) -> None:
    task = create(client, "a", description="d", completed=True, due_date="2026-12-24")

    after = edited(edit(client, task, {**task, "title": "b"}))

    assert after == task | {name: after[name] for name in ("title", "updated_at", "revision")}
    assert (after["title"], after["revision"]) == ("b", 2)
    assert after["updated_at"] > task["updated_at"]
    assert edited(edit(client, after, {**after, **CHANGED, "due_date": None})) | CHANGED == read(client, task)


def test_a_whole_task_with_nothing_changed_changes_nothing(client: httpx.Client, edit: Edit) -> None:
    task = create(client, "a", status="in_progress")

    assert edited(edit(client, task, task)) == task
    assert edited(edit(client, task, {name: task[name] for name in READ_ONLY & task.keys()})) == task
    assert revision_of(client) == 1


@pytest.mark.parametrize("name", sorted(READ_ONLY - {"id", "user_id"}))
def test_what_is_ignored_may_be_anything_and_changes_nothing(client: httpx.Client, edit: Edit, name: str) -> None:
    task = create(client, "a")
    for value in NONSENSE:
        assert edited(edit(client, task, {name: value})) == task
    assert edited(edit(client, task, {name: "nonsense", "title": "b"}))["title"] == "b"
    assert {**read(client, task), "title": "a", "revision": 1, "updated_at": task["updated_at"]} == task


def test_another_task_or_another_user_is_refused_and_nothing_changes(client: httpx.Client, edit: Edit) -> None:
    task, second = create(client, "a"), create(client, "b")
    before = everything_of(client)
    own = {"id", "user_id"}
    for body, expected in [
        (second, [("id", "other_task")]),
        ({**task, "title": "c", "id": MISSING_ID}, [("id", "other_task")]),
        ({**task, "title": "c", "user_id": new_user()}, [("user_id", "other_user")]),
        ({"id": str(uuid.uuid4()), "user_id": ""}, [("id", "other_task"), ("user_id", "other_user")]),
        ({"title": "c", "id": f"{task['id']} "}, [("id", "other_task")]),
        *(({"title": "c", "id": value}, [("id", "other_task")]) for value in NONSENSE[1:]),
        *(({"title": "c", "user_id": value}, [("user_id", "other_user")]) for value in NONSENSE[1:]),
    ]:
        assert sorted(refused(edit(client, task, body))) == expected, body
        assert {name for name, _ in expected} <= own
    assert everything_of(client) == before


def test_no_id_is_that_of_another_task_and_letters_of_an_id_may_be_large(client: httpx.Client, edit: Edit) -> None:
    task = create(client, "a")
    names: list[dict[str, object]] = [{"id": None, "user_id": None}, {"id": task["id"].upper()}]

    for number, name in enumerate(names):
        assert edited(edit(client, task, {**name, "title": str(number)}))["title"] == str(number)


def test_somebody_elses_task_sent_back_is_not_theirs(api: API, client: httpx.Client, edit: Edit) -> None:
    task = create(client, "a")
    with api.client(new_user()) as other:
        assert refused(edit(other, task, {**task, "title": "mine"})) == [("user_id", "other_user")]
        response = edit(other, task, {**task, "user_id": None, "title": "mine"})
        if response.status_code == 200:
            assert [result["status"] for result in results_of(response)] == [404]
        else:
            error_of(response, 404, "NOT_FOUND")
    assert read(client, task) == task


def test_other_fields_are_refused_as_before(client: httpx.Client, edit: Edit) -> None:
    task = create(client, "a")
    if edit in (EDITS["batch"], EDITS["batch of each"]):
        assert error_of(edit(client, task, {**task, "titel": "b"}), 422, "VALIDATION_ERROR")["details"][0]["code"] == (
            "extra_forbidden"
        )
    else:
        assert refused(edit(client, task, {**task, "titel": "b", "createdAt": 1})) == [
            ("titel", "extra_forbidden"),
            ("createdAt", "extra_forbidden"),
        ]
    assert read(client, task) == task


def test_a_create_takes_none_of_these_fields_but_the_id(client: httpx.Client) -> None:
    task = create(client, "a")
    for name in READ_ONLY - {"id"}:
        error_of(client.post("/api/tasks", json={"title": "b", name: task.get(name)}), 422, "VALIDATION_ERROR")
    assert len(client.get("/api/tasks").json()["data"]) == 1


def test_in_a_batch_each_task_is_judged_by_itself(client: httpx.Client) -> None:
    first, second = create(client, "a"), create(client, "b")

    results = run_each(
        client,
        update(first, **{**first, "title": "c"}),
        update(second, **{**first, "title": "d"}),
        update(second, **second),
    )

    assert [result["status"] for result in results] == [200, 422, 200]
    assert (read(client, first)["title"], read(client, second)) == ("c", second)


def test_a_revision_in_the_body_is_no_precondition(client: httpx.Client) -> None:
    task = create(client, "a")
    client.patch(path_of(task), json={"title": "b"})

    after = task_of(client.put(path_of(task), json={**task, "description": "c"}))

    assert (after["title"], after["description"]) == ("a", "c")
    error_of(client.put(path_of(task), json=task, headers={"If-Match": '"1"'}), 412, "PRECONDITION_FAILED")
