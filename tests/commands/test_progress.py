"""The progress line of long commands, shown on a real terminal and nowhere else."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.fixtures.processes.process import TASK_API, environment, run
from tests.fixtures.processes.terminal import terminal

pytestmark = pytest.mark.requirement("FR-222")

ARGUMENTS = ("seed", "--users", "3", "--tasks", "600")
RESULT = "added 1800 tasks\nUsers: alice, bob, carol\nA token for one of them: task-api token alice\n"
BY_SIZE = """
from backend.commands.progress import progress
with progress(None, "B") as advance:
    advance(1_500_000)
"""


def test_progress_is_shown_on_standard_error_that_is_a_terminal(own_url: str, tmp_path: Path) -> None:
    env = environment(tmp_path / "data", DATABASE_URL=own_url, TQDM_MININTERVAL="0")

    with terminal([*TASK_API, *ARGUMENTS], env, tmp_path, is_output_caught=True) as screen:
        shown = screen.read_to_the_end()
        assert screen.process.returncode == 0
        assert screen.process.stdout is not None
        assert screen.process.stdout.read().decode() == RESULT

    assert "| 0/1800 " in shown
    assert "| 500/1800 " in shown
    assert "tasks/s]" in shown
    assert shown.split("\r")[-2:] == [" " * len(shown.split("\r")[-2]), ""]  # the line is blank again


def test_nothing_is_shown_where_that_is_no_terminal(own_url: str, tmp_path: Path) -> None:
    env = environment(tmp_path / "data", DATABASE_URL=own_url, TQDM_MININTERVAL="0")

    done = run(*ARGUMENTS, env=env, cwd=tmp_path)

    assert (done.returncode, done.stdout, done.stderr) == (0, RESULT, "")


def test_sizes_are_shown_in_their_units(tmp_path: Path) -> None:
    env = environment(tmp_path / "data", TQDM_MININTERVAL="0")

    with terminal([sys.executable, "-c", BY_SIZE], env, tmp_path) as screen:
        assert "1.50MB" in screen.read_to_the_end()
