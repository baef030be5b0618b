"""One limit over the processes of the service, run as they are: three workers on one database. Windows are days."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest
from sqlalchemy import make_url

from backend.database import migrations
from backend.utils.auth import issue_token
from tests.fixtures.api import new_user
from tests.fixtures.database import execute, scratch_database
from tests.fixtures.process import environment, served
from tests.fixtures.rates import begin_in_one_day, is_refused
from tests.fixtures.tokens import SECRET

LIMIT, TENTH, WORKERS = 60, 6, 3
UNSETTLED = WORKERS * TENTH  # the client waits while there are more, so no more can arrive during a settlement
ENOUGH = 30  # requests in a row that reach every worker of a process: which of them answers is not ours to choose
DEADLINE_SECONDS = 30

_SETTLED = "SELECT coalesce(sum(requests), 0)::integer FROM rate_limits WHERE user_id = %s"


@pytest.fixture(autouse=True)
def one_day() -> None:
    begin_in_one_day()


@pytest.fixture(scope="module")
def url(server_url: str) -> Iterator[str]:
    """A database that is taken away from the services in between."""
    with scratch_database(server_url) as url:
        migrations.apply(url)
        yield url


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Where the services put their logs."""
    with TemporaryDirectory(prefix="task-api-test-") as name:
        yield Path(name)


@pytest.fixture(scope="module")
def addresses(url: str, folder: Path) -> Iterator[tuple[str, str]]:
    """A service with one worker, and one with two."""
    settings = {"DATABASE_URL": url, "JWT_SECRET": SECRET, "RATE_LIMIT": f"{LIMIT}/day"}
    env = environment(folder, **settings)
    with served(env=env, cwd=folder) as one, served("--workers", "2", env=env, cwd=folder) as two:
        yield one.address, two.address


def passing(user_id: str, addresses: tuple[str, ...], wait: Callable[[int], None] = lambda _: None) -> int:
    """Send requests to the addresses in turn until they are refused for good; returns how many were not."""
    headers = {"Authorization": f"Bearer {issue_token(SECRET, user_id, ttl_seconds=600)}"}
    passed = refused_in_a_row = 0
    # Each on a connection of its own, which any worker may take.
    connections = httpx.Limits(max_keepalive_connections=0)
    with httpx.Client(headers=headers, limits=connections, trust_env=False, timeout=DEADLINE_SECONDS) as client:
        for address in cycle(addresses):
            is_over = is_refused(client.get(f"{address}/api/me"))
            refused_in_a_row = refused_in_a_row + 1 if is_over else 0
            passed += not is_over
            wait(passed)
            if refused_in_a_row == ENOUGH * len(addresses):
                return passed
            assert passed < 2 * WORKERS * LIMIT
    raise AssertionError("there are no addresses")


def wait_until_settled(url: str, user_id: str, requests: int) -> None:
    """Wait until at least so many requests of a user are settled."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while execute(url, _SETTLED, user_id)[0][0] < requests:
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.requirement("FR-100", "FR-103")
def test_a_process_alone_lets_exactly_the_limit_pass(addresses: tuple[str, str]) -> None:
    assert passing(new_user(), addresses[:1]) == LIMIT


@pytest.mark.requirement("FR-100", "FR-103")
def test_all_processes_together_let_hardly_more_than_the_limit_pass(addresses: tuple[str, str], url: str) -> None:
    user_id = new_user()

    passed = passing(user_id, addresses, lambda passed: wait_until_settled(url, user_id, passed - UNSETTLED))
    wait_until_settled(url, user_id, passed)
    # Who had not heard of it all lets a few more pass, and then hears of it.
    while more := passing(user_id, addresses):
        passed += more
        wait_until_settled(url, user_id, passed)

    assert LIMIT <= passed <= LIMIT + (WORKERS - 1) * (TENTH + UNSETTLED)
    assert execute(url, _SETTLED, user_id) == [(passed,)]


@pytest.mark.requirement("FR-103")
def test_without_the_database_each_worker_holds_the_limit_by_itself(
    addresses: tuple[str, str], url: str, folder: Path
) -> None:
    name, server = make_url(url).database, make_url(url).set(database="postgres")
    maintenance, user_id = server.render_as_string(hide_password=False), new_user()
    execute(maintenance, f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    try:
        execute(maintenance, "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", name)
        one, two = addresses

        passed = passing(user_id, (one,))
        assert passed == LIMIT
        more = passing(user_id, (two,))
        assert LIMIT <= more <= 2 * LIMIT
    finally:
        execute(maintenance, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    wait_until_settled(url, user_id, passed + more)
    assert execute(url, _SETTLED, user_id) == [(passed + more,)]
    logs = "".join(log.read_text() for log in folder.glob("*.log"))
    assert logs.count("database unavailable") == passed + more  # each request says it, and no settlement
    assert 1 <= logs.count("rate limits are not shared") <= WORKERS
