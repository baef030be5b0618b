"""`make guide`: all pages or none, and only when something has changed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from guide.__main__ import CONTRACT, build
from guide.reference import filled
from tests.fixtures.documents.guide import BUILT
from tests.fixtures.processes.process import REPOSITORY
from tests.fixtures.running.needs import need

pytestmark = pytest.mark.requirement("FR-478")

SOURCES = ("Makefile", "docs", "guide", "mkdocs.yml", "requirements-guide.lock", str(CONTRACT))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What the guide is built from, and an environment in which all is installed."""
    for name in SOURCES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (REPOSITORY / name).is_dir() else shutil.copy
        copy(REPOSITORY / name, tmp_path / name)
    (tmp_path / ".venv").mkdir()
    for part in Path(sys.prefix).iterdir():
        if not part.name.startswith("."):
            (tmp_path / ".venv" / part.name).symlink_to(part)
    installed = "touch .venv/.created-$(pwd -P | cksum | cut -d ' ' -f 1) && touch .venv/.guide"
    subprocess.run(["sh", "-c", installed], cwd=tmp_path, check=True)  # noqa: S603, S607 - as make leaves it behind
    return tmp_path


def make(checkout: Path) -> str:
    """Run `make guide`; returns what it says."""
    need("make")
    command = ("make", "--no-print-directory", "guide")
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)  # noqa: S603
    return done.stdout + done.stderr


def shown(checkout: Path, name: str) -> str:
    return (checkout / BUILT / "pages" / name).read_text(encoding="utf-8")


def is_built(said: str) -> bool:
    return "Building the user guide" in said


def test_it_is_built_again_only_when_something_has_changed(checkout: Path) -> None:
    assert is_built(make(checkout))
    assert not is_built(make(checkout))

    page = checkout / "docs" / "limits.md"
    with page.open("a", encoding="utf-8") as file:  # other pages link to its headings
        file.write("\nNothing is without an end.\n")
    later = (checkout / BUILT / "policy.txt").stat().st_mtime + 1
    os.utime(page, (later, later))
    assert is_built(make(checkout))
    assert "Nothing is without an end." in shown(checkout, "limits.html")


@pytest.mark.requirement("FR-476")
@pytest.mark.parametrize("link", ["nothing.md", "tasks.md#nothing", "#nothing"])
def test_a_link_that_leads_nowhere_fails_the_build_and_the_guide_before_stays(checkout: Path, link: str) -> None:
    build(checkout)
    before = shown(checkout, "limits.html")
    (checkout / "docs" / "limits.md").write_text(f"# Limits\n\nSee [there]({link}).\n", encoding="utf-8")

    said = make(checkout)

    assert "The guide cannot be built" in said
    assert "limits.md:3" in said
    assert "Traceback" not in said
    assert shown(checkout, "limits.html") == before


def test_a_page_without_a_place_for_its_table_is_noticed() -> None:
    with pytest.raises(SystemExit, match="no place for its table: <!-- fields of a task -->"):
        filled("<!-- calls -->", REPOSITORY / CONTRACT)
