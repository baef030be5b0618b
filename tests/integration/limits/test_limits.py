"""Size limits of a request: oversized targets, headers and bodies, and malformed requests."""

from __future__ import annotations

import logging

import httpx
import pytest

from tests.fixtures.calls.api import API, ORIGIN, new_user
from tests.fixtures.calls.tasks import JSON, error_of, everything_of
from tests.fixtures.http.connection import connection_to, head, refused
from tests.fixtures.running.waiting import until
from tests.fixtures.telemetry.logs import events

KIB = 1024
CHUNKED = {"Content_Type": "application/json", "Transfer_Encoding": "chunked"}
TASK = b'e\r\n{"title": "a"}\r\n'  # a chunk of 14 bytes


def size_of(lines: bytes) -> int:
    """Return the size of the headers in a request head: name, value, colon, space and line end of each."""
    return len(lines) - lines.index(b"\n") - 1 - len(b"\r\n")


@pytest.mark.requirement("FR-094")
def test_headers_may_have_32_kib_and_not_a_byte_more(api: API, user_id: str) -> None:
    padding = 32 * KIB - size_of(head(user_id, X_Padding=""))
    for more, status in ((0, 200), (1, 431)):
        with connection_to(api) as connection:
            connection.send(head(user_id, X_Padding="x" * (padding + more)))
            assert connection.answer().status_code == status


@pytest.mark.requirement("FR-094")
def test_headers_may_be_100_and_not_one_more(client: httpx.Client) -> None:
    missing = 100 - len(client.get("/api/me").request.headers)
    hundred = [(f"X-Number-{number}", "x") for number in range(missing)]

    assert client.get("/api/me", headers=hundred).status_code == 200
    response = client.get("/api/me", headers=[*hundred, ("X-One", "x"), ("Origin", ORIGIN)])

    error_of(response, 431, "HEADERS_TOO_LARGE")
    assert response.headers["Access-Control-Allow-Origin"] == ORIGIN


@pytest.mark.requirement("FR-094")
@pytest.mark.parametrize("separator", ["/", "?"])
def test_an_address_may_have_8_kib_and_not_a_byte_more(client: httpx.Client, separator: str) -> None:
    beginning = f"/api/tasks{separator}"
    longest = beginning + "x" * (8 * KIB - len(beginning) + (separator == "?"))  # the question mark is in neither part

    assert client.get(longest).status_code in {404, 422}
    response = client.get(longest + "x", headers={"Origin": ORIGIN})

    error_of(response, 414, "URI_TOO_LONG")
    assert response.headers["Access-Control-Allow-Origin"] == ORIGIN


@pytest.mark.requirement("FR-094", "FR-002")
def test_a_bad_token_is_said_before_a_limit_is(anonymous: httpx.Client) -> None:
    for path, headers in (("/api/me?" + "x" * 9 * KIB, {}), ("/api/me", {"X-Padding": "x" * 33 * KIB})):
        error_of(anonymous.get(path, headers=headers), 401, "UNAUTHORIZED")


@pytest.mark.requirement("FR-094")
@pytest.mark.parametrize("piece_bytes", [64 * KIB, 1000], ids=["at once", "in pieces"])
@pytest.mark.parametrize(
    ("beginning", "status", "code"),
    [
        (b"GET /api/me HTTP/1.1\r\nHost: a\r\nX-Endless: ", 431, "HEADERS_TOO_LARGE"),
        (b"GET /api/me HTTP/1.1\r\nHost: a\r\nX-Endless-", 431, "HEADERS_TOO_LARGE"),
        (b"GET /api/me?", 414, "URI_TOO_LONG"),
        (b"GET /api/me HTTP/1.1\r\nHost: a\r\nauthorization: Bearer ", 401, "UNAUTHORIZED"),
        (head("u", "POST /api/tasks", **CHUNKED) + TASK + b"0\r\nX-Trailer: ", 431, "HEADERS_TOO_LARGE"),
        (head("u", "POST /api/tasks", **CHUNKED) + b"e;extension=", 431, "HEADERS_TOO_LARGE"),
        (b"\r\n" * 32 * KIB, 431, "HEADERS_TOO_LARGE"),
    ],
    ids=["value", "name", "address", "token", "trailer", "chunk extension", "blank lines"],
)
def test_what_never_ends_is_refused_before_64_kib(
    api: API, beginning: bytes, status: int, code: str, piece_bytes: int
) -> None:
    sent = beginning.ljust(64 * KIB, b"x")
    with connection_to(api) as connection:
        for start in range(0, len(sent), piece_bytes):
            connection.send(sent[start : start + piece_bytes])
        error_of(connection.answer(), status, code)


@pytest.mark.requirement("FR-094")
def test_what_never_ends_behind_an_answer_closes_the_connection(api: API) -> None:
    with connection_to(api) as connection:
        connection.send(head(None, "POST /api/tasks", **CHUNKED))
        error_of(connection.answer(), 401, "UNAUTHORIZED")
        connection.send(b"0\r\nX-Trailer: ".ljust(64 * KIB, b"x"))
        assert connection.answers_until_closed() == []


@pytest.mark.requirement("FR-094", "FR-073")
@pytest.mark.parametrize("size", [9 * KIB, 33 * KIB, 50 * KIB, 100 * KIB, 1000 * KIB])
def test_a_token_of_any_length_is_a_bad_token(api: API, size: int) -> None:
    with connection_to(api) as connection:
        connection.send(head(None, Authorization="Bearer " + "x" * size))
        answer = connection.answer()

    error_of(answer, 401, "UNAUTHORIZED")
    assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


