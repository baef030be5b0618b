"""Clients that take their time with reading: whoever reads gets everything, whoever does not is cut off."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from backend.config import Settings
from tests.fixtures.api import API, new_user, serve
from tests.fixtures.connection import connection_to, head
from tests.fixtures.database import execute

pytestmark = pytest.mark.requirement("FR-098")

CLIENT_TIMEOUT_SECONDS = 0.4
LEAST_BYTES = 8_000_000  # more than the system keeps for a connection
RECEIVE_BYTES = 64 * 1024


@pytest.fixture(scope="module")
def hasty(settings: Settings) -> Iterator[API]:
    """A service that gives its clients little time."""
    with serve(settings.model_copy(update={"client_timeout_seconds": CLIENT_TIMEOUT_SECONDS})) as running:
        yield running


@pytest.fixture
def writer(database_url: str, user_id: str) -> str:
    """A user with tasks enough for a list of LEAST_BYTES."""
    execute(
        database_url,
        """
        INSERT INTO users (id, revision, task_count) VALUES (%s, 1, 250);
        INSERT INTO tasks (user_id, id, title, description, revision)
        SELECT %s, gen_random_uuid(), 'long', repeat('😀', 10000), 1 FROM generate_series(1, 250)
        """,
        user_id, user_id,
    )  # fmt: skip
    return user_id


def test_a_client_that_does_not_read_is_cut_off(hasty: API, writer: str) -> None:
    with connection_to(hasty, RECEIVE_BYTES) as connection:
        connection.send(head(writer, "GET /api/tasks"))
        time.sleep(5 * CLIENT_TIMEOUT_SECONDS)

        assert 0 < _read_all(connection.read_some) < LEAST_BYTES

    with hasty.client(new_user()) as other:
        assert other.get("/api/tasks").status_code == 200


def test_a_client_that_reads_slowly_gets_everything(hasty: API, writer: str) -> None:
    def slowly(most: int) -> int:
        time.sleep(CLIENT_TIMEOUT_SECONDS / 100)
        return connection.read_some(most)

    with connection_to(hasty, RECEIVE_BYTES) as connection:
        connection.send(head(writer, "GET /api/tasks"))
        started = time.monotonic()

        assert _read_all(slowly, LEAST_BYTES) >= LEAST_BYTES
        assert time.monotonic() - started > CLIENT_TIMEOUT_SECONDS  # else it was not slow


def _read_all(read: Callable[[int], int], most: int | None = None) -> int:
    total = 0
    while most is None or total < most:
        size = read(RECEIVE_BYTES)
        if size == 0:
            break
        total += size
    return total
