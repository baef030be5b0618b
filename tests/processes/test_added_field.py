"""Two fields that are added to a copy of the code: what follows from a declaration, and which test names the rest."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from shutil import copytree

import pytest

from tests.fixtures.processes.process import REPOSITORY

pytestmark = pytest.mark.requirement("FR-268")

FILES = "backend/formats/fields.py"
MODEL, RULES, TEST = "backend/models/task.py", "backend/services/tasks/rules.py", "tests/contract/test_fields.py"
DECLARATION = (
    MODEL,
    "    @property\n    def said",
    (
        '    urgent: Flag = described("It cannot wait", True, default=False)\n'
        '    venue: Description | None = described("Where to do it", "At home", default=None)\n\n'
    ),
)
VALUE = (TEST, '    "status": "done",', '    "urgent": True,\n    "venue": "=HERE",\n')
# What has to be written besides the declaration: where, before which text, and what.
WRITTEN = {
    "the table": (
        MODEL,
        "    completed_at: datetime | None\n",
        "    urgent: bool = Field(default=False)\n    venue: str | None\n",
    ),
    "an answer": (
        MODEL,
        "    completed_at: datetime | None = described",
        '    urgent: bool = described("…", True)\n    venue: StoredDescription | None = described("…", "At home")\n',
    ),
    "a stored row": (
        RULES,
        "    deleted_at: datetime | None = None",
        "    urgent: bool = False\n    venue: str | None = None\n",
    ),
}
OF_FILES = (
    FILES,
    '    "parent_id": PLAIN',
    '    "urgent": flag("X-TASK-API-URGENT"),\n    "venue": FileField("X-TASK-API-VENUE", is_text=True),\n',
)
# What fails without these lines.
IN_FILES = {
    "test_a_place_knows_every_field[the columns of CSV]",
    "test_a_file_brings_every_field_back[CSV]",
    "test_a_file_brings_every_field_back[iCalendar]",
    *(
        f"test_a_file_of_a_task_without_it_clears_it[{name}-{form}]"
        for name in ("urgent", "venue")
        for form in ("CSV", "iCalendar")
    ),
}


def output(folder: Path, *edits: tuple[str, str, str]) -> str:
    """Edit a copy of the code, and return what the tests of fields print there."""
    for part in ("backend", "migrations", "tests/fixtures", "tests/contract"):
        copytree(REPOSITORY / part, folder / part)
    for name in ("tests/conftest.py", "pyproject.toml"):
        (folder / name).write_bytes((REPOSITORY / name).read_bytes())
    for name, before, written in edits:
        text = (folder / name).read_text(encoding="utf-8")
        assert text.count(before) == 1, before
        (folder / name).write_text(text.replace(before, written + before), encoding="utf-8")
    command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", TEST)
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - our own tests
    return done.stdout + done.stderr


def failing(text: str) -> set[str]:
    """Return the tests that failed."""
    return set(re.findall(rf"^FAILED {TEST}::(\w+(?:\[[^]]*\])?)", text, re.MULTILINE))


def test_declared_fields_are_everywhere_but_in_files(tmp_path: Path) -> None:
    assert failing(output(tmp_path, DECLARATION, VALUE, *WRITTEN.values())) == IN_FILES


@pytest.mark.requirement("FR-496")
def test_a_line_brings_each_into_files(tmp_path: Path) -> None:
    printed = output(tmp_path, DECLARATION, VALUE, *WRITTEN.values(), OF_FILES)

    assert failing(printed) == set()
    assert " passed" in printed


def test_what_was_forgotten_is_named(tmp_path: Path) -> None:
    named = failing(output(tmp_path, DECLARATION, WRITTEN["the table"]))

    assert "test_each_field_has_a_value_here" in named
    assert {f"test_a_place_knows_every_field[{place}]" for place in ("an answer", "a stored row")} <= named


def test_without_a_column_no_statement_can_be_built(tmp_path: Path) -> None:
    others = [edit for name, edit in WRITTEN.items() if name != "the table"]

    assert "KeyError: 'urgent'" in output(tmp_path, DECLARATION, VALUE, *others)
