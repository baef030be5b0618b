"""The account endpoints, over HTTP."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from backend.models.user import AccountUpdate
from tests.fixtures.calls.api import API
from tests.fixtures.calls.erasure import erase, erasure_of
from tests.fixtures.calls.tasks import create, error_of, everything_of, path_of
from tests.fixtures.postgres.database import execute


@pytest.mark.requirement("FR-039", "FR-041")
def test_an_account_can_be_read_before_the_first_write(client: httpx.Client, user_id: str, database_url: str) -> None:
    response = client.get("/api/me")

    assert response.status_code == 200
    assert response.json() == {"data": {"id": user_id, "revision": 0, "created_at": None, "timezone": None}}
    assert execute(database_url, "SELECT true FROM users WHERE id = %s", user_id) == []


@pytest.mark.requirement("FR-039")
def test_an_account_begins_with_the_first_write(client: httpx.Client, user_id: str) -> None:
    task = create(client)
    create(client)

    account = client.get("/api/me").json()["data"]

    assert account == {"id": user_id, "revision": 2, "created_at": task["created_at"], "timezone": None}


def change(client: httpx.Client, **fields: Any) -> Any:
    """Change the account, and return it."""
    response = client.patch("/api/me", json=fields)
    assert response.status_code == 200, response.text
    return response.json()["data"]


@pytest.mark.requirement("FR-287")
def test_the_zone_of_an_account_is_set_and_cleared(client: httpx.Client, user_id: str) -> None:
    first = change(client, timezone="Europe/Berlin")

    assert (first["revision"], first["timezone"]) == (1, "Europe/Berlin")
    assert client.get("/api/me").json()["data"] == first
    assert change(client, timezone="Europe/Berlin") == change(client) == first  # what is the same is no change
    assert create(client)["revision"] == 2
    assert change(client, timezone=None) == {**first, "revision": 3, "timezone": None}
    exported = json.loads(client.get("/api/me/export").text.split("\n")[0])["data"]
    assert exported.items() >= {"id": user_id, "revision": 3, "timezone": None}.items()


@pytest.mark.requirement("FR-287", "FR-041")
def test_a_change_of_nothing_begins_no_account(client: httpx.Client, user_id: str, database_url: str) -> None:
    nothing = {"id": user_id, "revision": 0, "created_at": None, "timezone": None}

    assert change(client, timezone=None) == change(client) == nothing
    assert client.get("/api/me").json()["data"] == nothing
    assert execute(database_url, "SELECT true FROM users WHERE id = %s", user_id) == []


@pytest.mark.requirement("FR-415")
def test_a_whole_account_is_an_edit_of_what_differs(client: httpx.Client) -> None:
    nothing = client.get("/api/me").json()["data"]
    assert change(client, **nothing) == nothing

    account = change(client, **{**nothing, "timezone": "Asia/Tokyo"})
    assert (account["revision"], account["timezone"]) == (1, "Asia/Tokyo")
    for name in AccountUpdate.read_only - {"id"}:
        for value in (None, -1.5, "infinity", {"a": [1]}):
            assert change(client, **{**account, name: value}) == account
    assert change(client, id=None) == client.get("/api/me").json()["data"] == account


@pytest.mark.requirement("FR-287", "FR-281")
@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"timezone": "Berlin"}, "timezone", "timezone_unknown"),
        ({"timezone": 1}, "timezone", "string_type"),
        ({"id": "somebody"}, "id", "other_user"),
        ({"id": ["somebody"], "timezone": None}, "id", "other_user"),
        ({"user_id": "somebody"}, "user_id", "extra_forbidden"),
        ({"tasks": 0}, "tasks", "extra_forbidden"),
    ],
)
def test_a_wrong_change_of_an_account_is_refused(
    client: httpx.Client, body: dict[str, object], field: str, code: str
) -> None:
    before = change(client, timezone="Asia/Tokyo")

    error = error_of(client.patch("/api/me", json=body), 422, "VALIDATION_ERROR")
    assert [(detail["field"], detail["code"]) for detail in error["details"]] == [(field, code)]
    assert client.get("/api/me").json()["data"] == before


@pytest.mark.requirement("FR-001", "FR-039", "FR-244")
@pytest.mark.parametrize(
    "user_id",
    ["auth0|123", "Zoë", "a" * 255, "' OR true --", "100%", "%(principal)s", "a b", "\U0001f95b", '"}'],
    ids=ascii,
)
def test_any_sub_is_a_user_of_its_own(api: API, user_id: str) -> None:
    with api.client(user_id) as client:
        assert erase(client).status_code == 204
        task = create(client)

        assert task["user_id"] == user_id
        assert client.get("/api/me").json()["data"]["id"] == user_id
        assert client.get("/api/tasks").json()["data"] == [task]
        assert erase(client).status_code == 204


@pytest.mark.requirement("FR-040")
def test_erasing_takes_everything_of_mine_along_and_nothing_of_others(
    client: httpx.Client, stranger: httpx.Client, user_id: str, database_url: str
) -> None:
    theirs = create(stranger)
    task, deleted = create(client), create(client)
    client.delete(path_of(deleted))

    response = erase(client)

    assert (response.status_code, response.content) == (204, b"")
    assert execute(database_url, "SELECT true FROM users WHERE id = %s", user_id) == []
    assert execute(database_url, "SELECT true FROM tasks WHERE user_id = %s", user_id) == []
    assert client.get(path_of(task)).status_code == 404
    assert everything_of(stranger)[0]["data"] == [theirs]


@pytest.mark.requirement("FR-040")
def test_erasing_twice_or_nothing_is_fine_and_a_user_may_begin_anew(client: httpx.Client) -> None:
    assert erase(client).status_code == 204
    first = create(client)
    assert erase(client).status_code == 204
    assert erase(client).status_code == 204

    again = create(client, id=first["id"])

    assert again["revision"] == 1
    assert client.get("/api/tasks").json()["data"] == [again]


@pytest.mark.requirement("FR-244", "FR-052")
@pytest.mark.parametrize(
    "query",
    [
        *("", "?confirm", "?confirm=", "?confirm=true", "?confirm=somebody-else", "?confirm=%00", "?confirm=*"),
        *("?confirm={id}%20", "?confirm=%20{id}", "?confirm={id}%00", "?confirm={upper}", "?Confirm={id}", "?id={id}"),
    ],
)
def test_without_the_users_own_id_nothing_is_erased(client: httpx.Client, user_id: str, query: str) -> None:
    create(client)
    before = everything_of(client)

    refused = client.delete(f"/api/me{query.format(id=user_id, upper=user_id.upper())}")

    error = error_of(refused, 422, "VALIDATION_ERROR")
    assert error["message"].startswith("Nothing was erased.")
    assert "DELETE /api/me?confirm=ID" in error["message"]
    named, *others = [(detail["field"], detail["code"]) for detail in error["details"]]
    assert named == ("query.confirm", "not_confirmed")
    assert all(code == "extra_forbidden" for _, code in others)
    assert user_id not in refused.text
    assert everything_of(client) == before


@pytest.mark.requirement("FR-244", "FR-043", "FR-052")
@pytest.mark.parametrize(("more", "field"), [("confirm={id}", "query.confirm"), ("force=true", "query.force")])
def test_a_confirmation_is_sent_once_and_alone(client: httpx.Client, user_id: str, more: str, field: str) -> None:
    create(client)
    before = everything_of(client)

    refused = client.delete(f"{erasure_of(user_id)}&{more.format(id=user_id)}")

    assert [detail["field"] for detail in error_of(refused, 422, "VALIDATION_ERROR")["details"]] == [field]
    assert everything_of(client) == before


@pytest.mark.requirement("FR-244")
def test_a_confirmation_in_the_body_confirms_nothing(client: httpx.Client, user_id: str) -> None:
    create(client)
    before = everything_of(client)

    error_of(client.request("DELETE", "/api/me", json={"confirm": user_id}), 422, "VALIDATION_ERROR")

    assert everything_of(client) == before
