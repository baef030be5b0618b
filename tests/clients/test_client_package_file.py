"""The Python client as users get it: built into files, and installed from these in an empty environment."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

import pytest

from tests.fixtures.calls.api import API
from tests.fixtures.documents.requirements import ROOT
from tests.fixtures.http.client_package import token_of
from tests.fixtures.node.clients import run

SOURCES = ROOT / "clients/python"
PROGRAM = Path(__file__).with_name("use_of_the_package.py")
OLDEST, OWN = "3.9", f"{sys.version_info.major}.{sys.version_info.minor}"
MAX_BYTES = 50_000

pytestmark = pytest.mark.requirement("FR-589")


def _installed(version: str) -> str | None:
    """Return a Python of this version that makes environments, if this machine has one: on PATH, or kept by pyenv."""
    folders = [Path(folder).parent / "versions" for folder in os.environ["PATH"].split(os.pathsep) if "shims" in folder]
    kept = [str(path) for folder in folders for path in sorted(folder.glob(f"{version}.*/bin/python"))]
    for python in [*kept, f"python{version}", *([sys.executable] if version == OWN else [])]:
        path = shutil.which(python)
        if path and subprocess.run([path, "-c", "import ensurepip"], capture_output=True, check=False).returncode == 0:  # noqa: S603
            return path
    return None


VERSIONS = {version: python for minor in range(9, 15) if (python := _installed(version := f"3.{minor}"))}


@pytest.fixture(scope="module")
def built() -> Iterator[Path]:
    """A folder with the wheel and the source distribution."""
    with TemporaryDirectory(prefix="task-api-test-") as name:
        folder = Path(name)
        shutil.copytree(SOURCES, folder / "python", ignore=shutil.ignore_patterns("*.egg-info", "build", "__pycache__"))
        options = ("--no-isolation", "--outdir", folder)
        run(sys.executable, "-m", "build", *options, folder / "python", folder=folder)
        yield folder


def _use(file: Path, python: str, folder: Path, arguments: tuple[str, str]) -> None:
    """Install a file into an empty environment, and use it there."""
    run(python, "-m", "venv", "new", folder=folder)
    run(folder / "new/bin/python", "-m", "pip", "install", "--quiet", file, folder=folder)
    options = ("-W", "error::ResourceWarning", "-W", "error::DeprecationWarning:task_api_client")
    assert run(folder / "new/bin/python", *options, PROGRAM, *arguments, folder=folder) == "done\n"


@pytest.mark.parametrize("version", VERSIONS)
def test_it_installs_and_works_on_every_python(
    built: Path, tmp_path: Path, api: API, user_id: str, version: str
) -> None:
    (wheel,) = built.glob("*.whl")

    _use(wheel, VERSIONS[version], tmp_path, (api.base_url, token_of(user_id)))


def test_it_installs_from_its_source(built: Path, tmp_path: Path, api: API, user_id: str) -> None:
    (source,) = built.glob("*.tar.gz")

    _use(source, sys.executable, tmp_path, (api.base_url, token_of(user_id)))


def test_the_files_hold_what_is_needed_and_no_more(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    (source,) = built.glob("*.tar.gz")
    package = SOURCES / "src"
    modules = {path.relative_to(package).as_posix() for path in (package / "task_api_client").rglob("*.py")}

    with ZipFile(wheel) as file:
        names = {name for name in file.namelist() if ".dist-info/" not in name}
        (metadata,) = [file.read(name).decode() for name in file.namelist() if name.endswith("/METADATA")]
    assert names == modules | {"task_api_client/py.typed"}
    assert re.findall(r"^Requires-Dist: (.+)$", metadata, re.MULTILINE) == ["httpx<1,>=0.27"]
    assert re.findall(r"^Requires-Python: (.+)$", metadata, re.MULTILINE) == [">=3.9"]
    with tarfile.open(source) as archive:
        assert {name.partition("/src/")[2] for name in archive.getnames() if "/src/task_api_client/" in name} >= names
    assert max(wheel.stat().st_size, source.stat().st_size) < MAX_BYTES


def test_an_example_passes_the_strictest_check_against_the_installed_types(tmp_path: Path) -> None:
    options = ("--strict", "--config-file=", "--cache-dir=cache")

    said = run(*(sys.executable, "-m", "mypy", *options, PROGRAM), folder=tmp_path, MYPYPATH=str(SOURCES / "src"))

    assert said == "Success: no issues found in 1 source file\n"


def test_its_oldest_python_is_what_the_linter_reads_it_as() -> None:
    settings = (SOURCES / "pyproject.toml").read_text(encoding="utf-8")

    assert f'requires-python = ">={OLDEST}"' in settings
    assert f'target-version = "py{OLDEST.replace(".", "")}"' in settings
