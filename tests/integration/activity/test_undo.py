"""Undo: a change, and all that its request did, as if it had not been."""

from __future__ import annotations

import json
import uuid
from typing import Any

import httpx
import pytest

from backend.services.activity import undo_service
from tests.fixtures.calls.access_tokens import WRITE, make_token, with_token
from tests.fixtures.calls.api import API, new_user
from tests.fixtures.calls.keys import new_key
from tests.fixtures.calls.lists import make
from tests.fixtures.calls.task_files import IMPORT, LINES, tasks_of
from tests.fixtures.calls.tasks import create, error_of, path_of
from tests.fixtures.postgres.database import execute

UNDO = "/api/undo"
CHANGED = {"revision", "updated_at"}  # by every change


@pytest.fixture
def user_id() -> str:
    return new_user()


@pytest.fixture
def client(api: API, user_id: str) -> Any:
    with api.client(user_id) as client:
        yield client


def undo(client: httpx.Client, of: dict[str, Any] | httpx.Response, status: int = 200) -> Any:
    """Undo the last change of a task, or what a request did; returns the data of the answer, or its error."""
    if isinstance(of, httpx.Response):
        response = client.post(UNDO, json={"request_id": of.headers["X-Request-ID"]})
    else:
        response = client.post(f"{path_of(of)}/undo")
    assert response.status_code == status, response.text
    return response.json().get("data", response.json().get("error"))


def without(row: dict[str, Any], *names: str) -> dict[str, Any]:
    """Leave out what every change sets, and these fields."""
    return {name: value for name, value in row.items() if name not in {*CHANGED, *names}}


def everything(client: httpx.Client) -> list[dict[str, Any]]:
    """Return all tasks, lists and labels of a user, without what every change sets."""
    paths = ("/api/tasks?limit=500", "/api/tasks?deleted=true&limit=500", "/api/lists", "/api/lists?deleted=true")
    rows = [row for path in (*paths, "/api/labels") for row in client.get(path).json()["data"]]
    return [without(row) for row in sorted(rows, key=lambda row: str(row["id"]))]


EDITS: dict[str, dict[str, Any]] = {
    "texts": {"title": "b", "description": None},
    "state": {"completed": True},
    "status": {"status": "cancelled"},
    "dates": {"due_date": "2027-01-02", "start_date": "2027-01-01"},
    "times": {"due_at": "2027-01-02T03:04:05.678+01:00", "timezone": "Europe/Berlin"},
    "priority": {"priority": "low"},
    "labels": {"labels": ["x", "y"]},
    "position": {"position": "a1V"},
}


@pytest.mark.requirement("FR-618", "FR-620", "FR-622")
@pytest.mark.parametrize("edit", EDITS.values(), ids=[*EDITS])
@pytest.mark.parametrize("was", [{}, {"due_at": "2026-12-24T18:00:00Z", "priority": "high", "labels": ["home"]}])
def test_an_edit_is_undone_and_redone(client: httpx.Client, edit: dict[str, Any], was: dict[str, Any]) -> None:
    task = create(client, "a", description="c", **was)
    edited = client.patch(path_of(task), json=edit)
    assert edited.status_code == 200, edited.text

    undone = undo(client, task)
    assert without(undone) == without(task)
    assert undone["revision"] > edited.json()["data"]["revision"]
    assert client.get(path_of(task)).json()["data"] == undone
    assert without(undo(client, task)) == without(edited.json()["data"])
    assert undo(client, edited, 409)["details"][0]["code"] == "changed_since"


@pytest.mark.requirement("FR-618", "FR-622")
def test_what_was_created_goes_to_the_trash_and_comes_back(client: httpx.Client) -> None:
    task = create(client, "a")

    assert undo(client, task)["deleted_at"]
    error_of(client.get(path_of(task)), 404, "NOT_FOUND")
    assert without(undo(client, task)) == without(task)
    client.delete(path_of(task))
    assert without(undo(client, task)) == without(task)


