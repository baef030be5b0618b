"""The account endpoints, over HTTP."""

from __future__ import annotations

import httpx
import pytest

from tests.fixtures.api import API
from tests.fixtures.database import execute
from tests.fixtures.tasks import create, everything_of, path_of


@pytest.mark.requirement("FR-039", "FR-041")
def test_an_account_can_be_read_before_the_first_write(client: httpx.Client, user_id: str, database_url: str) -> None:
    response = client.get("/api/me")

    assert response.status_code == 200
    assert response.json() == {"data": {"id": user_id, "revision": 0, "created_at": None}}
    assert execute(database_url, "SELECT true FROM users WHERE id = %s", user_id) == []


@pytest.mark.requirement("FR-039")
def test_an_account_begins_with_the_first_write(client: httpx.Client, user_id: str) -> None:
    task = create(client)
    create(client)

    account = client.get("/api/me").json()["data"]

    assert account == {"id": user_id, "revision": 2, "created_at": task["created_at"]}


@pytest.mark.requirement("FR-001", "FR-039")
@pytest.mark.parametrize(
    "user_id",
    ["auth0|123", "Zoë", "a" * 255, "' OR true --", "100%", "%(caller)s", "a b", "\U0001f95b", '"}'],
    ids=ascii,
)
def test_any_sub_is_a_user_of_its_own(api: API, user_id: str) -> None:
    with api.client(user_id) as client:
        client.delete("/api/me")
        task = create(client)

        assert task["user_id"] == user_id
        assert client.get("/api/me").json()["data"]["id"] == user_id
        assert client.get("/api/tasks").json()["data"] == [task]
        client.delete("/api/me")


@pytest.mark.requirement("FR-040")
def test_erasing_takes_everything_of_mine_along_and_nothing_of_others(
    client: httpx.Client, stranger: httpx.Client, user_id: str, database_url: str
) -> None:
    theirs = create(stranger)
    task, deleted = create(client), create(client)
    client.delete(path_of(deleted))

    response = client.delete("/api/me")

    assert (response.status_code, response.content) == (204, b"")
    assert execute(database_url, "SELECT true FROM users WHERE id = %s", user_id) == []
    assert execute(database_url, "SELECT true FROM tasks WHERE user_id = %s", user_id) == []
    assert client.get(path_of(task)).status_code == 404
    assert everything_of(stranger)[0]["data"] == [theirs]


@pytest.mark.requirement("FR-040")
def test_erasing_twice_or_nothing_is_fine_and_a_user_may_begin_anew(client: httpx.Client) -> None:
    assert client.delete("/api/me").status_code == 204
    first = create(client)
    assert client.delete("/api/me").status_code == 204
    assert client.delete("/api/me").status_code == 204

    again = create(client, id=first["id"])

    assert again["revision"] == 1
    assert client.get("/api/tasks").json()["data"] == [again]
