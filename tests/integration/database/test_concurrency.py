"""Many requests at once: each gets a response, even if that is a refusal, and none is lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from pydantic import SecretStr

from backend.config import Settings
from tests.fixtures.calls.api import API, ORIGIN, new_user, serve
from tests.fixtures.calls.tasks import create, error_of
from tests.fixtures.http.connection import Connection, connection_to, head
from tests.fixtures.http.deadlines import hurried
from tests.fixtures.postgres.locks import row_locked
from tests.fixtures.postgres.proxy import counting_proxy

pytestmark = pytest.mark.requirement("FR-097")

BODY = b'{"title": "a"}'


def post(user_id: str) -> bytes:
    """Build the raw request that creates a task."""
    json = {"Content_Type": "application/json", "Content_Length": str(len(BODY)), "Origin": ORIGIN}
    return head(user_id, "POST /api/tasks", **json) + BODY


@contextmanager
def connections(api: API, count: int) -> Iterator[list[Connection]]:
    with ExitStack() as stack:
        yield [stack.enter_context(connection_to(api)) for _ in range(count)]


def test_two_hundred_at_once_are_all_served_by_five_connections(api: API) -> None:
    users = [new_user() for _ in range(10)]
    with connections(api, 200) as all_of_them:
        for number, connection in enumerate(all_of_them):
            connection.send(post(users[number % 10]))
        assert {connection.answer().status_code for connection in all_of_them} == {201}
    with connections(
        api, 200
    ) as all_of_them:  # new ones: on a busy machine, the first ones may have been idle for too long
        for number, connection in enumerate(all_of_them):
            connection.send(head(users[number % 10], "GET /api/tasks"))
        assert {len(connection.answer().json()["data"]) for connection in all_of_them} == {20}


def test_waiting_for_a_database_connection_ends(settings: Settings, user_id: str, database_url: str) -> None:
    with counting_proxy(database_url) as proxy:
        through = settings.model_copy(update={"database_pool_size": 1, "database_url": SecretStr(proxy.url)})
        with serve(through) as running, running.client(user_id) as client, connections(running, 20) as waiting:
            create(client)
            with row_locked(database_url, user_id), hurried(running):
                before = proxy.round_trips
                for connection in waiting:
                    connection.send(post(user_id))
                answers = [connection.answer() for connection in waiting]
            for answer in answers:
                error_of(answer, 503, "SERVICE_UNAVAILABLE")
                assert int(answer.headers["Retry-After"]) >= 1
                assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
            reached = proxy.round_trips - before
            assert reached < 10  # waiting one after the other, all twenty would have reached the database
            create(client)
            # After a 503, a create that reached the database may still have been executed.
            assert 2 <= len(client.get("/api/tasks").json()["data"]) <= 2 + reached


def test_requests_beyond_those_that_may_be_in_hand_are_refused_at_once(
    settings: Settings, user_id: str, database_url: str
) -> None:
    limited = settings.model_copy(update={"max_concurrent_requests": 6, "database_pool_size": 6})  # half for one user
    with serve(limited) as running, running.client(user_id) as client, connections(running, 3) as in_hand:
        create(client)
        for _ in range(2):  # each slot is released
            with row_locked(database_url, user_id) as wait_for:
                for connection in in_hand:
                    connection.send(post(user_id))
                wait_for(3)
                refused = client.get("/api/me", headers={"Origin": ORIGIN})
                error_of(refused, 503, "SERVICE_UNAVAILABLE")
                assert int(refused.headers["Retry-After"]) >= 1
                assert refused.headers["Access-Control-Allow-Origin"] == ORIGIN
                assert client.get("/api/me", headers={"Authorization": "Bearer x"}).status_code == 401
                assert {client.get(path).status_code for path in ("/", "/health/live", "/docs")} == {200}
                assert all(connection.is_silent() for connection in in_hand)
            assert [connection.answer().status_code for connection in in_hand] == [201, 201, 201]
        assert client.get("/api/me").status_code == 200


@pytest.mark.requirement("FR-054")
def test_readiness_that_is_known_waits_for_nobody(settings: Settings, user_id: str, database_url: str) -> None:
    small = settings.model_copy(update={"database_pool_size": 1})
    with serve(small) as running, running.client(user_id) as client, connections(running, 1) as (blocked,):
        create(client)
        assert client.get("/health/ready").status_code == 200
        with row_locked(database_url, user_id) as wait_for:
            blocked.send(post(user_id))
            wait_for(1)
            assert client.get("/health/ready").status_code == 200
            assert blocked.is_silent()
        assert blocked.answer().status_code == 201


@pytest.mark.requirement("FR-054")
def test_readiness_that_is_not_known_waits_like_everybody(settings: Settings, user_id: str, database_url: str) -> None:
    small = settings.model_copy(update={"database_pool_size": 1})
    with serve(small) as running, running.client(user_id) as client, connections(running, 2) as (blocked, asking):
        create(client)
        with row_locked(database_url, user_id) as wait_for:
            blocked.send(post(user_id))
            wait_for(1)
            asking.send(head(None, "GET /health/ready"))
            assert client.get("/health/live").status_code == 200
            assert asking.is_silent()
        assert (blocked.answer().status_code, asking.answer().status_code) == (201, 200)


@pytest.mark.parametrize("waiting", ["POST /api/tasks", "GET /api/me", "GET /health/ready"])
def test_requests_that_wait_for_a_connection_hold_no_threads(
    settings: Settings, user_id: str, database_url: str, waiting: str
) -> None:
    small = settings.model_copy(update={"database_pool_size": 1})
    with serve(small) as running, running.client(user_id) as client, connections(running, 61) as (first, *others):
        create(client)
        with row_locked(database_url, user_id) as wait_for:
            first.send(post(user_id))
            wait_for(1)
            for connection in others:
                connection.send(post(user_id) if waiting.startswith("POST") else head(user_id, waiting))
            assert client.get("/docs/assets/swagger-ui.css").status_code == 200  # files are read in a thread
            assert all(connection.is_silent() for connection in others)
        assert {connection.answer().status_code for connection in (first, *others)} <= {200, 201}


def test_requests_at_the_database_leave_threads_for_other_work(
    settings: Settings, user_id: str, database_url: str
) -> None:
    many = 41  # one more than there would be threads
    large = settings.model_copy(update={"database_pool_size": 2 * many})  # half of them for one user
    with serve(large) as running, running.client(user_id) as client, connections(running, many) as all_of_them:
        create(client)
        with row_locked(database_url, user_id) as wait_for:
            for connection in all_of_them:
                connection.send(post(user_id))
            wait_for(many)
            assert client.get("/docs/assets/swagger-ui.css").status_code == 200  # files are read in a thread
            assert all(connection.is_silent() for connection in all_of_them)
        assert {connection.answer().status_code for connection in all_of_them} == {201}
