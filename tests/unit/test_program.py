"""How the program says that it can be called."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.commands.program import program
from backend.commands.serve import DEVELOPMENT_USER
from backend.services.samples.tasks import sample_user

pytestmark = pytest.mark.requirement("FR-317")


@pytest.mark.parametrize(
    ("called", "said"),
    [
        (".venv/bin/task-api", ".venv/bin/task-api"),
        ("/srv/tasks/.venv/bin/task-api", "/srv/tasks/.venv/bin/task-api"),
        ("/app/backend/cli.py", "task-api"),
        ("task-api", "task-api"),
    ],
)
def test_it_is_called_again_as_it_was_called(monkeypatch: pytest.MonkeyPatch, called: str, said: str) -> None:
    monkeypatch.setattr("sys.argv", [called])

    assert program() == said


def test_its_name_is_enough_if_that_is_on_the_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    installed = tmp_path / "task-api"
    installed.touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.argv", [str(installed), "serve"])

    assert program() == "task-api"


def test_the_printed_token_is_for_the_first_sample_user() -> None:
    assert sample_user(1) == DEVELOPMENT_USER