@pytest.mark.requirement("FR-618")
def test_all_that_a_request_did_is_undone(client: httpx.Client) -> None:
    home = make(client, "Home")
    above = create(client, "a", list_id=home["id"], labels=["home"])
    create(client, "b", parent_id=above["id"])
    create(client, "c", list_id=home["id"], completed=True)
    create(client, "d", labels=["home"])
    lines = "\n".join(json.dumps({"title": title, "labels": ["new"]}) for title in "xyz")
    requests = [
        ("PATCH", path_of(above), {"completed": True}),
        ("PATCH", path_of(above), {"list_id": None}),
        ("DELETE", path_of(above), None),
        ("DELETE", f"/api/lists/{home['id']}", None),
        ("DELETE", f"/api/lists/{home['id']}?tasks=inbox", None),
        ("PATCH", f"/api/lists/{home['id']}", {"name": "House", "archived": True}),
        ("PATCH", "/api/labels/home", {"name": "house"}),
        ("POST", "/api/tasks/batch", {"operations": [
            {"op": "update", "id": above["id"], "data": {"title": "e", "labels": ["home", "x"]}},
            {"op": "create", "ref": "n", "data": {"title": "new", "list_id": home["id"]}},
        ]}),
    ]  # fmt: skip
    for method, path, body in requests:
        before = everything(client)
        response = client.request(method, path, json=body)
        assert response.status_code < 300, response.text
        after = everything(client)

        done = undo(client, response)
        assert done["changes"] > 0
        kept = [row for row in everything(client) if row["id"] in {each["id"] for each in before}]
        assert kept == before, (method, path)
        again = client.post(UNDO, json={"request_id": "none"})
        error_of(again, 409, "CONFLICT")
        assert everything(client) != after
    imported = client.post(IMPORT, content=lines, headers={"Content-Type": LINES})
    assert undo(client, imported)["changes"] == 3
    assert [task["title"] for task in tasks_of(client) if task["title"] in "xyz"] == []
    assert undo(client, imported, 409)["details"][0]["code"] == "changed_since"


@pytest.mark.requirement("FR-619")
def test_nothing_is_undone_if_anything_has_changed_since(client: httpx.Client) -> None:
    home, other = make(client, "Home"), make(client, "Other")
    tasks = [create(client, title, list_id=home["id"]) for title in "abc"]
    deleted = client.delete(f"/api/lists/{home['id']}?tasks=inbox")
    client.patch(path_of(tasks[1]), json={"title": "changed"})
    client.delete(path_of(tasks[2]), params={"permanent": "true"})
    before = everything(client)

    details = undo(client, deleted, 409)["details"]

    assert {detail["field"] for detail in details} == {tasks[1]["id"], tasks[2]["id"]}
    assert {detail["code"] for detail in details} == {"changed_since"}
    assert everything(client) == before
    assert other in client.get("/api/lists").json()["data"]


@pytest.mark.requirement("FR-619")
def test_what_a_row_belonged_to_must_be_there(client: httpx.Client) -> None:
    home, above = make(client, "Home"), create(client, "above")
    below = create(client, "below", parent_id=above["id"])
    moved = create(client, "moved", list_id=home["id"])
    leaving = [
        client.patch(path_of(task), json=to) for task, to in ((below, {"parent_id": None}), (moved, {"list_id": None}))
    ]
    client.delete(path_of(above))
    client.delete(f"/api/lists/{home['id']}")

    for task, left in zip((below, moved), leaving, strict=True):
        assert [detail["field"] for detail in undo(client, left, 409)["details"]] == [task["id"]]
    client.delete(f"/api/lists/{home['id']}?permanent=true")
    assert [detail["field"] for detail in undo(client, moved, 409)["details"]] == [moved["id"]]


@pytest.mark.requirement("FR-619")
def test_a_task_comes_under_no_task_that_is_below_it_by_now(client: httpx.Client) -> None:
    above = create(client, "above")
    below = create(client, "below", parent_id=above["id"])
    client.patch(path_of(below), json={"parent_id": None})
    client.patch(path_of(above), json={"parent_id": below["id"]})

    assert [detail["field"] for detail in undo(client, below, 409)["details"]] == [below["id"]]


