"""While the database is away, every request is answered by its deadline; afterwards everything is as before."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pytest

from backend.config import Settings
from backend.database.connection_limiter import WAITING_SHARE
from backend.database.connector import MAX_PAUSE_SECONDS, RECOVERY_SECONDS
from tests.fixtures.http.outages import (
    AT_ONCE,
    EVERYTHING,
    POOL_SIZE,
    READS,
    SAFE_WRITES,
    TOGGLES,
    expect_nothing_left,
    loaded,
)
from tests.fixtures.postgres.proxy import Proxy, counting_proxy
from tests.fixtures.processes.servers import Server
from tests.fixtures.running.waiting import until

MANY = 40  # requests: far more than the permitted connection attempts
NEON_STARTS = "Couldn't connect to compute node"
FOR_GOOD = [
    "password authentication failed for user 'neondb_owner'",
    'password authentication failed for user "owner"',
    'database "nothing" does not exist',
    "Control plane request failed: endpoint is disabled",
    "Control plane request failed: endpoint cannot be found",
]
FOR_NOW = [NEON_STARTS, "remaining connection slots are reserved for roles with the SUPERUSER attribute"]


@dataclass(frozen=True)
class ProxiedDatabase:
    """A test database, and the proxy in front of it."""

    server: Server
    proxy: Proxy

    def refuse(self, message: str) -> None:
        """Cut all connections, and refuse new ones."""
        self.proxy.refusal = message
        self.proxy.cut()

    def let_in(self) -> None:
        """Accept connections again."""
        self.proxy.refusal = None

    def close(self) -> None:
        """Cut all connections, and stop listening."""
        self.proxy.close()
        self.proxy.cut()

    def fall_silent(self) -> None:
        """Send nothing more, on any connection."""
        self.proxy.silent = True

    def speak(self) -> None:
        """Send again; whatever was sent during the silence is lost."""
        self.proxy.cut()
        self.proxy.silent = False


@dataclass(frozen=True)
class Outage:
    """How a database goes away, and how it comes back."""

    begin: Callable[[ProxiedDatabase], None]
    end: Callable[[ProxiedDatabase], None]


OUTAGES = {
    "stopped": Outage(lambda database: database.server.stop(), lambda database: database.server.start()),
    "killed": Outage(lambda database: database.server.kill(), lambda database: database.server.start()),
    "frozen": Outage(lambda database: database.server.freeze(), lambda database: database.server.thaw()),
    "nobody listens": Outage(ProxiedDatabase.close, lambda database: database.proxy.open()),
    "silent": Outage(ProxiedDatabase.fall_silent, ProxiedDatabase.speak),
    "suspended": Outage(lambda database: database.refuse(NEON_STARTS), ProxiedDatabase.let_in),
}


@pytest.fixture
def database(own_server: Server) -> Iterator[ProxiedDatabase]:
    """A server behind a proxy."""
    with counting_proxy(own_server.url()) as proxy:
        yield ProxiedDatabase(own_server, proxy)


@contextmanager
def lasting(outage: Outage, database: ProxiedDatabase) -> Iterator[None]:
    """Keep the database away while the block runs."""
    outage.begin(database)
    try:
        yield
    finally:
        outage.end(database)


def max_attempts(began: float) -> float:
    """Return how many attempts are allowed since the database went away: many at first, then ever fewer."""
    return 2 * POOL_SIZE + (time.monotonic() - began) / (MAX_PAUSE_SECONDS / 2)


@pytest.mark.requirement("FR-160", "FR-162")
@pytest.mark.parametrize("outage", ["stopped", "frozen", "nobody listens", "silent", "suspended"])
def test_an_outage_is_answered_by_the_deadline_and_leaves_nothing(
    settings: Settings, database: ProxiedDatabase, outage: str
) -> None:
    with loaded(settings, database.proxy.url) as load:
        with lasting(OUTAGES[outage], database), load.in_a_hurry():
            answers = load.at_once()  # while the database is away: these do not wait for it to come back
        back = time.monotonic()

        assert [answer for answer in answers if not answer.asks_to_come_again] == []
        load.wait_until_all_is_well()
        assert all(answer.is_good for answer in load.at_once(count=3 * POOL_SIZE))
        # No storm. A connection that is opened to replace another may turn out to be unneeded, and is closed.
        assert len([attempt for attempt in database.proxy.attempts if attempt > back]) <= 2 * POOL_SIZE
        expect_nothing_left(database.server.url())
        assert database.proxy.connections <= POOL_SIZE


@pytest.mark.requirement("FR-160")
@pytest.mark.parametrize("outage", ["killed", "frozen", "nobody listens"])
def test_requests_that_are_under_way_are_answered_when_it_begins(
    settings: Settings, database: ProxiedDatabase, outage: str
) -> None:
    with loaded(settings, database.proxy.url) as load:
        with ExitStack() as lasts, load.in_a_hurry(), load.going_on(EVERYTHING) as answers:
            until(lambda: len(answers) > AT_ONCE)
            lasts.enter_context(lasting(OUTAGES[outage], database))
            until(lambda: any(answer.asks_to_come_again for answer in answers))
            # The database is still away, and no request waits any more.
        assert [answer for answer in answers if not answer.is_good and not answer.asks_to_come_again] == []
        load.wait_until_all_is_well()


@pytest.mark.requirement("FR-162", "FR-155")
def test_of_a_short_outage_clients_see_only_that_answers_take_longer(
    settings: Settings, database: ProxiedDatabase
) -> None:
    with loaded(settings, database.proxy.url) as load, load.going_on(READS + SAFE_WRITES) as answers:
        until(lambda: len(answers) > AT_ONCE)
        database.server.stop(signal.SIGQUIT)
        until(load.is_away)
        gone = time.monotonic()
        tried = len(database.proxy.attempts)
        with load.going_on(TOGGLES, count=2) as toggled:  # impossible while the database is away
            until(lambda: len(database.proxy.attempts) > tried)
            back = time.monotonic()
            database.server.start()
        load.wait_until_all_is_well()

    assert [answer for answer in [*answers, *toggled] if not answer.is_good] == []
    assert any(answer.began < gone and answer.began + answer.seconds > back for answer in answers)


@pytest.mark.requirement("FR-162")
def test_a_request_has_time_for_an_outage_of_three_seconds_by_default() -> None:
    default: float = Settings.model_fields["request_timeout_seconds"].default
    assert default * WAITING_SHARE > 3 + MAX_PAUSE_SECONDS + RECOVERY_SECONDS


@pytest.mark.requirement("FR-161", "FR-162")
def test_while_the_database_is_away_a_worker_tries_seldom_and_one_at_a_time(
    settings: Settings, database: ProxiedDatabase
) -> None:
    """This holds for any number of requests; test_attempts.py checks when it tries."""
    with loaded(settings, database.proxy.url) as load, load.in_a_hurry(), load.going_on(EVERYTHING) as answers:
        before, gone = len(database.proxy.attempts), time.monotonic()
        with lasting(OUTAGES["suspended"], database):
            until(lambda: sum(answer.asks_to_come_again for answer in answers) > MANY)
            attempts = len(database.proxy.attempts) - before
            assert attempts <= max_attempts(gone)


@pytest.mark.requirement("FR-161", "FR-162")
def test_what_will_not_get_better_by_itself_is_answered_at_once(settings: Settings, database: ProxiedDatabase) -> None:
    with loaded(settings, database.proxy.url) as load:  # a deadline far in the future
        for message in FOR_GOOD:
            before, gone = len(database.proxy.attempts), time.monotonic()
            database.refuse(message)
            answers = load.at_once(count=MANY)
            attempts = len(database.proxy.attempts) - before
            database.let_in()

            assert all(answer.asks_to_come_again for answer in answers), message
            assert attempts <= max_attempts(gone)
            load.wait_until_all_is_well()


@pytest.mark.requirement("FR-161")
@pytest.mark.parametrize("message", FOR_NOW)
def test_what_may_pass_is_waited_for(settings: Settings, database: ProxiedDatabase, message: str) -> None:
    with loaded(settings, database.proxy.url) as load:
        before = len(database.proxy.attempts)
        database.refuse(message)
        with load.going_on(READS + SAFE_WRITES) as answers:
            until(load.is_away)
            until(lambda: len(database.proxy.attempts) > before + 2)
            let_in = time.monotonic()
            database.let_in()
            until(lambda: len(answers) > AT_ONCE)
        assert all(answer.is_good for answer in answers)
        assert any(answer.began < let_in < answer.began + answer.seconds for answer in answers)
