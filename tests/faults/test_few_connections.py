"""A server with fewer connections than the service would use: requests share them, and none is refused."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from backend.config import Settings
from backend.database.connector import MAX_PAUSE_SECONDS
from backend.database.migrations import runner as migrations
from tests.fixtures.http.outages import READS, SAFE_WRITES, loaded
from tests.fixtures.postgres.proxy import counting_proxy
from tests.fixtures.processes.servers import Server, plain_server
from tests.fixtures.running.waiting import until

POOL_SIZE = 10
CLIENTS = 12
ANSWERS = 1000


@pytest.fixture(params=[5, 1])
def small_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server with this many connections, and none reserved for its owner."""
    with plain_server(max_connections=str(request.param), superuser_reserved_connections="0") as server:
        migrations.apply(server.url())
        yield server


@pytest.mark.requirement("FR-257", "FR-161")
def test_under_steady_load_nobody_is_refused_or_left_waiting(settings: Settings, small_server: Server) -> None:
    """Requests left waiting exceed the clients' timeout and fail the test."""
    with (
        counting_proxy(small_server.url()) as proxy,
        loaded(settings, proxy.url, database_pool_size=POOL_SIZE) as load,
    ):
        before, began = len(proxy.attempts), time.monotonic()
        with load.going_on(READS + SAFE_WRITES, count=CLIENTS) as answers:
            until(lambda: len(answers) > ANSWERS)
        attempts, seconds = len(proxy.attempts) - before, time.monotonic() - began

        assert [answer for answer in answers if not answer.is_good] == []
        assert attempts <= 2 * POOL_SIZE + seconds / (MAX_PAUSE_SECONDS / 2)
