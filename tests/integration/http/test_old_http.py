"""HTTP/1.0 clients: no chunks, no `100 Continue`, and a connection that closes after the response."""

from __future__ import annotations

import http.client
import io

import httpx
import pytest

from tests.fixtures.calls.api import API
from tests.fixtures.calls.exports import EXPORT, give_large_tasks, leave_something_everywhere, read_lines
from tests.fixtures.calls.feed import sync_token
from tests.fixtures.calls.task_files import EXPORT as TASKS
from tests.fixtures.calls.tasks import JSON, create, everything_of, path_of
from tests.fixtures.http.connection import connection_to, head
from tests.fixtures.http.deadlines import hurried_at
from tests.fixtures.postgres.proxy import Fault, Proxy
from tests.fixtures.telemetry.logs import events

STREAM = "/api/changes/stream"
# Includes the round trip that reads a second page.
EXPORTS = {EXPORT: 6, f"{TASKS}?format=jsonl": 2, f"{TASKS}?format=csv": 2, f"{TASKS}?format=ics": 2}
BODY = b'{"title": "a"}'

wishes = pytest.mark.parametrize("wish", [{}, {"Connection": "keep-alive"}, {"Connection": "close"}], ids=str)


def old(user_id: str | None, line: str, **headers: str) -> bytes:
    """Write the head of an HTTP/1.0 request."""
    return head(user_id, line, **headers).replace(b" HTTP/1.1\r\n", b" HTTP/1.0\r\n", 1)


def parts_of(answer: bytes) -> tuple[int, http.client.HTTPMessage, bytes]:
    """Split a response that ends with the connection: status, headers, and the rest."""
    beginning, _, body = answer.partition(b"\r\n\r\n")
    line, _, headers = beginning.partition(b"\r\n")
    return int(line.split()[1]), http.client.parse_headers(io.BytesIO(headers + b"\r\n\r\n")), body


@wishes
@pytest.mark.requirement("FR-236", "FR-237")
@pytest.mark.parametrize("path", EXPORTS)
def test_an_export_is_sent_as_it_is_and_ends_with_the_connection(
    api: API, client: httpx.Client, user_id: str, path: str, wish: dict[str, str]
) -> None:
    leave_something_everywhere(client, "a")
    new = client.get(path)
    assert new.headers["Transfer-Encoding"] == "chunked"
    for method in ("GET", "HEAD"):
        with connection_to(api) as connection:
            connection.send(old(user_id, f"{method} {path}", **wish))
            status, headers, body = parts_of(connection.read_all())

        assert (status, body) == (200, new.content if method == "GET" else b"")
        assert headers.get_all("Connection") == ["close"]
        assert "Transfer-Encoding" not in headers
        assert headers["Content-Type"] == new.headers["Content-Type"]


@wishes
@pytest.mark.requirement("FR-236", "FR-237", "FR-148")
def test_a_stream_is_sent_as_it_is_and_ends_with_the_connection(
    api: API, client: httpx.Client, user_id: str, wish: dict[str, str]
) -> None:
    create(client)
    new = client.get("/api/changes").json()["data"]
    with connection_to(api) as connection:
        connection.send(old(user_id, f"GET {STREAM}", **wish))
        connection.end()  # which ends a stream
        status, headers, body = parts_of(connection.read_all())

    assert (status, headers["Connection"]) == (200, "close")
    assert "Transfer-Encoding" not in headers
    assert body.startswith(f"id: {sync_token(0)}\nretry: 2000\n\n".encode())
    assert body.endswith(b"\n\n")
    assert [line for line in body.decode().splitlines() if new[0]["id"] in line]


