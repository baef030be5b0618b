"""Failures in a batch: the same error as from a single call; all or nothing unless operations are independent."""

from __future__ import annotations

from dataclasses import dataclass

import httpx
import pytest

from tests.fixtures.calls.batches import (
    CHOSEN_ID,
    OTHER_ID,
    Json,
    creation,
    operation,
    rows_of,
    run_each,
    send_batch,
    statuses_of,
    update,
)
from tests.fixtures.calls.tasks import MISSING_ID, create, error_of, path_of, revision_of


@dataclass(frozen=True)
class Failure:
    """An operation, and the expected response: the status, the code, and a detail of the call itself."""

    operation: Json
    status: int
    code: str
    detail: tuple[str, str] | None = None


# CHOSEN_ID is the id of a living task, OTHER_ID of a trashed one.
FAILURES = {
    "missing": Failure(update(MISSING_ID, title="b"), 404, "NOT_FOUND"),
    "missing, with a condition": Failure(operation("delete", MISSING_ID, if_match=1), 404, "NOT_FOUND"),
    "missing, to be restored": Failure(operation("restore", MISSING_ID), 404, "NOT_FOUND"),
    "in the trash": Failure(operation("complete", OTHER_ID), 404, "NOT_FOUND"),
    "in the trash already": Failure(operation("delete", OTHER_ID), 404, "NOT_FOUND"),
    "another under the id": Failure(creation("other", id=CHOSEN_ID), 409, "CONFLICT"),
    "the id of one in the trash": Failure(creation("b", id=OTHER_ID), 409, "CONFLICT", ("id", "in_trash")),
    "changed since": Failure(update(CHOSEN_ID, if_match=99, title="b"), 412, "PRECONDITION_FAILED"),
    "changed since, in the trash": Failure(
        operation("restore", OTHER_ID, if_match='W/"3"'), 412, "PRECONDITION_FAILED"
    ),
}
FAILING = pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES.keys())
INDEXES = pytest.mark.parametrize("index", [0, 2, 4], ids=["first", "within", "last"])
GOOD = [creation("c"), update(CHOSEN_ID, title="changed"), creation("d"), operation("complete", CHOSEN_ID)]


@pytest.fixture
def tasks(client: httpx.Client) -> dict[str, Json]:
    """A user's tasks by their ids: a living one at revision 1, and a trashed one at revision 3."""
    living, trashed = create(client, "a", id=CHOSEN_ID), create(client, "b", id=OTHER_ID)
    assert client.delete(path_of(trashed)).status_code == 204
    return {CHOSEN_ID: living, OTHER_ID: client.get("/api/tasks?deleted=true").json()["data"][0]}


def within_good_ones(failure: Failure, index: int) -> list[Json]:
    """Place a failing operation among four that succeed."""
    return [*GOOD[:index], failure.operation, *GOOD[index:]]


@pytest.mark.requirement("FR-141", "FR-143")
@FAILING
@INDEXES
def test_the_first_failure_is_answered_as_its_own_and_undoes_everything(
    client: httpx.Client, database_url: str, tasks: dict[str, Json], index: int, failure: Failure
) -> None:
    user_id = tasks[CHOSEN_ID]["user_id"]
    before = rows_of(database_url, user_id)

    response = send_batch(client, *within_good_ones(failure, index), operation("delete", MISSING_ID))

    error = error_of(response, failure.status, failure.code)
    named, *others = error["details"]
    assert (named["field"], named["code"]) == (f"operations.{index}", failure.code.lower())
    assert named["message"] == error["message"]
    its_own = [(f"operations.{index}.data.{failure.detail[0]}", failure.detail[1])] if failure.detail else []
    assert [(each["field"], each["code"]) for each in others] == its_own
    if failure.status == 412:  # the task's state after everything was rolled back
        current = tasks[failure.operation["id"]]
        data = response.json()["data"]
        assert data == {**current, "updated_at": data["updated_at"]}
        assert response.headers["ETag"] == f'"{current["revision"]}"'
    assert rows_of(database_url, user_id) == before


@pytest.mark.requirement("FR-142", "FR-143")
@FAILING
@INDEXES
@pytest.mark.usefixtures("tasks")
def test_what_goes_well_beside_a_failure_is_kept(client: httpx.Client, index: int, failure: Failure) -> None:
    client.headers["X-Request-Id"] = "the-request"

    results = run_each(client, *within_good_ones(failure, index))

    failed = results.pop(index)
    error = failed["error"]
    assert (failed["status"], error["code"], error["request_id"]) == (failure.status, failure.code, "the-request")
    its_own = [failure.detail] if failure.detail else []
    assert [(each["field"], each["code"]) for each in error["details"]] == its_own
    assert ("data" in failed) is (failure.status == 412)
    assert statuses_of(results) == [201, 200, 201, 200]
    living = client.get(f"/api/tasks/{CHOSEN_ID}").json()["data"]
    assert (living["title"], living["completed"]) == ("changed", True)
    assert living["revision"] == revision_of(client) == 3 + 4
    assert {task["title"] for task in client.get("/api/tasks").json()["data"]} == {"c", "d", "changed"}


@pytest.mark.requirement("FR-142")
def test_a_condition_that_fails_is_answered_with_the_task_as_the_operation_found_it(client: httpx.Client) -> None:
    task = create(client, "a")

    results = run_each(
        client,
        update(task, if_match=2, title="b"),
        update(task, if_match=1, title="c"),
        update(task, if_match=1, title="d"),
        operation("delete", task, if_match=2),
        operation("restore", task, if_match=1),
    )

    assert statuses_of(results) == [412, 200, 412, 204, 412]
    assert results[0]["data"] == task
    assert results[2]["data"] == results[1]["data"]
    assert results[4]["data"].items() >= {"title": "c", "revision": 3}.items()
    assert results[4]["data"].keys() == {*task, "deleted_at"}


@pytest.mark.requirement("FR-141", "FR-113")
def test_a_failed_condition_on_a_task_that_the_batch_would_have_made_shows_it(client: httpx.Client) -> None:
    response = send_batch(client, creation("a", id=CHOSEN_ID), update(CHOSEN_ID, if_match=7, title="b"))

    assert error_of(response, 412, "PRECONDITION_FAILED")["details"][0]["field"] == "operations.1"
    assert response.json()["data"]["title"] == "a"
    assert client.get(f"/api/tasks/{CHOSEN_ID}").status_code == 404
