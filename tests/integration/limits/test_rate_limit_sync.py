"""Workers that share their counts: several limiters in this process, on one real database."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field

import psycopg2
import pytest
from sqlalchemy import make_url

from backend.config import Rate
from backend.database.engine import Engine
from backend.database.errors import StatementRefused
from backend.database.session import SessionFactory
from backend.rate_limits.counter import Count, SharedRateLimiter
from backend.rate_limits.store import MAX_SWEPT, RateLimitService, counted_as
from tests.fixtures.calls.api import new_user
from tests.fixtures.postgres.database import execute
from tests.fixtures.postgres.statements import run

MINUTE = 4_000_000_020  # start of a minute, so late that nothing else on this database is newer and sweeps it
POOL_SIZE = 4


def build(url: str) -> Iterator[Engine]:
    """Build the engine as the service does."""
    engine = Engine(url, pool_size=POOL_SIZE, timeout_seconds=60)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def engine(database_url: str) -> Iterator[Engine]:
    yield from build(database_url)


@pytest.fixture
def service(engine: Engine) -> RateLimitService:
    return RateLimitService(SessionFactory(engine))


@pytest.mark.requirement("FR-100", "FR-102")
def test_a_sync_adds_counts_and_answers_the_totals_of_both_windows(service: RateLimitService) -> None:
    anne, ben, other = new_user(), new_user(), new_user()
    starts = (MINUTE + 60, MINUTE)
    service.sync([Count(anne, MINUTE, 5), Count(anne, MINUTE - 60, 7), Count(other, MINUTE, 9)], starts)

    totals = service.sync([Count(ben, MINUTE + 60, 1), Count(anne, MINUTE + 60, 2)], starts)

    assert sorted(totals) == sorted([Count(anne, MINUTE, 5), Count(anne, MINUTE + 60, 2), Count(ben, MINUTE + 60, 1)])
    again = service.sync([Count(anne, MINUTE, 1), Count(anne, MINUTE + 60, 10)], starts)
    assert sorted(again) == [Count(anne, MINUTE, 6), Count(anne, MINUTE + 60, 12)]


@pytest.mark.requirement("FR-100", "FR-102")
def test_workers_that_sync_the_same_users_at_once_lose_nothing(service: RateLimitService) -> None:
    users, rounds = [new_user() for _ in range(200)], 15
    start = threading.Barrier(POOL_SIZE)

    def sync(worker: int) -> None:
        chance = random.Random(worker)  # noqa: S311 - the same each time
        start.wait()
        for _ in range(rounds):
            service.sync([Count(user, MINUTE, 1) for user in chance.sample(users, len(users))], (MINUTE, MINUTE - 60))

    with ThreadPoolExecutor(POOL_SIZE) as threads:
        list(threads.map(sync, range(POOL_SIZE)))

    totals = service.sync([Count(user, MINUTE, 1) for user in users], (MINUTE, MINUTE - 60))
    assert {total.requests for total in totals} == {POOL_SIZE * rounds + 1}


@pytest.mark.requirement("FR-102")
def test_no_user_sees_the_counts_of_anybody(service: RateLimitService, engine: Engine, database_url: str) -> None:
    user = new_user()
    service.sync([Count(user, MINUTE, 5)], (MINUTE, MINUTE - 60))
    sessions = SessionFactory(engine)

    for sql in (
        "SELECT * FROM rate_limits",
        "UPDATE rate_limits SET requests = 1 RETURNING *",
        "DELETE FROM rate_limits RETURNING *",
    ):
        with sessions(user) as session:
            assert run(session, sql) == []
    with pytest.raises(StatementRefused, match="row-level security"), sessions(user) as session:
        run(session, "INSERT INTO rate_limits VALUES (%(user)s, now(), 1)", {"user": user})
    stored = execute(database_url, "SELECT requests FROM rate_limits WHERE user_id = %s", counted_as(user))
    assert stored == [(5,)]


@pytest.fixture
def own_engine(own_url: str) -> Iterator[Engine]:
    yield from build(own_url)


_FILL = "INSERT INTO rate_limits SELECT 'user-' || number, to_timestamp(%s), 1 FROM generate_series(1, %s) AS number"
_WINDOWS = "SELECT extract(epoch FROM window_start)::bigint, count(*) FROM rate_limits GROUP BY 1 ORDER BY 1"


@pytest.mark.requirement("FR-105")
def test_a_sweep_removes_what_is_past_some_at_a_time_and_waits_for_nobody(own_engine: Engine, own_url: str) -> None:
    service = RateLimitService(SessionFactory(own_engine))
    execute(own_url, _FILL, MINUTE - 60, MAX_SWEPT)
    execute(own_url, _FILL, MINUTE, 5)
    plain = make_url(own_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with closing(psycopg2.connect(plain)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT FROM rate_limits WHERE user_id = 'user-1' FOR UPDATE")

        assert service.sweep(MINUTE)
        assert execute(own_url, _WINDOWS) == [(MINUTE - 60, 1), (MINUTE, 5)]
    execute(own_url, _FILL, MINUTE - 120, MAX_SWEPT)
    assert not service.sweep(MINUTE)
    assert service.sweep(MINUTE)
    assert execute(own_url, _WINDOWS) == [(MINUTE, 5)]


@dataclass
class Worker:
    """One worker's limiter, with a rate-limit sync that can be in progress while other workers continue."""

    limiter: SharedRateLimiter
    passed: int = 0
    in_flight: list[Count] = field(default_factory=list)
    answer: list[Count] | None = None
    arrived: int = 0  # since the rate-limit sync began
    max_arrived: int = 0

    def step(self, service: RateLimitService) -> None:
        """Advance the rate-limit sync one step: start it, run the statement, or apply the result."""
        if not self.in_flight:
            self.in_flight, self.arrived = self.limiter.take(100), 0
            self.limiter.due.clear()
        elif self.answer is None:
            self.answer = service.sync(self.in_flight, self.limiter.window_starts)
        else:
            self.limiter.sync(self.answer)
            self.in_flight, self.answer = [], None

    def send(self, user: str) -> None:
        if self.limiter.hit(user).allowed:
            self.passed += 1
            self.arrived += bool(self.in_flight)
            self.max_arrived = max(self.max_arrived, self.arrived)


@pytest.mark.requirement("FR-103")
@pytest.mark.parametrize("seed", range(6))
def test_workers_together_let_no_more_pass_than_is_said(service: RateLimitService, seed: int) -> None:
    chance, user, limit, tenth = random.Random(seed), new_user(), 100, 10  # noqa: S311
    workers = [
        Worker(SharedRateLimiter("user", Rate(limit, 60), lambda: MINUTE * 10**9)) for _ in range(chance.randint(2, 5))
    ]
    for _ in range(3000):
        worker = chance.choice(workers)
        if worker.in_flight or worker.limiter.due.is_set():
            if chance.random() < 0.5:
                worker.step(service)
        elif chance.random() < 0.01:
            worker.step(service)  # the second one is complete
        worker.send(user)

    arriving = max(worker.max_arrived for worker in workers)
    passed = sum(worker.passed for worker in workers)
    assert limit <= passed <= limit + (len(workers) - 1) * (max(tenth, arriving) + arriving)
    for _ in range(3):
        for worker in workers:
            worker.step(service)
    assert not any(worker.limiter.hit(user).allowed for worker in workers)
