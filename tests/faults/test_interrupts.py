"""Ctrl-C, typed at a terminal while a command runs."""

from __future__ import annotations

from pathlib import Path

import psycopg2
import pytest

from tests.fixtures.processes.process import TASK_API, environment, run
from tests.fixtures.processes.terminal import terminal


@pytest.mark.requirement("FR-219", "FR-221")
def test_a_command_that_is_interrupted_says_so_and_leaves_nothing_half_done(own_url: str, tmp_path: Path) -> None:
    env = environment(tmp_path / "data", DATABASE_URL=own_url, TQDM_MININTERVAL="0")

    with terminal([*TASK_API, "seed", "--users", "1000", "--tasks", "1000"], env, tmp_path) as screen:
        screen.read_until(r"\| [1-9][0-9]*/1000000 ")
        screen.type("\x03")
        screen.read_to_the_end()
        assert screen.process.returncode == 130

    assert "Traceback" not in screen.shown
    connection = psycopg2.connect(own_url)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), bool_and(task_count = (SELECT count(*) FROM tasks WHERE user_id = users.id)) FROM users"
        )
        users, is_whole = cursor.fetchone()
    connection.close()
    assert is_whole
    assert 0 < users < 1000
    assert run("seed", "--users", "1", "--tasks", "1000", env=env, cwd=tmp_path).returncode == 0
