"""When a worker runs the rate-limit sync, what it does while the database is away, and how it stops."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, closing
from functools import partial
from itertools import cycle

import psycopg2
import pytest
from sqlalchemy import make_url

from backend.config import Rate
from backend.database.connection_limiter import ConnectionLimiter
from backend.database.engine import Engine
from backend.database.session import SessionFactory
from backend.rate_limits import sync
from backend.rate_limits.counter import Count, SharedRateLimiter
from backend.rate_limits.store import RateLimitService
from backend.rate_limits.sync import RateLimitSync
from backend.utils.background import in_background
from tests.fixtures.http.deadlines import hurrying
from tests.fixtures.postgres.background import counted_engine, let_in
from tests.fixtures.postgres.database import execute
from tests.fixtures.postgres.statements import noted_statements
from tests.fixtures.running.waiting import eventually
from tests.fixtures.telemetry.logs import events

SHORT, LONG = 0.02, 3600.0  # seconds between rate-limit syncs
MINUTE = 4_000_000_020
MANY = 5  # checks, at each of which it could sync

_SYNCED = "SELECT coalesce(sum(requests), 0)::integer FROM rate_limits"


@pytest.fixture
def engine(own_url: str) -> Iterator[Engine]:
    engine = Engine(own_url, pool_size=2, timeout_seconds=60)
    yield engine
    engine.dispose()


class Limiter(SharedRateLimiter):
    """A limit of 100 a day, of which a tenth are ten; the day does not end. Counts how often it was checked."""

    def __init__(self, seconds: int = 86400, clock: Callable[[], int] = lambda: MINUTE) -> None:
        super().__init__("user", Rate(100, seconds), lambda: clock() * 10**9)
        self.looks = 0

    def take(self, max_counts: int) -> list[Count]:
        self.looks += 1
        return super().take(max_counts)

    async def many_more_looks(self) -> None:
        """Wait until it has been checked many more times."""
        last = self.looks + MANY
        await eventually(lambda: self.looks > last)


@pytest.fixture
def limiter() -> Limiter:
    return Limiter()


def syncing(
    engine: Engine, limiter: SharedRateLimiter, seconds: float, connection_limiter: ConnectionLimiter | None = None
) -> AbstractAsyncContextManager[None]:
    service = RateLimitService(SessionFactory(engine, log_level=logging.DEBUG))
    return in_background(RateLimitSync(limiter, service, connection_limiter or ConnectionLimiter(1, 60), seconds).run)


def synced(own_url: str) -> int:
    ((requests,),) = execute(own_url, _SYNCED)
    return int(requests)


@pytest.mark.requirement("FR-102")
def test_nothing_is_asked_while_nothing_is_counted(
    own_url: str, limiter: Limiter, caplog: pytest.LogCaptureFixture
) -> None:
    async def idle(engine: Engine) -> None:
        async with syncing(engine, limiter, SHORT):
            await limiter.many_more_looks()
            assert proxy.round_trips == 0
            for _ in range(3):
                limiter.hit("a")
            await eventually(lambda: synced(own_url) == 3)
            await eventually(lambda: proxy.round_trips == 2)  # a rate-limit sync, and the sweep of this window
            limiter.hit("b")
            await eventually(lambda: synced(own_url) == 4)
            await limiter.many_more_looks()
            assert proxy.round_trips == 3

    with counted_engine(own_url) as (engine, proxy):
        asyncio.run(idle(engine))
    assert caplog.records == []


@pytest.mark.requirement("FR-103")
def test_who_has_used_a_tenth_is_synced_at_once(engine: Engine, own_url: str, limiter: Limiter) -> None:
    async def hurry() -> None:
        async with syncing(engine, limiter, LONG):
            for _ in range(9):
                limiter.hit("a")
            limiter.hit("b")
            assert not limiter.due.is_set()
            await asyncio.sleep(10 * SHORT)
            assert (limiter.looks, synced(own_url)) == (0, 0)
            limiter.hit("a")
            await eventually(lambda: synced(own_url) == 11)

    asyncio.run(hurry())


@pytest.mark.requirement("FR-100")
def test_what_others_count_is_known_after_a_sync(engine: Engine, own_url: str, limiter: Limiter) -> None:
    other = Limiter()

    async def share() -> None:
        async with syncing(engine, limiter, SHORT), syncing(engine, other, SHORT):
            for passed, one in zip(range(5, 101, 5), cycle((limiter, other)), strict=False):
                assert all(one.hit("a").allowed for _ in range(5))
                await eventually(partial(is_synced, own_url, passed))
                await eventually(partial(has_left, one, 100 - passed))
            assert not other.hit("a").allowed  # its worker was the last to sync
            assert limiter.hit("a").allowed  # with its outdated count
            await eventually(partial(has_left, limiter, 0))
            assert not limiter.hit("a").allowed

    asyncio.run(share())


@pytest.mark.requirement("FR-102")
def test_more_users_than_fit_into_one_statement_are_synced_by_several(
    engine: Engine, own_url: str, limiter: Limiter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "MAX_SYNCED", 3)

    async def crowd() -> None:
        async with syncing(engine, limiter, SHORT):
            for number in range(10):
                limiter.hit(f"user-{number}")
            await eventually(lambda: synced(own_url) == 10)

    asyncio.run(crowd())


@pytest.mark.requirement("FR-097", "FR-102")
def test_a_sync_waits_for_its_slot_like_a_request(engine: Engine, own_url: str, limiter: Limiter) -> None:
    async def crowded() -> None:
        connection_limiter = ConnectionLimiter(1, 60)
        async with syncing(engine, limiter, SHORT, connection_limiter):
            async with connection_limiter:  # although the engine has connections for both
                limiter.hit("a")
                await eventually(lambda: connection_limiter.waiting == 1)
                assert synced(own_url) == 0
            await eventually(lambda: synced(own_url) == 1)

    asyncio.run(crowded())


@pytest.mark.requirement("FR-103")
def test_a_database_that_is_away_is_said_once_and_synced_with_later(
    engine: Engine, own_url: str, limiter: Limiter, caplog: pytest.LogCaptureFixture
) -> None:
    connection_limiter = ConnectionLimiter(1, 60)

    async def outage(used: int) -> None:
        before = len(events(caplog, "rate_limits_not_shared"))
        with hurrying(connection_limiter, engine):
            let_in(own_url, allowed=False)
            for _ in range(used):
                assert limiter.hit("a").allowed
            await eventually(lambda: len(events(caplog, "rate_limits_not_shared")) > before)
            await limiter.many_more_looks()
            let_in(own_url, allowed=True)

    async def run() -> None:
        async with syncing(engine, limiter, SHORT, connection_limiter):
            await outage(60)
            await eventually(lambda: synced(own_url) == 60)
            await eventually(lambda: limiter.hit("a", cost=0).remaining == 40)
            await limiter.many_more_looks()  # the first outage is over when the old windows have been swept away, too
            await outage(40)
            assert not limiter.hit("a").allowed
            await eventually(lambda: synced(own_url) == 100)

    asyncio.run(run())

    assert [failed["level"] for failed in events(caplog, "rate_limits_not_shared")] == ["warning"] * 2
    assert "exception" not in caplog.text


@pytest.mark.requirement("FR-103")
def test_a_sync_that_is_refused_is_logged_and_tried_again(
    engine: Engine, own_url: str, limiter: Limiter, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        async with syncing(engine, limiter, SHORT):
            execute(own_url, "ALTER TABLE rate_limits RENAME TO elsewhere")
            limiter.hit("a")
            with noted_statements(engine) as sent:
                await eventually(lambda: len(sent) > 2)  # it has failed more than once, and logged that once
            execute(own_url, "ALTER TABLE elsewhere RENAME TO rate_limits")
            await eventually(lambda: synced(own_url) == 1)

    asyncio.run(run())

    (failed,) = events(caplog, "rate_limits_not_shared")
    assert failed["level"] == "warning"
    assert "StatementRefused: UndefinedTable (42P01)" in failed["exception"]


@pytest.mark.requirement("FR-105", "FR-247")
@pytest.mark.parametrize(
    ("seconds", "ahead", "stored"),
    [
        (60, 0, [[0], [0, 60], [0, 60, 120], [60, 120, 180], [120, 180, 240]]),
        (1, 0, [[0], [0, 30], [0, 30, 59], [59, 60], [59, 60, 119]]),  # windows of seconds are not worth a sweep each
        (60, 36_000, [[0], [0, 60], [0, 60, 120], [60, 120, 180], [120, 180, 240]]),  # until the clock is set back
    ],
)
def test_windows_of_the_past_are_removed_once_per_period(
    engine: Engine, own_url: str, seconds: int, ahead: int, stored: list[list[int]]
) -> None:
    times = [MINUTE + ahead]
    limiter = Limiter(seconds, lambda: times[-1])

    async def run() -> None:
        async with syncing(engine, limiter, SHORT):
            if ahead:
                limiter.hit("a")
                await eventually(partial(is_stored, own_url, [(times[-1],)]))
                await limiter.many_more_looks()  # a rate-limit sync ends with its sweep
                execute(own_url, "DELETE FROM rate_limits")
            for expected in stored:
                times.append(MINUTE + expected[-1])
                limiter.hit("a")
                rows = [(MINUTE + start,) for start in expected]
                await eventually(partial(is_stored, own_url, rows))
                await limiter.many_more_looks()

    asyncio.run(run())


def is_synced(own_url: str, requests: int) -> bool:
    return synced(own_url) == requests


def has_left(limiter: Limiter, requests: int) -> bool:
    return limiter.hit("a", cost=0).remaining == requests


def is_stored(own_url: str, rows: list[tuple[int]]) -> bool:
    return execute(own_url, "SELECT extract(epoch FROM window_start)::bigint FROM rate_limits ORDER BY 1") == rows


@pytest.mark.requirement("FR-102")
def test_the_end_waits_for_a_sync_that_is_under_way(engine: Engine, own_url: str, limiter: Limiter) -> None:
    waiting = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    plain = make_url(own_url).set(drivername="postgresql").render_as_string(hide_password=False)

    async def serve(ended: asyncio.Event) -> None:
        async with syncing(engine, limiter, SHORT):
            limiter.hit("a")
            await ended.wait()

    async def run() -> None:
        ended = asyncio.Event()
        with closing(psycopg2.connect(plain)) as connection, connection.cursor() as cursor:
            cursor.execute("LOCK TABLE rate_limits")
            serving = asyncio.create_task(serve(ended))
            await eventually(lambda: bool(execute(own_url, waiting)))
            ended.set()
            await asyncio.sleep(5 * SHORT)
            assert not serving.done()
        await serving

    asyncio.run(run())

    assert synced(own_url) == 1
