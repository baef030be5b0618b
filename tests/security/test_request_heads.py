"""Request heads that are ambiguous about the host or about the end of the body."""

from __future__ import annotations

import httpx
import pytest

from tests.fixtures.calls.api import API, ORIGIN
from tests.fixtures.calls.tasks import create, error_of, everything_of
from tests.fixtures.http.connection import connection_to, head, refused
from tests.fixtures.inputs.hostile import MARK

VERSIONS = [b"HTTP/1.1", b"HTTP/1.0"]
HOSTS = [
    "a", "A.b-c_d.example", "127.0.0.1:8000", "[::1]", "[::1]:80", "[v1.a:b]", "xn--nxa", "a:", "", ":80", "a ", "\ta",
    "a%20b", "*", "a,b", "1.2.3.4:99999", "null", MARK, "a" * 4000,
]  # fmt: skip
NO_HOSTS = [
    "a b", "a/b", "/api/me", "a?b", "a#b", "a/b?c#d", "user@a", "a:b", "a:80:80", "a:-1", "a, b", "::1", "[::1", "::1]",
    "[]", "[a]b", "[::1]:a", "http://a", "a%", "a%2", "a%zz", '"', "a\\b", "<a>", "{a}", "a|b", "a^b", "`a`", "\u00e9",
    "${jndi:ldap://x}", "\xff", "a\x80", "a\xa0", f"{MARK}/", "a" * 4000 + "/",
]  # fmt: skip
CODED = [
    ["gzip"], ["gzip, chunked"], ["gzip", "chunked"], ["identity"], ["identity, chunked"], ["identity", "chunked"],
    ["chunked;a=b"], ["xchunked"], ["x, chunked"], [",chunked"], ['"chunked"'], ["gzip;q=0", "chunked"],
]  # fmt: skip
# A coding after chunked, which must come last and once; or an empty coding.
MALFORMED = [
    ["chunked, identity"], ["chunked, gzip"], ["chunked, chunked"], ["chunked", "chunked"], ["chunked", "gzip"],
    ["chunked,"], [""], ["", "chunked"], ["chunked", ""],
]  # fmt: skip
CHUNK = b'e\r\n{"title": "a"}\r\n0\r\n\r\n'


def request_of(user_id: str, hosts: list[bytes], version: bytes, line: str = "GET /api/tasks") -> bytes:
    """Build a request with one Host line for each of these values."""
    start, *others = head(user_id, line, Host="").split(b"\r\n")
    lines = [other for other in others if other != b"Host: "]
    return b"\r\n".join([start.replace(b"HTTP/1.1", version), *(b"Host: " + host for host in hosts), *lines])


@pytest.mark.requirement("FR-238")
@pytest.mark.parametrize("version", VERSIONS, ids=bytes.decode)
def test_what_may_be_a_host_changes_no_answer(api: API, client: httpx.Client, user_id: str, version: bytes) -> None:
    create(client)
    plain = client.get("/api/tasks").content
    for host in HOSTS:
        with connection_to(api) as connection:
            connection.send(request_of(user_id, [host.encode()], version))
            answer = connection.answer()

        assert (answer.status_code, answer.content) == (200, plain), host


@pytest.mark.requirement("FR-238", "FR-089", "FR-091")
@pytest.mark.parametrize("version", VERSIONS, ids=bytes.decode)
def test_a_host_that_is_none_or_is_there_twice_is_refused(
    api: API, client: httpx.Client, user_id: str, version: bytes
) -> None:
    create(client)
    before = everything_of(client)
    for hosts in [*([host] for host in NO_HOSTS), ["a", "a"], ["a", "b"], ["", "a"], ["a", ""], ["", ""]]:
        lines = [host.encode("latin-1") for host in hosts]
        with connection_to(api) as connection:
            connection.send(request_of(user_id, lines, version, "DELETE /api/me"))
            answer = refused(connection, 400, "BAD_REQUEST")

        (detail,) = answer.json()["error"]["details"]
        assert (detail["field"], detail["code"]) == ("header.Host", "host_invalid"), hosts
        assert MARK not in answer.text
    assert everything_of(client) == before


@pytest.mark.requirement("FR-238")
def test_only_http_1_0_needs_no_host(api: API, user_id: str) -> None:
    with connection_to(api) as connection:
        connection.send(request_of(user_id, [], b"HTTP/1.0"))
        assert connection.answer().status_code == 200
    with connection_to(api) as connection:
        connection.send(request_of(user_id, [], b"HTTP/1.1"))
        refused(connection, 400, "BAD_REQUEST")


@pytest.mark.requirement("FR-238")
def test_a_header_that_is_there_twice_is_none_of_the_hosts_business(api: API, user_id: str) -> None:
    twice = head(user_id).replace(b"\r\n\r\n", b"\r\nX-Twice: a\r\nX-Twice: b\r\n\r\n")
    with connection_to(api) as connection:
        connection.send(twice)
        assert connection.answer().status_code == 200
        connection.send(twice.replace(b"Host: 127.0.0.1\r\n", b""))
        refused(connection, 400, "BAD_REQUEST")


@pytest.mark.requirement("FR-238", "FR-239")
def test_what_came_before_is_answered_first(api: API, user_id: str) -> None:
    coded = head(user_id, "POST /api/tasks", Transfer_Encoding="gzip, chunked") + CHUNK
    for last, status in ((request_of(user_id, [], b"HTTP/1.1"), 400), (coded, 501)):
        with connection_to(api) as connection:
            connection.send(head(user_id) + head(user_id, "GET /api/tasks") + last + head(user_id))

            answers = connection.answers_until_closed()
        assert [answer.status_code for answer in answers] == [200, 200, status]


