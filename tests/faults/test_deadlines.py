"""One deadline for all database work of a request, and what happens to the connection when it passes."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from pydantic import SecretStr
from sqlalchemy import Executable, text

from backend.config import Settings
from backend.database.connection_limiter import WAITING_SHARE, ConnectionLimiter
from backend.database.deadline import begin_work, current_work
from backend.database.engine import SERVER_SHARE, Engine
from backend.database.errors import DatabaseUnavailable, Interrupted
from backend.database.session import SessionFactory
from backend.errors import ServiceUnavailable
from tests.fixtures.calls.api import new_user, serve
from tests.fixtures.postgres.locks import row_locked
from tests.fixtures.postgres.proxy import Proxy, counting_proxy

FOR_EVER_SECONDS = 1000.0  # longer than any test may take
SHORT_SECONDS = 0.5
MAX_SECONDS = 300.0  # the longest time a request may be given
SLOTS, CROWD = 2, 20  # connections, and requests that arrive while all are in use
TIME_LEFT = text("SELECT current_setting('statement_timeout', true)::interval")
SLEEP = text(f"SELECT pg_sleep({FOR_EVER_SECONDS})")
NOTHING = text("SELECT")


@pytest.fixture
def own_proxy(database_url: str) -> Iterator[Proxy]:
    with counting_proxy(database_url) as proxy:
        yield proxy


@pytest.fixture
def engine(own_proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """An engine that itself waits forever: only the deadline of the work is short."""
    # While a new connection is slow to open, it waits for that one and opens no other.
    monkeypatch.setattr("backend.database.connector.MAX_PAUSE_SECONDS", FOR_EVER_SECONDS)
    engine = Engine(own_proxy.url, pool_size=3, timeout_seconds=FOR_EVER_SECONDS)
    yield engine
    engine.dispose()


@contextmanager
def having(seconds: float) -> Iterator[None]:
    """Give the work in the block this much time."""
    current_work().deadline = time.monotonic() + seconds
    try:
        yield
    finally:
        current_work().deadline = math.inf


def fail(engine: Engine, statement: Executable, seconds: float) -> type[ServiceUnavailable]:
    """Run a statement with too short a deadline; returns the resulting exception."""
    with having(seconds), pytest.raises(ServiceUnavailable) as raised, SessionFactory(engine)(new_user()) as session:
        session.exec(statement)
    return raised.type


def fall_silent(engine: Engine, proxy: Proxy) -> None:
    """Let the server fall silent and work notice it: on a slow machine, the deadline may pass before work starts."""
    proxy.silent = True
    while fail(engine, NOTHING, SHORT_SECONDS) is not Interrupted:
        pass


@pytest.mark.requirement("FR-160")
def test_the_server_hears_how_much_time_the_work_has_left(engine: Engine) -> None:
    for seconds in (FOR_EVER_SECONDS / 2, FOR_EVER_SECONDS / 8):
        with having(seconds), SessionFactory(engine)(new_user()) as session:
            ((left,),) = session.exec(TIME_LEFT)
        assert seconds / 2 < left.total_seconds() < seconds


@pytest.mark.requirement("FR-160")
def test_the_server_ends_what_takes_longer_and_the_connection_is_good(
    engine: Engine, own_proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SessionFactory(engine)(new_user()) as session:
        session.exec(NOTHING)
    monkeypatch.setattr("backend.database.engine.SERVER_SHARE", SHORT_SECONDS / FOR_EVER_SECONDS)

    assert fail(engine, SLEEP, FOR_EVER_SECONDS) is DatabaseUnavailable

    with SessionFactory(engine)(new_user()) as session:
        session.exec(NOTHING)
    assert len(own_proxy.attempts) == 1


@pytest.mark.requirement("FR-160")
def test_the_server_has_most_of_the_time_and_less_than_all() -> None:
    assert 0.5 < SERVER_SHARE < 1  # so that the server cancels first, before the service gives up


@pytest.mark.requirement("FR-160")
def test_a_silent_server_is_left_when_the_time_of_the_work_is_over(engine: Engine, own_proxy: Proxy) -> None:
    with SessionFactory(engine)(new_user()) as session:
        session.exec(NOTHING)
    began = time.monotonic()

    fall_silent(engine, own_proxy)  # or it would wait forever

    assert time.monotonic() - began >= SHORT_SECONDS


@pytest.mark.requirement("FR-160", "FR-161")
def test_who_runs_out_of_time_takes_no_connection_of_others_along(engine: Engine, own_proxy: Proxy) -> None:
    sessions = SessionFactory(engine)
    with sessions("a") as one, sessions("b") as two, sessions("c") as three:
        for session in (one, two, three):
            session.exec(NOTHING)
    assert len(own_proxy.attempts) == 3
    fall_silent(engine, own_proxy)
    own_proxy.silent = False

    with sessions("a") as one, sessions("b") as two, sessions("c") as three:
        for session in (one, two, three):
            session.exec(NOTHING)
    assert len(own_proxy.attempts) == 4  # replaces the one that was cut


@pytest.mark.requirement("FR-160")
def test_work_whose_time_is_over_is_not_begun(engine: Engine, own_proxy: Proxy) -> None:
    assert fail(engine, NOTHING, -1.0) is DatabaseUnavailable

    assert own_proxy.round_trips == 0


@pytest.mark.requirement("FR-160")
def test_waiting_at_the_connection_limiter_counts_towards_the_deadline_and_leaves_enough_of_it() -> None:
    async def stay(connection_limiter: ConnectionLimiter, has_come: asyncio.Event) -> tuple[float, int]:
        begin_work()
        async with connection_limiter:
            left = current_work().remaining_seconds()
            await has_come.wait()
            await asyncio.sleep(1.1 * SHORT_SECONDS)
            return left, connection_limiter.waiting

    async def queue(connection_limiter: ConnectionLimiter, has_come: asyncio.Event) -> tuple[float, int]:
        begin_work()
        has_come.set()  # nothing else runs until this coroutine waits
        async with connection_limiter:
            return current_work().remaining_seconds(), connection_limiter.waiting

    async def crowd() -> tuple[tuple[tuple[float, int], tuple[float, int]], int]:
        connection_limiter, has_come = ConnectionLimiter(1, FOR_EVER_SECONDS), asyncio.Event()
        visits = await asyncio.gather(stay(connection_limiter, has_come), queue(connection_limiter, has_come))
        return visits, connection_limiter.waiting

    ((first, waiting), (second, nobody)), at_the_end = asyncio.run(crowd())

    assert FOR_EVER_SECONDS / 2 < second <= FOR_EVER_SECONDS - SHORT_SECONDS
    assert FOR_EVER_SECONDS / 2 < first <= FOR_EVER_SECONDS
    assert (waiting, nobody, at_the_end) == (1, 0, 0)
    assert 0 < WAITING_SHARE < 1  # work admitted at the last moment gets the rest of the time


@pytest.mark.requirement("FR-161", "FR-160")
def test_overload_opens_no_new_connections(
    settings: Settings, own_url: str, user_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Work without a connection slot is refused; running work keeps its connection."""
    monkeypatch.setattr("backend.database.connection_limiter.WAITING_SHARE", SHORT_SECONDS / MAX_SECONDS)
    monkeypatch.setattr("backend.database.connector.MAX_PAUSE_SECONDS", FOR_EVER_SECONDS)
    monkeypatch.setattr("backend.api.main.SYNC_SECONDS", 3600)  # or the rate-limit sync would open a connection
    changes = {"database_pool_size": 2 * SLOTS, "request_timeout_seconds": MAX_SECONDS}  # half for one user
    with counting_proxy(own_url) as proxy, ThreadPoolExecutor(SLOTS + CROWD) as threads:
        url = SecretStr(proxy.url)
        with serve(settings.model_copy(update={**changes, "database_url": url})) as api, api.client(user_id) as client:

            def work(number: int) -> int:
                return client.post("/api/tasks", json={"title": str(number)}).status_code

            assert work(0) == 201
            for _ in range(3):
                with row_locked(own_url, user_id) as wait_for:
                    in_hand = [threads.submit(work, number) for number in range(SLOTS)]
                    wait_for(SLOTS)
                    assert list(threads.map(work, range(CROWD))) == [503] * CROWD
                assert [each.result() for each in in_hand] == [201] * SLOTS
    assert len(proxy.attempts) == SLOTS
