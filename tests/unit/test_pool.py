"""The pool and its connector: nobody waits while a connection is idle, and no more are opened than needed."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from sqlalchemy.pool import PoolProxiedConnection
from sqlalchemy.util.concurrency import greenlet_spawn

from backend.database import connector as connector_module
from backend.database.bell import Bell
from backend.database.connector import ConnectionReturned, Connector
from backend.database.engine import ConnectionPool
from backend.database.waiting import beside, new_event
from tests.fixtures.running.waiting import PATIENCE_SECONDS, eventually, until

pytestmark = pytest.mark.requirement("FR-257")

SIZE = 4


class Opened:
    """Stands in for a connection."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True


class Server:
    """Opens connections, each only after the test lets the attempt in, for the pool that it also holds."""

    def __init__(self) -> None:
        self.opened: list[Opened] = []
        self.attempts = 0
        self._doors: dict[int, threading.Event] = {}
        self.connector = Connector({}, PATIENCE_SECONDS, self._connect, new_event, beside)
        self.pool = ConnectionPool(self.connector, pool_size=SIZE, max_overflow=0, use_lifo=True, reset_on_return=None)

    def _connect(self, _parameters: Mapping[str, Any]) -> Opened:
        self.attempts += 1
        number = self.attempts
        door = self._door(number)
        while not door.is_set():
            new_event().wait(0.001)
        connection = Opened(number)
        self.opened.append(connection)
        return connection

    def let_in(self, *attempts: int) -> None:
        """Let these attempts succeed, even before they begin; 1 is the first."""
        for number in attempts:
            self._door(number).set()

    def _door(self, number: int) -> threading.Event:
        return self._doors.setdefault(number, threading.Event())

    def ask(self) -> PoolProxiedConnection:
        """Take a connection from the pool as an engine does."""
        while True:
            with suppress(ConnectionReturned):
                return self.pool.connect()

    def expect_to_be_whole(self, open_connections: int) -> None:
        """Check that nobody waits, nothing is in use, and the pool has the right number of connections."""
        until(lambda: sum(not one.is_closed for one in self.opened) == open_connections)
        assert (self.connector.waiting, self.pool.checkedout()) == (0, 0)
        taken = [self.ask() for _ in range(open_connections)]
        assert len({number_of(one) for one in taken}) == open_connections
        for one in taken:
            one.close()


def number_of(connection: PoolProxiedConnection) -> int:
    opened: Any = connection.driver_connection
    number: int = opened.number
    return number


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.let_in(*range(1, 100))


@contextmanager
def in_thread(server: Server) -> Iterator[Callable[[], Future[PoolProxiedConnection]]]:
    """Ask in threads."""
    with ThreadPoolExecutor(SIZE) as threads:
        yield lambda: threads.submit(server.ask)


