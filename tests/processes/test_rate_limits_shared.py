"""One limit across real service processes: three workers on one database. Windows are days."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.fixtures.calls.api import new_user
from tests.fixtures.http.rates import begin_in_one_day, passing, synced, wait_until_synced
from tests.fixtures.identity.tokens import SECRET
from tests.fixtures.postgres.database import execute
from tests.fixtures.postgres.partitions import migrated_database
from tests.fixtures.processes.process import environment, served

LIMIT, TENTH, WORKERS = 60, 6, 3
UNSYNCED = WORKERS * TENTH  # the client waits while more are unsynced, so no more can arrive during a rate-limit sync


@pytest.fixture(autouse=True)
def one_day() -> None:
    begin_in_one_day()


@pytest.fixture(scope="module")
def url(server_url: str) -> Iterator[str]:
    """A database that is temporarily taken away from the services."""
    with migrated_database(server_url) as url:
        yield url


@pytest.fixture(scope="module")
def addresses(url: str, folder: Path) -> Iterator[tuple[str, str]]:
    """A service with one worker, and one with two."""
    settings = {"DATABASE_URL": url, "JWT_SECRET": SECRET, "RATE_LIMIT": f"{LIMIT}/day"}
    env = environment(folder, **settings)
    with served(env=env, cwd=folder) as one, served("--workers", "2", env=env, cwd=folder) as two:
        yield one.address, two.address


@pytest.mark.requirement("FR-100", "FR-103")
def test_a_process_alone_lets_exactly_the_limit_pass(addresses: tuple[str, str]) -> None:
    assert passing(new_user(), addresses[:1]) == LIMIT


@pytest.mark.requirement("FR-100", "FR-103")
def test_all_processes_together_let_hardly_more_than_the_limit_pass(addresses: tuple[str, str], url: str) -> None:
    user_id = new_user()

    passed = passing(user_id, addresses, lambda passed: wait_until_synced(url, user_id, passed - UNSYNCED))
    wait_until_synced(url, user_id, passed)
    # Workers that have not yet heard of it let a few more requests pass, and then hear of it.
    while more := passing(user_id, addresses):
        passed += more
        wait_until_synced(url, user_id, passed)

    assert LIMIT <= passed <= LIMIT + (WORKERS - 1) * (TENTH + UNSYNCED)
    assert synced(url, user_id) == passed


@pytest.mark.requirement("FR-103")
def test_without_the_database_each_worker_holds_the_limit_by_itself(
    addresses: tuple[str, str], url: str, folder: Path
) -> None:
    name, server = make_url(url).database, make_url(url).set(database="postgres")
    maintenance, user_id = server.render_as_string(hide_password=False), new_user()
    execute(maintenance, f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    execute(maintenance, "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = %s", name)
    execute(maintenance, f"ALTER DATABASE {name} RENAME TO {name}_away")  # services do not wait for a missing one
    try:
        one, two = addresses

        passed = passing(user_id, (one,))
        assert passed == LIMIT
        more = passing(user_id, (two,))
        assert LIMIT <= more <= 2 * LIMIT
    finally:
        execute(maintenance, f"ALTER DATABASE {name}_away RENAME TO {name}")
        execute(maintenance, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    wait_until_synced(url, user_id, passed + more)
    assert synced(url, user_id) == passed + more
    logs = "".join(log.read_text() for log in folder.glob("*.log"))
    assert logs.count("database_unavailable") == passed + more  # logged by each request, and by no rate-limit sync
    assert 1 <= logs.count("rate_limits_not_shared") <= WORKERS