@pytest.mark.requirement("FR-236", "FR-184", "FR-223")
@pytest.mark.parametrize("path", EXPORTS)
def test_an_export_that_breaks_off_lacks_its_last_line_and_its_connection_does_not_end_in_order(
    weathered: tuple[API, Proxy], user_id: str, database_url: str, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    api, proxy = weathered
    round_trip = EXPORTS[path]
    give_large_tasks(database_url, user_id, 30)
    with connection_to(api) as connection:
        connection.send(head(user_id, "GET /api/me"))
        assert connection.answer().status_code == 200  # from now on there is a connection to the database
    proxy.fail_at(round_trip, Fault.SILENT)
    with hurried_at(api, round_trip), connection_to(api) as connection:
        connection.send(old(user_id, f"GET {path}"))
        status, headers, body = parts_of(connection.read_until_reset())

    assert (status, headers["Connection"]) == (200, "close")
    text = body.decode()
    assert 0 < text.count("large") < 30
    assert text.endswith("\n")
    assert '"type":"end"' not in text
    assert "END:VCALENDAR" not in text
    assert len(events(caplog, "export_aborted")) == 1
    assert [record for record in caplog.records if record.exc_info] == []


@pytest.mark.requirement("FR-236", "FR-184")
def test_an_export_that_is_complete_has_its_last_line(api: API, user_id: str, database_url: str) -> None:
    give_large_tasks(database_url, user_id, 30)
    with connection_to(api) as connection:
        connection.send(old(user_id, f"GET {EXPORT}"))
        _, _, body = parts_of(connection.read_all())

    assert len(read_lines(body.decode())["task"]) == 30


@wishes
@pytest.mark.requirement("FR-237")
def test_a_connection_ends_with_its_first_answer_and_says_so(
    api: API, client: httpx.Client, user_id: str, wish: dict[str, str]
) -> None:
    task = create(client)
    known, gone = {"If_None_Match": '"1"'}, create(client)
    for line, also, status in (
        ("GET /api/tasks", {}, 200),
        (f"GET {path_of(task)}", {}, 200),
        (f"GET {path_of(task)}", known, 304),
        (f"DELETE {path_of(gone)}", {}, 204),
        ("GET /api/nothing", {}, 404),
        (f"HEAD {path_of(task)}", {}, 200),
    ):
        with connection_to(api) as connection:
            connection.send(old(user_id, line, **also, **wish) + old(user_id, "GET /api/me"))
            found, headers, body = parts_of(connection.read_all())

        assert (found, headers.get_all("Connection")) == (status, ["close"]), line
        assert "Transfer-Encoding" not in headers
        if "Content-Length" in headers and not line.startswith("HEAD"):
            assert int(headers["Content-Length"]) == len(body)
        else:
            assert body == b""


@wishes
@pytest.mark.requirement("FR-237", "FR-095")
def test_who_is_refused_may_go_on_sending(api: API, wish: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.server.protocol.LINGER_SECONDS", 3600)
    with connection_to(api) as connection:
        connection.send(old(None, "POST /api/tasks", Content_Length="1000", **wish))
        assert [answer.status_code for answer in connection.answers_until_closed()] == [401]
        assert [connection.takes(b"x" * 100) for _ in range(9)] == [True] * 9


@pytest.mark.requirement("FR-237")
def test_only_who_knows_of_100_continue_is_sent_it(api: API, client: httpx.Client, user_id: str) -> None:
    headers = {**JSON, "Expect": "100-continue", "Content_Length": str(len(BODY))}
    with connection_to(api) as connection:
        connection.send(head(user_id, "POST /api/tasks", **headers))
        assert connection.answer().status_code == 100
        connection.send(BODY)
        assert connection.answer().status_code == 201
    with connection_to(api) as connection:
        connection.send(old(user_id, "POST /api/tasks", **headers) + BODY)
        assert [answer.status_code for answer in connection.answers_until_closed()] == [201]
    with connection_to(api) as connection:
        connection.send(old(user_id, "POST /api/tasks", **headers))
        connection.end()
        assert [answer.status_code for answer in connection.answers_until_closed()] in ([], [400])

    assert len(everything_of(client)[0]["data"]) == 2
