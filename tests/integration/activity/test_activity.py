"""Reading what was changed: pages, filters, and who may."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.fixtures.calls.access_tokens import READ, WRITE, make_token, with_token
from tests.fixtures.calls.api import API, new_user
from tests.fixtures.calls.lists import make
from tests.fixtures.calls.tasks import create, error_of, path_of

ACTIVITY = "/api/activity"


@pytest.fixture
def client(api: API) -> Iterator[httpx.Client]:
    with api.client(new_user()) as client:
        yield client


def events(client: httpx.Client, path: str = ACTIVITY, **params: Any) -> list[dict[str, Any]]:
    """Read all pages."""
    found: list[dict[str, Any]] = []
    while True:
        response = client.get(path, params=params)
        assert response.status_code == 200, response.text
        body = response.json()
        found += body["data"]
        assert body["page"]["has_more"] == (body["page"]["next_cursor"] is not None)
        if not body["page"]["has_more"]:
            return found
        params["cursor"] = body["page"]["next_cursor"]


@pytest.mark.requirement("FR-613")
def test_activity_is_listed_the_latest_first(client: httpx.Client) -> None:
    task = create(client, "a")
    client.patch(path_of(task), json={"completed": True})
    make(client, "Home")

    told = events(client)
    assert [(event["revision"], event["kind"], event["verb"]) for event in told] == [
        (3, "list", "created"),
        (2, "task", "completed"),
        (1, "task", "created"),
    ]
    assert (told[1]["entity_id"], told[1]["before"]) == (task["id"], {"completed": False, "completed_at": None})


@pytest.mark.requirement("FR-613")
def test_activity_is_filtered(client: httpx.Client) -> None:
    task = create(client, "a", labels=["home"])
    client.patch(path_of(task), json={"title": "b"})

    assert {event["kind"] for event in events(client, kind="label")} == {"label"}
    assert [event["before"] for event in events(client, verb="updated")] == [{"title": "a"}]
    assert len(events(client, kind="task", verb="created")) == 1
    assert events(client, kind="list") == []
    for params in ({"kind": "token"}, {"verb": "painted"}, {"limit": 0}, {"limit": 201}):
        assert client.get(ACTIVITY, params=params).status_code == 422


@pytest.mark.requirement("FR-614")
def test_a_task_has_its_own_activity_even_when_it_is_gone(client: httpx.Client) -> None:
    task, other = create(client, "a"), create(client, "b")
    path = f"{path_of(task)}/activity"
    client.patch(path_of(other), json={"title": "c"})
    client.delete(path_of(task))
    assert [event["verb"] for event in events(client, path)] == ["deleted", "created"]
    assert events(client, path, verb="completed") == []

    client.delete(path_of(task), params={"permanent": True})
    assert [event["verb"] for event in events(client, path)] == ["purged", "deleted", "created"]
    assert [event["verb"] for event in events(client, path, limit=1)] == ["purged", "deleted", "created"]
    assert events(client, path, verb="completed") == []
    error_of(client.get(f"/api/tasks/{uuid.uuid4()}/activity"), 404, "NOT_FOUND")


@pytest.mark.requirement("FR-615")
def test_pages_miss_no_event_and_repeat_none_while_there_are_changes(client: httpx.Client) -> None:
    for number in range(5):
        create(client, str(number))
    first = client.get(ACTIVITY, params={"limit": 2}).json()
    create(client, "later")
    rest = events(client, limit=2, cursor=first["page"]["next_cursor"])

    assert [event["revision"] for event in [*first["data"], *rest]] == [5, 4, 3, 2, 1]


@pytest.mark.requirement("FR-615")
def test_a_cursor_belongs_to_its_filters(client: httpx.Client) -> None:
    for number in range(3):
        create(client, str(number))
    cursor = client.get(ACTIVITY, params={"limit": 1, "kind": "task"}).json()["page"]["next_cursor"]

    for params in ({"cursor": cursor}, {"cursor": cursor, "verb": "created"}, {"cursor": "x"}):
        assert client.get(ACTIVITY, params=params).status_code == 400, params
    assert client.get("/api/tasks", params={"cursor": cursor}).status_code == 400


@pytest.mark.requirement("FR-616")
def test_fields_have_the_names_that_clients_know(client: httpx.Client) -> None:
    task = create(client, "a", priority="high", status="in_progress")
    client.patch(path_of(task), json={"priority": None, "status": "todo"})

    assert events(client)[0]["before"] == {"priority": "high", "status": "in_progress"}
    for field, now, before in (("priority", "low", None), ("status", "in_progress", "todo")):
        client.patch(path_of(task), json={field: now})
        assert events(client)[0]["before"] == {field: before}


@pytest.mark.requirement("FR-617")
def test_tokens_read_activity_unless_they_are_for_one_list(api: API, client: httpx.Client) -> None:
    home = make(client, "Home")["id"]
    task = create(client, "a", list_id=home)
    paths = (ACTIVITY, f"{path_of(task)}/activity")
    for given, status in (((READ,), 200), ((WRITE,), 403)):
        with with_token(api, make_token(client, *given)["token"]) as script:
            assert [script.get(path).status_code for path in paths] == [status] * 2
    with with_token(api, make_token(client, READ, list_id=home)["token"]) as guest:
        assert [guest.get(path).status_code for path in paths] == [403] * 2
