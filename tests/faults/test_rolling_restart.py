"""SIGHUP with several workers: each is replaced, and no client notices. A closed terminal still ends the service."""

from __future__ import annotations

import json
import os
import pty
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.fixtures.calls.api import new_user
from tests.fixtures.http.load import LATE, RESET, Load, load_on
from tests.fixtures.identity.tokens import SECRET
from tests.fixtures.postgres.database import execute
from tests.fixtures.postgres.refusal import refuse
from tests.fixtures.processes.process import Service, environment, served
from tests.fixtures.processes.workers import WITHOUT_TERMINAL, processes_in, served_by, with_terminal, workers_of
from tests.fixtures.running.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.requirement("FR-166")

WORKERS = 2
# The address of a database that stays silent as long as the test wants, and then its final refusal.
SILENT = "postgresql://nobody@127.0.0.1:{}/none?sslmode=disable&connect_timeout=100"
NO = "password authentication failed"


@pytest.fixture(scope="module")
def service(folder: Path, database_url: str) -> Iterator[Service]:
    """A service of two workers, which each test leaves as it found it."""
    with served_by(WORKERS, folder, database_url) as running:
        yield running


@pytest.fixture
def load(service: Service, database_url: str) -> Iterator[Load]:
    """Continuous requests, none of which may be lost, refused or executed twice."""
    user = new_user()
    with load_on(service.address, user) as running:
        yield running
        running.wait_for(100)
    assert set(running.counts()) - {LATE} == {200, 201}
    assert execute(database_url, "SELECT count(*) FROM tasks WHERE user_id = %s", user) == [(running.created(),)]


def test_each_worker_is_replaced_and_once_more_if_asked_meanwhile(service: Service, load: Load) -> None:
    started = workers_of(service)
    service.process.send_signal(signal.SIGHUP)
    until(lambda: len(workers_of(service)) > WORKERS)  # the first replacement has started
    started += workers_of(service)
    service.process.send_signal(signal.SIGHUP)
    at_once = []

    def are_replaced() -> bool:
        at_once.append(len(workers_of(service)))
        return not any(worker.is_running() for worker in started)

    until(are_replaced)
    until(lambda: len(workers_of(service)) == WORKERS)
    assert max(at_once) == WORKERS + 1  # what operations.md plans connections for
    load.wait_for(100)


def test_workers_that_cannot_start_replace_nobody(service: Service, load: Load, folder: Path) -> None:
    before = workers_of(service)
    library = folder / "fastapi.py"  # found first on the path: workers import it, the parent does not
    library.write_text("raise RuntimeError('half installed')")
    service.process.send_signal(signal.SIGHUP)
    until(lambda: "workers_not_reloaded" in _log_in(folder))
    library.unlink()
    load.wait_for(100)

    assert "a new worker did not start" in _log_in(folder)
    assert workers_of(service) == before


def _log_in(folder: Path) -> str:
    (log,) = folder.glob("serve-*.log")
    return log.read_text()


def test_workers_are_replaced_by_such_as_could_serve_only(tmp_path: Path, database_url: str) -> None:
    """The log gives the reason, and the other workers are supervised while the database is being queried."""
    right = f"DATABASE_URL={database_url}\nJWT_SECRET={SECRET}\n"
    missing = make_url(database_url).set(database="none").render_as_string(hide_password=False)
    settings = tmp_path / ".env"
    settings.write_text(right)
    env = environment(tmp_path / "data", ENVIRONMENT="production")
    with (
        served("--workers", str(WORKERS), env=env, cwd=tmp_path, command=WITHOUT_TERMINAL) as service,
        socket.create_server(("127.0.0.1", 0)) as database,
    ):
        kept, lost = workers_of(service)
        # One that has not read its settings yet would end because of the wrong ones.
        until(lambda: _log_in(tmp_path).count("Application startup complete") == WORKERS)
        for refusals, wrong in enumerate((f"DATABASE_URL={missing}", "JWT_SECRET=short"), 1):
            settings.write_text(f"{right}{wrong}\n")
            service.process.send_signal(signal.SIGHUP)
            until(lambda: _log_in(tmp_path).count("workers_not_reloaded") == refusals)  # noqa: B023 - called at once
        assert workers_of(service) == [kept, lost]

        settings.write_text(f"{right}DATABASE_URL={SILENT.format(database.getsockname()[1])}\n")
        service.process.send_signal(signal.SIGHUP)
        with _asked(database) as connection:
            lost.kill()
            until(lambda: lost not in workers_of(service) and len(workers_of(service)) == WORKERS)
            refuse(connection, NO)
        until(lambda: _log_in(tmp_path).count("workers_not_reloaded") == refusals + 1)
        assert kept in workers_of(service)

        service.process.send_signal(signal.SIGHUP)
        with _asked(database):  # a shutdown does not wait for it
            assert service.stop(signal.SIGTERM) == 0
    lines = [json.loads(line) for line in _log_in(tmp_path).splitlines()]
    reasons = [line["reason"] for line in lines if line["event"] == "workers_not_reloaded"]
    for reason, word in zip(reasons, ("cannot be reached", "JWT_SECRET: ", "cannot be reached"), strict=True):
        assert word in reason


@contextmanager
def _asked(database: socket.socket) -> Iterator[socket.socket]:
    """Wait for a client to connect, and keep it waiting while the block runs."""
    database.settimeout(PATIENCE_SECONDS)
    connection, _ = database.accept()
    with connection:
        connection.settimeout(PATIENCE_SECONDS)
        yield connection


@pytest.mark.parametrize(("workers", "code"), [(2, 1), (1, 0)], ids=["several go on", "one ends"])
def test_a_reload_that_is_asked_for_while_it_starts(tmp_path: Path, workers: int, code: int) -> None:
    """With several workers, the parent goes on and finds no database; a single worker exits successfully."""
    with socket.create_server(("127.0.0.1", 0)) as database:
        url = SILENT.format(database.getsockname()[1])
        env = environment(tmp_path / "data", ENVIRONMENT="production", DATABASE_URL=url, JWT_SECRET=SECRET)
        command = [*WITHOUT_TERMINAL, "--workers", str(workers)]
        with subprocess.Popen(command, env=env, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603
            with _asked(database) as connection:
                process.send_signal(signal.SIGHUP)
                refuse(connection, NO)
            _, said = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, "cannot be reached" in said) == (code, code == 1)


def test_it_ends_in_order_while_it_replaces_workers(tmp_path: Path, database_url: str) -> None:
    with served_by(WORKERS, tmp_path, database_url) as service, load_on(service.address, new_user()) as load:
        service.process.send_signal(signal.SIGHUP)
        until(lambda: len(workers_of(service)) > WORKERS)
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGHUP):  # the end is heard, whatever else is asked for
            service.process.send_signal(number)
        assert service.process.wait(PATIENCE_SECONDS) == 0
        until(lambda: processes_in(tmp_path) == [])
    assert load.lost(but_for=RESET) == []


@pytest.mark.requirement("FR-064")
def test_a_closed_terminal_ends_several_workers_and_their_postgres(tmp_path: Path) -> None:
    ours, terminal = pty.openpty()
    command = with_terminal(os.ttyname(terminal))
    env = environment(tmp_path / "data")
    with served("--workers", str(WORKERS), env=env, cwd=tmp_path, command=command) as service:
        assert any(process.name() == "postgres" for process in service.family)
        os.close(terminal)
        os.close(ours)
        assert service.process.wait(PATIENCE_SECONDS) == 0
        assert service.left_over() == []
        until(lambda: processes_in(tmp_path) == [])
