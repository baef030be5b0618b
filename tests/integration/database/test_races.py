"""Two concurrent writes of one user, forced into an order: the second sees the result of the first.

A transaction of the test plays another process of the service.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.fixtures.calls.erasure import erase
from tests.fixtures.calls.tasks import Task, create, error_of, path_of, read, revision_of, task_of
from tests.fixtures.postgres.database import execute
from tests.fixtures.postgres.rival import rival

Outcome = tuple[Task, httpx.Response]
Race = Callable[..., Outcome]


@pytest.fixture
def race(client: httpx.Client, user_id: str, database_url: str) -> Race:
    """Return a function that makes a change of the rival's overtake a request about one task."""

    def run(
        change: str, method: str, suffix: str = "", body: object = None, *, completed: bool = False, **headers: str
    ) -> Outcome:
        task = create(client, completed=completed)
        with rival(database_url, user_id) as other, ThreadPoolExecutor(1) as thread:
            other.execute(f"UPDATE tasks SET {change}, revision = 2 WHERE user_id = %s", user_id)  # noqa: S608 - ours
            answer = thread.submit(client.request, method, path_of(task) + suffix, json=body, headers=headers)
            other.commit_when_awaited()
            return task, answer.result()

    return run


REOPEN = "completed = false, completed_at = NULL"
COMPLETE = "completed = true, completed_at = '2026-01-01T00:00:00Z'"
DELETE = "deleted_at = now()"


@pytest.mark.requirement("FR-037", "FR-027")
def test_a_task_reopened_meanwhile_is_completed_again(race: Race, client: httpx.Client) -> None:
    task, response = race(REOPEN, "PATCH", "/complete", {"completed": True}, completed=True)

    completed = task_of(response)
    assert (completed["completed"], completed["revision"]) == (True, 3)
    assert completed["completed_at"] > task["completed_at"]
    assert read(client, task) == completed
    assert revision_of(client) == 3


@pytest.mark.requirement("FR-037", "FR-027", "FR-036")
def test_a_task_completed_meanwhile_needs_no_change(race: Race, client: httpx.Client) -> None:
    task, response = race(COMPLETE, "PATCH", "/complete", {"completed": True})

    answer = task_of(response)
    assert (answer["completed_at"], answer["revision"]) == ("2026-01-01T00:00:00+00:00", 2)
    assert read(client, task) == answer
    assert revision_of(client) == 2


@pytest.mark.requirement("FR-037", "FR-026")
@pytest.mark.parametrize(("change", "completed"), [(COMPLETE, False), (REOPEN, True)])
def test_a_toggle_turns_what_the_other_has_left(
    race: Race, client: httpx.Client, change: str, *, completed: bool
) -> None:
    task, response = race(change, "PATCH", "/complete", completed=completed)

    toggled = task_of(response)
    assert (toggled["completed"], toggled["revision"]) == (completed, 3)
    assert read(client, task) == toggled
    assert revision_of(client) == 3


@pytest.mark.requirement("FR-037", "FR-024", "FR-025")
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_an_edit_keeps_what_the_other_has_changed(race: Race, client: httpx.Client, method: str) -> None:
    task, response = race(f"title = 'theirs', {COMPLETE}", method, "", {"description": "mine"})

    edited = task_of(response)
    assert (edited["title"], edited["description"], edited["completed"]) == ("theirs", "mine", True)
    assert edited["revision"] == 3 == revision_of(client)
    assert read(client, task) == edited


@pytest.mark.requirement("FR-037", "FR-036")
def test_an_edit_that_says_what_the_other_has_just_stored_changes_nothing(race: Race, client: httpx.Client) -> None:
    _, response = race("title = 'same'", "PUT", "", {"title": "same"})

    assert task_of(response)["revision"] == 2 == revision_of(client)


@pytest.mark.requirement("FR-037", "FR-036")
def test_an_edit_back_to_what_was_before_the_others_change_is_a_change(race: Race, client: httpx.Client) -> None:
    task, response = race("title = 'theirs'", "PUT", "", {"title": "Buy milk"})

    edited = task_of(response)
    assert (edited["title"], edited["revision"]) == ("Buy milk", 3)
    assert read(client, task) == edited
    assert revision_of(client) == 3


@pytest.mark.requirement("FR-037", "FR-028", "FR-036")
@pytest.mark.parametrize(
    ("method", "suffix", "body"),
    [
        ("PUT", "", {"title": "b"}),
        ("PATCH", "", {"title": "b"}),
        ("PATCH", "/complete", None),
        ("PATCH", "/complete", {"completed": True}),
        ("DELETE", "", None),
    ],
)
def test_a_task_deleted_meanwhile_is_missing(
    race: Race, client: httpx.Client, method: str, suffix: str, body: object
) -> None:
    _, response = race(DELETE, method, suffix, body)

    assert response.status_code == 404
    assert revision_of(client) == 2


