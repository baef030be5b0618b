"""Requests retried with the same Idempotency-Key, one after the other."""

from __future__ import annotations

import uuid

import httpx
import pytest

from tests.fixtures.calls.erasure import erase
from tests.fixtures.calls.keys import KEY, assert_replays, assert_reused, is_replayed, new_key, stored_keys
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
from tests.fixtures.http.wire import send
from tests.fixtures.postgres.database import execute

TASKS = "/api/tasks"
LONGEST = "k" * 255


@pytest.mark.requirement("FR-122")
@pytest.mark.parametrize(
    "fields", [{}, {"id": "USE_OWN"}, {"description": "Zwei Liter, „frische“ 🥛", "completed": True}]
)
def test_a_create_sent_again_is_answered_as_before_and_makes_no_second_task(
    client: httpx.Client, fields: dict[str, object]
) -> None:
    body = {"title": "Buy milk", **fields, **({"id": str(uuid.uuid4())} if "id" in fields else {})}
    first = client.post(TASKS, json=body, headers=new_key())

    task = task_of(first, 201)
    assert first.headers["Location"] == path_of(task)
    for _ in range(3):
        assert_replays(client, first)
    assert client.get(TASKS).json()["data"] == [task]
    assert revision_of(client) == 1


@pytest.mark.requirement("FR-122")
def test_a_toggle_sent_again_stays_toggled_once(client: httpx.Client) -> None:
    task = create(client)
    first = client.patch(f"{path_of(task)}/complete", headers=new_key())

    assert task_of(first)["completed"] is True
    assert_replays(client, first)
    assert read(client, task) == first.json()["data"]
    assert revision_of(client) == 2


@pytest.mark.requirement("FR-122")
def test_the_stored_answer_stays_whatever_happens_to_the_task(client: httpx.Client) -> None:
    first = client.post(TASKS, json={"title": "a"}, headers=new_key())
    task = task_of(first, 201)
    for method, query, body in [("PUT", "", {"title": "b"}), ("DELETE", "", None), ("DELETE", "?permanent=true", None)]:
        assert client.request(method, path_of(task) + query, json=body).is_success
        before = everything_of(client)
        assert_replays(client, first)
        assert everything_of(client) == before


@pytest.mark.requirement("FR-122", "FR-123")
@pytest.mark.parametrize(
    "content", ['{"title":"a","completed":true}', '{\n "completed": true,\t"title": "\\u0061" }\n']
)
def test_the_same_json_in_other_words_is_the_same_request(client: httpx.Client, content: str) -> None:
    key = new_key()
    first = client.post(TASKS, content='{"title": "a", "completed": true}', headers=key | JSON)

    again = client.post(TASKS, content=content, headers=key | {"Content-Type": "application/json; charset=utf-8"})

    assert is_replayed(again)
    assert again.content == first.content


@pytest.mark.requirement("FR-123")
def test_a_key_of_another_request_is_refused_and_changes_nothing(client: httpx.Client, stranger: httpx.Client) -> None:
    task, other, key = create(client), create(client), new_key()
    first = client.patch(f"{path_of(task)}/complete", json={"completed": True}, headers=key)
    tag = {"If-Match": first.headers["ETag"]}
    before = everything_of(client)

    for method, path, body, headers in [
        ("PATCH", f"{path_of(task)}/complete", {"completed": False}, {}),
        ("PATCH", f"{path_of(task)}/complete", None, {}),
        ("PATCH", f"{path_of(other)}/complete", {"completed": True}, {}),
        ("PATCH", f"{path_of(task)}/complete", {"completed": True}, tag),
        ("PATCH", f"{path_of(task)}/complete", {"completed": True}, {"If-Match": "*"}),
        ("POST", f"{path_of(task)}/restore", None, {}),
        ("POST", f"{TASKS}/{MISSING_ID}/restore", None, {}),
        ("POST", TASKS, {"title": "a"}, {}),
        ("POST", TASKS, {"title": "a"}, {"If-None-Match": "*"}),
    ]:
        assert_reused(client.request(method, path, json=body, headers=key | headers))
        assert everything_of(client) == before

    assert_replays(client, first)
    assert task_of(stranger.post(TASKS, json={"title": "a"}, headers=key), 201)["revision"] == 1


@pytest.mark.requirement("FR-125")
def test_two_users_may_use_the_same_key(client: httpx.Client, stranger: httpx.Client) -> None:
    key = new_key()
    mine, theirs = (someone.post(TASKS, json={"title": "a"}, headers=key) for someone in (client, stranger))

    assert mine.json()["data"]["id"] != theirs.json()["data"]["id"]
    assert_replays(client, mine)
    assert_replays(stranger, theirs)


@pytest.mark.requirement("FR-125", "FR-040")
def test_stored_answers_go_with_the_account(client: httpx.Client, user_id: str, database_url: str) -> None:
    first = client.post(TASKS, json={"title": "a"}, headers=new_key())
    assert stored_keys(database_url, user_id) == 1

    assert erase(client).status_code == 204

    assert stored_keys(database_url, user_id) == 0
    again = client.send(first.request)
    assert (task_of(again, 201)["revision"], is_replayed(again)) == (1, False)


