"""Batches: operations in order, all or nothing or each on its own."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from backend.config import Settings
from tests.fixtures.calls.api import API, new_user, serve
from tests.fixtures.calls.batches import (
    BATCH,
    CHOSEN_ID,
    creation,
    operation,
    rows_of,
    run_batch,
    run_each,
    send_batch,
    statuses_of,
    update,
)
from tests.fixtures.calls.tasks import (
    JSON,
    MISSING_ID,
    create,
    error_of,
    everything_of,
    path_of,
    read,
    revision_of,
    task_of,
)
from tests.fixtures.postgres.database import execute

MODES = pytest.mark.parametrize("run", [run_batch, run_each], ids=["all or nothing", "each by itself"])


@pytest.mark.requirement("FR-140", "FR-142")
@MODES
def test_each_kind_of_operation_is_done_and_answered(client: httpx.Client, run: Any) -> None:
    edited, open_, done, trashed, deleted = [create(client, title, description="d") for title in "abcde"]
    done = task_of(client.patch(f"{path_of(done)}/complete"))
    client.delete(path_of(trashed))

    results = run(
        client,
        creation("New", id=CHOSEN_ID, completed=True),
        update(edited, title=" A ", description=None),
        operation("complete", open_),
        operation("complete", done),
        operation("complete", done, data={"completed": False}),
        operation("delete", deleted),
        operation("restore", trashed),
        operation("restore", edited),
    )

    assert statuses_of(results) == [201, 200, 200, 200, 200, 204, 200, 200]
    assert results[5] == {"index": 5, "status": 204}
    new, edited_now, completed, same, reopened, _, restored, living = [result.get("data") for result in results]
    assert (new["id"], new["title"], new["description"], new["completed"]) == (CHOSEN_ID, "New", None, True)
    assert new["created_at"] == new["updated_at"] == new["completed_at"]
    assert edited_now.items() >= {"title": "A", "description": None, "created_at": edited["created_at"]}.items()
    assert (completed["completed"], completed["completed_at"]) == (True, completed["updated_at"])
    assert same == done
    assert (reopened["completed"], reopened["completed_at"]) == (False, None)
    assert restored.items() >= {"id": trashed["id"], "title": "d"}.items()
    assert living == edited_now
    revisions = [result["data"]["revision"] for result in (results[n] for n in (0, 1, 2, 4, 6))]
    assert revisions == [8, 9, 10, 11, 13]  # each change has the next number, including the deletion
    assert revision_of(client) == 13
    for task in (new, edited_now, completed, reopened, restored):
        assert read(client, task) == task
    assert client.get(path_of(deleted)).status_code == 404


@pytest.mark.requirement("FR-140", "FR-143")
@MODES
def test_an_operation_sees_what_those_before_it_did(client: httpx.Client, run: Any) -> None:
    results = run(
        client,
        creation("a", id=CHOSEN_ID),
        creation("a", id=CHOSEN_ID),
        update(CHOSEN_ID, if_match=1, title="b"),
        update(CHOSEN_ID, if_match='"2"', description="c"),
        operation("complete", CHOSEN_ID, if_match="3"),
        operation("delete", CHOSEN_ID, if_match='W/"4", "4"'),
        operation("restore", CHOSEN_ID, if_match=5),
        operation("complete", CHOSEN_ID, if_match="*"),
        creation("a", id=CHOSEN_ID),
    )

    assert statuses_of(results) == [201, 200, 200, 200, 200, 204, 200, 200, 200]
    revisions = [result["data"]["revision"] for result in results if "data" in result]
    assert revisions == [1, 1, 2, 3, 4, 6, 6, 6]
    assert [results[n]["data"]["title"] for n in (1, 2, 3)] == ["a", "b", "b"]  # each as it was at that operation
    task = client.get(f"/api/tasks/{CHOSEN_ID}").json()["data"]
    assert task == results[-1]["data"]
    assert (task["title"], task["description"], task["completed"]) == ("b", "c", True)
    assert revision_of(client) == 6


@pytest.mark.requirement("FR-140", "FR-141")
def test_a_hundred_operations_are_one_batch_and_one_more_is_too_many(client: httpx.Client) -> None:
    operations = [creation(str(number), description="d" * 9_000) for number in range(100)]

    results = run_batch(client, *operations)

    assert [result["data"]["revision"] for result in results] == list(range(1, 101))
    tasks = client.get("/api/tasks").json()["data"]
    assert sorted(tasks, key=lambda task: int(task["title"])) == [result["data"] for result in results]
    for wrong, code in ((operations[:1] * 101, "too_long"), ([], "too_short")):
        (detail,) = error_of(send_batch(client, *wrong), 422, "VALIDATION_ERROR")["details"]
        assert (detail["field"], detail["code"]) == ("operations", code)
    assert revision_of(client) == 100


@pytest.mark.requirement("FR-141", "FR-143", "FR-036")
@pytest.mark.parametrize("atomic", [True, False])
def test_a_batch_that_changes_nothing_leaves_nothing_behind(
    client: httpx.Client,
    user_id: str,
    database_url: str,
    atomic: bool,  # noqa: FBT001 - each of both
) -> None:
    missing = {"operations": [operation("delete", MISSING_ID)], "atomic": atomic}
    assert client.post(BATCH, json=missing).status_code == (404 if atomic else 200)
    assert rows_of(database_url, user_id) == []  # not even an account
    task = create(client, "a", id=CHOSEN_ID)
    before = rows_of(database_url, user_id)
    same = [creation("a", id=CHOSEN_ID), update(task, title=" a "), operation("restore", task), update(task)]
    same.append(operation("complete", task, data={"completed": False}))

    response = client.post(BATCH, json={"operations": same, "atomic": atomic})

    assert [result["data"] for result in response.json()["data"]] == [task] * 5
    assert rows_of(database_url, user_id) == before


@pytest.mark.requirement("FR-143")
def test_an_account_that_is_full_takes_no_more_but_repeats_what_it_has(api: API, database_url: str) -> None:
    user_id = new_user()
    with api.client(user_id) as client:
        create(client, "a", id=CHOSEN_ID)
        max_tasks = api.app.state.max_tasks
        execute(database_url, "UPDATE users SET task_count = %s WHERE id = %s", max_tasks - 1, user_id)

        results = run_each(client, creation("b"), creation("c"), creation("a", id=CHOSEN_ID), creation("d"))
        refused = send_batch(client, operation("complete", CHOSEN_ID), creation("e"))

        assert statuses_of(results) == [201, 409, 200, 409]
        assert results[1]["error"]["details"][0]["code"] == "too_many_tasks"
        details = error_of(refused, 409, "CONFLICT")["details"]
        assert [(each["field"], each["code"]) for each in details] == [
            ("operations.1", "conflict"),
            ("operations.1.data", "too_many_tasks"),
        ]
    ((count,),) = execute(database_url, "SELECT task_count FROM users WHERE id = %s", user_id)
    assert count == max_tasks


@pytest.mark.requirement("FR-143")
def test_tasks_are_counted_as_by_calls_of_their_own(client: httpx.Client, user_id: str, database_url: str) -> None:
    run_batch(client, *map(creation, "abc"), creation("d", id=CHOSEN_ID), operation("delete", CHOSEN_ID))

    assert execute(database_url, "SELECT task_count FROM users WHERE id = %s", user_id) == [(4,)]


@pytest.mark.requirement("FR-143", "FR-025")
def test_time_is_never_turned_back(client: httpx.Client, user_id: str, database_url: str) -> None:
    task = create(client)
    sql = "UPDATE tasks SET updated_at = '2200-01-01T00:00:00Z' WHERE user_id = %s"
    execute(database_url, sql, user_id)

    (result,) = run_batch(client, update(task, title="b"))

    assert result["data"]["updated_at"] == "2200-01-01T00:00:00+00:00"


@pytest.mark.requirement("FR-143", "FR-011")
def test_tasks_of_others_are_missing(client: httpx.Client, stranger: httpx.Client) -> None:
    task = create(client, "a", id=CHOSEN_ID)
    before = everything_of(client)
    kinds = ("update", "complete", "delete", "restore")
    on_foreign, on_missing = (
        [operation(kind, id_, **({"data": {"title": "b"}} if kind == "update" else {})) for kind in kinds]
        for id_ in (task["id"], MISSING_ID)
    )
    stranger.headers["X-Request-Id"] = "the-same"

    assert run_each(stranger, *on_foreign) == run_each(stranger, *on_missing)
    for foreign, missing in zip(on_foreign, on_missing, strict=True):
        assert send_batch(stranger, foreign).content == send_batch(stranger, missing).content
    (mine,) = run_batch(stranger, creation("mine", id=CHOSEN_ID))

    assert (mine["status"], mine["data"]["revision"]) == (201, 1)
    assert everything_of(client) == before


@pytest.mark.requirement("FR-122", "FR-123", "FR-126", "FR-143")
def test_a_batch_under_a_key_is_done_once_and_answered_again_byte_for_byte(client: httpx.Client) -> None:
    task = create(client)
    key = {"Idempotency-Key": "batch"}
    operations = [creation("a"), operation("complete", task), operation("delete", MISSING_ID)]

    failed = send_batch(client, *operations, headers=key)
    first, second = (
        client.post(BATCH, json={"operations": operations, "atomic": False}, headers=key) for _ in range(2)
    )
    other = send_batch(client, *operations[:2], headers=key)

    assert failed.status_code == 404
    assert (first.status_code, second.status_code) == (200, 200)
    assert second.content == first.content
    assert [response.headers.get("Idempotency-Replayed") for response in (first, second)] == [None, "true"]
    assert error_of(other, 422, "VALIDATION_ERROR")["details"][0]["code"] == "idempotency_key_reused"
    assert revision_of(client) == 3


@pytest.mark.requirement("FR-122", "FR-143")
def test_a_batch_under_a_key_that_changes_nothing_is_answered_again(client: httpx.Client) -> None:
    body = {"operations": [operation("delete", MISSING_ID)], "atomic": False}

    first, second = (client.post(BATCH, json=body, headers={"Idempotency-Key": "none"}) for _ in range(2))

    assert second.headers["Idempotency-Replayed"] == "true"
    assert second.content == first.content
    assert revision_of(client) == 0


@pytest.mark.requirement("FR-118", "FR-143")
def test_where_conditions_are_required_operations_need_them_too(settings: Settings) -> None:
    with serve(settings.model_copy(update={"require_if_match": True})) as api, api.client(new_user()) as client:
        task = create(client)
        bare = [update(task, title="b"), *(operation(kind, task) for kind in ("complete", "delete", "restore"))]

        results = run_each(client, creation("a"), *bare, operation("complete", task, if_match="*"), update(MISSING_ID))
        refused = send_batch(client, creation("a"), *bare)

        assert statuses_of(results) == [201, 428, 428, 428, 428, 200, 428]
        assert error_of(refused, 428, "PRECONDITION_REQUIRED")["details"][0]["field"] == "operations.1"
        assert revision_of(client) == 3


@pytest.mark.requirement("FR-114")
@pytest.mark.parametrize("name", ["If-Match", "If-None-Match"])
def test_a_condition_for_the_whole_is_refused_rather_than_ignored(client: httpx.Client, name: str) -> None:
    error = error_of(send_batch(client, creation("a"), headers={name: "*"}), 400, "BAD_REQUEST")

    assert [detail["field"] for detail in error["details"]] == [f"header.{name}"]
    assert revision_of(client) == 0


@pytest.mark.requirement("FR-140")
def test_the_address_of_batches_is_that_of_no_task(client: httpx.Client) -> None:
    assert client.get(BATCH).status_code == 405
    assert client.post(BATCH, content="{}", headers=JSON).status_code == 422
