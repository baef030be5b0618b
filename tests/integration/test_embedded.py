from __future__ import annotations

import os
import platform
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import psutil
import psycopg2
import pytest

from backend.database import embedded
from backend.database.embedded import EmbeddedPostgres
from backend.errors import ConfigurationError

ROOT = Path(__file__).parents[2]
AS_ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not AS_ROOT, reason="only root runs the server as another user: run the suite as root")

# Says where the server is, stays until told to go, and leaves properly also on Ctrl-C.
USER_PROGRAM = """
import sys
from pathlib import Path
from backend.database.embedded import EmbeddedPostgres
from backend.errors import ConfigurationError
import psycopg2
try:
    with EmbeddedPostgres(Path(sys.argv[1])) as url:
        try:
            print(url, flush=True)
            sys.stdin.readline()
        except KeyboardInterrupt:
            psycopg2.connect(url).close()
            print("it still answers", flush=True)
except ConfigurationError as error:
    print("refused:", error, flush=True)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not tmp_path: pytest closes its folders to others, also while another session's server runs in one.
    with tempfile.TemporaryDirectory(prefix="task-api-test-") as name:
        yield Path(name).resolve() / "data"


@pytest.fixture(scope="module")
def template() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="task-api-test-") as name:
        with EmbeddedPostgres(Path(name)):
            pass
        yield Path(name)


@pytest.fixture
def made(folder: Path, template: Path) -> Path:
    """A folder with a database in it: making one takes a second."""
    subprocess.run(["cp", "-a", template, folder], check=True)  # noqa: S603, S607 - copytree would change the owner
    return folder


def options_for(user: str | None) -> dict[str, Any]:
    """Run a child as that user, with our modules and packages."""
    packages = os.pathsep.join([str(ROOT), str(Path(psutil.__file__).parents[1])])
    environment = {**os.environ, "PYTHONPATH": packages}
    if user is None:
        return {"env": environment, "cwd": ROOT}
    # It cannot write coverage data here.
    environment = {name: value for name, value in environment.items() if not name.startswith("COVERAGE")}
    return {"env": environment, "cwd": "/", "user": user, "extra_groups": ()}


@cache
def interpreter(user: str | None) -> str:
    """Find a Python that the user may run: root's own may lie in root's home."""
    for candidate in (sys.executable, "/usr/bin/python3"):
        command = [candidate, "-c", "import backend.database.embedded"]
        with suppress(OSError, subprocess.CalledProcessError):
            subprocess.run(command, check=True, capture_output=True, **options_for(user))  # noqa: S603 - as written here
            return candidate
    pytest.skip(f"{user} may run no Python that has our packages: install one outside root's home")


@contextmanager
def another_process(folder: Path, user: str | None = None, limit: str = "") -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(  # noqa: S603 - as written here
        [interpreter(user), "-W", "error", "-c", limit + USER_PROGRAM, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **options_for(user),
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def leave(process: subprocess.Popen[str]) -> int:
    process.communicate("\n", timeout=30)
    return process.returncode


def ask(url: str, question: str) -> str:
    connection = psycopg2.connect(url)
    try:
        with connection.cursor() as cursor:
            cursor.execute(question)
            return str(cursor.fetchone()[0])
    finally:
        connection.close()


def server(folder: Path) -> psutil.Process:
    return psutil.Process(int((folder / "postgres" / "postmaster.pid").read_text().split("\n")[0]))


def socket_folder(url: str) -> Path:
    return Path(unquote(url.partition("host=")[2].partition("&")[0]))


def arguments(process: psutil.Process) -> list[str]:
    with suppress(psutil.Error):
        return list(process.cmdline())
    return []


@pytest.mark.requirement("FR-064")
def test_it_answers_inside_and_is_gone_afterwards(made: Path) -> None:
    with EmbeddedPostgres(made) as url:
        assert ask(url, "SHOW server_version").startswith("18.")
        assert ask(url, "SHOW fsync") == "on"
        assert ask(url, "SHOW listen_addresses") == ""
        assert ask(url, "SHOW server_encoding") == "UTF8"
        process = server(made)
    assert not process.is_running()


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
        assert not process.is_running()


@pytest.mark.requirement("FR-064")
def test_a_killed_user_does_not_keep_it_running(made: Path) -> None:
    with another_process(made) as other:
        said(other)
        other.kill()
    process = server(made)
    assert process.is_running()
    with EmbeddedPostgres(made):
        assert server(made) == process
    assert not process.is_running()


def test_several_that_start_at_once_share_one(folder: Path) -> None:
    with ExitStack() as stack:
        others = [stack.enter_context(another_process(folder)) for _ in range(4)]
        assert len({said(other) for other in others}) == 1
        process = server(folder)
        assert [leave(other) for other in others] == [0, 0, 0, 0]
        assert not process.is_running()


@pytest.mark.requirement("FR-064")
def test_ctrl_c_in_the_terminal_reaches_us_before_it(made: Path) -> None:
    with another_process(made) as other:
        said(other)
        process = server(made)
        os.killpg(other.pid, signal.SIGINT)
        assert said(other) == "it still answers"
        assert other.wait(30) == 0
    assert not process.is_running()


def test_it_recovers_from_a_crash(made: Path) -> None:
    with EmbeddedPostgres(made) as url:
        server(made).kill()
        with EmbeddedPostgres(made) as again:
            assert ask(again, "SELECT 1") == "1"
            assert again == url


def test_a_stale_pid_file_that_names_a_stranger_is_no_obstacle(made: Path) -> None:
    with EmbeddedPostgres(made):
        lines = (made / "postgres" / "postmaster.pid").read_text().split("\n")
    with another_process(made / "elsewhere") as stranger:
        said(stranger)
        stranger_server = server(made / "elsewhere")
        # Of the same system user as our server: Postgres itself would refuse to start beside it.
        (made / "postgres" / "postmaster.pid").write_text("\n".join([str(stranger_server.pid), *lines[1:]]))
        with EmbeddedPostgres(made) as url:
            assert ask(url, "SHOW data_directory") == str(made / "postgres")
        assert stranger_server.is_running()
        leave(stranger)


def test_the_pid_file_of_a_copied_folder_does_not_lead_to_the_original(folder: Path) -> None:
    copy = folder / "copy"
    with EmbeddedPostgres(copy), EmbeddedPostgres(folder):
        pass
    with EmbeddedPostgres(folder):
        shutil.copy(folder / "postgres" / "postmaster.pid", copy / "postgres" / "postmaster.pid")
        with EmbeddedPostgres(copy) as url:
            assert ask(url, "SHOW data_directory") == str(copy / "postgres")


def test_a_pid_file_that_is_still_being_written_is_waited_for(made: Path) -> None:
    with EmbeddedPostgres(made) as url:
        file = made / "postgres" / "postmaster.pid"
        complete = file.read_text()
        file.write_text("\n".join(complete.split("\n")[:3]))
        later = threading.Timer(0.5, file.write_text, [complete])
        later.start()
        with EmbeddedPostgres(made) as again:
            assert again == url
        later.join()


def test_a_server_that_hangs_is_reported(
    made: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(embedded, "START_SECONDS", 0.2)
    with another_process(made) as other:
        said(other)
        process = server(made)
        process.suspend()
        with pytest.raises(ConfigurationError, match="does not answer"), EmbeddedPostgres(made):
            pass
        process.resume()
        leave(other)
    monkeypatch.undo()
    monkeypatch.setattr(embedded, "STOP_SECONDS", 0.2)
    with EmbeddedPostgres(made):
        process = server(made)
        process.suspend()
    assert "does not stop" in caplog.text
    process.resume()
    process.wait(30)


@pytest.mark.parametrize("name", ["l" * 120, "it's, a b"])
@pytest.mark.parametrize("user", [None, pytest.param("nobody", marks=needs_root)])
def test_long_and_odd_paths_work_and_stay_private(folder: Path, name: str, user: str | None) -> None:
    folder.mkdir()
    if user is not None:
        shutil.chown(folder, user)
        folder.parent.chmod(0o711)
    with another_process(folder / name, user) as other:
        url = said(other)
        sockets = socket_folder(url)
        assert ask(url, "SHOW data_directory") == str(folder / name / "postgres")
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
        assert leave(other) == 0
    assert not sockets.exists()


@needs_root
def test_root_and_an_ordinary_user_run_theirs_at_the_same_time(folder: Path) -> None:
    folder.mkdir()
    folder.parent.chmod(0o711)
    theirs = folder / "theirs"
    theirs.mkdir()
    shutil.chown(theirs, "nobody")
    with EmbeddedPostgres(folder / "ours") as ours, another_process(theirs, "nobody") as other:
        assert ask(said(other), "SHOW data_directory") == str(theirs / "postgres")
        assert ask(ours, "SHOW data_directory") == str(folder / "ours" / "postgres")
        assert server(theirs).username() == "nobody"
        assert server(folder / "ours").username() == "pgserver"
        assert leave(other) == 0


@needs_root
def test_a_folder_of_another_user_is_refused_in_both_directions(folder: Path) -> None:
    folder.mkdir()
    folder.parent.chmod(0o711)
    shutil.chown(folder, "nobody")
    with another_process(folder, "nobody") as other:
        said(other)
        leave(other)
    with pytest.raises(ConfigurationError, match="belongs to another user"), EmbeddedPostgres(folder):
        pass
    assert (folder / "postgres").stat().st_uid == pwd.getpwnam("nobody").pw_uid
    with EmbeddedPostgres(folder / "of root"), another_process(folder / "of root", "nobody") as other:
        assert "Permission denied" in said(other)


@needs_root
def test_folders_above_become_traversable_but_not_readable(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    with EmbeddedPostgres(folder / "data"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o711
        assert stat.S_IMODE((folder / "data" / "postgres").stat().st_mode) == 0o700


@needs_root
@pytest.mark.parametrize("useradd", ["", "#!/bin/sh\nexit 1\n"], ids=["missing", "failing"])
def test_without_an_account_for_the_server_root_is_told_what_to_do(
    folder: Path, monkeypatch: pytest.MonkeyPatch, useradd: str
) -> None:
    folder.mkdir()
    if useradd:
        (folder / "useradd").write_text(useradd)
        (folder / "useradd").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(embedded, "SERVER_USER", "no-such-account")
    with (
        pytest.raises(ConfigurationError, match="Run as an ordinary user, or set DATABASE_URL"),
        EmbeddedPostgres(folder),
    ):
        pass


def test_files_of_another_major_version_are_refused(made: Path) -> None:
    with EmbeddedPostgres(made):
        pass
    (made / "postgres" / "PG_VERSION").write_text("17\n")
    with (
        pytest.raises(ConfigurationError, match="made by Postgres 17, and this is Postgres 18"),
        EmbeddedPostgres(made),
    ):
        pass
    (made / "postgres" / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(made) as url:
        assert ask(url, "SELECT 1") == "1"


def test_an_unusable_folder_is_refused(folder: Path) -> None:
    folder.write_text("a file")
    with pytest.raises(ConfigurationError, match="Set DATA_DIR to a folder of your own"), EmbeddedPostgres(folder):
        pass
    with pytest.raises(ConfigurationError, match="must not contain"), EmbeddedPostgres(folder.parent / "$(date)"):
        pass


def test_a_full_disk_leaves_nothing_half_made(folder: Path) -> None:
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
    with another_process(folder, limit=limit) as other:
        assert said(other).startswith("refused: The embedded Postgres: initdb failed: ")
    assert {path.name for path in folder.iterdir()} == {"postgres.lock", "postgres.users"}
    with EmbeddedPostgres(folder) as url:
        assert ask(url, "SELECT 1") == "1"


def test_a_kill_while_the_files_are_made_leaves_no_obstacle(folder: Path) -> None:
    with another_process(folder) as other:
        while not list(folder.glob("postgres-new-*/PG_VERSION")):
            time.sleep(0.005)
        other.kill()
    assert not (folder / "postgres").exists()
    with EmbeddedPostgres(folder) as url:
        assert ask(url, "SELECT 1") == "1"
    while any(
        "postgres-new-" in part
        for process in psutil.process_iter()
        for part in arguments(process)
        if str(folder) in part
    ):
        time.sleep(0.05)  # initdb outlived the kill
    with EmbeddedPostgres(folder):
        assert not list(folder.glob("postgres-new-*"))


def test_a_server_that_cannot_start_says_why(made: Path) -> None:
    with EmbeddedPostgres(made):
        pass
    with (made / "postgres" / "postgresql.conf").open("a") as settings:
        settings.write("no_such_setting = 1\n")
    with pytest.raises(ConfigurationError, match=r"does not start: .*contains errors"), EmbeddedPostgres(made):
        pass


@needs_root
def test_a_complaint_of_its_programs_is_passed_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(ConfigurationError, match=r"initdb failed: .*cannot be run as root"), EmbeddedPostgres(folder):
        pass


def test_windows_is_told_to_bring_a_database(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Windows")
    with pytest.raises(ConfigurationError, match="set DATABASE_URL"), EmbeddedPostgres(folder):
        pass


def test_settings_of_the_shell_for_other_servers_do_not_matter(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PGPORT": "1", "PGDATA": "/nowhere", "PGHOST": "nowhere", "LC_ALL": "xx_YY.UTF-8"}.items():
        monkeypatch.setenv(name, value)
    with EmbeddedPostgres(made) as url:
        assert ask(url, "SHOW port") == "5432"


def test_importing_it_warns_of_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    command = [sys.executable, "-W", "error", "-c", "import backend.database.embedded"]
    done = subprocess.run(  # noqa: S603 - as written here
        command, check=False, capture_output=True, text=True, **options_for(None)
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