@pytest.mark.requirement("FR-125")
def test_a_key_is_free_again_after_24_hours_purged_or_not(
    client: httpx.Client, user_id: str, database_url: str
) -> None:
    first = client.post(TASKS, json={"title": "a"}, headers=new_key())

    def age(interval: str) -> None:
        made = "UPDATE idempotency_keys SET created_at = now() - %s::interval WHERE user_id = %s"
        execute(database_url, made, interval, user_id)

    age("23 hours 59 minutes")
    assert_replays(client, first)
    age("24 hours")
    other = client.post(TASKS, json={"title": "b"}, headers={KEY: first.request.headers[KEY]})
    assert task_of(other, 201)["revision"] == 2
    assert_replays(client, other)
    assert_reused(client.send(first.request))
    assert stored_keys(database_url, user_id) == 1


@pytest.mark.requirement("FR-126")
def test_failed_requests_are_not_stored_and_leave_the_key_free(
    client: httpx.Client, user_id: str, database_url: str
) -> None:
    task, key = create(client), new_key()
    before = everything_of(client)
    for method, path, body, headers, status in [
        ("PATCH", f"{TASKS}/{MISSING_ID}/complete", None, {}, 404),
        ("POST", f"{TASKS}/{MISSING_ID}/restore", None, {}, 404),
        ("POST", TASKS, {"title": "other", "id": task["id"]}, {}, 409),
        ("POST", TASKS, {"title": "other", "id": task["id"]}, {"If-None-Match": "*"}, 412),
        ("PATCH", f"{path_of(task)}/complete", None, {"If-Match": '"9"'}, 412),
        ("PATCH", f"{path_of(task)}/complete", {"completed": 1}, {}, 422),
        ("PATCH", f"{path_of(task)}/complete", None, {"If-Match": "9"}, 400),
        ("POST", TASKS, {"title": ""}, {}, 422),
        ("POST", f"{TASKS}?a=b", {"title": "a"}, {}, 422),
    ]:
        for _ in range(2):
            response = client.request(method, path, json=body, headers=key | headers)
            assert response.status_code == status, response.text
            assert not is_replayed(response)
        assert everything_of(client) == before
        assert stored_keys(database_url, user_id) == 0

    assert_replays(client, client.patch(f"{path_of(task)}/complete", headers=key))


@pytest.mark.requirement("FR-126", "FR-124")
def test_a_user_whose_first_request_fails_has_no_account_yet(
    client: httpx.Client, user_id: str, database_url: str
) -> None:
    error_of(client.patch(f"{TASKS}/{MISSING_ID}/complete", headers=new_key()), 404, "NOT_FOUND")

    assert execute(database_url, "SELECT FROM users WHERE id = %s", user_id) == []
    first = client.post(TASKS, json={"title": "a"}, headers=new_key())
    assert task_of(first, 201)["revision"] == 1
    assert_replays(client, first)


@pytest.mark.requirement("FR-121")
@pytest.mark.parametrize("key", ["k", LONGEST, "two words", "".join(map(chr, range(0x21, 0x7F))), '"a string"'])
def test_a_key_is_any_printable_ascii(client: httpx.Client, key: str) -> None:
    assert_replays(client, client.post(TASKS, json={"title": "a"}, headers={KEY: key}))


@pytest.mark.requirement("FR-121")
@pytest.mark.parametrize("key", [LONGEST.encode() + b"k", b"a\tb", b"a ", b"a\t", "ä".encode(), b"\xff"])
@pytest.mark.parametrize("operation", ["POST", "POST restore", "PATCH complete"])
def test_a_malformed_key_is_refused(client: httpx.Client, key: bytes, operation: str) -> None:
    method, _, action = operation.partition(" ")
    path, body = (f"{path_of(create(client))}/{action}", b"") if action else (TASKS, b'{"title": "a"}')
    headers = {KEY.encode(): key, b"Content-Type": b"application/json"}
    before = everything_of(client)

    response = send(client, path.encode(), method, headers=headers, body=body)

    (detail,) = error_of(response, 400, "BAD_REQUEST")["details"]
    assert (detail["field"], detail["code"]) == (f"header.{KEY}", "key_invalid")
    assert everything_of(client) == before


@pytest.mark.requirement("FR-121")
@pytest.mark.parametrize("second", [b"a", b"b", b"\xff"])
def test_two_keys_are_refused(client: httpx.Client, second: bytes) -> None:
    headers = {KEY.encode(): b"a", KEY.lower().encode(): second, b"Content-Type": b"application/json"}

    response = send(client, TASKS.encode(), "POST", headers=headers, body=b'{"title": "a"}')

    assert error_of(response, 400, "BAD_REQUEST")["details"][0]["field"] == f"header.{KEY}"
    assert client.get(TASKS).json()["data"] == []


@pytest.mark.requirement("FR-121")
@pytest.mark.parametrize("key", [b"a\x00b", b"a\x7fb", b"a\x1fb"])
def test_a_key_with_control_characters_is_refused(client: httpx.Client, key: bytes) -> None:
    headers = {KEY.encode(): key, b"Content-Type": b"application/json"}

    response = send(client, TASKS.encode(), "POST", headers=headers, body=b'{"title": "a"}')

    error_of(response, 400, "BAD_REQUEST")
    assert revision_of(client) == 0
