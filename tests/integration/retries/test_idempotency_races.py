"""Concurrent requests with one Idempotency-Key: one does the work, and the others return its response."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.fixtures.calls.api import API, new_user
from tests.fixtures.calls.erasure import erase, erasure_of
from tests.fixtures.calls.keys import assert_reused, is_replayed, new_key, said, stored_keys
from tests.fixtures.calls.tasks import create, path_of, read, revision_of, task_of
from tests.fixtures.postgres.locks import row_locked

TASKS = "/api/tasks"
SENDERS = 10
TIMES = 10


def at_once(api: API, user_id: str, send: Callable[[httpx.Client, int], httpx.Response]) -> list[httpx.Response]:
    """Run this many senders at once, each repeatedly; the function gets a number for each request."""

    def sender(number: int) -> list[httpx.Response]:
        with api.client(user_id) as client:
            return [send(client, number * TIMES + time) for time in range(TIMES)]

    with ThreadPoolExecutor(SENDERS) as threads:
        return [answer for answers in threads.map(sender, range(SENDERS)) for answer in answers]


@pytest.mark.requirement("FR-124")
def test_of_a_hundred_sends_of_one_create_by_a_new_user_one_makes_a_task(
    api: API, client: httpx.Client, user_id: str, database_url: str
) -> None:
    headers = new_key()

    answers = at_once(api, user_id, lambda client, _: client.post(TASKS, json={"title": "a"}, headers=headers))

    assert len(answers) == SENDERS * TIMES
    assert len({said(answer) for answer in answers}) == 1
    assert [is_replayed(answer) for answer in answers].count(False) == 1
    assert client.get(TASKS).json()["data"] == [task_of(answers[0], 201)]
    assert (revision_of(client), stored_keys(database_url, user_id)) == (1, 1)


@pytest.mark.requirement("FR-124")
def test_of_a_hundred_sends_of_one_toggle_one_toggles(api: API, client: httpx.Client, user_id: str) -> None:
    task, headers = create(client), new_key()
    path = f"{path_of(task)}/complete"

    answers = at_once(api, user_id, lambda client, _: client.patch(path, headers=headers))

    assert len({said(answer) for answer in answers}) == 1
    assert [is_replayed(answer) for answer in answers].count(False) == 1
    assert read(client, task) == task_of(answers[0])
    assert revision_of(client) == 2


@pytest.mark.requirement("FR-124")
def test_a_hundred_keys_at_once_do_a_hundred_things(
    api: API, client: httpx.Client, user_id: str, database_url: str
) -> None:
    answers = at_once(
        api, user_id, lambda client, number: client.post(TASKS, json={"title": f"{number}"}, headers=new_key())
    )

    revisions = sorted(task_of(answer, 201)["revision"] for answer in answers)
    assert revisions == list(range(1, SENDERS * TIMES + 1))
    assert not any(map(is_replayed, answers))
    assert stored_keys(database_url, user_id) == revision_of(client) == SENDERS * TIMES


@pytest.mark.requirement("FR-123", "FR-124")
def test_of_two_requests_with_one_key_at_once_one_is_refused(
    client: httpx.Client, api: API, user_id: str, database_url: str
) -> None:
    create(client)
    headers = new_key()

    def post(title: str) -> httpx.Response:
        with api.client(user_id) as one:
            return one.post(TASKS, json={"title": title}, headers=headers)

    with ThreadPoolExecutor(2) as threads:
        with row_locked(database_url, user_id) as wait_for:
            sent = [threads.submit(post, title) for title in ("a", "b")]
            wait_for(2)
        good, bad = sorted((answer.result() for answer in sent), key=lambda answer: answer.status_code)

    assert task_of(good, 201)["revision"] == 2
    assert_reused(bad)
    assert revision_of(client) == 2


@pytest.mark.requirement("FR-124", "FR-040")
def test_a_request_whose_account_is_erased_while_it_waits_begins_a_new_one(
    client: httpx.Client, api: API, user_id: str, database_url: str
) -> None:
    create(client)
    first = client.post(TASKS, json={"title": "a"}, headers=new_key())
    with ThreadPoolExecutor(2) as threads, api.client(user_id) as other:
        with row_locked(database_url, user_id) as wait_for:
            erased = threads.submit(erase, other)
            wait_for(1)
            again = threads.submit(client.send, first.request)
            wait_for(2)
        assert erased.result().status_code == 204

    assert not is_replayed(again.result())
    assert task_of(again.result(), 201)["revision"] == 1
    assert (revision_of(client), stored_keys(database_url, user_id)) == (1, 1)


class Chaos:
    """One user who does everything at once with few ids and few keys, so that requests collide."""

    def __init__(self, user_id: str) -> None:
        self._erasure = erasure_of(user_id)
        self._random = random.Random(7)  # noqa: S311 - to do the same each time
        self._ids = [str(uuid.uuid4()) for _ in range(3)]
        self._keys = [new_key() for _ in range(20)]

    def send(self, client: httpx.Client) -> httpx.Response:
        """Send a random request."""
        path, headers = f"{TASKS}/{self._random.choice(self._ids)}", self._random.choice(self._keys)
        make = {"title": "a", "id": path.rpartition("/")[2]}
        method, address, body = self._random.choice(
            [
                ("POST", TASKS, make),
                ("PATCH", f"{path}/complete", None),
                ("POST", f"{path}/restore", None),
                ("DELETE", path, None),
                ("DELETE", f"{path}?permanent=true", None),
                ("DELETE", self._erasure, None),
            ]
        )
        return client.request(method, address, json=body, headers=self._random.choice([{}, headers]))


@pytest.mark.requirement("FR-124", "FR-126", "FR-037")
def test_nothing_that_one_user_does_at_once_fails(api: API) -> None:
    user_id = new_user()
    chaos = Chaos(user_id)

    answers = [answer for _ in range(3) for answer in at_once(api, user_id, lambda client, _: chaos.send(client))]

    statuses = {answer.status_code for answer in answers}
    assert {200, 201, 204, 404, 422} <= statuses <= {200, 201, 204, 404, 409, 422}
