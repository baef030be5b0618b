"""When a worker purges, what it does while the database is away, and that it makes no queries while idle."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from dataclasses import asdict

import pytest
from pydantic import SecretStr

from backend.api.background.purge_job import FIRST_PURGE_SECONDS, PURGE_SECONDS, PurgeJob
from backend.config import Settings
from backend.database.connection_limiter import ConnectionLimiter
from backend.database.engine import Engine
from backend.database.session import SessionFactory
from backend.services.purge import Purged, PurgeService
from backend.utils.background import in_background
from tests.fixtures.calls.api import new_user, serve
from tests.fixtures.http.deadlines import hurrying
from tests.fixtures.postgres.background import counted_engine, let_in
from tests.fixtures.postgres.database import execute
from tests.fixtures.postgres.expired import Hoarder
from tests.fixtures.running.waiting import eventually
from tests.fixtures.telemetry.logs import events

SHORT = 0.02  # seconds between purges
MANY = 5  # rounds, in each of which it could purge


class Rounds:
    """Counts how often the job has started to wait for its next turn; each wait takes the requested time."""

    def __init__(self) -> None:
        self.begun = 0

    def __call__(self) -> float:
        self.begun += 1
        return 0.5

    async def many_more(self) -> None:
        """Wait until the job has had many more turns."""
        last = self.begun + MANY
        await eventually(lambda: self.begun > last)


@pytest.fixture
def engine(module_url: str) -> Iterator[Engine]:
    engine = Engine(module_url, pool_size=2, timeout_seconds=60)
    yield engine
    engine.dispose()


def purge_job(
    engine: Engine,
    connection_limiter: ConnectionLimiter | None = None,
    rounds: Rounds | None = None,
    *,
    is_used: bool = True,
) -> PurgeJob:
    service = PurgeService(SessionFactory(engine, log_level=logging.DEBUG))
    return PurgeJob(
        service,
        connection_limiter or ConnectionLimiter(1, 60),
        SHORT,
        SHORT,
        chance=rounds or Rounds(),
        is_used=is_used,
    )


def is_gone(hoarder: Hoarder) -> Callable[[], bool]:
    """Return a function that says whether nothing is left of the user."""
    return lambda: (hoarder.left().tasks, hoarder.left().keys) == (0, 0)


@pytest.mark.requirement("FR-138")
def test_it_purges_again_and_again_while_it_is_used(
    engine: Engine, module_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "backend.api.background.purge_job")

    async def run() -> None:
        background = purge_job(engine, is_used=False)
        async with in_background(background.run):
            for _ in range(2):
                hoarder = Hoarder.with_rows(module_url, tasks=2, keys=1, tokens=3)
                background.is_used = True
                await eventually(is_gone(hoarder))
                await eventually(lambda: events(caplog, "purged"))
                (purged,) = events(caplog, "purged")
                assert {name: purged[name] for name in asdict(Purged())} == asdict(Purged(tasks=2, keys=1, tokens=3))
                caplog.clear()

    asyncio.run(run())


@pytest.mark.requirement("FR-139")
def test_nothing_is_asked_while_nobody_uses_it(module_url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "backend.api.background.purge_job")
    hoarder = Hoarder.with_rows(module_url, tasks=1)

    async def idle(engine: Engine) -> None:
        rounds = Rounds()
        background = purge_job(engine, rounds=rounds, is_used=False)
        async with in_background(background.run):
            await rounds.many_more()
            assert (proxy.round_trips, hoarder.left().tasks) == (0, 1)
            background.is_used = True
            await eventually(lambda: proxy.round_trips == 3)  # look, purge, find nothing
            await rounds.many_more()
            assert (proxy.round_trips, hoarder.left().tasks) == (3, 0)
            background.is_used = True
            await eventually(lambda: proxy.round_trips == 4)  # nothing to purge
            await rounds.many_more()
            assert proxy.round_trips == 4

    with counted_engine(module_url) as (engine, proxy):
        asyncio.run(idle(engine))
    (purged,) = events(caplog, "purged")
    assert (purged["tasks"], purged["tombstones"], purged["keys"]) == (1, 0, 0)


@pytest.mark.requirement("FR-138", "FR-139")
def test_a_request_of_a_user_lets_a_worker_purge_and_other_requests_do_not(
    module_url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.api.main.FIRST_PURGE_SECONDS", SHORT)
    monkeypatch.setattr("backend.api.main.PURGE_SECONDS", SHORT)
    hoarder, rounds, wait = Hoarder.with_rows(module_url, tasks=1, keys=1), Rounds(), PurgeJob._wait  # noqa: SLF001

    async def counted_wait(self: PurgeJob, seconds: float) -> None:
        rounds()
        await wait(self, seconds)

    monkeypatch.setattr(PurgeJob, "_wait", counted_wait)
    with serve(settings.model_copy(update={"database_url": SecretStr(module_url)})) as api:
        with api.client() as anonymous:
            for path, status in {"/health/ready": 200, "/": 200, "/api/tasks": 401}.items():
                assert anonymous.get(path).status_code == status
        asyncio.run(rounds.many_more())
        assert hoarder.left().tasks == 1
        with api.client(new_user()) as client:
            assert client.get("/api/tasks").status_code == 200
        asyncio.run(eventually(is_gone(hoarder)))


@pytest.mark.requirement("FR-138")
def test_it_waits_a_minute_at_first_and_then_an_hour_but_not_every_worker_the_same(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        await asyncio.sleep(0 if len(waits) < 3 else 3600)

    async def run() -> None:
        chances = iter([0.0, 0.5, 1.0])
        service = PurgeService(SessionFactory(engine))
        background = PurgeJob(
            service, ConnectionLimiter(1, 60), FIRST_PURGE_SECONDS, PURGE_SECONDS, chance=lambda: next(chances)
        )
        async with in_background(background.run):
            await eventually(lambda: len(waits) == 3)

    monkeypatch.setattr("backend.api.background.purge_job.anyio.sleep", sleep)
    asyncio.run(run())

    assert waits == [30, 3600, 5400]


@pytest.mark.requirement("FR-138")
def test_it_waits_for_its_slot_like_a_request_and_frees_it_after_each_statement(
    engine: Engine, module_url: str
) -> None:
    hoarders = [Hoarder.with_rows(module_url, tasks=1) for _ in range(5)]

    def left() -> int:
        return sum(hoarder.left().tasks for hoarder in hoarders)

    async def run() -> None:
        connection_limiter, seen = ConnectionLimiter(1, 60), set[int]()
        async with in_background(purge_job(engine, connection_limiter).run):
            async with connection_limiter:  # although the engine has connections for both
                await eventually(lambda: connection_limiter.waiting == 1)
                assert left() == 5
            while left():
                async with (
                    connection_limiter
                ):  # first come, first served: there is no more than one statement in between
                    seen.add(await asyncio.to_thread(left))
        assert seen == {0, 1, 2, 3, 4, 5}

    asyncio.run(run())


@pytest.mark.requirement("FR-138")
def test_a_database_that_is_away_is_said_once_and_purged_later(
    engine: Engine, module_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "backend.api.background.purge_job")
    connection_limiter = ConnectionLimiter(1, 60)

    async def outage(background: PurgeJob) -> None:
        before = len(events(caplog, "purge_failed"))
        with hurrying(connection_limiter, engine):
            let_in(module_url, allowed=False)
            for _ in range(3):
                background.is_used = True
                await eventually(lambda: not background.is_used)
            await eventually(lambda: len(events(caplog, "purge_failed")) > before)
            let_in(module_url, allowed=True)

    async def run() -> None:
        background = purge_job(engine, connection_limiter, is_used=False)
        async with in_background(background.run):
            for purges in (1, 2):
                await outage(background)
                hoarder = Hoarder.with_rows(module_url, tasks=1)
                background.is_used = True
                await eventually(is_gone(hoarder))
                # The next outage must not cut this purge short: without a success in between, it is the same one.
                await eventually(lambda: len(events(caplog, "purged")) == purges)  # noqa: B023 - called at once

    asyncio.run(run())

    assert [failed["level"] for failed in events(caplog, "purge_failed")] == ["warning"] * 2
    assert "exception" not in caplog.text


@pytest.mark.requirement("FR-138")
def test_a_purge_that_is_refused_is_logged_and_tried_again(
    engine: Engine, module_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        background = purge_job(engine)
        execute(module_url, "ALTER TABLE tombstones RENAME TO elsewhere")
        async with in_background(background.run):
            await eventually(lambda: events(caplog, "purge_failed"))
            execute(module_url, "ALTER TABLE elsewhere RENAME TO tombstones")
            hoarder = Hoarder.with_rows(module_url, tombstones=1)
            background.is_used = True
            await eventually(lambda: hoarder.left().tombstones == 0)

    asyncio.run(run())

    (failed,) = events(caplog, "purge_failed")
    assert failed["level"] == "warning"
    assert "StatementRefused: UndefinedTable (42P01)" in failed["exception"]
