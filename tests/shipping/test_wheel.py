"""A wheel of the project has the files that the code reads from its package."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.fixtures.documents.guide import BUILT, names_of_pages
from tests.fixtures.processes.process import REPOSITORY

PAGE = Path("backend/api/openapi/page")


@pytest.mark.requirement("FR-478")
def test_a_wheel_has_the_guide_and_the_pages(tmp_path: Path) -> None:
    assert names_of_pages()
    for name in ("backend", "pyproject.toml", "README.md"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    code = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=tmp_path, check=True, capture_output=True)  # noqa: S603

    (wheel,) = tmp_path.glob("*.whl")
    with ZipFile(wheel) as file:
        names = set(file.namelist())
    expected = {path.relative_to(REPOSITORY) for folder in (PAGE, BUILT) for path in (REPOSITORY / folder).rglob("*.*")}
    assert expected > {BUILT / "policy.txt", BUILT / "pages" / "search.json", PAGE / "start.html"}
    assert [path for path in expected if path.as_posix() not in names] == []
