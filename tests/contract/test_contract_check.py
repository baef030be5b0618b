"""The check in every test client notices a response that is not in the contract."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.fixtures.calls.api import API
from tests.fixtures.documents.contract import Json, application, operations

TASK = "/api/tasks/0197c1f0-7a3b-7c4d-8e5f-6a7b8c9d0e1f"
HEADERS = ("X-Request-Id", "RateLimit-Policy", "RateLimit", "ETag")
ERROR = operations()["get_task"].document["responses"]["404"]["content"]["application/json"]["example"]


class _Liar(ThreadingHTTPServer):
    """A server that sends the same response to every request."""

    status: int
    body: bytes
    headers: tuple[str, ...]


class _Handler(BaseHTTPRequestHandler):
    server: _Liar

    def do_GET(self) -> None:
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.send_header("Content-Type", "application/json")
        for name in self.server.headers:
            self.send_header(name, "1")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(self.server.body)

    do_DELETE = do_HEAD = do_GET  # noqa: N815 - as http.server names them

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as http.server names it
        """Log nothing."""


@contextmanager
def _answering(status: int, body: object, headers: tuple[str, ...]) -> Iterator[API]:
    """Run a server that always sends this response, and present it as the service."""
    with _Liar(("127.0.0.1", 0), _Handler) as server:
        server.status, server.body = status, b"" if body is None else json.dumps(body).encode()
        server.headers = headers
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield API(application(), f"http://127.0.0.1:{server.server_port}")
        finally:
            server.shutdown()
            thread.join()


def _ask(
    status: int, body: object, *, method: str = "GET", path: str = TASK, headers: tuple[str, ...] = HEADERS
) -> int:
    with _answering(status, body, headers) as api, api.client() as client:
        return client.request(method, path).status_code


def _task(*without: str, **changes: Any) -> Json:
    """Build the response of the contract's example, with these changes."""
    example = operations()["get_task"].document["responses"]["200"]["content"]["application/json"]["example"]
    task = {**example["data"], **changes}
    return {"data": {name: value for name, value in task.items() if name not in without}}


@pytest.mark.requirement("FR-058")
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (418, ERROR),
        (201, _task()),
        (404, {"detail": "Not Found"}),
        (500, {"detail": "Internal Server Error"}),
        (404, {**ERROR, "status": 404}),
        (404, {"error": {**ERROR["error"], "details": None}}),
        (200, None),
        (200, []),
        (200, ERROR),
        (200, {**_task(), "page": None}),
        (200, _task(deleted_at=None)),
        (200, _task("description")),
        (200, _task("completed_at")),
        (200, _task(revision="42")),
        (200, _task(completed=1)),
        (200, _task(title=None)),
        (200, _task(created_at="yesterday")),
    ],
)
def test_an_answer_that_is_not_documented_fails_the_test(status: int, body: object) -> None:
    with pytest.raises((AssertionError, KeyError, ValueError)):
        _ask(status, body)


@pytest.mark.requirement("FR-058")
def test_an_operation_that_is_not_documented_fails_the_test() -> None:
    with pytest.raises(AssertionError):
        _ask(200, _task(), path="/api/unknown")


@pytest.mark.requirement("FR-058")
@pytest.mark.parametrize(
    ("status", "body", "method"),
    [
        (200, _task(), "GET"),
        (200, _task(description=None), "GET"),
        (404, ERROR, "GET"),
        (204, None, "DELETE"),
        (200, None, "HEAD"),
    ],
)
def test_a_documented_answer_passes(status: int, body: object, method: str) -> None:
    assert _ask(status, body, method=method) == status


@pytest.mark.requirement("FR-058")
def test_a_documented_header_that_is_missing_fails_the_test() -> None:
    with pytest.raises(AssertionError, match="ETag"):
        _ask(200, _task(), headers=("X-Request-Id",))