@pytest.mark.requirement("FR-094")
def test_a_trailer_is_not_a_header_of_the_request(api: API, user_id: str) -> None:
    with connection_to(api) as connection:
        request = head(user_id, "POST /api/tasks", Transfer_Encoding="chunked") + TASK
        connection.send(request + b"0\r\nContent-Type: application/json\r\n\r\n")  # at once, before it is handled
        error_of(connection.answer(), 415, "UNSUPPORTED_MEDIA_TYPE")
        connection.send(head(user_id))  # the connection still works
        assert connection.answer().status_code == 200


@pytest.mark.requirement("FR-095", "FR-052")
@pytest.mark.parametrize("chunked", [False, True], ids=["declared", "chunked"])
@pytest.mark.parametrize(("user", "status"), [(True, 413), (False, 401)], ids=["with a token", "without"])
def test_who_sends_too_much_can_read_why_it_is_refused(api: API, *, user: bool, status: int, chunked: bool) -> None:
    body = b"x" * 5 * KIB * KIB
    with api.client(new_user() if user else None, Origin=ORIGIN) as client:
        for _ in range(2):  # on one connection
            content = iter([body[: KIB * KIB]] * 5) if chunked else body
            response = client.post("/api/tasks", content=content, headers=JSON)

            error_of(response, status, "PAYLOAD_TOO_LARGE" if user else "UNAUTHORIZED")
            assert response.headers["Access-Control-Allow-Origin"] == ORIGIN


@pytest.mark.requirement("FR-099")
@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"\x00",
        b"hello\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/3.0\r\n\r\n",
        b"GET http://[/ HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET http://a HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET ?a=b HTTP/1.1\r\nHost: a\r\n\r\n",
        b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\na\x00b: c\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\na: b\x00c\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n folded: line\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 1\r\n\r\nx",
        b"POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
    ids=ascii,
)
def test_what_is_not_http_is_refused_and_the_connection_closed(
    api: API, sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with connection_to(api) as connection:
        connection.send(sent)
        answer = refused(connection, 400, "BAD_REQUEST")

    request_id = answer.headers["X-Request-Id"]
    until(lambda: request_id in {line["request_id"] for line in events(caplog, "request")})
    mine = [line for line in events(caplog, "request") if line["request_id"] == request_id]
    assert [(line["method"], line["route"], line["status"]) for line in mine] == [("(unknown)", "(unknown)", 400)]
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.requirement("FR-099")
@pytest.mark.parametrize("line", ["POST /api/tasks", "DELETE /api/tasks/1", "GET /api/me"])
def test_a_body_that_breaks_off_into_nonsense_is_refused(
    api: API, client: httpx.Client, user_id: str, line: str, caplog: pytest.LogCaptureFixture
) -> None:
    before = everything_of(client)
    caplog.clear()
    caplog.set_level(logging.INFO)
    with connection_to(api) as connection:
        connection.send(head(user_id, line, **CHUNKED) + TASK + b"nonsense\r\n")
        refused(connection, 400, "BAD_REQUEST")
        method, _, _ = line.partition(" ")
        # The application must have finished with it, too.
        until(lambda: method in {event["method"] for event in events(caplog, "request")})
    assert everything_of(client) == before
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.requirement("FR-099")
def test_nonsense_behind_a_request_is_refused_after_that_is_answered(api: API, user_id: str) -> None:
    with connection_to(api) as connection:
        connection.send(head(user_id) * 2 + b"nonsense\r\n\r\n")
        first, second, last = connection.answers_until_closed()

    assert (first.status_code, second.status_code) == (200, 200)
    error_of(last, 400, "BAD_REQUEST")


@pytest.mark.requirement("FR-099")
@pytest.mark.parametrize("times", [1, 5000])
def test_nonsense_behind_the_last_request_is_nobodys(
    api: API, user_id: str, times: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with connection_to(api) as connection:
        connection.send(head(user_id, Connection="close") + b"nonsense\r\n\r\n" * times)
        (answer,) = connection.answers_until_closed()

    assert answer.status_code == 200
    assert "(unknown)" not in {event["method"] for event in events(caplog, "request")}
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.requirement("FR-099")
def test_nonsense_in_a_body_behind_another_request_closes_the_connection(api: API, user_id: str) -> None:
    with connection_to(api) as connection:
        connection.send(head(user_id) + head(user_id, "POST /api/tasks", **CHUNKED) + b"nonsense\r\n")
        assert [answer.status_code for answer in connection.answers_until_closed()] in ([], [200])


@pytest.mark.requirement("FR-099")
def test_nobody_is_upgraded_and_what_follows_is_still_http(api: API, user_id: str) -> None:
    upgrade = head(user_id, Connection="Upgrade", Upgrade="h2c")
    with connection_to(api) as connection:
        connection.send(upgrade)
        assert connection.answer().status_code == 200
        connection.send(upgrade + head(user_id, "GET /api/nothing"))
        assert [connection.answer().status_code for _ in range(2)] == [200, 404]


@pytest.mark.requirement("FR-094", "FR-097")
def test_a_connection_queues_no_more_than_a_hundred_requests(api: API) -> None:
    with connection_to(api) as connection:
        connection.send(b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n" * 150)
        *served, last = connection.answers_until_closed()

    assert {answer.status_code for answer in served} == {200}
    assert len(served) == 101
    error_of(last, 503, "SERVICE_UNAVAILABLE")
