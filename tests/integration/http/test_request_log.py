"""The log line of a request: its content, and how to find it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from backend.config import Settings
from tests.fixtures.calls.api import API, new_user, serve
from tests.fixtures.calls.tasks import create, path_of
from tests.fixtures.postgres.proxy import Proxy
from tests.fixtures.running.waiting import until
from tests.fixtures.telemetry.logs import events

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"


def line_of(response: httpx.Response, caplog: pytest.LogCaptureFixture) -> dict[str, Any]:
    """Wait for the log line of the request with this response: it is written after the response."""

    def found() -> list[dict[str, Any]]:
        return [line for line in events(caplog, "request") if line["request_id"] == response.headers["X-Request-Id"]]

    until(found, "it was not logged")
    (line,) = found()
    return line


@pytest.fixture
def through(proxied: API, caplog: pytest.LogCaptureFixture) -> Iterator[httpx.Client]:
    """A client of the service behind the proxy, with a warm database connection."""
    caplog.set_level(logging.INFO, "backend")
    with proxied.client(new_user()) as client:
        assert client.get("/api/me").status_code == 200
        yield client


@pytest.mark.requirement("FR-171")
def test_round_trips_are_those_at_the_wire(
    through: httpx.Client, proxy: Proxy, caplog: pytest.LogCaptureFixture
) -> None:
    task = create(through)
    batch = {"operations": [{"op": "update", "id": task["id"], "data": {"title": "b"}}]}
    refused = {"operations": [{"op": "update", "id": task["id"], "data": {"title": "c"}, "if_match": 999}]}
    for method, path, body, headers in [
        ("GET", path_of(task), None, {}),
        ("GET", "/api/tasks/nonsense", None, {}),
        ("POST", "/api/tasks", {"title": "a"}, {"Idempotency-Key": "a key"}),
        ("POST", "/api/tasks/batch", batch, {}),
        ("POST", "/api/tasks/batch", refused, {}),
        ("GET", "/health/live", None, {}),
    ]:
        before = proxy.round_trips
        response = through.request(method, path, json=body, headers=headers)
        line = line_of(response, caplog)

        assert line["round_trips"] == proxy.round_trips - before, (method, path)
        assert (line["database_ms"] > 0) == (line["round_trips"] > 0)
        assert line["database_ms"] < line["duration_ms"]


@pytest.mark.requirement("FR-171")
def test_of_a_stream_there_is_one_line_at_its_end(
    client: httpx.Client, user_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "backend")
    with client.stream("GET", "/api/changes/stream") as response:
        response.read()
    line = line_of(response, caplog)

    assert (line["route"], line["status"], line["user"]) == ("/api/changes/stream", 200, user_id)
    assert line["round_trips"] >= 1


@pytest.mark.requirement("FR-171", "FR-176", "FR-309")
@pytest.mark.parametrize(
    ("method", "path", "route"),
    [
        ("GET", "/api/tasks/batch//", "(unknown)"),
        ("GET", "/api/tasks/batch/", "/api/tasks/batch"),
        ("POST", "/api/tasks/", "/api/tasks"),
        ("PATCH", "/api/tasks/private-words/complete/", "/api/tasks/{task_id}/complete"),
        ("DELETE", "/api/tasks/private-words/", "/api/tasks/{task_id}"),
        ("HEAD", "/health/live", "/health/live"),
        ("PUT", "/api/tasks", "/api/tasks"),
        ("GET", "/docs/assets/nothing.js", "/docs/assets/{path}"),
        ("GET", "/api/tasks/%2e%2e/b", "(unknown)"),
        ("DELETE", "/api/tasks/private-words", "/api/tasks/{task_id}"),
    ],
)
def test_the_route_is_the_template(
    client: httpx.Client, caplog: pytest.LogCaptureFixture, method: str, path: str, route: str
) -> None:
    caplog.set_level(logging.INFO, "backend")
    line = line_of(client.request(method, path), caplog)

    assert (line["method"], line["route"]) == (method, route)
    assert "private-words" not in str(line)


@pytest.mark.requirement("FR-172")
@pytest.mark.parametrize(
    ("sent", "is_taken"),
    [
        ([f"00-{TRACE}-{PARENT}-01"], True),
        ([f"00-{TRACE}-{PARENT}-00"], True),
        ([f"cc-{TRACE}-{PARENT}-01-what-a-later-version-adds"], True),
        ([f"00-{TRACE}-{PARENT}-01-more"], False),
        ([f"ff-{TRACE}-{PARENT}-01"], False),
        ([f"00-{'0' * 32}-{PARENT}-01"], False),
        ([f"00-{TRACE}-{'0' * 16}-01"], False),
        ([f"00-{TRACE.upper()}-{PARENT}-01"], False),
        ([f"00-{TRACE[1:]}-{PARENT}-01"], False),
        ([f"00-{TRACE}-{PARENT}"], False),
        ([f"00-{TRACE}-{PARENT}-01", f"00-{TRACE}-{PARENT}-01"], False),
        (["nonsense"], False),
        ([""], False),
    ],
)
def test_the_id_of_a_well_formed_trace_is_the_request_id(client: httpx.Client, sent: list[str], is_taken: bool) -> None:  # noqa: FBT001
    response = client.get("/api/me", headers=[("traceparent", value) for value in sent])

    assert (response.headers["X-Request-Id"] == TRACE) is is_taken
    assert len(response.headers["X-Request-Id"]) == 32


@pytest.mark.requirement("FR-172")
def test_an_id_that_the_client_has_chosen_comes_before_that_of_a_trace(client: httpx.Client) -> None:
    trace = {"traceparent": f"00-{TRACE}-{PARENT}-01"}

    assert client.get("/", headers={**trace, "X-Request-Id": "chosen"}).headers["X-Request-Id"] == "chosen"
    assert client.get("/", headers={**trace, "X-Request-Id": "not, so"}).headers["X-Request-Id"] == TRACE


@pytest.mark.requirement("FR-172", "FR-173", "FR-176")
def test_a_slow_round_trip_is_logged_with_its_statement_and_request(
    settings: Settings, proxy: Proxy, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "backend")
    lowest = {"slow_statement_seconds": 0.000_001, "database_url": SecretStr(proxy.url)}
    with serve(settings.model_copy(update=lowest)) as api, api.client(new_user()) as client:
        response = client.post("/api/tasks", json={"title": "private words"}, headers={"Idempotency-Key": "private"})
        assert response.status_code == 201
        line_of(response, caplog)

    mine = [
        line for line in events(caplog, "slow_statement") if line.get("request_id") == response.headers["X-Request-Id"]
    ]
    assert [line["statement"].split("(")[0] for line in mine] == [
        "SELECT users.revision, users.task_count, now",
        "INSERT INTO tasks ",
    ]
    assert "%(" in mine[0]["statement"]
    assert [line for line in mine if "SET LOCAL" in line["statement"] or len(line["statement"]) > 1000] == []
    assert all(line["duration_ms"] >= 0 for line in mine)
    assert "private" not in caplog.text


@pytest.mark.requirement("FR-173")
def test_without_a_limit_no_round_trip_is_slow(client: httpx.Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "backend")
    line_of(client.get("/api/tasks"), caplog)

    assert events(caplog, "slow_statement") == []
