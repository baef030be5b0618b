"""The task endpoints, over HTTP."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from backend.config import Settings
from backend.models.task import READ_ONLY
from tests.fixtures.calls.api import serve
from tests.fixtures.calls.tasks import (
    JSON,
    create,
    error_of,
    everything_of,
    path_of,
    read,
    revision_of,
    task_of,
)
from tests.fixtures.postgres.database import execute

ODD_TEXT = 'quotes " and \' back\\slash </script> \u2028 \U0001f95b e\u0301 {"data": 1} %(principal)s :caller'


@pytest.mark.requirement("FR-020", "FR-023", "FR-030", "FR-041")
def test_a_created_task_is_answered_located_and_tagged(client: httpx.Client, user_id: str) -> None:
    response = client.post("/api/tasks", json={"title": "Buy milk", "description": "Two litres"})

    assert response.status_code == 201
    assert set(response.json()) == {"data"}
    task = response.json()["data"]
    assert {**task, "id": "", "created_at": "", "updated_at": "", "position": ""} == {
        "id": "",
        "user_id": user_id,
        "title": "Buy milk",
        "description": "Two litres",
        "completed": False,
        "completed_at": None,
        "created_at": "",
        "updated_at": "",
        "revision": 1,
        "status": "todo",
        **dict.fromkeys(("due_date", "due_at", "start_date", "start_at", "timezone", "priority")),
        "labels": [],
        "list_id": None,
        "position": "",
        "parent_id": None,
    }
    assert response.headers["ETag"] == '"1"'
    assert response.headers["Location"] == path_of(task)
    again = client.get(response.headers["Location"])
    assert again.status_code == 200
    assert again.json() == response.json()
    assert again.headers["ETag"] == '"1"'


@pytest.mark.requirement("FR-033")
def test_ids_made_by_the_service_are_uuids_of_version_7(client: httpx.Client) -> None:
    ids = [uuid.UUID(create(client)["id"]) for _ in range(20)]

    assert {made.version for made in ids} == {7}
    assert ids == sorted(ids)


@pytest.mark.requirement("FR-030")
def test_times_are_rfc_3339_in_utc(client: httpx.Client) -> None:
    task = create(client, completed=True)

    for name in ("created_at", "updated_at", "completed_at"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?\+00:00", task[name])
        assert abs(datetime.fromisoformat(task[name]) - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.requirement("FR-021", "FR-029")
def test_a_task_can_be_created_with_every_field(client: httpx.Client) -> None:
    own_id = str(uuid.uuid4())

    task = create(client, "a", id=own_id.upper(), description=None, completed=True)

    assert (task["id"], task["description"], task["completed"]) == (own_id, None, True)
    assert task["completed_at"] == task["created_at"]
    assert create(client, id=None)["id"] != own_id


@pytest.mark.requirement("FR-021", "FR-001", "FR-043")
@pytest.mark.parametrize(
    "name", ["user_id", "revision", "created_at", "updated_at", "completed_at", "deleted_at", "Title", "sub"]
)
def test_no_other_field_is_accepted(client: httpx.Client, user_id: str, name: str) -> None:
    task = create(client)
    before = everything_of(client)

    edits = [("PUT", path_of(task)), ("PATCH", path_of(task))]
    for method, path in [("POST", "/api/tasks"), *(edits if name not in READ_ONLY else [])]:
        error = error_of(client.request(method, path, json={"title": "b", name: user_id}), 422, "VALIDATION_ERROR")
        assert [(detail["field"], detail["code"]) for detail in error["details"]] == [(name, "extra_forbidden")]
    for method, path in edits if name in READ_ONLY else []:  # an edit ignores it, and stores nothing
        assert task_of(client.request(method, path, json={name: user_id})) == task
    assert everything_of(client) == before


@pytest.mark.requirement("FR-021")
def test_an_edit_cannot_change_the_id(client: httpx.Client) -> None:
    task = create(client)

    error_of(client.put(path_of(task), json={"id": str(uuid.uuid4())}), 422, "VALIDATION_ERROR")
    assert read(client, task) == task


@pytest.mark.requirement("FR-022", "FR-036", "FR-052")
@pytest.mark.parametrize("deleted", [False, True], ids=["living", "deleted"])
def test_an_id_that_i_used_is_refused_and_nothing_changes(client: httpx.Client, *, deleted: bool) -> None:
    task = create(client)
    if deleted:
        client.delete(path_of(task))
    before = everything_of(client)

    error_of(client.post("/api/tasks", json={"title": "b", "id": task["id"]}), 409, "CONFLICT")
    assert everything_of(client) == before


@pytest.mark.requirement("FR-022", "FR-011")
def test_another_users_use_of_an_id_is_not_noticed(client: httpx.Client, stranger: httpx.Client) -> None:
    theirs = create(stranger, "theirs")

    mine = create(client, "mine", id=theirs["id"])

    assert (mine["id"], mine["revision"]) == (theirs["id"], 1)
    client.put(path_of(mine), json={"title": "still mine"})
    client.delete(path_of(mine))
    assert read(stranger, theirs) == theirs


@pytest.mark.requirement("FR-024", "FR-025")
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize(
    "change",
    [
        {"title": "Buy oat milk"},
        {"description": "The barista one"},
        {"description": None},
        {"completed": True},
        {"title": "b", "description": "c", "completed": True},
    ],
    ids=",".join,
)
def test_an_edit_changes_exactly_the_fields_sent(client: httpx.Client, method: str, change: dict[str, object]) -> None:
    task = create(client, description="Two litres")

    edited = task_of(client.request(method, path_of(task), json=change))

    volatile = {"updated_at", "revision", "completed_at", "status"}
    assert {name: edited[name] for name in edited.keys() - volatile} == {
        name: value for name, value in {**task, **change}.items() if name not in volatile
    }
    assert edited["revision"] == task["revision"] + 1
    assert edited["updated_at"] > task["updated_at"]
    assert read(client, task) == edited


@pytest.mark.requirement("FR-024", "FR-025")
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize("change", [{"title": None}, {"completed": None}], ids=",".join)
def test_null_clears_the_description_and_nothing_else(
    client: httpx.Client, method: str, change: dict[str, None]
) -> None:
    task = create(client, completed=True)

    error = error_of(client.request(method, path_of(task), json=change), 422, "VALIDATION_ERROR")

    assert [detail["field"] for detail in error["details"]] == list(change)
    assert read(client, task) == task


@pytest.mark.requirement("FR-025", "FR-045")
@pytest.mark.parametrize(
    "media_type",
    ["application/json", "application/merge-patch+json", "application/json; charset=utf-8", "Application/JSON"],
)
def test_a_patch_may_be_declared_as_json_or_as_a_merge_patch(client: httpx.Client, media_type: str) -> None:
    task = create(client)

    response = client.patch(path_of(task), content='{"title": "b"}', headers={"Content-Type": media_type})

    assert task_of(response)["title"] == "b"


@pytest.mark.requirement("FR-026", "FR-029")
@pytest.mark.parametrize("headers", [{}, JSON], ids=["no content type", "a JSON content type"])
def test_completing_without_a_body_toggles(client: httpx.Client, headers: dict[str, str]) -> None:
    task = create(client)
    path = f"{path_of(task)}/complete"

    completed = task_of(client.patch(path, headers=headers))
    assert completed["completed"] is True
    assert completed["completed_at"] == completed["updated_at"] > task["updated_at"]
    assert read(client, task) == completed

    reopened = task_of(client.patch(path, headers=headers))
    assert (reopened["completed"], reopened["completed_at"]) == (False, None)
    assert reopened["revision"] == task["revision"] + 2


@pytest.mark.requirement("FR-027", "FR-029", "FR-036")
@pytest.mark.parametrize("completed", [True, False])
def test_completing_with_a_value_sets_it_and_repeating_changes_nothing(
    client: httpx.Client, *, completed: bool
) -> None:
    task = create(client, completed=not completed)
    path = f"{path_of(task)}/complete"

    first = task_of(client.patch(path, json={"completed": completed}))
    again = task_of(client.patch(path, json={"completed": completed}))

    assert first["completed"] is completed
    assert (first["completed_at"] is not None) is completed
    assert again == first == read(client, task)
    assert revision_of(client) == first["revision"] == 2


@pytest.mark.requirement("FR-029")
def test_an_edit_of_a_completed_task_keeps_the_time_of_its_completion(client: httpx.Client) -> None:
    task = create(client, completed=True)

    edited = task_of(client.put(path_of(task), json={"title": "b", "completed": True}))

    assert edited["completed_at"] == task["completed_at"] < edited["updated_at"]


@pytest.mark.requirement("FR-028")
def test_a_deleted_task_counts_as_missing_and_its_row_stays(client: httpx.Client, database_url: str) -> None:
    task = create(client)

    response = client.delete(path_of(task))

    assert (response.status_code, response.content) == (204, b"")
    for method, path in [
        ("GET", path_of(task)),
        ("PUT", path_of(task)),
        ("PATCH", path_of(task)),
        ("PATCH", f"{path_of(task)}/complete"),
        ("DELETE", path_of(task)),
    ]:
        body = {"title": "b"} if path == path_of(task) and method.startswith("P") else None
        error_of(client.request(method, path, json=body), 404, "NOT_FOUND")
    assert client.get("/api/tasks").json()["data"] == []
    assert revision_of(client) == 2
    rows = execute(database_url, "SELECT title, deleted_at IS NOT NULL, revision FROM tasks WHERE id = %s", task["id"])
    assert rows == [("Buy milk", True, 2)]


@pytest.mark.requirement("FR-031")
@pytest.mark.parametrize(
    ("title", "stored"),
    [("a", "a"), ("\t a b \u3000\n", "a b"), ("\U0001f95b" * 500, "\U0001f95b" * 500), (f" {'a' * 500} ", "a" * 500)],
)
def test_titles_are_stripped_and_have_up_to_500_characters(client: httpx.Client, title: str, stored: str) -> None:
    task = create(client, title)

    assert task["title"] == stored
    assert task_of(client.put(path_of(task), json={"title": title})) == task


@pytest.mark.requirement("FR-031")
def test_a_description_has_up_to_10000_characters_and_is_kept_as_it_is(client: httpx.Client) -> None:
    for description in ("\U0001f95b" * 10_000, "", "  two\r\nlines  "):
        assert create(client, description=description)["description"] == description


@pytest.mark.requirement("FR-030")
def test_any_text_comes_back_as_it_was_sent(client: httpx.Client) -> None:
    task = create(client, ODD_TEXT, description=ODD_TEXT)

    assert (task["title"], task["description"]) == (ODD_TEXT, ODD_TEXT)
    assert client.get("/api/tasks").json()["data"] == [task]


@pytest.mark.requirement("FR-034")
def test_tasks_and_changes_survive_a_restart(settings: Settings, user_id: str) -> None:
    with serve(settings) as first, first.client(user_id) as client:
        task = create(client)
        edited = task_of(client.patch(path_of(task), json={"description": "b"}))
        gone = create(client)
        client.delete(path_of(gone))

    with serve(settings) as second, second.client(user_id) as client:
        assert client.get("/api/tasks").json()["data"] == [edited]
        assert revision_of(client) == 4


@pytest.mark.requirement("FR-024")
def test_an_id_may_be_written_in_capitals(client: httpx.Client) -> None:
    task = create(client, id=str(uuid.uuid4()))

    assert task_of(client.get(f"/api/tasks/{task['id'].upper()}")) == task
