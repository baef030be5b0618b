"""Clients that announce their last request: they can read its response, even if they are still sending."""

from __future__ import annotations

import http.client

import httpx
import pytest

from tests.fixtures.calls.api import API
from tests.fixtures.calls.tasks import create, error_of, everything_of
from tests.fixtures.http.connection import connection_to, head
from tests.fixtures.running.waiting import PATIENCE_SECONDS

BODY_BYTES = 5_000_000


@pytest.mark.requirement("FR-095", "FR-004")
@pytest.mark.parametrize("token", ["good", "none"])
@pytest.mark.parametrize("version", [b"HTTP/1.1", b"HTTP/1.0"], ids=bytes.decode)
def test_a_client_that_sends_everything_first_reads_the_refusal(
    api: API, user_id: str, token: str, version: bytes
) -> None:
    user = user_id if token == "good" else None  # noqa: S105 - no password
    request = head(user, "POST /api/tasks", Connection="close", Content_Length=str(BODY_BYTES))
    with connection_to(api) as connection:
        connection.send(request.replace(b"HTTP/1.1", version) + b"x" * BODY_BYTES)
        (answer,) = connection.answers_until_closed()

    error_of(answer, *((413, "PAYLOAD_TOO_LARGE") if user else (401, "UNAUTHORIZED")))


@pytest.mark.requirement("FR-095")
def test_pythons_own_client_reads_the_refusal(api: API, client: httpx.Client) -> None:
    before = everything_of(client)
    url = httpx.URL(api.base_url)
    for _ in range(5):
        connection = http.client.HTTPConnection(url.host, url.port or 0, timeout=PATIENCE_SECONDS)
        headers = {"Authorization": client.headers["Authorization"], "Connection": "close"}
        connection.request("POST", "/api/tasks", body=b"x" * BODY_BYTES, headers=headers)
        assert connection.getresponse().status == 413
        connection.close()

    assert everything_of(client) == before


@pytest.mark.requirement("FR-098")
def test_a_client_that_ends_its_side_is_still_answered(api: API, client: httpx.Client, user_id: str) -> None:
    task = create(client)
    with connection_to(api) as connection:
        connection.send(head(user_id, f"GET /api/tasks/{task['id']}") + head(user_id, "GET /api/tasks"))
        connection.end()
        one, everything = connection.answers_until_closed()

    assert one.json()["data"] == task
    assert everything.json()["data"] == [task]


@pytest.mark.requirement("FR-098")
@pytest.mark.parametrize(
    "sent", [b"", b"GET /heal", b"POST /api/tasks HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n12"], ids=ascii
)
def test_a_client_that_ends_its_side_in_the_middle_is_let_go(api: API, sent: bytes) -> None:
    with connection_to(api) as connection:
        connection.send(sent)
        connection.end()

        assert [answer.status_code for answer in connection.answers_until_closed()] in ([], [401])
