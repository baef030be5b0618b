"""Clients that send headers or bodies slowly: they get a timeout response, and hold no resources until then."""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx
import pytest

from backend.config import Settings
from tests.fixtures.calls.api import API, ORIGIN, new_user, serve
from tests.fixtures.calls.tasks import create, error_of, everything_of
from tests.fixtures.http.connection import CLIENT_TIMEOUT_SECONDS, PATIENT_SECONDS, Connection, connection_to, head
from tests.fixtures.postgres.locks import row_locked
from tests.fixtures.running.waiting import until
from tests.fixtures.telemetry.logs import events

pytestmark = pytest.mark.requirement("FR-098")

DRIBBLE_SECONDS = 0.05
BODY = b'{"title": "a"}'
JSON = {"Content_Type": "application/json", "Content_Length": str(len(BODY))}


def dribble(connection: Connection, data: bytes) -> None:
    """Send a byte from time to time, as long as nothing comes back, or forever."""
    for byte in data:
        if not connection.is_silent():
            return
        connection.send(bytes([byte]))
        time.sleep(DRIBBLE_SECONDS)
    raise AssertionError("it was read to its end")


def timed_out(connection: Connection) -> httpx.Response:
    """Read the only response, a timeout, on a connection that is then closed."""
    (answer,) = connection.answers_until_closed()
    error_of(answer, 408, "REQUEST_TIMEOUT")
    assert answer.headers["Connection"] == "close"
    return answer


def test_a_connection_that_says_nothing_is_closed(hasty: API) -> None:
    with connection_to(hasty) as connection:
        assert connection.answers_until_closed() == []