@pytest.mark.requirement("FR-619")
def test_a_tree_does_not_grow_too_deep_by_an_undoing(client: httpx.Client) -> None:
    top = {"id": None}
    for _ in range(4):
        top = create(client, "above", parent_id=top["id"])
    task = create(client, "task", parent_id=top["id"])
    client.patch(path_of(task), json={"parent_id": None})
    assert undo(client, task)["parent_id"] == top["id"]
    left = client.patch(path_of(task), json={"parent_id": None})
    create(client, "below", parent_id=task["id"])

    assert [detail["field"] for detail in undo(client, left, 409)["details"]] == [task["id"]]


@pytest.mark.requirement("FR-619")
def test_a_list_that_has_other_tasks_by_now_stays(client: httpx.Client) -> None:
    made = client.post("/api/lists", json={"name": "Home"})
    task = create(client, "a", list_id=made.json()["data"]["id"])

    assert undo(client, made, 409)["details"][0]["field"] == made.json()["data"]["id"]
    client.patch(path_of(task), json={"list_id": None})
    assert undo(client, made)["changes"] == 1
    assert client.get("/api/lists").json()["data"] == []


@pytest.mark.requirement("FR-619")
def test_a_task_goes_back_to_the_trash_with_its_list(client: httpx.Client) -> None:
    home = make(client, "Home")
    task = create(client, "a", list_id=home["id"])
    below = create(client, "b", parent_id=task["id"])
    client.delete(path_of(below))
    client.delete(f"/api/lists/{home['id']}")
    before = everything(client)

    restored = client.post(f"{path_of(below)}/restore").json()["data"]
    assert (restored["list_id"], restored["parent_id"]) == (None, task["id"])
    undo(client, below)

    assert everything(client) == before


@pytest.mark.requirement("FR-619")
def test_a_label_takes_no_name_that_another_label_has_by_now(client: httpx.Client) -> None:
    task = create(client, "a", labels=["home"])
    renamed = client.patch("/api/labels/home", json={"name": "house"})
    create(client, "b", labels=["Home"])

    (detail,) = undo(client, renamed, 409)["details"]

    assert detail["code"] == "changed_since"
    assert client.get(path_of(task)).json()["data"]["labels"] == ["house"]


@pytest.mark.requirement("FR-619")
def test_labels_that_would_trade_names_stay(client: httpx.Client) -> None:
    """Two requests with the same id, undone at once: each name is taken until the other label has left it."""
    for name in ("home", "work"):
        create(client, "a", labels=[name])
    same = {"X-Request-ID": f"trade-{uuid.uuid4().hex}"}
    for name, new in (("home", "third"), ("work", "home")):
        response = client.patch(f"/api/labels/{name}", json={"name": new}, headers=same)
        assert response.status_code == 200

    assert {detail["code"] for detail in undo(client, response, 409)["details"]} == {"changed_since"}


@pytest.mark.requirement("FR-618")
def test_several_lists_are_undone_at_once(client: httpx.Client) -> None:
    lists, same = [make(client, name) for name in "abc"], {"X-Request-ID": f"names-{uuid.uuid4().hex}"}
    for found in lists:
        response = client.patch(f"/api/lists/{found['id']}", json={"name": "x"}, headers=same)

    assert undo(client, response) == {"changes": 3}
    assert [found["name"] for found in client.get("/api/lists").json()["data"]] == ["a", "b", "c"]


@pytest.mark.requirement("FR-618")
def test_a_label_gets_its_color_back(client: httpx.Client) -> None:
    client.put("/api/labels/home", json={"color": "#ff0000"})
    changed = client.patch("/api/labels/home", json={"color": "#00ff00"})
    assert changed.status_code == 200, changed.text

    assert undo(client, changed) == {"changes": 1}
    assert [label["color"] for label in client.get("/api/labels").json()["data"]] == ["#ff0000"]


@pytest.mark.requirement("FR-618")
def test_a_label_that_went_comes_back_with_the_task_that_had_it(client: httpx.Client) -> None:
    task = create(client, "a", labels=["Home", "x"])
    client.patch(path_of(task), json={"labels": []})
    client.delete("/api/labels/Home")
    client.put("/api/labels/X", json={})

    assert undo(client, task)["labels"] == ["Home", "x"]
    assert {label["name"] for label in client.get("/api/labels").json()["data"]} == {"Home", "x"}


