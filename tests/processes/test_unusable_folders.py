"""Folders that cannot hold a database, and users with few rights: each gets one line that says what to do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx
import pytest

from tests.fixtures.identity.tokens import SECRET
from tests.fixtures.processes.confined import need_mounts
from tests.fixtures.processes.embedded import AS_ROOT, interpreter, needs_root, options_for
from tests.fixtures.processes.process import environment, served
from tests.fixtures.running.needs import need
from tests.fixtures.running.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.requirement("FR-248")

NOBODY, NAMELESS = 65534, 54321
FOLDER_OF_ONES_OWN = "Set DATA_DIR to a folder of your own"
READ_ONLY = 'mount --bind "$0" "$0"; mount -o remount,bind,ro "$0"; exec "$@"'
FULL = """
mkdir "$0.copy"; cp -a "$0/." "$0.copy"; mount -t tmpfs -o size=200m none "$0"; cp -a "$0.copy/." "$0"
chown --reference="$0.copy" "$0"; cat /dev/zero >"$0/filling" 2>/dev/null; exec "$@"
"""


def serving(user: int = NOBODY) -> Sequence[str]:
    """Return the command that serves as an ordinary user: the current one, or for root that user id."""
    command = ("-m", "backend.cli", "serve", "--port", "0")
    if not AS_ROOT:
        return (sys.executable, *command)
    need("setpriv")
    return ("setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", interpreter("nobody"), *command)


def bare(data_dir: Path | str, **settings: str) -> dict[str, str]:
    """Return the environment of a user without a home or a runtime folder."""
    env = environment(Path(data_dir), PYTHONPATH=options_for("nobody")["env"]["PYTHONPATH"], **settings)
    return {name: value for name, value in env.items() if name not in {"HOME", "XDG_RUNTIME_DIR", "USER", "LOGNAME"}}


def refusal(command: Sequence[str], env: Mapping[str, str], folder: Path) -> str:
    """Return the one line that explains why a service does not start."""
    done = subprocess.run(  # noqa: S603 - our own command
        command, env=env, cwd=folder, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("task-api: ")
    return line


@pytest.fixture
def own_folder(tmp_path: Path) -> Path:
    """A folder that everybody may enter, owned by an ordinary user."""
    tmp_path.chmod(0o711)
    folder = tmp_path / "own_folder"
    folder.mkdir()
    if AS_ROOT:
        os.chown(folder, NOBODY, NOBODY)
    return folder


def test_an_ordinary_user_without_a_home_is_served(own_folder: Path) -> None:
    with served(env=bare(own_folder / "data"), cwd=own_folder, command=serving()) as service:
        answer = httpx.post(
            f"{service.address}/api/tasks", json={"title": "a"}, trust_env=False, timeout=PATIENCE_SECONDS,
            headers={"Authorization": f"Bearer {service.token}"},
        )  # fmt: skip
        assert answer.status_code == 201


@pytest.mark.parametrize("settings", [{}, {"JWT_SECRET": SECRET}], ids=["the secret", "the database"])
def test_a_folder_that_is_not_ours(own_folder: Path, settings: dict[str, str]) -> None:
    data_dir = own_folder / "data"
    data_dir.mkdir(mode=0o555)

    line = refusal(serving(), bare(data_dir, **settings), own_folder)

    assert "Permission denied" in line
    assert FOLDER_OF_ONES_OWN in line


def test_a_home_that_cannot_be_found(own_folder: Path) -> None:
    line = refusal(serving(), bare("~no-such-user/data"), own_folder)

    assert line.startswith("task-api: DATA_DIR: the home folder for ~ cannot be found. Write the full path")
    assert list(own_folder.iterdir()) == []


@needs_root
def test_a_user_without_a_name(own_folder: Path) -> None:
    os.chown(own_folder, NAMELESS, NAMELESS)

    assert "Run as a user that this machine knows by name, or set DATABASE_URL" in refusal(
        serving(NAMELESS), bare(own_folder / "data"), own_folder
    )


@needs_root
@pytest.mark.parametrize(
    ("what", "words", "advice"),
    [
        (READ_ONLY, "Read-only file system", FOLDER_OF_ONES_OWN),
        (FULL, "No space left on device", "or set DATABASE_URL to a Postgres"),
    ],
    ids=["read-only", "full"],
)
@pytest.mark.parametrize("is_root", [False, True], ids=["ordinary user", "root"])
def test_a_disk_that_takes_nothing(made: Path, what: str, words: str, advice: str, *, is_root: bool) -> None:
    need_mounts()
    made.parent.chmod(0o711)
    if not is_root:
        for path in (made, *made.rglob("*")):
            shutil.chown(path, NOBODY, NOBODY)
    env = bare(made, JWT_SECRET=SECRET)
    command = ["unshare", "--mount", "sh", "-c", f"mount --make-rprivate /; {what}", str(made)]

    line = refusal([*command, *serving(0 if is_root else NOBODY)], env, made.parent)

    assert words in line
    assert advice in line
