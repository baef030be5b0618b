"""The gate runs a failed test of the second tier once more, and lets nothing else pass."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.processes.process import REPOSITORY

pytestmark = pytest.mark.requirement("FR-381")

FLAKY = """
from pathlib import Path

def test_that_fails_once():
    mark = Path(__file__).with_suffix(".seen")
    seen = mark.exists()
    mark.touch()
    assert seen
"""
BROKEN = "def test_that_fails(): raise AssertionError\n"
GOOD = "def test_that_passes(): pass\n"
CRASHING = "import os\n\ndef test_that_crashes(): os._exit(3)\n"
MAKEFILE = "test:\n\t@.venv/bin/python -m pytest --quiet --numprocesses {} $(ARGS)\n"


def gate(folder: Path, files: dict[str, str], *, workers: int = 1, earlier: int = 0) -> tuple[int, list[str], str]:
    """Run the gate's tests in a small suite; returns the exit code, the flaky tests, and what was printed."""
    for name, content in {"tests/fuzzing/test_good.py": GOOD, **files}.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    for name in ("backend", "migrations", "pyproject.toml", "tests/conftest.py", "tests/fixtures", ".ci"):
        (folder / name).symlink_to(REPOSITORY / name)
    (folder / ".venv").symlink_to(Path(sys.prefix))
    (folder / "Makefile").write_text(MAKEFILE.format(workers))
    flaky = folder / "flaky"
    flaky.write_text("tests/faults/test_earlier.py::test\n" * earlier)
    done = subprocess.run(
        [".ci/tests", "-p no:cacheprovider"],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(REPOSITORY), "FLAKY_TESTS": str(flaky)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    return done.returncode, flaky.read_text().splitlines()[earlier:], done.stdout + done.stderr


def test_a_test_that_passes_when_it_is_run_alone_is_named_and_forgiven(tmp_path: Path) -> None:
    code, flaky, printed = gate(tmp_path, {f"tests/faults/test_{name}.py": FLAKY for name in "ab"})

    assert code == 0, printed
    assert flaky == [f"tests/faults/test_{name}.py::test_that_fails_once" for name in "ab"]
    assert [f"flaky: {test}" for test in flaky] == [line for line in printed.splitlines() if line.startswith("flaky: ")]


def test_where_nothing_fails_nothing_is_flaky(tmp_path: Path) -> None:
    assert gate(tmp_path, {})[:2] == (0, [])


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"tests/faults/test_a.py": BROKEN}, "tests/faults/test_a.py::test_that_fails failed again"),
        ({"tests/faults/test_a.py": FLAKY, "tests/security/test_b.py": FLAKY}, "is of the first tier"),
        ({"tests/faults/test_a.py": "import nothing_there\n"}, "crashed: tests/faults/test_a.py"),
        ({"tests/faults/test_a.py": CRASHING}, "crashed: tests/faults/test_a.py"),
    ],
    ids=["again", "first tier", "not collected", "crashed"],
)
def test_every_other_failure_is_final(tmp_path: Path, files: dict[str, str], reason: str) -> None:
    code, flaky, printed = gate(tmp_path, files)

    assert (code != 0, flaky) == (True, []), printed
    assert reason in printed


def test_no_run_of_the_gate_has_more_than_three(tmp_path: Path) -> None:
    code, _, printed = gate(tmp_path, {f"tests/faults/test_{name}.py": FLAKY for name in "ab"}, earlier=2)

    assert code != 0
    assert "more than 3 tests failed" in printed
