"""One deadline for all that a request does with the database, and what becomes of the connection of who meets it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import cycle

import pytest
from pydantic import SecretStr
from sqlalchemy import Executable, text

from backend.api.gate import Gate
from backend.config import Settings
from backend.database import waiting
from backend.database.connector import Connector, NoConnection
from backend.database.engine import Engine
from backend.database.session import SessionFactory
from backend.database.url import read_url
from backend.errors import ServiceUnavailable
from backend.utils.budget import begin_budget, current_budget
from tests.fixtures.api import new_user, serve
from tests.fixtures.proxy import Proxy, counting_proxy

LONG_SECONDS = 30.0
SHORT_SECONDS = 0.5
SLACK_SECONDS = 10.0  # of a machine that has much else to do
SLEEP = text("SELECT pg_sleep(60)")
NOTHING = text("SELECT")


@pytest.fixture
def own_proxy(database_url: str) -> Iterator[Proxy]:
    with counting_proxy(database_url) as proxy:
        yield proxy


@pytest.fixture
def engine(own_proxy: Proxy) -> Iterator[Engine]:
    """An engine whose own patience is long: only the budget of the work is short."""
    engine = Engine(own_proxy.url, pool_size=3, timeout_seconds=LONG_SECONDS)
    yield engine
    engine.dispose()


def run(engine: Engine, statement: Executable, seconds: float) -> float:
    """Run a statement as work that has this long; returns how long that took."""
    current_budget().deadline = time.monotonic() + seconds
    started = time.monotonic()
    try:
        with pytest.raises(ServiceUnavailable), SessionFactory(engine)(new_user()) as session:
            session.exec(statement)
    finally:
        current_budget().deadline = float("inf")
    return time.monotonic() - started


@pytest.mark.requirement("FR-160")
def test_the_server_hears_how_much_time_the_work_has_left(engine: Engine, own_proxy: Proxy) -> None:
    assert run(engine, SLEEP, SHORT_SECONDS) < SLACK_SECONDS

    before = len(own_proxy.attempts)
    with SessionFactory(engine)(new_user()) as session:
        session.exec(NOTHING)
    assert len(own_proxy.attempts) == before  # it was the server that ended it, and the connection is good


@pytest.mark.requirement("FR-160")
def test_a_silent_server_is_left_when_the_time_of_the_work_is_over(engine: Engine, own_proxy: Proxy) -> None:
    with SessionFactory(engine)(new_user()) as session:
        session.exec(NOTHING)
    own_proxy.silent = True

    assert SHORT_SECONDS <= run(engine, NOTHING, SHORT_SECONDS) < SLACK_SECONDS


@pytest.mark.requirement("FR-160", "FR-161")
def test_who_runs_out_of_time_takes_no_connection_of_others_along(engine: Engine, own_proxy: Proxy) -> None:
    sessions = SessionFactory(engine)
    with sessions("a") as one, sessions("b") as two, sessions("c") as three:
        for session in (one, two, three):
            session.exec(NOTHING)
    assert len(own_proxy.attempts) == 3
    own_proxy.silent = True
    run(engine, NOTHING, SHORT_SECONDS)
    own_proxy.silent = False

    with sessions("a") as one, sessions("b") as two, sessions("c") as three:
        for session in (one, two, three):
            session.exec(NOTHING)
    assert len(own_proxy.attempts) == 4  # the one that was cut


@pytest.mark.requirement("FR-160")
def test_work_whose_time_is_over_is_not_begun(engine: Engine, own_proxy: Proxy) -> None:
    run(engine, NOTHING, -1.0)

    assert own_proxy.flights == 0


@pytest.mark.requirement("FR-160")
def test_waiting_at_the_gate_is_part_of_the_time_and_leaves_enough_of_it() -> None:
    async def visit(gate: Gate) -> tuple[float, int]:
        begin_budget()
        async with gate:
            left = current_budget().remaining_seconds()
            await asyncio.sleep(0.5)
            return left, gate.waiting

    async def crowd() -> tuple[list[tuple[float, int]], int]:
        gate = Gate(1, LONG_SECONDS)
        visits = await asyncio.gather(*(asyncio.create_task(visit(gate)) for _ in range(2)))
        return visits, gate.waiting

    ((first, waiting), (second, nobody)), at_the_end = asyncio.run(crowd())

    assert second <= LONG_SECONDS - 0.5 < first
    assert (waiting, nobody, at_the_end) == (1, 0, 0)


@pytest.mark.requirement("FR-161", "FR-160")
def test_overload_opens_no_new_connections(settings: Settings, database_url: str) -> None:
    with counting_proxy(database_url) as proxy:
        proxy.delay_seconds = 0.03
        changes = {"database_url": SecretStr(proxy.url), "database_pool_size": 2, "request_timeout_seconds": 1.0}
        with serve(settings.model_copy(update=changes)) as api, ThreadPoolExecutor(40) as threads:

            def ask(_number: int) -> int:
                with api.client(new_user()) as client:
                    return client.get("/api/me").status_code

            answers = list(threads.map(ask, range(200)))
    assert set(answers) <= {200, 503}
    assert len(proxy.attempts) <= 6  # two, and what a machine that stops for a while makes of it


@pytest.mark.requirement("FR-161")
def test_pauses_are_spread_by_chance(own_proxy: Proxy) -> None:
    own_proxy.refusal = "the database system is starting up"

    def attempts(chance: float) -> int:
        chances = cycle([chance])
        with counting_proxy(own_proxy.url) as proxy:
            parameters = {**read_url(proxy.url), "connect_timeout": 3}
            connect = Connector(parameters, 3.0, waiting.connect, chance=lambda: next(chances))
            with pytest.raises(NoConnection) as raised, closing(connect()):
                pass
            assert raised.value.reason == own_proxy.refusal
            return len(proxy.attempts)

    with ThreadPoolExecutor(2) as threads:
        few, many = threads.map(attempts, (1.0, 0.0))
    assert 3 <= few < many <= 12
