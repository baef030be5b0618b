"""The embedded Postgres: started, shared, stopped, killed and restarted, by root and by other users."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg2
import pytest

from backend.database.embedded import postgres, wheel
from backend.database.embedded.postgres import EmbeddedPostgres, has_ended
from backend.errors import ConfigurationError
from tests.fixtures.postgres.database import execute
from tests.fixtures.processes.embedded import (
    another_process,
    ask,
    kill,
    leave,
    needs_root,
    programs_in,
    said,
    server,
    socket_folder,
)
from tests.fixtures.running.waiting import PATIENCE_SECONDS, until
from tests.fixtures.telemetry.logs import events

if TYPE_CHECKING:
    from collections.abc import Iterator

PRIVATE_TEXT = "nobody-may-read-this"


@pytest.mark.requirement("FR-064")
def test_it_answers_inside_and_is_gone_afterwards(made: Path) -> None:
    with EmbeddedPostgres(made) as url:
        assert ask(url, "SHOW server_version").startswith("18.")
        assert ask(url, "SHOW fsync") == "on"
        assert ask(url, "SHOW listen_addresses") == ""
        assert ask(url, "SHOW server_encoding") == "UTF8"
        process = server(made)
    assert has_ended(process)


def test_what_is_written_is_there_next_time(made: Path) -> None:
    with EmbeddedPostgres(made) as url:
        connection = psycopg2.connect(url)
        with connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        connection.close()
    with EmbeddedPostgres(made) as url:
        assert ask(url, "SELECT answer FROM kept") == "42"


@pytest.mark.requirement("FR-064")
def test_whoever_leaves_last_stops_it(made: Path) -> None:
    with another_process(made) as other:
        first = said(other)
        with EmbeddedPostgres(made) as second:
            process = server(made)
            assert second == first
            assert leave(other) == 0
            with EmbeddedPostgres(made):
                pass
            assert ask(second, "SELECT 1") == "1"
        assert has_ended(process)


@pytest.mark.requirement("FR-064")
def test_a_killed_user_does_not_keep_it_running(made: Path) -> None:
    with another_process(made) as other:
        said(other)
        other.kill()
    process = server(made)
    assert process.is_running()
    with EmbeddedPostgres(made):
        assert server(made) == process
    assert has_ended(process)


def test_several_that_start_at_once_share_one(data_dir: Path) -> None:
    with ExitStack() as stack:
        others = [stack.enter_context(another_process(data_dir)) for _ in range(4)]
        assert len({said(other) for other in others}) == 1
        process = server(data_dir)
        assert [leave(other) for other in others] == [0, 0, 0, 0]
        assert has_ended(process)


@pytest.mark.requirement("FR-064")
def test_ctrl_c_in_the_terminal_reaches_us_before_it(made: Path) -> None:
    with another_process(made) as other:
        said(other)
        process = server(made)
        os.killpg(other.pid, signal.SIGINT)
        assert said(other) == "it still answers"
        assert other.wait(PATIENCE_SECONDS) == 0
    assert has_ended(process)


def test_it_recovers_from_a_crash(made: Path) -> None:
    with EmbeddedPostgres(made) as url:
        server(made).kill()
        with EmbeddedPostgres(made) as again:
            assert ask(again, "SELECT 1") == "1"
            assert again == url


@pytest.mark.parametrize("name", ["data", "it's, a b"])  # the second one listens in a separate folder
def test_a_server_that_was_killed_is_started_again_where_it_was(tmp_path: Path, name: str) -> None:
    with EmbeddedPostgres(tmp_path / name) as url:
        killed = kill(tmp_path / name)
        until(lambda: _answers(url))
        assert server(tmp_path / name) != killed
    assert not _answers(url)


def _answers(url: str) -> bool:
    try:
        return ask(url, "SELECT 1") == "1"
    except psycopg2.OperationalError:
        return False


# Slow, and what it has started continues without it.
SLOW_PG_CTL = """
import signal, sys
from pathlib import Path
from backend.database.embedded import postgres as embedded
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
slow = Path(sys.argv[1]) / "pg_ctl"
run_program = embedded.run_program
def run_slowly(program, *arguments, **options):
    slow.write_text(f'#!/bin/sh\\n(sleep 0.5; exec {program} "$@") &\\nwait')
    slow.chmod(0o755)
    run_program(slow, *arguments, **options)
