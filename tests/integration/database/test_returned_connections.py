"""A request waits for a new connection while another request returns its connection."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from backend.config import Settings
from backend.database import waiting
from tests.fixtures.calls.api import API, new_user, serve
from tests.fixtures.calls.tasks import create, path_of
from tests.fixtures.postgres.database import execute
from tests.fixtures.postgres.locks import row_locked
from tests.fixtures.running.waiting import until

pytestmark = pytest.mark.requirement("FR-257")

OURS = "FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'task-api'"


class Door:
    """Connections to the database pass through it; while it is closed, they wait."""

    def __init__(self) -> None:
        self.is_open = threading.Event()
        self.is_open.set()
        self.attempts = 0

    def connect(self, parameters: Mapping[str, Any]) -> Any:
        self.attempts += 1
        while not self.is_open.is_set():
            waiting.new_event().wait(0.01)
        return waiting.connect(parameters)


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Door:
    door = Door()
    monkeypatch.setattr("backend.database.engine.connect", door.connect)
    return door


@pytest.fixture
def through_door(settings: Settings, own_url: str, door: Door, monkeypatch: pytest.MonkeyPatch) -> Iterator[API]:
    """A service with one connection on this test's own database, and no background jobs."""
    monkeypatch.setattr("backend.api.main.SYNC_SECONDS", 3600)
    monkeypatch.setattr("backend.api.main.FIRST_PURGE_SECONDS", 3600)
    with serve(settings.model_copy(update={"database_url": SecretStr(own_url)})) as running:
        yield running
        door.is_open.set()


def test_it_takes_that_one(through_door: API, door: Door, own_url: str) -> None:
    busy, user = new_user(), new_user()
    with through_door.client(busy) as holding, through_door.client(user) as asking, ThreadPoolExecutor(2) as threads:
        task, other = create(holding), create(asking)
        door.is_open.clear()
        with row_locked(own_url, busy) as wait_for:
            held = threads.submit(holding.delete, path_of(task))
            wait_for(1)
            waiting_one = threads.submit(asking.get, path_of(other))
            until(lambda: door.attempts == 2)
            assert not waiting_one.done()
        # No new connection can be opened yet.
        assert held.result().status_code == 204
        assert waiting_one.result().status_code == 200
        door.is_open.set()
    assert door.attempts == 2
    expect_one_connection(through_door, own_url)


def expect_one_connection(api: API, url: str) -> None:
    """Wait until surplus connections are closed, and none is in use."""
    pool = api.app.state.sessions.engine.pool
    until(lambda: (pool.checkedout(), pool.checkedin()) == (0, 1))
    until(lambda: execute(url, f"SELECT count(*) {OURS}") == [(1,)])


def test_one_that_is_returned_dead_is_not_taken(through_door: API, door: Door, own_url: str) -> None:
    """It is not checked again and again either."""
    pool = through_door.app.state.sessions.engine.pool
    with through_door.client(new_user()) as client, ThreadPoolExecutor(1) as threads:
        task = create(client)
        taken = pool.connect()
        door.is_open.clear()
        waiting_one = threads.submit(client.get, path_of(task))
        until(lambda: door.attempts == 2)
        execute(own_url, f"SELECT pg_terminate_backend(pid, 60000) {OURS}")
        taken.close()
        until(lambda: not pool.has_idle_connection())  # it was checked and found dead
        assert not waiting_one.done()
        door.is_open.set()
        response: httpx.Response = waiting_one.result()

        assert response.status_code == 200
    assert door.attempts == 2
    until(lambda: pool.checkedout() == 0)
    assert pool.has_idle_connection()