@pytest.mark.requirement("FR-037")
def test_a_deletion_takes_the_next_number(race: Race, client: httpx.Client, database_url: str) -> None:
    task, response = race("title = 'theirs'", "DELETE")

    assert response.status_code == 204
    assert revision_of(client) == 3
    assert execute(database_url, "SELECT title, revision FROM tasks WHERE id = %s", task["id"]) == [("theirs", 3)]


@pytest.mark.requirement("FR-037", "FR-035")
def test_a_create_waits_and_takes_the_next_number(client: httpx.Client, user_id: str, database_url: str) -> None:
    create(client)
    with rival(database_url, user_id) as other, ThreadPoolExecutor(1) as thread:
        answer = thread.submit(create, client)
        other.commit_when_awaited()

        assert answer.result()["revision"] == 3


@pytest.mark.requirement("FR-037")
def test_reading_waits_for_nobody_and_other_users_do_not_wait(
    client: httpx.Client, stranger: httpx.Client, user_id: str, database_url: str
) -> None:
    task = create(client)
    with rival(database_url, user_id):
        assert read(client, task) == task
        assert client.get("/api/tasks").json()["data"] == [task]
        assert revision_of(client) == 1
        assert create(stranger)["revision"] == 1


@pytest.mark.requirement("FR-037", "FR-040")
def test_a_change_of_an_account_that_is_erased_meanwhile_finds_nothing(
    client: httpx.Client, user_id: str, database_url: str
) -> None:
    task = create(client)
    with rival(database_url, user_id) as other, ThreadPoolExecutor(1) as thread:
        other.execute("DELETE FROM users WHERE id = %s", user_id)
        answer = thread.submit(client.put, path_of(task), json={"title": "b"})
        other.commit_when_awaited()

        assert answer.result().status_code == 404
    assert revision_of(client) == 0


@pytest.mark.requirement("FR-030", "FR-037")
def test_the_time_of_a_change_is_not_before_that_of_the_change_before_it(race: Race, client: httpx.Client) -> None:
    _, response = race("updated_at = '2999-01-01T00:00:00Z'", "PATCH", "", {"title": "mine"})

    assert task_of(response)["updated_at"] == "2999-01-01T00:00:00+00:00"
    assert revision_of(client) == 3


@pytest.mark.requirement("FR-113", "FR-037")
@pytest.mark.parametrize(
    ("method", "suffix", "body"),
    [
        ("PUT", "", {"title": "mine"}),
        ("PATCH", "/complete", None),
        ("DELETE", "", None),
        ("DELETE", "?permanent=true", None),
        ("POST", "/restore", None),
    ],
)
def test_a_tag_is_compared_with_what_the_other_has_left(
    race: Race, client: httpx.Client, method: str, suffix: str, body: object
) -> None:
    task, stale = race("title = 'theirs'", method, suffix, body, **{"If-Match": '"1"'})

    error_of(stale, 412, "PRECONDITION_FAILED")
    assert stale.json()["data"] == {**task, "title": "theirs", "revision": 2} == read(client, task)
    assert revision_of(client) == 2

    assert erase(client).status_code == 204
    _, fresh = race("title = 'theirs'", method, suffix, body, **{"If-Match": '"2"'})
    assert fresh.is_success
    assert revision_of(client) == (2 if suffix == "/restore" else 3)


@pytest.mark.requirement("FR-136", "FR-037")
def test_a_task_that_is_deleted_meanwhile_is_restored(race: Race, client: httpx.Client) -> None:
    task, response = race(DELETE, "POST", "/restore")

    assert task_of(response)["revision"] == 3 == revision_of(client)
    assert read(client, task)["title"] == "Buy milk"


@pytest.mark.requirement("FR-137", "FR-037")
def test_a_task_that_is_changed_meanwhile_is_removed_under_the_next_number(
    race: Race, client: httpx.Client, database_url: str, user_id: str
) -> None:
    for change in ("title = 'theirs'", DELETE):
        task, response = race(change, "DELETE", "?permanent=true")

        assert response.status_code == 204
        assert execute(database_url, "SELECT FROM tasks WHERE user_id = %s", user_id) == []
        stones = execute(database_url, "SELECT id, revision FROM tombstones WHERE user_id = %s", user_id)
        assert stones == [(task["id"], 3)]
        assert revision_of(client) == 3
        assert erase(client).status_code == 204
