"""Folders for embedded servers and for migrations."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from backend.database.embedded import EmbeddedPostgres


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A place for a data folder, where nothing is yet."""
    return tmp_path / "data"


@pytest.fixture(scope="session")
def template() -> Iterator[Path]:
    """A folder with the files of a server that never served."""
    with TemporaryDirectory(prefix="task-api-test-") as name:
        with EmbeddedPostgres(Path(name)):
            pass
        yield Path(name)


@pytest.fixture
def made(data_dir: Path, template: Path) -> Path:
    """A data folder of this test alone, with a database in it: making one takes a second."""
    subprocess.run(["cp", "-a", template, data_dir], check=True)  # noqa: S603, S607 - copytree would change the owner
    return data_dir


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A folder for migrations of the test's own."""
    path = tmp_path / "migrations [of a test]"  # glob characters in a path are only characters
    path.mkdir()
    return path
