"""The output of a test run: what was skipped or slow, how to run the rest, and why a test failed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.processes.process import REPOSITORY

pytestmark = pytest.mark.requirement("FR-235")

FIRST_TIER = """
from tests.fixtures.running.needs import need, skip_without

def test_that_passes(): pass
def test_that_needs_programs(): need("zsh", "jq")
def test_that_needs_one_of_them_too(): need("zsh")
def test_that_needs_something_else(): skip_without("root")
"""
SECOND_TIER = """
from tests.fixtures.processes.process import environment, served

def test_that_fails(tmp_path):
    with served(env=environment(tmp_path / "data"), cwd=tmp_path):
        raise AssertionError("on purpose")
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """A small suite with our fixtures."""
    tests = tmp_path / "tests"
    for folder, content in (("unit", FIRST_TIER), ("processes", SECOND_TIER)):
        (tests / folder).mkdir(parents=True)
        (tests / folder / f"test_{folder}.py").write_text(content)
    for name in ("backend", "migrations", "pyproject.toml", "tests/conftest.py", "tests/fixtures"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    return tmp_path


def run(suite: Path, *arguments: str) -> str:
    """Run it as make does; returns the output."""
    (options,) = re.findall(r"^pytest = @\$\(bin\)/python -m pytest (.*)$", makefile(), re.MULTILINE)
    done = subprocess.run(  # noqa: S603 - our own tests
        [sys.executable, "-m", "pytest", *options.split(), "--numprocesses", "0", "-p", "no:cacheprovider", *arguments],
        cwd=suite,
        env={"PATH": str(Path(sys.executable).parent), "PYTHONPATH": str(REPOSITORY)},  # no other programs
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    return done.stdout + done.stderr


def makefile() -> str:
    return (REPOSITORY / "Makefile").read_text(encoding="utf-8")


def test_the_first_tier_is_chosen_by_folder_and_says_what_it_left_out(suite: Path) -> None:
    printed = run(suite, "--tier", "first")

    assert "1 passed, 3 skipped" in printed
    skipped = "Skipped 3 tests that need jq, root, zsh. On Debian: apt-get install jq zsh; then make install."
    assert skipped in printed.splitlines()
    assert "This was the first tier. To run all tests: make test-all" in printed.splitlines()
    assert "= slowest 10 durations =" in printed
    assert "$(pytest) $(or $(ARGS),--tier first)" in makefile()


def test_a_failing_test_shows_the_log_of_the_services_that_it_used(suite: Path) -> None:
    printed = run(suite, "--tier", "second")

    assert "1 failed" in printed
    assert "skipped" not in printed.lower()
    _, heading, log = printed.partition("Log of the service: serve-")
    assert heading
    assert "Task API  http://127.0.0.1:" in log, log
    assert "first tier" not in printed