@contextmanager
def on_loop(server: Server) -> Iterator[Callable[[], Future[PoolProxiedConnection]]]:
    """Ask as requests do."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield lambda: asyncio.run_coroutine_threadsafe(greenlet_spawn(server.ask), loop)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.mark.parametrize("asking", [in_thread, on_loop])
def test_who_waits_for_a_new_connection_takes_one_that_is_returned(server: Server, asking: Any) -> None:
    server.let_in(1)
    first = server.ask()
    with asking(server) as ask:
        waiting = ask()
        until(lambda: server.attempts == 2)
        first.close()
        second = waiting.result(PATIENCE_SECONDS)

        assert number_of(second) == 1
        second.close()
        server.let_in(2)  # no longer needed
        until(lambda: len(server.opened) == 2)
    server.expect_to_be_whole(1)


@pytest.mark.parametrize("asking", [in_thread, on_loop])
def test_those_who_wait_are_served_in_their_order_however_a_connection_comes(server: Server, asking: Any) -> None:
    server.let_in(1)
    first = server.ask()
    with asking(server) as ask:
        waiting = []
        for number in range(1, SIZE):
            waiting.append(ask())
            until(lambda: server.connector.waiting == number)  # noqa: B023 - it is asked at once
        first.close()
        served = [waiting[0].result(PATIENCE_SECONDS)]
        assert not any(one.done() for one in waiting[1:])
        server.let_in(2, 3)
        served += [one.result(PATIENCE_SECONDS) for one in waiting[1:]]
    assert sorted(map(number_of, served)) == [1, 2, 3]
    for one in served:
        one.close()
    server.let_in(4)
    server.expect_to_be_whole(3)


def test_an_attempt_that_nobody_waits_for_any_more_is_the_next_ones(server: Server) -> None:
    """Otherwise each request without an idle connection would start an attempt: a storm when opening is slow."""
    server.let_in(1)
    taken = server.ask()
    with in_thread(server) as ask:
        for _ in range(20):
            waiting = ask()
            until(lambda: server.connector.waiting == 1)
            until(lambda: server.attempts == 2)
            taken.close()
            taken = waiting.result(PATIENCE_SECONDS)
        waiting = ask()
        until(lambda: server.connector.waiting == 1)
        server.let_in(2)
        assert number_of(waiting.result(PATIENCE_SECONDS)) == 2
    assert server.attempts == 2
    waiting.result().close()
    taken.close()
    server.expect_to_be_whole(2)


@pytest.mark.requirement("FR-504")
def test_a_request_opens_a_connection_without_a_thread(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_thread: threading.Thread) -> None:
        raise AssertionError

    async def ask() -> None:
        (await greenlet_spawn(server.ask)).close()

    server.let_in(1)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refused)
        asyncio.run(ask())
    server.expect_to_be_whole(1)


def test_idle_connections_come_before_entries_that_have_lost_theirs(server: Server) -> None:
    server.let_in(1, 2, 3)
    first, second, third = (server.ask() for _ in range(3))
    first.close()
    second.close()
    third.invalidate()
    third.close()

    taken = [server.ask() for _ in range(2)]
    assert list(map(number_of, taken)) == [2, 1]
    assert server.attempts == 3


def test_whoever_is_cancelled_leaves_nothing_and_what_he_was_told_to_the_next(server: Server) -> None:
    server.let_in(1)

    async def run() -> None:
        first = await greenlet_spawn(server.ask)
        cancelled, waiting = (asyncio.ensure_future(greenlet_spawn(server.ask)) for _ in range(2))
        await eventually(lambda: server.attempts == 3)
        first.close()  # the bell rings for the first of them
        cancelled.cancel()
        async with asyncio.timeout(PATIENCE_SECONDS):
            taken = await waiting
        assert cancelled.cancelled()
        assert number_of(taken) == 1
        taken.close()
        server.let_in(2, 3)
        await eventually(lambda: len(server.opened) == 3)

    asyncio.run(run())
    server.expect_to_be_whole(1)


def test_a_connection_for_somebody_who_is_cancelled_as_it_comes_is_closed(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        cancelled = asyncio.ensure_future(greenlet_spawn(server.ask))
        ring = Bell.ring_for_all

        def ring_and_cancel(bell: Bell) -> None:
            ring(bell)
            cancelled.cancel()

        monkeypatch.setattr(Bell, "ring_for_all", ring_and_cancel)
        server.let_in(1)
        with suppress(asyncio.CancelledError):
            await cancelled
        assert cancelled.cancelled()

    asyncio.run(run())
    assert server.opened[0].is_closed
    server.expect_to_be_whole(0)


@pytest.mark.requirement("FR-162")
def test_attempts_that_hang_since_an_outage_keep_nobody_from_trying(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first ones hang forever. One more finds the server awake, and then everyone tries again."""
    with in_thread(server) as ask:
        waiting = [ask() for _ in range(3)]
        until(lambda: server.attempts == 3)
        monkeypatch.setattr(connector_module, "MAX_PAUSE_SECONDS", PATIENCE_SECONDS * 10)
        with server.connector._changed:  # noqa: SLF001 - as if the pause were over
            server.connector._next_attempt = time.monotonic()  # noqa: SLF001
            server.connector._changed.ring()  # noqa: SLF001
        until(lambda: server.attempts == 4)
        server.let_in(4, 5, 6)
        served = [one.result(PATIENCE_SECONDS) for one in waiting]

        assert sorted(map(number_of, served)) == [4, 5, 6]
        for one in served:
            one.close()
        server.let_in(1, 2, 3)
    until(lambda: len(server.opened) == 6)
    server.expect_to_be_whole(3)


def test_another_pool_of_its_kind_is_made_when_it_is_disposed_of(server: Server) -> None:
    server.let_in(1, 2)
    server.ask().close()
    server.pool.dispose()
    assert not server.pool.has_idle_connection()
    server.pool = server.pool.recreate()
    server.ask().close()
    server.expect_to_be_whole(1)
