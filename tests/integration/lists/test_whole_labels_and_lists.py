"""A label or a list is sent back whole, as an answer has it: what only the service sets is ignored."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from backend.models.label import LabelPublic, LabelPut
from tests.fixtures.calls.keys import new_key
from tests.fixtures.calls.labels import label_of, label_path, listed, put
from tests.fixtures.calls.lists import make
from tests.fixtures.calls.tasks import MISSING_ID, create, error_of, revision_of, task_of
from tests.fixtures.documents.contract import contract

pytestmark = pytest.mark.requirement("FR-415")

METHODS = ["PUT", "PATCH"]
NONSENSE: list[Any] = [None, 1, -1.5, "nonsense", "9999-12-31T23:59:59Z", [], {"a": ["b"]}]


def codes_of(response: httpx.Response) -> list[tuple[str, str]]:
    """Return the fields and codes of a refusal."""
    return [(detail["field"], detail["code"]) for detail in error_of(response, 422, "VALIDATION_ERROR")["details"]]


@pytest.mark.parametrize("method", METHODS)
def test_a_whole_label_is_an_edit_of_what_differs(client: httpx.Client, method: str) -> None:
    create(client, "a", labels=["Home"])
    (label,) = listed(client)
    before = revision_of(client)

    assert label_of(client.request(method, label_path("home"), json=label)) == label
    assert revision_of(client) == before
    changed = label_of(client.request(method, label_path("home"), json={**label, "color": "#123456"}))
    assert changed == {**label, "color": "#123456", "revision": before + 1, "updated_at": changed["updated_at"]}
    for name in LabelPut.read_only - {"id"}:
        for value in NONSENSE:
            assert label_of(client.request(method, label_path("home"), json={**changed, name: value})) == changed
    (listed_again,) = listed(client)
    assert listed_again == changed


def test_what_is_ignored_in_a_label_is_what_clients_read_and_cannot_set() -> None:
    assert LabelPut.read_only == set(LabelPublic.model_fields) - {"name", "color"} | {"user_id"}


@pytest.mark.parametrize("method", METHODS)
def test_the_id_of_another_label_is_refused(client: httpx.Client, method: str) -> None:
    put(client, "home")
    other = put(client, "work")
    for its_id in (other["id"], MISSING_ID, "x", 1):
        body = {"id": its_id, "color": "#123456"}
        assert codes_of(client.request(method, label_path("home"), json=body)) == [("id", "other_label")]
    assert {label["color"] for label in listed(client)} == {None}


def test_put_renames_nothing_and_patch_does(client: httpx.Client) -> None:
    label = put(client, "Home")

    assert codes_of(client.put(label_path("home"), json={**label, "name": "work"})) == [("name", "other_label")]
    assert codes_of(client.put(label_path("new"), json={"name": "work"})) == [("name", "other_label")]
    assert label_of(client.put(label_path("home"), json={**label, "name": "HOME"})) == label
    assert label_of(client.patch(label_path("home"), json={**label, "name": "work"}))["name"] == "work"
    assert [label["name"] for label in listed(client)] == ["work"]


def test_a_label_that_is_gone_is_made_again_from_what_was_read(client: httpx.Client) -> None:
    label = put(client, "home", color="#123456")
    client.delete(label_path("home"))
    key = new_key()

    made = label_of(client.put(label_path("home"), json=label, headers=key), 201)
    again = client.put(label_path("home"), json=label, headers=key)

    assert (made["name"], made["color"]) == ("home", "#123456")
    assert made["id"] != label["id"]
    assert (again.headers["Idempotency-Replayed"], again.json()["data"]) == ("true", made)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("counts", ["true", "false"])
def test_a_whole_list_is_an_edit_of_what_differs(client: httpx.Client, method: str, counts: str) -> None:
    made = make(client, "a")
    create(client, "task", list_id=made["id"])
    (found,) = client.get("/api/lists", params={"include_counts": counts}).json()["data"]
    path = f"/api/lists/{made['id']}"
    before = revision_of(client)

    assert task_of(client.request(method, path, json=found)) == made
    assert revision_of(client) == before
    changed = task_of(client.request(method, path, json={**found, "name": "b"}))
    assert changed == {**made, "name": "b", "revision": before + 1, "updated_at": changed["updated_at"]}
    refused = client.request(method, path, json={**found, "id": MISSING_ID})
    assert codes_of(refused) == [("id", "other_list")]
    assert "put" not in contract()["paths"]["/api/lists/{list_id}"]  # documented once, as PATCH


@pytest.mark.parametrize("kind", ["tasks", "lists"])
def test_a_copy_is_no_new_task_or_list(client: httpx.Client, kind: str) -> None:
    made = create(client) if kind == "tasks" else make(client, "a")

    assert {code for _, code in codes_of(client.post(f"/api/{kind}", json=made))} == {"extra_forbidden"}
    assert error_of(client.post("/api/labels", json=put(client, "home")), 405, "METHOD_NOT_ALLOWED")
