"""Requests with a key whose database connection is lost: they are retried, and create only one task."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.fixtures.calls.api import API, new_user
from tests.fixtures.calls.keys import assert_replays, is_replayed, new_key, said
from tests.fixtures.calls.tasks import MISSING_ID, create, error_of, path_of, read, task_of
from tests.fixtures.http.deadlines import hurried, hurried_at
from tests.fixtures.postgres.database import execute
from tests.fixtures.postgres.locks import row_locked
from tests.fixtures.postgres.proxy import Fault, Proxy

# The round trips of a change, in order.
ROUND_TRIPS = ("load", "store")


@pytest.fixture
def through(proxied: API) -> Iterator[httpx.Client]:
    """A client of the service behind the proxy, with a warm database connection."""
    with proxied.client(new_user()) as client:
        create(client)
        yield client


@pytest.mark.requirement("FR-124", "FR-157")
@pytest.mark.parametrize("fault", [Fault.LOST, Fault.UNANSWERED])
@pytest.mark.parametrize("round_trip", ROUND_TRIPS)
def test_a_request_whose_connection_was_lost_is_done_once(
    through: httpx.Client, proxy: Proxy, round_trip: str, fault: Fault
) -> None:
    headers = new_key()
    proxy.fail_at(ROUND_TRIPS.index(round_trip) + 1, fault)
    answer = through.post("/api/tasks", json={"title": "a"}, headers=headers)

    task = task_of(answer, 201)
    assert answer.headers["Location"] == path_of(task)
    was_done = (round_trip, fault) == ("store", Fault.UNANSWERED)
    assert is_replayed(answer) is was_done
    assert task["revision"] == 2
    assert through.get("/api/me").json()["data"]["revision"] == 2
    assert said(through.send(answer.request)) == said(answer)
    assert [row["title"] for row in through.get("/api/tasks").json()["data"]] == ["a", "Buy milk"]


@pytest.mark.requirement("FR-124")
def test_a_toggle_whose_answer_was_lost_is_not_toggled_back(through: httpx.Client, proxy: Proxy) -> None:
    task, headers = create(through), new_key()
    proxy.fail_at(len(ROUND_TRIPS), Fault.UNANSWERED)
    answer = through.patch(f"{path_of(task)}/complete", headers=headers)

    assert is_replayed(answer)
    assert task_of(answer)["completed"] is True
    assert read(through, task) == answer.json()["data"]


@pytest.mark.requirement("FR-124", "FR-051")
@pytest.mark.parametrize("round_trip", ROUND_TRIPS)
def test_a_database_that_goes_silent_within_a_transaction_holds_no_request_and_no_row(
    proxied: API, through: httpx.Client, proxy: Proxy, round_trip: str
) -> None:
    headers, number = new_key(), ROUND_TRIPS.index(round_trip) + 1
    proxy.fail_at(number, Fault.SILENT)
    try:
        with hurried_at(proxied, number):
            answer = through.post("/api/tasks", json={"title": "a"}, headers=headers)
        error_of(answer, 503, "SERVICE_UNAVAILABLE")
    finally:
        proxy.silent = False

    assert task_of(through.put(path_of(create(through)), json={"title": "b"}))["revision"] == 3
    first = through.post("/api/tasks", json={"title": "a"}, headers=headers)
    assert task_of(first, 201)["revision"] == 4
    assert_replays(through, first)


@pytest.mark.requirement("FR-126", "FR-051")
@pytest.mark.parametrize("fault", Fault)
def test_a_failed_request_that_could_not_be_taken_back_holds_nobody_up(
    proxied: API, through: httpx.Client, proxy: Proxy, fault: Fault
) -> None:
    headers, number = new_key(), 2  # load, ROLLBACK
    proxy.fail_at(number, fault)
    try:
        with hurried_at(proxied, number):
            failed = through.post(f"/api/tasks/{MISSING_ID}/restore", headers=headers)
    finally:
        proxy.silent = False
    error_of(failed, 404, "NOT_FOUND")  # nothing was committed, whatever happened to the connection

    assert task_of(through.post("/api/tasks", json={"title": "a"}, headers=headers), 201)["revision"] == 2


@pytest.mark.requirement("FR-126", "FR-051")
def test_a_request_that_took_too_long_is_not_stored(proxied: API, database_url: str) -> None:
    user_id, headers = new_user(), new_key()
    with proxied.client(user_id) as client:
        create(client)
        with row_locked(database_url, user_id), hurried(proxied):
            error_of(client.post("/api/tasks", json={"title": "a"}, headers=headers), 503, "SERVICE_UNAVAILABLE")

        assert execute(database_url, "SELECT FROM idempotency_keys WHERE user_id = %s", user_id) == []
        first = client.post("/api/tasks", json={"title": "b"}, headers=headers)  # the key can be used for anything
        assert task_of(first, 201)["revision"] == 2
        assert_replays(client, first)
