"""The cost of a connection: libpq's round trips, the question whether it is direct, and the statement's own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass

import psycopg2
import pytest
from sqlalchemy import make_url, text

from backend.config import Settings
from backend.database import waiting
from backend.database.connector import Connector
from backend.database.engine import Engine
from backend.database.session import SessionFactory
from backend.database.url import read_url
from tests.fixtures.calls.api import new_user
from tests.fixtures.http.outages import POOL_SIZE, serving
from tests.fixtures.postgres.proxy import Proxy, counting_proxy
from tests.fixtures.processes.servers import NEON_HOST, Server
from tests.fixtures.running.waiting import until

# Delays long enough that consecutive writes of libpq are one round trip, whatever the server says in between, unless
# the machine stalls for that long at that moment. So the least of several counts is right, and none is too small.
DELAY_SECONDS = 0.02
LIBPQ_TIMES = 4
MAX_TIMES = 10
QUERIES: dict[str, dict[str, str]] = {
    "password": {},
    "TLS": {"sslmode": "require", "channel_binding": "disable"},
    "TLS, bound channel": {"sslmode": "require", "channel_binding": "require"},
}


@dataclass(frozen=True)
class Way:
    """A route to a slow server, and the least cost of a connection on it."""

    proxy: Proxy
    cost: int

    def expect(self, costs: list[int], measure: Callable[[], list[int]]) -> None:
        """Check that the minimum of the measured round trips equals these costs."""
        measured = [measure()]
        while measured[-1] != costs and len(measured) < MAX_TIMES:
            measured.append(measure())
        assert list(map(min, zip(*measured, strict=True))) == costs, measured


@pytest.fixture(scope="module", params=QUERIES)
def way(request: pytest.FixtureRequest) -> Iterator[Way]:
    server: Server = request.getfixturevalue("own_server" if request.param == "password" else "own_tls_server")
    with counting_proxy(server.url(NEON_HOST, **QUERIES[request.param])) as proxy:
        proxy.delay_seconds = DELAY_SECONDS
        is_direct = 1  # the round trip that asks
        yield Way(proxy, min(round_trips_of_libpq(proxy) for _ in range(LIBPQ_TIMES)) + is_direct)


def round_trips_of_libpq(proxy: Proxy) -> int:
    """Count the round trips of a connection that runs no statement."""
    wait_until_all_have_left(proxy)
    before = proxy.round_trips
    with closing(
        psycopg2.connect(make_url(proxy.url).set(drivername="postgresql").render_as_string(hide_password=False))
    ):
        return proxy.round_trips - before


def wait_until_all_have_left(proxy: Proxy) -> None:
    """Wait until all connections are closed, including those still closing."""
    until(lambda: proxy.connections == 0)


@pytest.mark.requirement("FR-154")
def test_a_connection_asks_the_server_only_whether_it_is_direct(way: Way) -> None:
    def connect_twice() -> list[int]:
        costs = []
        engine = Engine(way.proxy.url, pool_size=2, timeout_seconds=60)
        sessions = SessionFactory(engine)
        with ExitStack() as opened:
            wait_until_all_have_left(way.proxy)
            for _ in range(2):
                before = way.proxy.round_trips
                session = opened.enter_context(sessions(new_user()))
                assert session.exec(text("SELECT 1")) == [(1,)]
                costs.append(way.proxy.round_trips - before)
        engine.dispose()
        return costs

    way.expect([way.cost + 1] * 2, connect_twice)


@pytest.mark.requirement("FR-154")
def test_the_first_request_of_a_service_costs_a_connection_and_a_statement(settings: Settings, way: Way) -> None:
    def ask_twice() -> list[int]:
        costs = []
        wait_until_all_have_left(way.proxy)
        before = way.proxy.round_trips
        with serving(settings, way.proxy.url) as api, api.client(new_user()) as client:
            for _ in range(2):
                assert client.get("/api/tasks").status_code == 200
                costs.append(way.proxy.round_trips - before)
        return costs

    way.expect([way.cost + 1, way.cost + 2], ask_twice)


@pytest.mark.requirement("FR-154", "FR-162")
def test_who_needs_a_connection_gets_one_whoever_takes_the_others(
    own_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No work waits until the next periodic check."""
    monkeypatch.setattr("backend.database.connector.MAX_PAUSE_SECONDS", 600)

    def connect(connector: Connector, number: int) -> None:
        time.sleep(number * 0.003)  # about the time to connect: some arrive just as the first connections are ready
        connector().close()

    with ThreadPoolExecutor(POOL_SIZE) as threads:
        for _ in range(20):
            connector = Connector({**read_url(own_server.url()), "connect_timeout": 60}, 60, waiting.connect)
            list(threads.map(connect, [connector] * POOL_SIZE, range(POOL_SIZE)))