embedded.run_program = run_slowly
"""


@pytest.mark.requirement("FR-064")
def test_asking_it_to_end_while_the_server_is_being_started_leaves_nothing_running(made: Path) -> None:
    with another_process(made, limit=SLOW_PG_CTL) as other:
        until(lambda: "sleep" in programs_in(made))
        other.terminate()
        assert other.wait(PATIENCE_SECONDS) == 7
    assert programs_in(made) == []


def test_a_stale_pid_file_that_names_a_stranger_is_no_obstacle(made: Path) -> None:
    with EmbeddedPostgres(made):
        lines = (made / "postgres" / "postmaster.pid").read_text().split("\n")
    with another_process(made / "elsewhere") as stranger:
        said(stranger)
        stranger_server = server(made / "elsewhere")
        # Of the same system user as our server: Postgres itself would refuse to start while it runs.
        (made / "postgres" / "postmaster.pid").write_text("\n".join([str(stranger_server.pid), *lines[1:]]))
        with EmbeddedPostgres(made) as url:
            assert ask(url, "SHOW data_directory") == str(made / "postgres")
        assert stranger_server.is_running()
        leave(stranger)


def test_the_pid_file_of_a_copied_folder_does_not_lead_to_the_original(data_dir: Path) -> None:
    copy = data_dir / "copy"
    with EmbeddedPostgres(copy), EmbeddedPostgres(data_dir):
        pass
    with EmbeddedPostgres(data_dir):
        shutil.copy(data_dir / "postgres" / "postmaster.pid", copy / "postgres" / "postmaster.pid")
        with EmbeddedPostgres(copy) as url:
            assert ask(url, "SHOW data_directory") == str(copy / "postgres")


def test_a_pid_file_that_is_still_being_written_is_waited_for(made: Path) -> None:
    with EmbeddedPostgres(made) as url:
        file = made / "postgres" / "postmaster.pid"
        complete = file.read_text()
        file.write_text("\n".join(complete.split("\n")[:3]))
        later = threading.Timer(0.3, file.write_text, [complete])
        later.start()
        with EmbeddedPostgres(made) as again:
            assert again == url
        later.join()


def test_a_server_that_hangs_is_reported(
    made: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(postgres, "START_SECONDS", 0.2)
    with another_process(made) as other:
        said(other)
        process = server(made)
        process.suspend()
        with pytest.raises(ConfigurationError, match="does not answer"), EmbeddedPostgres(made):
            pass
        process.resume()
        leave(other)
    monkeypatch.undo()
    monkeypatch.setattr(postgres, "STOP_SECONDS", 0.2)
    with EmbeddedPostgres(made):
        process = server(made)
        process.suspend()
    assert [hangs["process"] for hangs in events(caplog, "postgres_not_stopping")] == [process.pid]
    process.resume()
    process.wait(PATIENCE_SECONDS)


@pytest.mark.parametrize("name", ["l" * 120, "it's, a b"])
@pytest.mark.parametrize("user", [None, pytest.param("nobody", marks=needs_root)])
def test_long_and_odd_paths_work_and_stay_private(data_dir: Path, name: str, user: str | None) -> None:
    data_dir.mkdir()
    if user is not None:
        shutil.chown(data_dir, user)
        data_dir.parent.chmod(0o711)
    with another_process(data_dir / name, user) as other:
        url = said(other)
        sockets = socket_folder(url)
        assert ask(url, "SHOW data_directory") == str(data_dir / name / "postgres")
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
        assert leave(other) == 0
    assert not sockets.exists()


@needs_root
def test_root_and_an_ordinary_user_run_theirs_at_the_same_time(data_dir: Path) -> None:
    data_dir.mkdir()
    data_dir.parent.chmod(0o711)
    theirs = data_dir / "theirs"
    theirs.mkdir()
    shutil.chown(theirs, "nobody")
    with EmbeddedPostgres(data_dir / "ours") as ours, another_process(theirs, "nobody") as other:
        assert ask(said(other), "SHOW data_directory") == str(theirs / "postgres")
        assert ask(ours, "SHOW data_directory") == str(data_dir / "ours" / "postgres")
        assert server(theirs).username() == "nobody"
        assert server(data_dir / "ours").username() == "pgserver"
        assert leave(other) == 0


@needs_root
def test_processes_that_start_at_once_create_one_user(tmp_path: Path) -> None:
    name = f"task-api-{tmp_path.stat().st_ino}"
    for _ in range(4):
        with ExitStack() as stack:
            starts = [stack.enter_context(creates_user(name)) for _ in range(4)]
            assert [said(start) for start in starts] == ["ready"] * 4
            for start in starts:
                print(file=start.stdin, flush=True)
            answers = {start.communicate(timeout=PATIENCE_SECONDS)[0] for start in starts}
            account = pwd.getpwnam(name)
            assert answers == {f"{account.pw_uid} {account.pw_gid}\n"}


@contextmanager
def creates_user(name: str) -> Iterator[subprocess.Popen[str]]:
    program = (
        "from backend.database.embedded import wheel; wheel.helpers(); print('ready', flush=True); input();"
        f"wheel.SERVER_USER = {name!r}; print(*wheel.server_account())"
    )
    process = subprocess.Popen(  # noqa: S603 - as written here
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        try:
            yield process
        finally:
            process.kill()
            subprocess.run(["userdel", name], capture_output=True, check=False)  # noqa: S603, S607 - the last one does


@needs_root
def test_a_folder_of_another_user_is_refused_in_both_directions(data_dir: Path) -> None:
    data_dir.mkdir()
    data_dir.parent.chmod(0o711)
    shutil.chown(data_dir, "nobody")
    with another_process(data_dir, "nobody") as other:
        said(other)
        leave(other)
    with pytest.raises(ConfigurationError, match="belongs to another user"), EmbeddedPostgres(data_dir):
        pass
    assert (data_dir / "postgres").stat().st_uid == pwd.getpwnam("nobody").pw_uid
    with EmbeddedPostgres(data_dir / "of root"), another_process(data_dir / "of root", "nobody") as other:
        assert "Permission denied" in said(other)


@needs_root
def test_folders_above_become_traversable_but_not_readable(data_dir: Path) -> None:
    data_dir.mkdir(mode=0o700)
    with EmbeddedPostgres(data_dir / "data"):
        assert stat.S_IMODE(data_dir.stat().st_mode) == 0o711
        assert stat.S_IMODE((data_dir / "data" / "postgres").stat().st_mode) == 0o700


@needs_root
@pytest.mark.parametrize("useradd", ["", "#!/bin/sh\nexit 1\n"], ids=["missing", "failing"])
def test_without_an_account_for_the_server_root_is_told_what_to_do(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, useradd: str
) -> None:
    data_dir.mkdir()
    if useradd:
        (data_dir / "useradd").write_text(useradd)
        (data_dir / "useradd").chmod(0o755)
    monkeypatch.setenv("PATH", str(data_dir))
    monkeypatch.setattr(wheel, "SERVER_USER", "no-such-account")
    with (
        pytest.raises(ConfigurationError, match="Run as an ordinary user, or set DATABASE_URL"),
        EmbeddedPostgres(data_dir),
    ):
        pass


@pytest.mark.requirement("FR-108")
def test_a_row_that_is_refused_is_not_in_the_log_of_the_embedded_server(made: Path) -> None:
    with EmbeddedPostgres(made) as url:
        execute(url, "CREATE TABLE tasks (title text CONSTRAINT no_secrets CHECK (title !~ 'nobody') UNIQUE)")
        execute(url, "INSERT INTO tasks VALUES ('anybody may')")
        for title in (PRIVATE_TEXT, "anybody may"):
            with pytest.raises(psycopg2.IntegrityError):
                execute(url, "INSERT INTO tasks VALUES (%s)", title)
    log = (made / "postgres" / "log").read_text(encoding="utf-8")

    assert "no_secrets" in log
    assert "unique constraint" in log
    assert [words for words in (PRIVATE_TEXT, "anybody", "STATEMENT", "DETAIL") if words in log] == []
