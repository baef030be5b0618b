"""The disk under the embedded Postgres fills up, and then has space again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psycopg2
import pytest

from tests.fixtures.processes.disks import Disk, small_disk
from tests.fixtures.processes.process import Service, environment, served
from tests.fixtures.running.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.requirement("FR-254", "FR-051")

MEGABYTES = 160  # an empty database takes half of it
TASK = {"title": "a", "description": "b" * 5000}
SEGMENT_BYTES = 16 * 1024**2  # the write-ahead log grows by this
EMIT = "SELECT pg_logical_emit_message(true, 'test', repeat('x', 100000))"


@dataclass
class User:
    """Stores tasks, and remembers which of them the service has acknowledged."""

    client: httpx.Client
    acknowledged: set[str] = field(default_factory=set)
    statuses: set[int] = field(default_factory=set)

    def store(self) -> int:
        response = self.client.post("/api/tasks", json=TASK)
        self.statuses.add(response.status_code)
        if response.status_code == 201:
            self.acknowledged.add(response.json()["data"]["id"])
        return response.status_code

    def read(self) -> int:
        return self.client.get("/api/tasks?limit=1").status_code

    def expect_nothing_lost(self) -> None:
        lines = self.client.get("/api/tasks/export").text.splitlines()
        stored = {found[0] for line in lines if (found := re.findall(r'"id": ?"([^"]+)"', line))}
        assert len(self.acknowledged) > 10
        assert self.acknowledged <= stored


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with small_disk(tmp_path / "disk", MEGABYTES) as disk:
        yield disk


@contextmanager
def serving_on(disk: Disk, folder: Path) -> Iterator[tuple[Service, User]]:
    env = environment(disk.folder / "data", REQUEST_TIMEOUT_SECONDS="3", RATE_LIMIT_ENABLED="false")
    with served(env=env, cwd=folder) as service:
        headers = {"Authorization": f"Bearer {service.token}"}
        with httpx.Client(
            base_url=service.address, headers=headers, trust_env=False, timeout=PATIENCE_SECONDS
        ) as client:
            user = User(client)
            assert [user.store() for _ in range(20)] == [201] * 20
            yield service, user


def logged(folder: Path, event: str) -> int:
    (log,) = folder.glob("serve-*.log")
    return len(re.findall(rf"\] {event}\b", log.read_text(encoding="utf-8")))


def test_without_room_for_tasks_all_else_goes_on(tmp_path: Path, disk: Disk) -> None:
    with serving_on(disk, tmp_path) as (_, user):
        disk.fill()
        until(lambda: user.store() == 503)  # Postgres may still have space in its own pages
        assert [user.store() for _ in range(20)] == [503] * 20
        assert user.read() == 200
        assert user.client.get("/health/ready").status_code == 200
        disk.clear()
        until(lambda: user.store() == 201)

        user.expect_nothing_lost()
    assert user.statuses == {201, 503}
    assert logged(tmp_path, "request_failed") == 0


def test_without_room_for_the_log_of_changes_it_comes_back_by_itself(tmp_path: Path, disk: Disk) -> None:
    """Postgres stops, and does not start while the disk is full."""
    with serving_on(disk, tmp_path) as (_, user):
        disk.fill(leave=SEGMENT_BYTES // 4)
        with pytest.raises(psycopg2.OperationalError):
            write_changes_for_ever(disk)
        until(lambda: logged(tmp_path, "postgres_not_restarted") == 1)
        assert [user.store() for _ in range(3)] == [503] * 3
        assert user.read() == 503
        disk.clear()
        until(lambda: user.store() == 201)

        assert user.read() == 200
        user.expect_nothing_lost()
    assert user.statuses == {201, 503}
    assert [logged(tmp_path, f"postgres_{what}") for what in ("not_restarted", "restarted")] == [1, 1]
    assert logged(tmp_path, "request_failed") == 0


def write_changes_for_ever(disk: Disk) -> None:
    """Grow the write-ahead log, as other writers do."""
    _, _, _, port, sockets, *_ = (disk.folder / "data" / "postgres" / "postmaster.pid").read_text().splitlines()
    with closing(psycopg2.connect(host=sockets, port=port, user="postgres", dbname="postgres")) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            while True:
                cursor.execute(EMIT)
