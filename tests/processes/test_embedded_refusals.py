"""What prevents the embedded Postgres from running, and the resulting messages."""

from __future__ import annotations

import errno
import importlib
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import psutil
import pytest

from backend.database.embedded import wheel
from backend.database.embedded.postgres import EmbeddedPostgres
from backend.errors import ConfigurationError
from tests.fixtures.processes.embedded import another_process, arguments, ask, needs_root, options_for, said
from tests.fixtures.running.waiting import until


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


def test_an_unusable_folder_is_refused(data_dir: Path) -> None:
    data_dir.write_text("a file")
    with pytest.raises(ConfigurationError, match="Set DATA_DIR to a folder of your own"), EmbeddedPostgres(data_dir):
        pass
    with pytest.raises(ConfigurationError, match="must not contain"), EmbeddedPostgres(data_dir.parent / "$(date)"):
        pass


def test_a_full_disk_leaves_nothing_half_made(data_dir: Path) -> None:
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
    with another_process(data_dir, limit=limit) as other:
        assert said(other).startswith("refused: The embedded Postgres: initdb failed: ")
    assert {path.name for path in data_dir.iterdir()} == {"postgres.lock", "postgres.users"}
    with EmbeddedPostgres(data_dir) as url:
        assert ask(url, "SELECT 1") == "1"


def test_a_kill_while_the_files_are_made_leaves_no_obstacle(data_dir: Path) -> None:
    with another_process(data_dir) as other:
        until(lambda: list(data_dir.glob("postgres-new-*/PG_VERSION")))
        other.kill()
    assert not (data_dir / "postgres").exists()
    with EmbeddedPostgres(data_dir) as url:
        assert ask(url, "SELECT 1") == "1"
    until(
        lambda: (
            not any(  # initdb survived the kill
                "postgres-new-" in part
                for process in psutil.process_iter()
                for part in arguments(process)
                if str(data_dir) in part
            )
        )
    )
    with EmbeddedPostgres(data_dir):
        assert not list(data_dir.glob("postgres-new-*"))


def test_a_server_that_cannot_start_says_why(made: Path) -> None:
    with EmbeddedPostgres(made):
        pass
    with (made / "postgres" / "postgresql.conf").open("a") as settings:
        settings.write("no_such_setting = 1\n")
    with pytest.raises(ConfigurationError, match=r"does not start: .*contains errors"), EmbeddedPostgres(made):
        pass


def test_files_of_another_user_are_refused(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4242)
    with pytest.raises(ConfigurationError, match="belongs to another user"), EmbeddedPostgres(made):
        pass


@needs_root
def test_a_complaint_of_its_programs_is_passed_on(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(ConfigurationError, match=r"initdb failed: .*cannot be run as root"), EmbeddedPostgres(data_dir):
        pass


def test_windows_is_told_to_bring_a_database(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel.helpers()  # its import looks at the system, too, and later tests run on this one
    monkeypatch.setattr(platform, "system", lambda: "Windows")
    with pytest.raises(ConfigurationError, match="set DATABASE_URL"), EmbeddedPostgres(data_dir):
        pass


def test_settings_of_the_shell_for_other_servers_do_not_matter(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PGPORT": "1", "PGDATA": "/nowhere", "PGHOST": "nowhere", "LC_ALL": "xx_YY.UTF-8"}.items():
        monkeypatch.setenv(name, value)
    with EmbeddedPostgres(made) as url:
        assert ask(url, "SHOW port") == "5432"


def test_importing_it_warns_of_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    command = [sys.executable, "-W", "error", "-c", "import backend.database.embedded.postgres"]
    done = subprocess.run(  # noqa: S603 - as written here
        command, check=False, capture_output=True, text=True, **options_for(None)
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.requirement("FR-248")
def test_a_machine_without_a_folder_for_temporary_files(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def find_none(_module: str) -> NoReturn:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr(importlib, "import_module", find_none)
    with pytest.raises(ConfigurationError, match="Set TMPDIR to a folder of your own, or DATABASE_URL"):
        EmbeddedPostgres(data_dir)
