"""The embedded Postgres after it has ended and cannot restart at once."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from backend.database.embedded import postgres, programs
from backend.database.embedded.postgres import EmbeddedPostgres
from backend.errors import ConfigurationError
from tests.fixtures.processes.embedded import ask, kill, server
from tests.fixtures.running.waiting import until
from tests.fixtures.telemetry.logs import events

pytestmark = pytest.mark.requirement("FR-254")


@pytest.fixture(autouse=True)
def _looking_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "LOOK_SECONDS", 0.02)


def answers(url: str) -> Callable[[], bool]:
    def is_answered() -> bool:
        try:
            return ask(url, "SELECT 1") == "1"
        except psycopg2.OperationalError:
            return False

    return is_answered


@pytest.mark.parametrize(
    ("error", "is_defect"),
    [(ConfigurationError("no room"), False), (OSError("no descriptors"), False), (KeyError("what?"), True)],
)
def test_it_is_tried_again_until_it_works_and_said_once(
    made: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    is_defect: bool,  # noqa: FBT001 - a parameter
) -> None:
    attempts, run = 0, programs.run_program

    def fail(*_arguments: Any, **_options: Any) -> None:
        nonlocal attempts
        attempts += 1
        raise error

    with EmbeddedPostgres(made) as url:
        for outages in (1, 2):
            monkeypatch.setattr(postgres, "run_program", fail)
            kill(made)
            until(lambda: attempts > 5 * outages)  # noqa: B023 - it is asked at once
            monkeypatch.setattr(postgres, "run_program", run)
            until(answers(url))
            until(lambda: len(events(caplog, "postgres_restarted")) == outages)  # noqa: B023

    said = events(caplog, "postgres_not_restarted")
    assert len(said) == 2
    assert all(str(error) in event["reason"] for event in said)
    assert [("exception" in event) for event in said] == [is_defect] * 2


def test_files_that_are_gone_are_not_replaced_by_an_empty_database(
    made: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The disk with the files may be missing, and come back."""
    files, elsewhere = made / "postgres", made / "elsewhere"
    with EmbeddedPostgres(made) as url:
        process = server(made)
        files.rename(elsewhere)
        process.kill()
        until(lambda: events(caplog, "postgres_not_restarted"))
        assert not files.exists()
        elsewhere.rename(files)
        until(answers(url))


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")
def test_what_was_written_before_a_crash_reaches_the_disk_in_one_call(made: Path) -> None:
    with EmbeddedPostgres(made) as url:
        assert ask(url, "SHOW recovery_init_sync_method") == "syncfs"
