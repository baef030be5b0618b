"""What nginx itself refuses, which clients it drops, and what happens to requests when a service is gone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from backend import errors
from backend.api.http.header_parameters import MAX_HEADER_BYTES
from backend.api.http.security_headers import security_headers
from backend.api.middleware.limits import MAX_ADDRESS_BYTES
from backend.api.openapi.operations import EXPOSED_HEADERS
from backend.api.streams.changes import KEEP_ALIVE_SECONDS
from backend.config import Settings
from backend.errors import TaskAPIError
from tests.fixtures.calls.api import API, ORIGIN, new_user, serve
from tests.fixtures.calls.tasks import error_of
from tests.fixtures.http.connection import head
from tests.fixtures.processes.nginx import HOST, fronted, values
from tests.fixtures.processes.servers import free_port
from tests.fixtures.running.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.requirement("FR-180")


@pytest.fixture(scope="module")
def api(settings: Settings) -> Iterator[API]:
    """A service with unchanged settings."""
    with serve(settings) as api:
        yield api


def _port(api: API) -> int:
    return httpx.URL(api.base_url).port or 0


def test_its_bounds_are_those_of_the_service() -> None:
    defaults = {name: field.default for name, field in Settings.model_fields.items()}
    (buffers, size) = values("large_client_header_buffers")[0].split()

    assert [*map(int, values("client_max_body_size"))] == [defaults["max_body_bytes"], defaults["max_import_bytes"]]
    for name in ("client_header_timeout", "client_body_timeout"):
        assert _seconds(values(name)[0]) == defaults["client_timeout_seconds"]
    assert int(size.removesuffix("k")) * 1024 > MAX_ADDRESS_BYTES
    assert int(buffers) * int(size.removesuffix("k")) * 1024 >= MAX_HEADER_BYTES
    request, stream = map(_seconds, values("proxy_read_timeout"))
    assert request > defaults["request_timeout_seconds"] + 2
    assert stream > 2 * KEEP_ALIVE_SECONDS


def _seconds(value: str) -> float:
    return float(value.removesuffix("s"))


REFUSED = [
    (head(None, "TRACE /api/tasks", Host=HOST), errors.MethodNotAllowed),
    (b"nonsense\r\n\r\n", errors.BadRequest),
    (b"GET /api/tasks HTTP/1.1\r\n\r\n", errors.BadRequest),
    (head(None, "POST /api/tasks", Host=HOST, Transfer_Encoding="gzip"), errors.UnknownTransferCoding),
    (head(None, f"GET /{'a' * 20000}", Host=HOST), errors.AddressTooLong),
    (head(None, "GET /", Host=HOST, Cookie="a" * 20000), errors.HeadersTooLarge),
    (head(None, "POST /api/tasks", Host=HOST, Content_Length="1048577"), errors.PayloadTooLarge),
]


@pytest.mark.parametrize(("request_bytes", "error"), REFUSED, ids=lambda value: getattr(value, "__name__", ""))
def test_what_it_refuses_is_answered_as_the_service_would(
    api: API, request_bytes: bytes, error: type[TaskAPIError]
) -> None:
    with fronted(_port(api)) as front, front.connection() as connection:
        connection.send(request_bytes)
        answer = connection.answer()

    assert error_of(answer, error.status, error.code)["message"] == error.message
    for name, value in security_headers({"scheme": "https"}):
        assert answer.headers[name.decode()] == value.decode()
    assert ("Allow" in answer.headers) == (error is errors.MethodNotAllowed)


def test_a_page_may_read_what_it_refuses() -> None:
    with fronted(free_port()) as front:
        with front.client(Origin=ORIGIN) as page:
            answer = page.get("/api/tasks", headers={"X-Request-Id": "mine"})
        with front.client(Origin="https://evil.example") as other:
            unknown = other.get("/api/tasks")

    error = error_of(answer, 503, "SERVICE_UNAVAILABLE")
    assert (error["message"], error["request_id"]) == (errors.ServiceUnavailable.message, "mine")
    assert answer.headers["Retry-After"] == "1"
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    assert answer.headers["Access-Control-Expose-Headers"] == ", ".join(EXPOSED_HEADERS)
    assert answer.headers["Vary"] == unknown.headers["Vary"] == "Origin"
    assert not [name for name in unknown.headers if name.startswith("access-control")]


def test_whoever_speaks_http_to_it_is_told_so() -> None:
    with fronted(free_port()) as front:
        answer = httpx.get(f"http://{HOST}:{front.port}/api/tasks", trust_env=False, timeout=PATIENCE_SECONDS)

    error_of(answer, 400, "BAD_REQUEST")


def test_a_client_that_does_not_go_on_is_given_up(api: API) -> None:
    begun = (b"", b"GET / HT", head(new_user(), "POST /api/tasks", Host=HOST, Content_Length="9"))
    short = {"client_header_timeout": "400ms", "client_body_timeout": "400ms"}
    with fronted(_port(api), **short) as front, ExitStack() as stack:
        connections = [stack.enter_context(front.connection()) for _ in begun]
        for connection, said in zip(connections, begun, strict=True):
            connection.send(said)
        assert [connection.read_all() for connection in connections] == [b""] * len(begun)


def test_a_body_that_comes_drop_by_drop_is_refused_by_the_service(settings: Settings) -> None:
    """No single pause is too long for nginx, but the whole body exceeds the service's deadline for clients."""
    stop = threading.Event()
    hasty = settings.model_copy(update={"client_timeout_seconds": 0.5})
    with serve(hasty) as api, fronted(_port(api)) as front, front.connection() as connection:
        connection.send(
            head(new_user(), "POST /api/tasks", Host=HOST, Content_Type="application/json", Content_Length="999")
        )

        def drip() -> None:
            while not stop.wait(0.1):
                connection.send(b" ")

        dripping = threading.Thread(target=drip)
        dripping.start()
        try:
            error_of(connection.answer(), 408, "REQUEST_TIMEOUT")
        finally:
            stop.set()
            dripping.join()


def test_a_body_without_a_length_is_bounded_and_leaves_nothing(api: API) -> None:
    user = new_user()
    with fronted(_port(api)) as front, front.client(user) as client:
        too_much = (b" " * 65536 for _ in range(20))
        answer = client.post("/api/tasks", content=too_much, headers={"Content-Type": "application/json"})

        error_of(answer, 413, "PAYLOAD_TOO_LARGE")
        assert client.get("/api/me").json()["data"]["revision"] == 0


def test_an_address_has_so_many_connections_and_no_more(api: API) -> None:
    with (
        fronted(_port(api), limit_conn="task_api_connections 2") as front,
        front.client(new_user()) as client,
        front.client(new_user(), local_address="127.0.0.2") as other,
        client.stream("GET", "/api/changes/stream") as one,
        client.stream("GET", "/api/changes/stream") as two,
    ):
        streams = one.iter_lines(), two.iter_lines()  # keep references, or the streams would end
        assert next(streams[0]) == next(streams[1])
        refused = client.get("/api/tasks")
        assert other.get("/api/tasks").status_code == 200

    error_of(refused, 429, "RATE_LIMITED")
    assert refused.headers["Retry-After"] == "1"


def test_an_address_has_so_many_requests_and_no_more(api: API) -> None:
    changes = {
        "limit_req_zone": "$binary_remote_addr zone=task_api_requests:1m rate=1r/m",
        "limit_req": "zone=task_api_requests burst=3 nodelay",
    }
    with fronted(_port(api), **changes) as front, front.client(new_user()) as client:
        statuses = [client.get("/api/me").status_code for _ in range(6)]

    assert statuses == [200] * 4 + [429] * 2
