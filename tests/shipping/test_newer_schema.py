"""A service on a schema newer than itself: during the migration, after it, and after the rollback."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from backend.config import Settings
from backend.database.migrations import runner as migrations
from backend.errors import ConfigurationError
from tests.fixtures.calls.api import API, new_user, serve
from tests.fixtures.calls.erasure import erasure_of, user_of
from tests.fixtures.calls.tasks import create, path_of
from tests.fixtures.http.load import load_on
from tests.fixtures.postgres.migrating import FILES, write
from tests.fixtures.running.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.requirement("FR-186")

NEXT = "9001.the-next-version"
EXPAND = """
ALTER TABLE tasks ADD COLUMN colour text;
ALTER TABLE users ADD COLUMN theme text DEFAULT 'plain' NOT NULL;
CREATE TABLE comments (
    user_id text NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (user_id, id)
);
ALTER TABLE comments ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON comments TO task_api
    USING (user_id = (SELECT nullif(current_setting('app.user_id', true), '')));
GRANT SELECT, INSERT, UPDATE, DELETE ON comments TO task_api;
"""
CONTRACT = "DROP TABLE comments; ALTER TABLE users DROP COLUMN theme; ALTER TABLE tasks DROP COLUMN colour;"


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """The migrations of the next version."""
    folder = tmp_path / "migrations"
    shutil.copytree(migrations.MIGRATIONS, folder)
    write(folder, NEXT, EXPAND, CONTRACT)
    return folder


@pytest.fixture
def api(own_url: str, settings: Settings) -> Iterator[API]:
    """This version, on its own database."""
    with serve(settings.model_copy(update={"database_url": SecretStr(own_url)})) as running:
        running.app.state.feed.stream_seconds = 0
        running.app.state.readiness.remember_seconds = 0
        yield running


def _everything_works(api: API) -> None:
    """Call every operation; the client compares each response strictly with the contract."""
    with api.client(new_user()) as client:
        assert client.get("/health/ready").status_code == 200
        path = path_of(create(client))
        create(client, "With an id", id="00000000-0000-7000-8000-000000000001")
        calls: list[tuple[str, str, object, int]] = [
            ("GET", path, None, 200),
            ("PUT", path, {"description": "Two litres"}, 200),
            ("PATCH", path, {"title": "Milk"}, 200),
            ("PATCH", f"{path}/complete", {"completed": True}, 200),
            ("GET", "/api/tasks?q=milk&sort=title&include_total=true", None, 200),
            ("POST", "/api/tasks/batch", {"operations": [{"op": "create", "data": {"title": "a"}}]}, 200),
            ("GET", "/api/changes", None, 200),
            ("GET", "/api/changes/stream", None, 200),
            ("DELETE", path, None, 204),
            ("POST", f"{path}/restore", None, 200),
            ("GET", "/api/me", None, 200),
            ("DELETE", erasure_of(user_of(client)), None, 204),
        ]
        for method, address, body, status in calls:
            answer = client.request(method, address, json=body) if body else client.request(method, address)
            assert answer.status_code == status, answer.text
        keyed = client.post("/api/tasks", json={"title": "Once"}, headers={"Idempotency-Key": "mine"})
        assert client.send(keyed.request).json() == keyed.json()


def test_it_goes_on_while_the_next_schema_comes_and_goes(api: API, own_url: str, newer: Path) -> None:
    _everything_works(api)
    with load_on(api.base_url, new_user(), kept=2, new=1) as load:
        assert migrations.apply(own_url, newer) == [NEXT]
        load.wait_for(50)
        _everything_works(api)
        assert migrations.rollback(own_url, newer) == NEXT
        load.wait_for(50)
        _everything_works(api)
    assert load.lost() == []
    assert "refused" not in load.counts()


def test_the_old_version_comes_back_to_it_and_leaves_it_alone(own_url: str, settings: Settings, newer: Path) -> None:
    migrations.apply(own_url, newer)

    assert migrations.pending(own_url) == []  # so that it starts in production
    with serve(settings.model_copy(update={"database_url": SecretStr(own_url)})) as api:
        api.app.state.feed.stream_seconds = 0
        _everything_works(api)
    assert migrations.apply(own_url) == []
    with pytest.raises(ConfigurationError, match=f"{NEXT} .* roll it back with the version that brought it"):
        migrations.rollback(own_url)
    assert [each.id for each in migrations.status(own_url)] == [*FILES, NEXT]
    assert all(each.applied for each in migrations.status(own_url))


def test_an_older_schema_is_noticed(empty_database_url: str, settings: Settings, newer: Path) -> None:
    """Tests the check itself: a service without its migrations is not ready."""
    for file in sorted(newer.glob(f"{FILES[-1]}*")):
        file.unlink()
    migrations.apply(empty_database_url, newer)
    with serve(settings.model_copy(update={"database_url": SecretStr(empty_database_url)})) as api:
        answer = httpx.get(f"{api.base_url}/health/ready", trust_env=False, timeout=PATIENCE_SECONDS)

    assert answer.status_code == 503
    assert "1 migrations are pending" in answer.json()["error"]["message"]