@pytest.mark.requirement("FR-620")
def test_the_revision_must_be_the_one_that_was_seen(client: httpx.Client) -> None:
    task = create(client, "a")
    client.patch(path_of(task), json={"title": "b"})

    stale = client.post(f"{path_of(task)}/undo", headers={"If-Match": f'"{task["revision"]}"'})
    assert error_of(stale, 412, "PRECONDITION_FAILED")
    assert client.get(path_of(task)).json()["data"]["title"] == "b"


@pytest.mark.requirement("FR-620")
def test_an_undoing_with_a_key_is_done_once(client: httpx.Client) -> None:
    task, key = create(client, "a"), new_key()
    edited = client.patch(path_of(task), json={"title": "b"})

    answers = [client.post(f"{path_of(task)}/undo", headers=key) for _ in range(2)]
    assert [answer.json()["data"]["title"] for answer in answers] == ["a", "a"]
    assert undo(client, answers[1], 409)["details"][0]["code"] == "nothing_to_undo"
    redone = [
        client.post(UNDO, json={"request_id": answers[0].headers["X-Request-ID"]}, headers=new_key()) for _ in "a"
    ]
    assert [answer.json()["data"] for answer in redone] == [{"changes": 1}]
    assert without(client.get(path_of(task)).json()["data"]) == without(edited.json()["data"])


@pytest.mark.requirement("FR-621")
def test_what_nobody_knows_cannot_be_undone(client: httpx.Client, user_id: str, database_url: str) -> None:
    task, label = create(client, "a"), client.put("/api/labels/home", json={})
    gone = client.delete("/api/labels/home")
    execute(database_url, "DELETE FROM events WHERE user_id = %s AND kind = 'task'", user_id)

    for of in (task, label, gone):
        assert undo(client, of, 409)["details"][0]["code"] == "nothing_to_undo"
    error_of(client.post(f"/api/tasks/{uuid.uuid4()}/undo"), 404, "NOT_FOUND")


@pytest.mark.requirement("FR-621")
def test_what_is_gone_for_good_does_not_come_back(client: httpx.Client) -> None:
    home = make(client, "Home")
    task = create(client, "a", list_id=home["id"])
    removed = client.delete(f"/api/lists/{home['id']}?permanent=true&tasks=inbox")

    assert [detail["field"] for detail in undo(client, removed, 409)["details"]] == [home["id"]]
    assert client.get(path_of(task)).json()["data"]["list_id"] is None


@pytest.mark.requirement("FR-619")
def test_too_many_changes_are_not_undone(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(undo_service, "MAX_CHANGES", 2)
    lines = "\n".join(json.dumps({"title": title}) for title in "abc")
    imported = client.post(IMPORT, content=lines, headers={"Content-Type": LINES})

    assert undo(client, imported, 409)["details"][0]["code"] == "too_many_changes"
    assert len(tasks_of(client)) == 3


@pytest.mark.requirement("FR-623")
def test_nobody_undoes_what_others_did(api: API, client: httpx.Client) -> None:
    task = create(client, "a")
    edited = client.patch(path_of(task), json={"title": "b"})
    with api.client(new_user()) as stranger:
        assert undo(stranger, edited, 409)["details"][0]["code"] == "nothing_to_undo"
        error_of(stranger.post(f"{path_of(task)}/undo"), 404, "NOT_FOUND")
    assert client.get(path_of(task)).json() == edited.json()


@pytest.mark.requirement("FR-623")
def test_a_token_for_all_may_undo_and_one_for_a_list_may_not(api: API, client: httpx.Client) -> None:
    home = make(client, "Home")
    task = create(client, "a", list_id=home["id"])
    for list_id, status in ((home["id"], 403), (None, 200)):
        token = make_token(client, WRITE, list_id=list_id)
        with with_token(api, token["token"]) as script:
            edited = script.patch(path_of(task), json={"title": f"{status}"})
            assert edited.status_code == 200
            assert script.post(f"{path_of(task)}/undo").status_code == status
            assert script.post(UNDO, json={"request_id": "none"}).status_code == (403 if list_id else 409)
    assert client.get(path_of(task)).json()["data"]["title"] == "403"
