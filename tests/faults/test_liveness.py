"""Health checks: the service is live however busy it is, and readiness checks cost nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from pydantic import SecretStr

from backend.config import Settings
from backend.database.engine import Engine
from backend.database.migrations import runner as migrations
from backend.database.session import SessionFactory
from backend.errors import ServiceUnavailable
from backend.services.health.readiness import Readiness
from tests.fixtures.calls.api import new_user, serve
from tests.fixtures.http.connection import connection_to, head
from tests.fixtures.http.outages import POOL_SIZE, loaded, serving
from tests.fixtures.http.readiness import check
from tests.fixtures.postgres.database import execute
from tests.fixtures.postgres.proxy import counting_proxy
from tests.fixtures.running.waiting import until

BUSY = 200  # requests
HOUR_SECONDS = 3600
USES = [1000, 2500]  # seconds


@pytest.mark.requirement("FR-168")
@pytest.mark.parametrize("max_requests", [BUSY, BUSY // 2], ids=["not full", "full"])
def test_a_service_that_waits_for_a_silent_database_says_that_it_lives(
    settings: Settings, database_url: str, max_requests: int
) -> None:
    with counting_proxy(database_url) as proxy, ExitStack() as stack:
        running = stack.enter_context(serving(settings, proxy.url, max_concurrent_requests=max_requests))
        connection_limiter = running.app.state.connection_limiter
        client = stack.enter_context(running.client())
        assert client.get("/health/ready").status_code == 200
        proxy.silent = True
        busy = [stack.enter_context(connection_to(running)) for _ in range(BUSY)]
        in_hand, refused = busy[:max_requests], busy[max_requests:]
        for connection in in_hand:
            connection.send(head(new_user(), "GET /api/tasks"))
        until(lambda: connection_limiter.waiting == max_requests - POOL_SIZE)
        for connection in refused:
            connection.send(head(new_user(), "GET /api/tasks"))
        assert [connection.answer().status_code for connection in refused] == [503] * len(refused)

        before = proxy.round_trips
        for _ in range(20):
            assert client.get("/health/live").status_code == 200
        with ThreadPoolExecutor(10) as threads, running.client() as other:
            lives = threads.map(lambda _: other.get("/health/live").status_code, range(50))
            assert set(lives) == {200}

        assert all(connection.is_silent() for connection in in_hand)  # the health check did not wait for them
        assert proxy.round_trips == before
        proxy.silent = False
        proxy.cut()
        assert {connection.answer().status_code for connection in in_hand} == {200}


@pytest.mark.requirement("FR-169")
def test_asking_every_second_lets_the_database_sleep(database_url: str) -> None:
    now = 0.0
    with counting_proxy(database_url) as proxy:
        engine = Engine(proxy.url, pool_size=1, timeout_seconds=60)
        readiness = Readiness(SessionFactory(engine), frozenset(migrations.known()), clock=lambda: now)
        asked = []
        for second in range(HOUR_SECONDS):
            now, before = float(second), proxy.round_trips
            readiness.is_used |= second in USES
            check(readiness)
            asked += [second] * (proxy.round_trips > before)
        engine.dispose()

    # Once at the start, and once after each use of the database: an unused database is never woken.
    assert asked == [0, *USES]


@pytest.mark.requirement("FR-169", "FR-054")
def test_a_service_that_is_only_asked_whether_it_is_ready_asks_its_database_nothing(
    settings: Settings, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.api.main.SYNC_SECONDS", 0.01)
    with counting_proxy(database_url) as proxy:
        changes = {"database_url": SecretStr(proxy.url)}
        with serve(settings.model_copy(update=changes)) as running, running.client() as client:
            assert client.get("/health/ready").status_code == 200
            before = proxy.round_trips
            for _ in range(50):
                assert client.get("/health/ready").status_code == 200
            assert proxy.round_trips == before > 0


@pytest.mark.requirement("FR-169")
def test_a_good_answer_counts_no_more_when_a_request_has_found_the_database_away(
    settings: Settings, database_url: str
) -> None:
    with counting_proxy(database_url) as proxy, loaded(settings, proxy.url) as load:
        client = load.client
        assert client.get("/health/ready").status_code == 200
        proxy.close()
        proxy.cut()
        assert client.get("/health/ready").status_code == 200  # not yet noticed
        with load.in_a_hurry():
            assert client.get("/api/me").status_code == 503
            assert client.get("/health/ready").status_code == 503
        proxy.open()
        until(lambda: client.get("/health/ready").status_code == 200)


@pytest.mark.requirement("FR-169")
@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        ("DELETE FROM _yoyo_migration WHERE migration_id LIKE '0001%'", "1 migration"),
        ("ALTER TABLE tasks DISABLE ROW LEVEL SECURITY", "Row-level security does not work"),
    ],
)
def test_what_makes_a_service_unready_is_said(own_url: str, damage: str, reason: str) -> None:
    engine = Engine(own_url, pool_size=1, timeout_seconds=60)
    try:
        check(Readiness(SessionFactory(engine), frozenset(migrations.known())))
        execute(own_url, damage)
        with pytest.raises(ServiceUnavailable, match=reason):
            check(Readiness(SessionFactory(engine), frozenset(migrations.known())))
    finally:
        engine.dispose()
