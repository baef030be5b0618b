"""A test's folder decides its tier, and the first tier starts nothing slow."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

from tests.conftest import FIRST_TIER, TESTS
from tests.fixtures.running.long_first import LONG, long_first

pytestmark = pytest.mark.requirement("FR-233")

# Folders of fixtures that start task-api, a disposable Postgres, a browser, a shell or Node.js, and modules that could.
SLOW_TO_START = (
    "tests.fixtures.browsers",
    "tests.fixtures.node",
    "tests.fixtures.processes",
    "backend.database.embedded.postgres",
    "multiprocessing",
    "playwright.sync_api",
)
MAX_MODULES = 17  # in a folder whose modules are sorted by subject
FILES = sorted(path for folder in FIRST_TIER for path in (TESTS / folder).rglob("*.py"))


def slow_imports(source: str) -> set[str]:
    """Return the slow-to-start modules that this source imports."""
    imported: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            imported |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
    return {slow for slow in SLOW_TO_START if any(f"{name}.".startswith(f"{slow}.") for name in imported)}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(TESTS).as_posix())
def test_a_test_of_the_first_tier_starts_nothing_slow(path: Path) -> None:
    assert slow_imports(path.read_text(encoding="utf-8")) == set()


@pytest.mark.parametrize("folder", ["fixtures", "integration"])
def test_modules_are_in_folders_by_subject(folder: str) -> None:
    modules = Counter(path.parent for path in (TESTS / folder).rglob("*.py") if path.name != "conftest.py")

    assert modules[TESTS / folder] == 0
    assert {place: number for place, number in modules.items() if number > MAX_MODULES} == {}


def test_each_folder_of_tests_is_of_one_tier() -> None:
    folders = {path.parent.relative_to(TESTS).parts[0] for path in TESTS.rglob("test_*.py")}

    assert folders > FIRST_TIER
    assert "unit" in FIRST_TIER
    assert not {"processes", "faults", "browser", "fuzzing"} & FIRST_TIER


@pytest.mark.parametrize(
    "source",
    [
        "from tests.fixtures.processes.process import run",
        "from tests.fixtures import node",
        "import multiprocessing",
    ],
)
def test_a_slow_import_is_noticed(source: str) -> None:
    assert len(slow_imports(source)) == 1


@pytest.mark.parametrize("workers", [1, 2, 4, 7])
def test_each_part_of_a_run_begins_with_a_long_test(workers: int) -> None:
    files = [*["unit/test_one.py"] * 9, *LONG, *["unit/test_other.py"] * 30]

    ordered = long_first(files, str, workers)

    assert Counter(ordered) == Counter(files)
    begins, left = [], ordered
    for number in range(workers):  # as xdist divides them
        begins.append(left[0])
        left = left[len(left) // (workers - number) :]
    assert begins == list(LONG[:workers])


def test_long_tests_are_there() -> None:
    assert [name for name in LONG if not (TESTS / name).exists()] == []
