"""Connections that died while idle: the next request succeeds anyway."""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest

from backend.config import Settings
from backend.database.engine import Engine
from tests.fixtures.http.outages import AT_ONCE, POOL_SIZE, SERVER_CONNECTIONS, loaded
from tests.fixtures.postgres.database import execute
from tests.fixtures.postgres.proxy import Proxy, counting_proxy
from tests.fixtures.processes.servers import Server
from tests.fixtures.running.waiting import until

OURS = "application_name = 'task-api'"
KILL = f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE {OURS}"  # noqa: S608 - all of it is ours


@dataclass(frozen=True)
class ProxiedDatabase:
    """A server, and the proxy in front of it."""

    server: Server
    proxy: Proxy


def kill_backends(database: ProxiedDatabase) -> None:
    """Terminate every connection from the server's side, one by one."""
    assert len(execute(database.server.url(), KILL)) == POOL_SIZE


DEATHS: dict[str, Callable[[ProxiedDatabase], None]] = {
    "backends killed": kill_backends,
    "server restarted": lambda database: database.server.restart(),
    "server restarted at once": lambda database: database.server.restart(signal.SIGQUIT),
    "cut": lambda database: database.proxy.cut(),
}


@pytest.fixture(params=["plain", "TLS"])
def database(request: pytest.FixtureRequest) -> Iterator[ProxiedDatabase]:
    """A server behind a proxy; with TLS, connections are closed differently."""
    server: Server = request.getfixturevalue("own_server" if request.param == "plain" else "own_tls_server")
    with counting_proxy(server.url()) as proxy:
        yield ProxiedDatabase(server, proxy)


def is_full(database: ProxiedDatabase) -> bool:
    """Return whether there are as many connections as one user gets, all of them accepted by the server."""
    accepted = execute(database.server.url(), SERVER_CONNECTIONS)
    return database.proxy.connections >= POOL_SIZE and accepted >= [(POOL_SIZE,)]


@pytest.mark.requirement("FR-155")
def test_the_next_requests_all_succeed(settings: Settings, database: ProxiedDatabase) -> None:
    with loaded(settings, database.proxy.url) as load:
        for die in DEATHS.values():
            while not is_full(database):
                load.at_once(count=AT_ONCE)
            die(database)
            until(lambda: database.proxy.connections == 0)  # from now on the service can notice
            assert [answer for answer in load.at_once() if not answer.is_good] == []


@pytest.mark.requirement("FR-155", "FR-160")
@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")
@pytest.mark.parametrize(("timeout_seconds", "max_milliseconds"), [(10.0, 5000), (2.0, 1000)])
def test_a_connection_that_the_network_forgot_is_found_out(
    database: ProxiedDatabase, timeout_seconds: float, max_milliseconds: int
) -> None:
    """Idle connections: detected within minutes; connections in use: in time for another connection."""
    engine = Engine(database.proxy.url, pool_size=1, timeout_seconds=timeout_seconds)
    with closing(engine.connect()) as connection:
        driver: Any = connection.driver
        with socket.socket(fileno=driver.fileno()) as end:
            option = {name: end.getsockopt(socket.IPPROTO_TCP, number) for name, number in TCP_OPTIONS.items()}
            keeps_alive = end.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            end.detach()
    engine.dispose()

    assert keeps_alive
    assert option["idle"] + option["interval"] * option["count"] <= 120
    assert 0 < option["user timeout"] <= max_milliseconds


TCP_OPTIONS = {
    "idle": socket.TCP_KEEPIDLE,
    "interval": socket.TCP_KEEPINTVL,
    "count": socket.TCP_KEEPCNT,
    "user timeout": socket.TCP_USER_TIMEOUT,
}