@pytest.mark.requirement("FR-239")
@pytest.mark.parametrize("version", VERSIONS, ids=bytes.decode)
def test_a_body_in_another_coding_than_chunked_is_refused(
    api: API, client: httpx.Client, user_id: str, version: bytes
) -> None:
    before = everything_of(client)
    request = head(user_id, "POST /api/tasks", Content_Type="application/json").replace(b"HTTP/1.1", version)
    for codings in CODED + MALFORMED:
        lines = "".join(f"Transfer-Encoding: {coding}\r\n" for coding in codings).encode()
        with connection_to(api) as connection:
            connection.send(request.removesuffix(b"\r\n") + lines + b"\r\n" + CHUNK)
            answer, *more = connection.answers_until_closed()

        assert answer.status_code == (501 if codings in CODED else 400), codings
        error_of(answer, *((501, "NOT_IMPLEMENTED") if codings in CODED else (400, "BAD_REQUEST")))
        assert (answer.headers["Connection"], more) == ("close", [])
    assert everything_of(client) == before


@pytest.mark.requirement("FR-239")
@pytest.mark.parametrize("coding", ["chunked", "Chunked", "CHUNKED", "chunked ", "\tchunked"], ids=ascii)
def test_chunks_are_understood(api: API, user_id: str, coding: str) -> None:
    with connection_to(api) as connection:
        connection.send(
            head(user_id, "POST /api/tasks", Content_Type="application/json", Transfer_Encoding=coding) + CHUNK
        )
        assert connection.answer().json()["data"]["title"] == "a"


@pytest.mark.requirement("FR-412")
@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("Content-Type", ("application/json", "text/plain")),
        ("Content-Type", ("application/json", "application/json; charset=latin-1")),
        ("Content-Type", ("application/json", "")),
        ("Content-Type", ("text/csv", "application/jsonl", "text/csv")),
        ("Origin", ("https://a.example", "https://b.example")),
        ("Origin", ("null", ORIGIN)),
        ("Access-Control-Request-Method", ("GET", "DELETE")),
    ],
)
def test_a_header_with_one_value_that_has_two_is_refused(
    api: API, client: httpx.Client, user_id: str, name: str, values: tuple[str, ...]
) -> None:
    before = everything_of(client)
    for line in ("POST /api/tasks", "POST /api/tasks/import", "OPTIONS /api/tasks", "GET /health/live"):
        for lines in (values, values[::-1]):
            with connection_to(api) as connection:
                connection.send(with_lines(head(user_id, line, Content_Length="14"), name, lines) + b'{"title": "a"}')
                answer = refused(connection, 400, "BAD_REQUEST")
            (detail,) = answer.json()["error"]["details"]
            assert (detail["field"], detail["code"]) == (f"header.{name}", "header_repeated")
            assert name in answer.json()["error"]["message"]
    assert everything_of(client) == before


@pytest.mark.requirement("FR-412")
@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("Content-Type", ("application/json", "Application/JSON ")),
        ("Accept", ("text/html", "application/json")),
        ("Accept-Encoding", ("gzip", "br")),
        ("Cookie", ("a=b", "c=d")),
        ("User-Agent", ("a", "b")),
        ("Content-Encoding", ("identity", "identity")),
        ("If-Modified-Since", ("Sat, 29 Oct 1994 19:43:31 GMT", "Sun, 30 Oct 1994 19:43:31 GMT")),
    ],
)
def test_one_that_is_a_list_or_says_the_same_or_is_not_read_may_come_twice(
    api: API, user_id: str, name: str, values: tuple[str, ...]
) -> None:
    others = {} if name == "Content-Type" else {"Content_Type": "application/json"}
    with connection_to(api) as connection:
        request = head(user_id, "POST /api/tasks", Content_Length="14", **others)
        connection.send(with_lines(request, name, values) + b'{"title": "a"}')
        assert connection.answer().status_code == 201


@pytest.mark.requirement("FR-412")
def test_headers_that_were_refused_twice_before_still_are(api: API, client: httpx.Client, user_id: str) -> None:
    """Two lengths, keys, tokens and ids of events, each with its own answer."""
    before = everything_of(client)
    post = head(user_id, "POST /api/tasks", Content_Type="application/json", Content_Length="14")
    for request, name, values, status in (
        (post, "Content-Length", ("14", "15"), 400),
        (post, "Idempotency-Key", ("a", "b"), 400),
        (post, "Authorization", ("Bearer a", "Bearer b"), 401),
        (head(user_id, "GET /api/changes/stream"), "Last-Event-ID", ("a", "b"), 400),
    ):
        with connection_to(api) as connection:
            connection.send(with_lines(request, name, values) + b'{"title": "a"}')
            assert connection.answer().status_code == status, name
    assert everything_of(client) == before


@pytest.mark.requirement("FR-412", "FR-172")
def test_two_request_ids_are_none(api: API, user_id: str) -> None:
    with connection_to(api) as connection:
        connection.send(with_lines(head(user_id), "X-Request-Id", ("first", "second")))
        assert connection.answer().headers["X-Request-Id"] not in {"first", "second"}
        connection.send(with_lines(head(user_id), "X-Request-Id", ("same", "same")))
        assert connection.answer().headers["X-Request-Id"] == "same"


def with_lines(request: bytes, name: str, values: tuple[str, ...]) -> bytes:
    """Add a line for each of these values to a request's head."""
    lines = "".join(f"{name}: {value}\r\n" for value in values).encode()
    return request.removesuffix(b"\r\n") + lines + b"\r\n"
