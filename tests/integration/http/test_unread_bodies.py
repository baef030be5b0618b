"""Bodies that nobody reads, because the request is answered: little of them is taken, and the answer arrives."""

from __future__ import annotations

import httpx
import pytest

from backend.config import Settings
from backend.server.protocol import MAX_DROPPED_BYTES
from tests.fixtures.calls.api import API
from tests.fixtures.calls.tasks import error_of
from tests.fixtures.http.connection import Connection, connection_to, head

pytestmark = pytest.mark.requirement("FR-413")

PIECE = b"x" * 64 * 1024
CHUNK = b"%x\r\n%b\r\n" % (len(PIECE), PIECE)
MUCH = 256 * 1024 * 1024  # far more than we take, and than the buffers of both ends hold
SOME = MAX_DROPPED_BYTES // 2
JSON = {"Content_Type": "application/json"}


def taken(connection: Connection, piece: bytes) -> int:
    """Send pieces until the service takes no more; returns how many bytes the system took off us."""
    sent = 0
    while sent < MUCH and connection.takes(piece):
        sent += len(piece)
    return sent


@pytest.mark.parametrize("version", [b"HTTP/1.1", b"HTTP/1.0"], ids=bytes.decode)
@pytest.mark.parametrize(
    ("headers", "piece"),
    [
        ({"Content_Length": str(MUCH)}, PIECE),
        ({"Content_Length": str(MUCH), "Connection": "close"}, PIECE),
        ({"Transfer_Encoding": "chunked"}, CHUNK),
    ],
    ids=["declared", "declared, and the last", "chunked"],
)
def test_a_body_without_end_behind_its_answer_ends(
    api: API, version: bytes, headers: dict[str, str], piece: bytes
) -> None:
    with connection_to(api) as connection:
        connection.send(head(None, "POST /api/tasks", **headers).replace(b"HTTP/1.1", version))
        answer = connection.answer()
        error_of(answer, 401, "UNAUTHORIZED")
        assert answer.headers["Connection"] == "close"

        assert taken(connection, piece) < MUCH


def test_what_follows_a_refusal_ends(api: API, user_id: str) -> None:
    with connection_to(api) as connection:
        connection.send(head(user_id, Host="a/b"))
        error_of(connection.answer(), 400, "BAD_REQUEST")

        assert taken(connection, PIECE) < MUCH


def test_a_body_that_is_too_large_ends_behind_its_answer(api: API, user_id: str) -> None:
    with connection_to(api) as connection:
        connection.send(head(user_id, "POST /api/tasks", Transfer_Encoding="chunked", **JSON))
        assert taken(connection, CHUNK) < MUCH


@pytest.mark.parametrize("size", [SOME, 8 * MAX_DROPPED_BYTES, 64 * MAX_DROPPED_BYTES], ids=str)
@pytest.mark.parametrize("signed_in", [False, True], ids=["without a token", "with one"])
def test_a_client_that_sends_all_before_it_reads_has_its_answer(
    api: API, settings: Settings, user_id: str, size: int, *, signed_in: bool
) -> None:
    with connection_to(api) as connection:
        line = "POST /api/tasks" if signed_in else "POST /api/tasks/import"
        connection.send(head(user_id if signed_in else None, line, Content_Length=str(size), **JSON))
        connection.send(b" " * size)
        answer = connection.answer()

    too_large = size > settings.max_body_bytes
    assert answer.status_code == ((413 if too_large else 422) if signed_in else 401)


@pytest.mark.parametrize("size", [8 * MAX_DROPPED_BYTES, 64 * MAX_DROPPED_BYTES], ids=str)
def test_so_has_a_usual_client(client: httpx.Client, anonymous: httpx.Client, size: int) -> None:
    error_of(client.post("/api/tasks", content=b" " * size), 413, "PAYLOAD_TOO_LARGE")
    error_of(anonymous.post("/api/tasks", content=b" " * size), 401, "UNAUTHORIZED")


def test_a_body_of_usual_size_costs_no_connection(api: API, user_id: str) -> None:
    refused = head(None, "POST /api/tasks", Content_Length=str(SOME), **JSON)
    with connection_to(api) as connection:
        for _ in range(5):  # each has its own measure
            connection.send(refused)
            answer = connection.answer()
            error_of(answer, 401, "UNAUTHORIZED")
            assert "Connection" not in answer.headers
            connection.send(b" " * SOME)
        connection.send(refused + b" " * SOME + head(user_id))
        error_of(connection.answer(), 401, "UNAUTHORIZED")
        assert connection.answer().status_code == 200
