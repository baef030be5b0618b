"""What a connection costs: the flights of libpq and the statement's own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing

import psycopg2
import pytest
from sqlalchemy import make_url, text

from backend.config import Settings
from backend.database import waiting
from backend.database.connector import Connector
from backend.database.engine import Engine
from backend.database.session import SessionFactory
from backend.database.url import read_url
from tests.fixtures.api import new_user
from tests.fixtures.outages import POOL_SIZE, serving
from tests.fixtures.proxy import Proxy, counting_proxy
from tests.fixtures.servers import NEON_HOST, Server

# So far apart that what libpq says in a row is one flight, whatever the server says in between.
DELAY_SECONDS = 0.02
QUERIES: dict[str, dict[str, str]] = {
    "password": {},
    "TLS": {"sslmode": "require", "channel_binding": "disable"},
    "TLS, bound channel": {"sslmode": "require", "channel_binding": "require"},
}


@pytest.fixture(params=QUERIES)
def way(request: pytest.FixtureRequest) -> Iterator[Proxy]:
    """A way to a server that takes its time."""
    server: Server = request.getfixturevalue("own_server" if request.param == "password" else "own_tls_server")
    with counting_proxy(server.url(NEON_HOST, **QUERIES[request.param])) as proxy:
        proxy.delay_seconds = DELAY_SECONDS
        yield proxy


def flights_of_libpq(proxy: Proxy) -> int:
    """Count what a connection costs that asks nothing."""
    with closing(
        psycopg2.connect(make_url(proxy.url).set(drivername="postgresql").render_as_string(hide_password=False))
    ):
        flights = proxy.flights
    while proxy.connections:  # its farewell is still under way
        time.sleep(0.01)
    proxy.flights = 0
    return flights


@pytest.mark.requirement("FR-154")
def test_no_connection_asks_the_server_about_itself(way: Proxy) -> None:
    expected, costs = flights_of_libpq(way) + 1, []
    engine = Engine(way.url, pool_size=2, timeout_seconds=10)
    sessions = SessionFactory(engine)

    with ExitStack() as opened:
        for _ in range(2):
            before = way.flights
            session = opened.enter_context(sessions(new_user()))
            assert session.exec(text("SELECT 1")) == [(1,)]
            costs.append(way.flights - before)
    engine.dispose()

    assert costs == [expected, expected]


@pytest.mark.requirement("FR-154")
def test_the_first_request_of_a_service_costs_a_connection_and_a_statement(settings: Settings, way: Proxy) -> None:
    expected = flights_of_libpq(way) + 1
    with serving(settings, way.url) as api, api.client(new_user()) as client:
        assert client.get("/api/tasks").status_code == 200
        assert way.flights == expected
        assert client.get("/api/tasks").status_code == 200
        assert way.flights == expected + 1


@pytest.mark.requirement("FR-154", "FR-162")
def test_who_needs_a_connection_gets_one_whoever_takes_the_others(
    own_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is left waiting for the next time that somebody looks."""
    monkeypatch.setattr("backend.database.connector.LONGEST_PAUSE_SECONDS", 600)

    def connect(connector: Connector, number: int) -> None:
        time.sleep(number * 0.003)  # about what a connection takes: some come when the first are just there
        connector().close()

    with ThreadPoolExecutor(POOL_SIZE) as threads:
        for _ in range(20):
            connector = Connector({**read_url(own_server.url()), "connect_timeout": 5}, 5, waiting.connect)
            list(threads.map(connect, [connector] * POOL_SIZE, range(POOL_SIZE)))
