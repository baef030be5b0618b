"""Migrations of a database that is in use: they wait for others, briefly and again, and others hardly wait for them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import psycopg2
import pytest
from psycopg2.extensions import connection as PostgresConnection  # noqa: N812 - a class, whatever its name
from pydantic import SecretStr
from sqlalchemy import make_url

from backend.config import Settings
from backend.database.migrations import runner as migrations
from backend.errors import ConfigurationError
from tests.fixtures.calls.api import API, new_user, serve
from tests.fixtures.calls.tasks import create, path_of
from tests.fixtures.http.load import load_on
from tests.fixtures.postgres.database import execute
from tests.fixtures.postgres.migrating import write
from tests.fixtures.postgres.statements import noted_statements
from tests.fixtures.running.waiting import PATIENCE_SECONDS, until
from tests.fixtures.telemetry.logs import events

pytestmark = pytest.mark.requirement("FR-383")

NEXT = "9999.next"
WAITS = """
SELECT 1 FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'task-api migrate' AND wait_event_type = 'Lock'
"""


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """A folder for our migrations and the next one."""
    for file in migrations.MIGRATIONS.iterdir():
        (tmp_path / file.name).write_text(file.read_text())
    return tmp_path


@contextmanager
def transaction(url: str) -> Iterator[PostgresConnection]:
    """Open a transaction that waits for locks as long as it takes, and is never the victim of a deadlock."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with closing(psycopg2.connect(plain)) as connection:
        with connection.cursor() as cursor:
            cursor.execute(f"SET deadlock_timeout = '{PATIENCE_SECONDS}s'")
        yield connection
        connection.rollback()  # close() alone does not wait until the server has released its locks