@pytest.mark.parametrize("before", [b"", b"\r\n", b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n"], ids=ascii)
def test_a_head_that_stops_is_timed_out(hasty: API, before: bytes) -> None:
    with connection_to(hasty) as connection:
        connection.send(before)
        if before.strip():
            assert connection.answer().status_code == 200
        connection.send(b"GET /api/me HTTP/1.1\r\nHost")
        timed_out(connection)


def test_a_head_that_dribbles_is_timed_out(hasty: API) -> None:
    with connection_to(hasty) as connection:
        dribble(connection, b"GET /api/me HTTP/1.1\r\nX-Slow: " + b"x" * 500)
        timed_out(connection)


def test_a_head_that_stops_behind_a_request_is_timed_out_after_that_is_answered(
    api: API, hasty: API, user_id: str, database_url: str
) -> None:
    create_one(api, user_id)
    with connection_to(hasty) as connection:
        with row_locked(database_url, user_id):
            connection.send(post(user_id) + b"GET /api/me")
            time.sleep(CLIENT_TIMEOUT_SECONDS * 2)
        answer, last = connection.answers_until_closed()

    assert answer.status_code == 201
    error_of(last, 408, "REQUEST_TIMEOUT")


def test_a_head_that_began_behind_a_request_has_its_time(patient: API, user_id: str) -> None:
    with connection_to(patient) as connection:
        connection.send(head(user_id) + b"GET /health")
        assert connection.answer().status_code == 200
        connection.send(b"/live HTTP/1.1\r\nHost: a\r\n\r\n")
        assert connection.answer().status_code == 200


@pytest.mark.parametrize("dribbling", [False, True], ids=["stops", "dribbles"])
@pytest.mark.parametrize("chunked", [False, True], ids=["declared", "chunked"])
def test_a_body_that_does_not_arrive_is_timed_out(
    api: API, hasty: API, user_id: str, *, dribbling: bool, chunked: bool
) -> None:
    headers = {"Content_Type": "application/json", "Origin": ORIGIN}
    headers |= {"Transfer_Encoding": "chunked"} if chunked else {"Content_Length": "1000"}
    with api.client(user_id) as client:
        before = everything_of(client)
        with connection_to(hasty) as connection:
            connection.send(head(user_id, "POST /api/tasks", **headers) + (b"3e8\r\n" if chunked else b"") + BODY)
            if dribbling:
                dribble(connection, b" " * 500)
            answer = timed_out(connection)

        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert everything_of(client) == before


def test_a_body_that_does_not_end_behind_its_answer_ends_with_the_connection(hasty: API) -> None:
    with connection_to(hasty) as connection:
        connection.send(head(None, "POST /api/tasks", Content_Length="1000"))
        assert connection.answer().status_code == 401
        dribble(connection, b"x" * 500)
        assert connection.answers_until_closed() == []


def test_a_connection_whose_refused_body_was_read_is_closed_when_nothing_follows(hasty: API) -> None:
    with connection_to(hasty) as connection:
        connection.send(head(None, "POST /api/tasks", Content_Length="4"))
        assert connection.answer().status_code == 401
        connection.send(b"body")
        assert connection.answers_until_closed() == []


def test_who_sends_in_pieces_and_in_time_is_served_and_may_rest(patient: API, user_id: str) -> None:
    with connection_to(patient) as connection:
        for rest_seconds in (PATIENT_SECONDS * 1.1, 0):  # a keep-alive connection has more time
            for piece in (post(user_id)[:30], post(user_id)[30:-5], post(user_id)[-5:]):
                connection.send(piece)
                time.sleep(DRIBBLE_SECONDS)
            assert connection.answer().status_code == 201
            time.sleep(rest_seconds)


def test_a_request_that_has_arrived_is_not_hurried(api: API, hasty: API, user_id: str, database_url: str) -> None:
    create_one(api, user_id)
    with connection_to(hasty) as connection:
        with row_locked(database_url, user_id):
            connection.send(post(user_id))
            time.sleep(CLIENT_TIMEOUT_SECONDS * 2)
            assert connection.is_silent()
        assert connection.answer().status_code == 201


def test_slow_clients_hold_neither_threads_nor_connections(api: API, client: httpx.Client, user_id: str) -> None:
    with ExitStack() as stack:
        slow = [stack.enter_context(connection_to(api)) for _ in range(120)]
        for number, connection in enumerate(slow):
            connection.send(post(user_id)[:-1] if number % 2 else head(user_id)[:-1])
        for _ in range(3):
            create(client)
        assert all(connection.is_silent() for connection in slow)


def test_the_end_of_the_service_does_not_wait_for_slow_clients_but_for_what_is_in_hand(
    settings: Settings, user_id: str, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with ExitStack() as service, ExitStack() as stack, ThreadPoolExecutor(1) as thread:
        running = service.enter_context(serve(settings))
        create_one(running, user_id)
        half_head, half_body, arriving, in_hand = (stack.enter_context(connection_to(running)) for _ in range(4))
        with row_locked(database_url, user_id) as wait_for:
            half_head.send(head(user_id)[:-1])
            half_body.send(post(user_id)[:-1])
            arriving.send(post(new_user())[:-1])
            in_hand.send(post(user_id))
            wait_for(1)
            ended = thread.submit(service.close)
            assert half_head.answers_until_closed() == []
            arriving.send(BODY[-1:])
            assert arriving.answer().status_code == 201
            error_of(half_body.answer(), 503, "SERVICE_UNAVAILABLE")
            half_body.close()
            assert not ended.done()
        assert in_hand.answer().status_code == 201
        ended.result()

    assert [line["status"] for line in events(caplog, "request") if line["method"] == "(unknown)"] == [503]
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize("count", [1, 3])
def test_a_client_that_does_not_wait_for_its_answers_is_no_failure_of_ours(
    api: API, user_id: str, database_url: str, caplog: pytest.LogCaptureFixture, count: int
) -> None:
    create_one(api, user_id)
    caplog.clear()
    caplog.set_level(logging.INFO)
    with row_locked(database_url, user_id) as wait_for, connection_to(api) as connection:
        connection.send(post(user_id) * count)
        wait_for(1)
    until(lambda: 201 in {line["status"] for line in events(caplog, "request")})
    with connection_to(api) as connection:  # lines after this one have been logged by now
        connection.send(head(user_id))
        assert connection.answer().status_code == 200
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def post(user_id: str) -> bytes:
    """Build the raw request that creates a task."""
    return head(user_id, "POST /api/tasks", **JSON) + BODY


def create_one(api: API, user_id: str) -> None:
    """Create a task, so that the user has a row that can be locked."""
    with api.client(user_id) as client:
        create(client)
