"""Events: what changes leave behind, by whom and through what."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from backend.services.purge import UserPurge
from tests.fixtures.calls.access_tokens import WRITE, make_token, with_token
from tests.fixtures.calls.api import API, new_user
from tests.fixtures.calls.exports import export
from tests.fixtures.calls.keys import new_key
from tests.fixtures.calls.lists import make
from tests.fixtures.calls.task_files import IMPORT, LINES
from tests.fixtures.calls.tasks import create, path_of
from tests.fixtures.postgres.database import execute
from tests.fixtures.postgres.expired import age
from tests.fixtures.rules.events import Event, events_of

TEXT = "The secret of the garden"


@pytest.fixture
def user_id() -> str:
    return new_user()


@pytest.fixture
def client(api: API, user_id: str) -> Any:
    with api.client(user_id) as client:
        yield client


def last(url: str, user_id: str) -> Event:
    """Return the latest event of a user."""
    return events_of(url, user_id)[-1]


@pytest.mark.requirement("FR-606", "FR-607")
def test_a_change_leaves_an_event_that_says_who_and_through_what(
    client: httpx.Client, user_id: str, database_url: str
) -> None:
    task = create(client, "a")
    made = last(database_url, user_id)
    client.patch(path_of(task), json={"title": "b"}, headers={"X-Request-ID": "my-request"})
    changed = last(database_url, user_id)

    assert (made.kind, made.id, made.verb, made.before) == ("task", task["id"], "created", None)
    assert (changed.revision, changed.verb, changed.before) == (2, "updated", {"title": "a"})
    assert (changed.actor, changed.via, changed.request_id) == ("user", "api", "my-request")


@pytest.mark.requirement("FR-606")
def test_an_event_names_the_token_and_the_import(
    api: API, client: httpx.Client, user_id: str, database_url: str
) -> None:
    token = make_token(client, WRITE)
    with with_token(api, token["token"]) as script:
        create(script, "a")
        assert last(database_url, user_id).actor == f"token:{token['id']}"
        response = script.post(IMPORT, content=json.dumps({"title": "b"}), headers={"Content-Type": LINES})
        assert response.json()["data"]["created"] == 1, response.text

    assert last(database_url, user_id).via == "import"
    assert last(database_url, user_id).actor == f"token:{token['id']}"


@pytest.mark.requirement("FR-606", "FR-608")
def test_a_bulk_statement_leaves_an_event_for_each_task(client: httpx.Client, user_id: str, database_url: str) -> None:
    home = make(client, "Home")["id"]
    tasks = [create(client, title, list_id=home) for title in "ab"]
    client.delete(path_of(create(client, "c", list_id=home)))
    count = len(events_of(database_url, user_id))

    assert client.delete(f"/api/lists/{home}").status_code == 204
    list_gone, *gone = events_of(database_url, user_id)[count:]
    assert (list_gone.kind, list_gone.verb) == ("list", "deleted")
    assert [(event.id, event.verb, event.before) for event in gone] == [
        (task["id"], "deleted", {"deleted_at": None}) for task in tasks
    ]
    assert {event.request_id for event in gone} == {list_gone.request_id}


@pytest.mark.requirement("FR-612")
def test_what_is_refused_or_repeated_leaves_no_event(client: httpx.Client, user_id: str, database_url: str) -> None:
    key = new_key()
    for _ in range(2):
        assert client.post("/api/tasks", json={"title": "a"}, headers=key).status_code == 201
    task = client.get("/api/tasks").json()["data"][0]
    assert client.patch(path_of(task), json={"title": "b"}, headers={"If-Match": '"7"'}).status_code == 412
    assert client.patch(path_of(task), json={"title": "a"}).status_code == 200

    assert [event.verb for event in events_of(database_url, user_id)] == ["created"]


@pytest.mark.requirement("FR-609")
def test_removing_a_task_for_good_removes_its_texts(client: httpx.Client, user_id: str, database_url: str) -> None:
    task = create(client, TEXT, description=TEXT)
    client.patch(path_of(task), json={"title": "b", "description": None, "due_date": "2026-11-21"})
    operations = [
        {"op": "update", "id": task["id"], "data": {"title": f"{TEXT} again"}},
        {"op": "update", "id": task["id"], "data": {"title": "c"}},
    ]
    assert client.post("/api/tasks/batch", json={"operations": operations}).status_code == 200
    assert TEXT in str(events_of(database_url, user_id))

    assert client.delete(path_of(task), params={"permanent": True}).status_code == 204
    told = events_of(database_url, user_id)
    assert told[-1].verb == "purged"
    assert TEXT not in str(told)
    assert told[1].before == {"due_date": None}


@pytest.mark.requirement("FR-609", "FR-611")
def test_so_does_the_purge_of_the_trash(client: httpx.Client, user_id: str, database_url: str, api: API) -> None:
    task = create(client, TEXT)
    client.patch(path_of(task), json={"title": "b"})
    client.delete(path_of(task))
    age(database_url, user_id, 31)
    UserPurge(api.app.state.sessions, user_id).step()

    assert len(events_of(database_url, user_id)) == 3
    assert TEXT not in str(events_of(database_url, user_id))


@pytest.mark.requirement("FR-610")
def test_a_token_for_one_list_leaves_events_and_sees_none(
    api: API, client: httpx.Client, user_id: str, database_url: str
) -> None:
    home = make(client, "Home")["id"]
    token = make_token(client, WRITE, list_id=home)
    with with_token(api, token["token"]) as script:
        create(script, "a")

    assert last(database_url, user_id).actor == f"token:{token['id']}"
    sql = "SET ROLE task_api_list; SELECT has_table_privilege('events', right_to) FROM unnest(%s) AS right_to"
    assert execute(database_url, sql, ["SELECT", "UPDATE", "DELETE"]) == [(False,)] * 3


@pytest.mark.requirement("FR-611")
def test_events_are_exported_and_erased(client: httpx.Client, user_id: str, database_url: str) -> None:
    task = create(client, "a")
    client.patch(path_of(task), json={"title": "b"})

    told = export(client)["event"]
    assert [(event["verb"], event["before"]) for event in told] == [("created", None), ("updated", {"title": "a"})]
    assert client.delete("/api/me", params={"confirm": user_id}).status_code == 204
    assert events_of(database_url, user_id) == []
