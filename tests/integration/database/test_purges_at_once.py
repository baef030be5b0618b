"""Concurrent purges, also during requests of the same users."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import astuple

import psycopg2
import pytest
from pydantic import SecretStr

from backend.config import Settings
from backend.database.engine import Engine
from backend.database.session import SessionFactory
from backend.services import purge as purge_service
from backend.services.purge import Purged, PurgeService
from tests.fixtures.calls.api import new_user, serve
from tests.fixtures.calls.tasks import create, path_of
from tests.fixtures.postgres.database import execute
from tests.fixtures.postgres.expired import Hoarder, Left, age, purge
from tests.fixtures.postgres.locks import row_locked
from tests.fixtures.postgres.tenant_statements import STATEMENTS, run_as_user
from tests.fixtures.running.waiting import until

pytestmark = pytest.mark.requirement("FR-138")

DEADLINE_SECONDS = 60


def test_a_user_who_is_busy_is_passed_over_and_purged_next_time(engine: Engine, module_url: str) -> None:
    busy, other = Hoarder.with_rows(module_url, tasks=1), Hoarder.with_rows(module_url, tasks=1)

    with row_locked(module_url, busy.id):
        assert purge(engine) == Purged(tasks=1)
        assert (busy.left().tasks, other.left().tasks) == (1, 0)

    assert purge(engine) == Purged(tasks=1)


def test_users_who_are_passed_over_do_not_keep_it_from_the_others(
    engine: Engine, module_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purge_service, "MAX_FOUND", 1)  # so that at first it finds only the busy user
    busy, other = Hoarder.with_rows(module_url, tasks=1), Hoarder.with_rows(module_url, tasks=1)

    with row_locked(module_url, busy.id):
        assert purge(engine) == Purged(tasks=1)

    assert other.left().tasks == 0
    assert purge(engine) == Purged(tasks=1)


def test_it_ends_even_if_everybody_stays_busy(engine: Engine, module_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purge_service, "MAX_PASSED_OVER", 0)  # so that it forgets skipped users at once
    monkeypatch.setattr(purge_service, "MAX_ROUNDS", 3)
    busy = Hoarder.with_rows(module_url, tasks=1)

    with row_locked(module_url, busy.id):
        steps = list(PurgeService(SessionFactory(engine)).steps())

    assert len(steps) == 6
    assert not any(steps)
    assert purge(engine) == Purged(tasks=1)  # nothing is left for the next test


def test_a_task_that_is_restored_before_its_user_is_locked_stays(engine: Engine, module_url: str) -> None:
    hoarder = Hoarder.with_rows(module_url, tasks=1)
    statement = STATEMENTS["purge.PURGE"]
    slow = statement.sql.replace(" FOR NO KEY UPDATE", " AND pg_advisory_xact_lock(7) IS NOT NULL FOR NO KEY UPDATE")
    params = {"principal": hoarder.id, "max_rows": 10}

    with ThreadPoolExecutor(1) as thread, closing(psycopg2.connect(module_url)) as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(7)")
        purge_job = thread.submit(run_as_user, engine, hoarder.id, slow, params)
        until(lambda: execute(module_url, _WAITING) == [(1,)])
        execute(module_url, _RESTORE, hoarder.id, hoarder.id)
        other.close()
        assert purge_job.result() == str([astuple(Purged())])

    assert hoarder.left() == Left(1, 0, 0, 0, 0, task_count=1, revision=2, purged_revision=0)


_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'"
_RESTORE = """
WITH counted AS (UPDATE users SET revision = revision + 1 WHERE id = %s)
UPDATE tasks SET deleted_at = NULL, revision = 2 WHERE user_id = %s
"""


def test_several_purges_at_once_do_no_harm(engine: Engine, module_url: str) -> None:
    hoarders = [Hoarder.with_rows(module_url, tasks=20, tombstones=10, keys=10) for _ in range(12)]

    with ThreadPoolExecutor(4) as threads:
        removed = sum(threads.map(purge, [engine] * 4), Purged())

    assert removed == Purged(240, 0, 120, 120)
    assert {user.left() for user in hoarders} == {Left(0, 0, 0, 0, 0, task_count=0, revision=30, purged_revision=30)}


def test_requests_that_come_meanwhile_lose_nothing(module_url: str, settings: Settings, engine: Engine) -> None:
    user_id, ended = new_user(), threading.Event()

    def fill_and_purge() -> Purged:
        removed = Purged()
        while not ended.is_set():
            age(module_url, user_id, 31)
            removed += purge(engine)
        return removed

    with (
        serve(settings.model_copy(update={"database_url": SecretStr(module_url)})) as api,
        api.client(user_id) as client,
        ThreadPoolExecutor(1) as thread,
    ):
        purge_job = thread.submit(fill_and_purge)
        try:
            kept = []
            for number in range(60):
                task, other = create(client, f"Task {number}"), create(client)
                kept.append(client.patch(path_of(task), json={"description": "Kept"}).json()["data"])
                assert client.delete(path_of(other)).status_code == 204
        finally:
            ended.set()
        removed = purge_job.result(DEADLINE_SECONDS) + purge_after(engine, module_url, user_id)
        assert removed.tasks == 60
        assert client.get("/api/tasks").json()["data"] == kept[::-1]
        assert Hoarder(module_url, user_id).left() == Left(
            60, 0, 0, 0, 0, task_count=60, revision=240, purged_revision=240, events=240
        )


def purge_after(engine: Engine, module_url: str, user_id: str) -> Purged:
    """Purge what is left in the trash."""
    age(module_url, user_id, 31)
    return purge(engine)