def run(connection: PostgresConnection, statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@contextmanager
def migrating(url: str, work: Callable[[], object]) -> Iterator[Future[object]]:
    """Migrate in a thread until the block ends, and begin the block when the migration waits for a lock."""
    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(work)
        until(lambda: running.done() or execute(url, WAITS))
        yield running


def postponed(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [line["reason"] for line in events(caplog, "migration_postponed")]


@pytest.mark.parametrize("back", [False, True], ids=["forth", "back"])
def test_a_change_that_has_begun_is_waited_for_whatever_the_order_of_the_tables(
    own_url: str, newer: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, *, back: bool
) -> None:
    """The migration changes tasks first, the request users: without an order, each would wait for the other."""
    monkeypatch.setattr(migrations, "TABLE_LOCK_SECONDS", PATIENCE_SECONDS)
    write(
        newer,
        NEXT,
        "ALTER TABLE tasks ADD COLUMN a text; ALTER TABLE users ADD COLUMN a text;",
        "ALTER TABLE tasks DROP COLUMN a; ALTER TABLE users DROP COLUMN a;",
    )
    if back:
        migrations.apply(own_url, newer)
    execute(own_url, "INSERT INTO users (id) VALUES ('a')")
    with transaction(own_url) as change:
        run(change, "SELECT FROM users WHERE id = 'a' FOR UPDATE")
        migrate = migrations.rollback if back else migrations.apply
        with migrating(own_url, lambda: migrate(own_url, newer)) as running:
            assert execute(own_url, "SELECT id FROM users") == [("a",)]  # reads go on
            run(change, "INSERT INTO tasks (user_id, id, title, revision) VALUES ('a', gen_random_uuid(), 'a', 1)")
            change.commit()
        assert running.result() == (NEXT if back else [NEXT])
    assert postponed(caplog) == []
    assert execute(own_url, "SELECT title FROM tasks") == [("a",)]


@pytest.mark.parametrize("back", [False, True], ids=["forth", "back"])
def test_a_long_read_postpones_it_and_holds_nobody_up_meanwhile(
    own_url: str, newer: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, *, back: bool
) -> None:
    monkeypatch.setattr(migrations, "TABLE_LOCK_SECONDS", 0.1)
    monkeypatch.setattr(migrations, "PAUSE_SECONDS", 0.1)
    monkeypatch.setattr(migrations, "MAX_ATTEMPTS", PATIENCE_SECONDS * 10)
    write(newer, NEXT, "ALTER TABLE tasks ADD COLUMN a text", "ALTER TABLE tasks DROP COLUMN a")
    if back:
        migrations.apply(own_url, newer)
    with transaction(own_url) as backup:
        run(backup, "TABLE tasks")
        migrate = migrations.rollback if back else migrations.apply
        with migrating(own_url, lambda: migrate(own_url, newer)) as running:
            for number in range(3):
                until(lambda: len(postponed(caplog)) > number)  # noqa: B023 - called at once
                execute(own_url, "INSERT INTO users (id) VALUES (%s)", str(number))
                execute(own_url, "TABLE tasks")
            assert not running.done()
            backup.rollback()
        assert running.result() == (NEXT if back else [NEXT])
    assert set(postponed(caplog)) == {
        f"Migration {NEXT} failed, nothing was changed: canceling statement due to lock timeout"
    }


def test_a_deadlock_with_a_read_postpones_it(
    own_url: str, newer: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(migrations, "TABLE_LOCK_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(migrations, "PAUSE_SECONDS", 0.1)
    name = make_url(own_url).database
    execute(own_url, f"ALTER DATABASE {name} SET deadlock_timeout = '10ms'")
    write(newer, NEXT, "ALTER TABLE labels ADD COLUMN a text; SELECT pg_advisory_xact_lock(1); LOCK TABLE tasks")
    with transaction(own_url) as gate, transaction(own_url) as read, ThreadPoolExecutor(1) as thread:
        run(gate, "SELECT pg_advisory_xact_lock(1)")
        run(read, "TABLE tasks")
        with migrating(own_url, lambda: migrations.apply(own_url, newer)) as running:  # it holds labels
            reading = thread.submit(run, read, "TABLE labels")
            waits = "SELECT 1 FROM pg_locks WHERE relation = 'labels'::regclass AND NOT granted"
            until(lambda: running.done() or execute(own_url, waits))
            gate.rollback()
            reading.result()
            read.rollback()
        assert running.result() == [NEXT]
    assert postponed(caplog) == [f"Migration {NEXT} failed, nothing was changed: deadlock detected"]


def test_it_gives_up_at_last_and_has_changed_nothing(
    own_url: str, newer: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(migrations, "TABLE_LOCK_SECONDS", 0.01)
    monkeypatch.setattr(migrations, "PAUSE_SECONDS", 0)
    write(newer, NEXT, "CREATE TABLE more (); ALTER TABLE users ADD COLUMN a text")
    with transaction(own_url) as backup:
        run(backup, "TABLE users")
        with pytest.raises(
            ConfigurationError, match=f"{NEXT} failed, nothing was changed: .*lock timeout, in each of 12 attempts"
        ):
            migrations.apply(own_url, newer)
        assert len(postponed(caplog)) == 11
        run(backup, "LOCK TABLE users IN ROW SHARE MODE")
        with pytest.raises(ConfigurationError, match=r"refused: .*lock timeout, in each of 12 attempts"):
            migrations.apply(own_url, newer)
    assert migrations.pending(own_url, newer) == [NEXT]


def test_any_other_failure_is_final(own_url: str, newer: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    write(newer, NEXT, "SELECT 1 / 0")
    with pytest.raises(ConfigurationError, match=r"division by zero$"):
        migrations.apply(own_url, newer)
    assert postponed(caplog) == []


@contextmanager
def editing(api: API) -> Iterator[list[int]]:
    """Edit a task again and again until the block ends; gives the statuses of the answers so far."""
    statuses: list[int] = []
    ended = Event()

    def edit() -> None:
        with api.client(new_user()) as client:
            path = path_of(create(client))
            while not ended.is_set():
                statuses.append(client.put(path, json={"title": f"{len(statuses)}"}).status_code)

    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(edit)
        try:
            yield statuses
        finally:
            ended.set()
        running.result()


def wait_until_prepared(sent: list[tuple[str, Any]], edited: list[int]) -> None:
    """Wait until a message only executes, so its connection is direct and was prepared; and until after an edit."""
    began, answered = len(sent), len(edited)
    until(lambda: any("EXECUTE" in sql and "PREPARE" not in sql for sql, _ in sent[began:]))
    until(lambda: len(edited) > answered + 1)


@pytest.mark.requirement("FR-506", "FR-516")
def test_it_goes_back_and_forth_while_requests_write(own_url: str, settings: Settings, newer: Path) -> None:
    """The type of a column changes, too: what is prepared with it fails, and nobody notices."""
    tables = ("tasks", "labels", "lists", "tombstones", "idempotency_keys", "access_tokens", "users")  # awkward order
    changes = [f"ALTER TABLE {table} ADD COLUMN extra text" for table in tables]
    back = [f"ALTER TABLE {table} DROP COLUMN extra" for table in tables]
    change, change_back = (f"ALTER TABLE tasks ALTER COLUMN timezone TYPE {kind}" for kind in ("varchar", "text"))
    write(newer, NEXT, "; ".join([*changes, change]), "; ".join([*back, change_back]))
    with (
        serve(settings.model_copy(update={"database_url": SecretStr(own_url)})) as api,
        load_on(api.base_url, new_user(), kept=4, new=2) as load,
        load_on(api.base_url, new_user(), kept=4, new=2) as other,
        noted_statements(api.app.state.sessions.engine) as sent,
        editing(api) as edited,
    ):
        for _ in range(5):
            wait_until_prepared(sent, edited)
            assert migrations.apply(own_url, newer) == [NEXT]
            load.wait_for(20)
            wait_until_prepared(sent, edited)
            assert migrations.rollback(own_url, newer) == NEXT
            other.wait_for(20)
    for each in (load, other):
        assert each.lost() == []
        assert each.created()
    assert set(edited) == {200}
    assert any("DEALLOCATE ALL" in sql for sql, _ in sent)  # so something failed, and was tried again
