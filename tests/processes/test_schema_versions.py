"""Schema mismatches: a new version of the service on an old schema, and an old version on a newer schema."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from backend.database.migrations import runner as migrations
from tests.fixtures.calls.api import new_user
from tests.fixtures.http.load import load_on
from tests.fixtures.identity.tokens import SECRET
from tests.fixtures.postgres.database import execute
from tests.fixtures.postgres.migrating import FILES, write
from tests.fixtures.processes.process import environment, run, served
from tests.fixtures.running.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.requirement("FR-249")

UNKNOWN = "9001.of-a-later-version"


def versions(directory: Path, names: list[str]) -> Path:
    """Fill a folder with these of our migrations."""
    for name in names:
        shutil.copy(migrations.MIGRATIONS / f"{name}.sql", directory)
    return directory


def test_new_versions_that_start_together_bring_an_old_schema_up_to_date(
    tmp_path: Path, directory: Path, empty_database_url: str
) -> None:
    migrations.apply(empty_database_url, versions(directory, FILES[:-2]))
    execute(empty_database_url, "INSERT INTO users (id, revision) VALUES ('of the old version', 7)")
    env = environment(tmp_path / "data", DATABASE_URL=empty_database_url, JWT_SECRET=SECRET)
    refused = run("serve", "--port", "0", env={**env, "ENVIRONMENT": "production"}, cwd=tmp_path)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == (
        f"task-api: the database schema is outdated: {FILES[-2]} is not applied (the first of 2). "
        "Run: task-api migrate\n"
    )

    with ExitStack() as stack, ThreadPoolExecutor(3) as threads:
        services = [threads.submit(stack.enter_context, served(env=env, cwd=tmp_path)) for _ in range(3)]
        for service in services:
            with load_on(service.result().address, new_user()) as load:
                pass
            assert load.lost() == []
    assert migrations.pending(empty_database_url) == []
    assert execute(empty_database_url, "SELECT revision FROM users WHERE id = 'of the old version'") == [(7,)]


def test_an_old_version_serves_on_a_newer_schema_and_leaves_it_alone(
    tmp_path: Path, directory: Path, empty_database_url: str
) -> None:
    write(versions(directory, FILES), UNKNOWN, "ALTER TABLE tasks ADD COLUMN colour text; CREATE TABLE comments ();")
    migrations.apply(empty_database_url, directory)
    env = environment(tmp_path / "data", DATABASE_URL=empty_database_url, JWT_SECRET=SECRET)

    for kind in ("development", "production"):
        with served(env={**env, "ENVIRONMENT": kind}, cwd=tmp_path) as service:
            ready = httpx.get(f"{service.address}/health/ready", trust_env=False, timeout=PATIENCE_SECONDS)
            assert ready.status_code == 200
            with load_on(service.address, new_user()) as load:
                pass
            assert load.lost() == []
    assert run("migrate", env=env, cwd=tmp_path).stdout == "nothing to apply: the schema is up to date\n"
    refused = run("migrate", "rollback", env=env, cwd=tmp_path)
    assert refused.returncode == 1
    assert f"{UNKNOWN} is applied, but not in" in refused.stderr
    assert execute(empty_database_url, "SELECT count(*) FROM comments") == [(0,)]
