"""SIGHUP with several workers: each is replaced, and no client notices. A closed terminal still ends the service."""

from __future__ import annotations

import os
import pty
import signal
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.fixtures.api import new_user
from tests.fixtures.database import execute
from tests.fixtures.load import Load, load_on
from tests.fixtures.process import Service, environment, served
from tests.fixtures.workers import processes_in, served_by, until, with_terminal, workers_of

pytestmark = pytest.mark.requirement("FR-166")

WORKERS = 2


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """The folder that the service runs in."""
    with TemporaryDirectory(prefix="task-api-test-", ignore_cleanup_errors=True) as name:
        yield Path(name).resolve()


@pytest.fixture(scope="module")
def service(folder: Path, database_url: str) -> Iterator[Service]:
    """A service of two workers, which each test leaves as it was."""
    with served_by(WORKERS, folder, database_url) as running:
        yield running


@pytest.fixture
def load(service: Service, database_url: str) -> Iterator[Load]:
    """Requests all the while, of which none may be lost, refused or done twice."""
    user = new_user()
    with load_on(service.address, user) as running:
        yield running
        running.wait_for(100)
    assert set(running.counts()) == {200, 201}
    assert execute(database_url, "SELECT count(*) FROM tasks WHERE user_id = %s", user) == [(running.created(),)]


def test_each_worker_is_replaced_and_once_more_if_asked_meanwhile(service: Service, load: Load) -> None:
    started = workers_of(service)
    service.process.send_signal(signal.SIGHUP)
    until(lambda: len(workers_of(service)) > WORKERS)  # the first new one is on its way
    started += workers_of(service)
    service.process.send_signal(signal.SIGHUP)
    until(lambda: not any(worker.is_running() for worker in started))
    until(lambda: len(workers_of(service)) == WORKERS)
    load.wait_for(100)


def test_workers_that_cannot_start_take_nobodys_place(service: Service, load: Load, folder: Path) -> None:
    before = workers_of(service)
    (folder / ".env").write_text("MAX_BODY_BYTES=many")
    service.process.send_signal(signal.SIGHUP)
    log = next(folder.glob("serve-*.log"))
    until(lambda: "workers_not_reloaded" in log.read_text())
    load.wait_for(100)
    (folder / ".env").unlink()

    assert workers_of(service) == before


def test_it_ends_in_order_while_it_replaces_workers(tmp_path: Path, database_url: str) -> None:
    with served_by(WORKERS, tmp_path, database_url) as service, load_on(service.address, new_user()) as load:
        service.process.send_signal(signal.SIGHUP)
        until(lambda: len(workers_of(service)) > WORKERS)
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(30) == 0
        until(lambda: processes_in(tmp_path) == [])
    assert load.lost() == []


@pytest.mark.requirement("FR-064")
def test_a_closed_terminal_ends_several_workers_and_their_postgres(tmp_path: Path) -> None:
    ours, terminal = pty.openpty()
    command = with_terminal(os.ttyname(terminal))
    env = environment(tmp_path / "data")
    with served("--workers", str(WORKERS), env=env, cwd=tmp_path, command=command) as service:
        assert any(process.name() == "postgres" for process in service.family)
        os.close(terminal)
        os.close(ours)
        assert service.process.wait(30) == 0
        assert service.left_over() == []
        until(lambda: processes_in(tmp_path) == [])
