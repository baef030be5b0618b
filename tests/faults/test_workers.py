"""Workers that crash, hang or do not start, and a parent that is killed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from backend.config import Settings
from backend.server.server import server_config
from backend.server.supervisor import (
    MAX_PAUSE_SECONDS,
    QUIET_SECONDS,
    REPLACEMENT_SECONDS,
    Replacements,
    Supervisor,
)
from tests.fixtures.calls.api import new_user
from tests.fixtures.calls.erasure import erasure_of
from tests.fixtures.http.connection import connection_to, head
from tests.fixtures.http.load import RESET, Load, load_on
from tests.fixtures.identity.tokens import SECRET
from tests.fixtures.postgres.database import execute
from tests.fixtures.postgres.locks import row_locked
from tests.fixtures.processes.process import environment
from tests.fixtures.processes.servers import free_port
from tests.fixtures.processes.workers import WITHOUT_TERMINAL, processes_in, served_by, workers_of
from tests.fixtures.running.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.requirement("FR-167")

WORKERS = 2
CLIENTS = 12
SERVE = "from backend import cli; sys.exit(cli.main(['serve', '--port', '0', *sys.argv[1:]]))"
# A silent worker is given up sooner than usual.
HASTY = (
    sys.executable,
    "-c",
    f"import sys; from backend.server import supervisor; supervisor.SILENCE_SECONDS = 2; {SERVE}",
)
# Only the first replacement that fails to start is followed by another: the next one would come after an hour.
HOURLY = "s.FIRST_PAUSE_SECONDS = s.MAX_PAUSE_SECONDS = s.QUIET_SECONDS = 3600"
UNFORGIVING = (
    *WITHOUT_TERMINAL[:3],
    sys.executable,
    "-c",
    f"import sys; from backend.server import supervisor as s; {HOURLY}; {SERVE}",
)
# Faults that occur only in workers: the parent must not have them.
SETTING = "os.environ.update(MAX_BODY_BYTES='many')"
ENDING_AT_ONCE = (
    "import os, signal, time; signal.signal(signal.SIGTERM, lambda *_: os._exit(0)); "
    "open('importing', 'w').close(); time.sleep(1000)"
)
LIBRARY = "sys.path.insert(0, 'broken')"


def test_a_worker_that_crashes_or_hangs_is_replaced(tmp_path: Path, database_url: str) -> None:
    user = new_user()
    with served_by(WORKERS, tmp_path, database_url, HASTY) as service:
        crashing, hanging = workers_of(service)
        with load_on(service.address, user, kept=CLIENTS - 2, new=2) as load:
            crashing.kill()
            until(lambda: crashing not in workers_of(service) and len(workers_of(service)) == WORKERS)
            _go_on(load)
        # Each client had at most one request in progress; an unanswered request may have been executed.
        assert len(load.lost()) <= CLIENTS
        assert {outcome for _, outcome in load.lost() if isinstance(outcome, int)} == set()
        ((made,),) = execute(database_url, "SELECT count(*) FROM tasks WHERE user_id = %s", user)
        assert load.created() <= made <= load.created() + len(load.lost())

        hanging.suspend()
        until(lambda: hanging not in workers_of(service) and len(workers_of(service)) == WORKERS)
        with load_on(service.address, user):
            pass


def _go_on(load: Load) -> None:
    """Check that requests succeed, and that none is lost any more."""
    load.wait_for(100)
    lost = load.lost()
    load.wait_for(300)
    assert load.lost() == lost


@pytest.mark.requirement("FR-246")
def test_workers_whose_parent_was_killed_end_in_order_and_free_their_port(tmp_path: Path, database_url: str) -> None:
    slow, port = new_user(), free_port()
    execute(database_url, "INSERT INTO users (id, revision) VALUES (%s, 0)", slow)
    command = (*WITHOUT_TERMINAL[:-1], str(port))
    (tmp_path / "after").mkdir()
    with ThreadPoolExecutor(1) as thread, ExitStack() as stack:
        service = stack.enter_context(served_by(WORKERS, tmp_path, database_url, command))
        in_hand = stack.enter_context(connection_to(service.address))
        load = stack.enter_context(load_on(service.address, new_user()))
        with row_locked(database_url, slow) as wait_for:
            in_hand.send(head(slow, f"DELETE {erasure_of(slow)}"))
            wait_for(1)
            workers = workers_of(service)
            service.process.kill()
            after = served_by(WORKERS, tmp_path / "after", database_url, command)
            successor = thread.submit(stack.enter_context, after)
            until(lambda: not any(map(_listens, workers)))
        assert in_hand.answer().status_code == 204
        until(lambda: not any(worker.is_running() for worker in workers))
        until(lambda: processes_in(tmp_path) == [])
        assert successor.result().address == service.address
        assert load.lost(but_for=RESET) == []
        with load_on(service.address, new_user()) as more:
            pass
        assert more.lost() == []


def _listens(process: psutil.Process) -> bool:
    """Return whether a process accepts connections."""
    try:
        return any(connection.status == psutil.CONN_LISTEN for connection in process.net_connections("tcp"))
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize(
    ("trouble", "field", "words"),
    [(SETTING, "reason", "MAX_BODY_BYTES: "), (LIBRARY, "exception", "RuntimeError: half installed")],
    ids=["a wrong setting", "a broken library"],
)
def test_a_service_none_of_whose_workers_starts_says_so_and_ends(
    tmp_path: Path, database_url: str, trouble: str, field: str, words: str
) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "fastapi.py").write_text("raise RuntimeError('half installed')")
    finding = f"from backend.services.health import rls_check; rls_check.find_gaps = lambda _: {trouble} or []"
    broken = f"import os, sys; {finding}; {SERVE}"
    env = environment(tmp_path / "data", DATABASE_URL=database_url, JWT_SECRET=SECRET, ENVIRONMENT="production")
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", broken, "--workers", str(WORKERS)],
        env=env, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False,
    )  # fmt: skip

    assert done.returncode == 1
    *log, last = done.stderr.splitlines()
    assert last == "task-api: no worker could start. The lines above say why."
    lines = [json.loads(line) for line in log]
    assert [line["event"] for line in lines].count("worker_started") == WORKERS
    failed = [line[field] for line in lines if line["event"] == "worker_failed"]
    assert failed
    assert all(words in said for said in failed)
    assert done.stdout == ""
    until(lambda: processes_in(tmp_path) == [])


@pytest.mark.requirement("FR-064")
def test_ending_all_processes_while_workers_start_is_no_failure(tmp_path: Path, database_url: str) -> None:
    env = environment(tmp_path / "data", DATABASE_URL=database_url, JWT_SECRET=SECRET, ENVIRONMENT="production")
    (tmp_path / "fastapi.py").write_text(ENDING_AT_ONCE)  # workers import it, the parent does not
    command = [sys.executable, "-c", f"import os, sys; {SERVE}", "--workers", str(WORKERS)]
    with subprocess.Popen(command, env=env, cwd=tmp_path, start_new_session=True) as process:  # noqa: S603 - our own
        until((tmp_path / "importing").exists)
        os.killpg(process.pid, signal.SIGTERM)
        assert process.wait(PATIENCE_SECONDS) == 0
    until(lambda: processes_in(tmp_path) == [])


@pytest.mark.requirement("FR-382")
def test_a_worker_that_cannot_start_delays_neither_others_nor_a_reload_nor_the_end(
    tmp_path: Path, database_url: str
) -> None:
    library = tmp_path / "fastapi.py"  # found first on the path: workers import it, the parent does not
    with served_by(WORKERS, tmp_path, database_url, UNFORGIVING) as service:
        (log,) = tmp_path.glob("serve-*.log")

        def lose_for_good(worker: psutil.Process) -> None:
            failures = log.read_text().count("worker_failed")
            library.write_text("raise RuntimeError('half installed')")
            worker.kill()
            until(lambda: log.read_text().count("worker_failed") == failures + 2)
            until(lambda: len(workers_of(service)) == WORKERS - 1)
            library.unlink()

        lost, other = workers_of(service)
        lose_for_good(lost)
        with load_on(service.address, new_user()) as load:
            assert workers_of(service) == [other]
        assert load.lost() == []

        other.kill()
        with load_on(service.address, new_user()):
            (replacement,) = workers_of(service)
        assert replacement != other

        service.process.send_signal(signal.SIGHUP)
        until(lambda: replacement not in workers_of(service) and len(workers_of(service)) == WORKERS)

        lose_for_good(workers_of(service)[0])
        assert service.stop(signal.SIGTERM) == 0


@pytest.mark.requirement("FR-382")
def test_workers_that_have_served_are_replaced_at_once_but_not_without_end() -> None:
    now = 1000.0
    replacements = Replacements(WORKERS, now)
    assert replacements.take_due(now) == WORKERS
    for _ in range(20):  # one is killed every 5 seconds
        now += 5
        replacements.add(now, has_served=True)
        assert replacements.take_due(now) == 1

    now += 100
    for _ in range(3):  # all crash together, three times
        for _ in range(WORKERS):
            replacements.add(now, has_served=True)
    assert replacements.take_due(now) == WORKERS
    assert replacements.take_due(now + REPLACEMENT_SECONDS - 0.1) == 0
    started = [replacements.take_due(now + number * REPLACEMENT_SECONDS) for number in range(1, 6)]
    assert started == [1, 1, 1, 1, 0]


@pytest.mark.requirement("FR-382")
def test_workers_that_never_serve_are_replaced_less_and_less_often() -> None:
    now, pauses = 1000.0, []
    replacements = Replacements(WORKERS, now)
    replacements.take_due(now)

    def pause_after_failure() -> int:
        replacements.add(now, has_served=False)
        return next(pause for pause in range(100) if replacements.take_due(now + pause))

    for _ in range(10):
        pauses.append(pause_after_failure())
        replacements.add(now, has_served=True)
        assert replacements.take_due(now) == 1  # another worker does not wait for this one
        now += max(pauses[-1], REPLACEMENT_SECONDS)
    assert pauses[:5] == [0, 1, 3, 7, 15]
    assert pauses[5:] == [MAX_PAUSE_SECONDS] * 5

    now += QUIET_SECONDS
    assert pause_after_failure() == 0


@pytest.mark.requirement("FR-382")
def test_what_is_missing_is_not_waited_for_after_a_reload() -> None:
    replacements = Replacements(WORKERS, 0.0)
    replacements.take_due(0.0)
    for has_served in (True, False) * 5:
        replacements.add(1.0, has_served=has_served)
    replacements.begin(1.0, missing=2)
    assert [replacements.take_due(1.0), replacements.take_due(1000.0)] == [2, 0]


@pytest.fixture
def _unchanged_signals() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in signal.valid_signals()}
    yield
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, before[number])


@pytest.mark.usefixtures("_unchanged_signals")
@pytest.mark.parametrize("reads_from", ["a terminal", "something else", "a terminal, under nohup"])
def test_only_the_signals_of_a_service_are_heard(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, reads_from: str
) -> None:
    """uvicorn would hear others: those that a terminal sends to programs in the background would end a worker."""
    monkeypatch.setattr("os.isatty", lambda descriptor: descriptor == 0 and reads_from.startswith("a terminal"))
    if reads_from == "a terminal, under nohup":
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    before = {number: signal.getsignal(number) for number in signal.valid_signals()}

    with socket.create_server(("127.0.0.1", 0)) as listener:
        Supervisor(server_config("", settings, workers=2), listener, lambda: None)

    heard = {number for number in before if signal.getsignal(number) != before[number]}
    assert heard == {signal.SIGTERM, signal.SIGINT, *([signal.SIGHUP] if reads_from == "something else" else [])}
