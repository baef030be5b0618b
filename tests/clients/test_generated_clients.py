"""Clients that hey-api and Orval generate from the contract: they compile, and they live the life of a task."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from backend.identity.jwt import issue_token
from tests.fixtures.calls.api import API, new_user
from tests.fixtures.identity.tokens import SECRET
from tests.fixtures.node.clients import (
    NODE_PROGRAMS,
    NODE_TESTS,
    answers,
    needs_node,
    nullable_fields,
    run,
    write_contract,
)

PROGRAMS = ["life_with_hey_api", "life_with_orval"]
ORVAL = """module.exports = { tasks: { input: { target: "./openapi.json" }, output: {
  client: "fetch", target: "./orval/client.ts", mode: "single",
  override: { mutator: { path: "./orval_fetch.ts", name: "orvalFetch" } },
} } };
"""
MODEL = re.compile(r"^export (?:type|interface) TaskPublic (?:= )?\{$(.*?)^\}", re.DOTALL | re.MULTILINE)
FIELD = re.compile(r"^ +(\w+)\??: (.+);$", re.MULTILINE)
NAMED = re.compile(r"^export type (\w+) = ([^{;]+);", re.MULTILINE)
COMMENT = re.compile(r"/\*\*.*?\*/", re.DOTALL)

pytestmark = needs_node


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder with both clients, and the programs that use them."""
    with TemporaryDirectory(prefix="task-api-test-") as name:
        folder = Path(name)
        for file in ("package.json", "orval_fetch.ts", *(f"{program}.ts" for program in PROGRAMS)):
            shutil.copy(NODE_TESTS / file, folder)
        (folder / "node_modules").symlink_to(NODE_TESTS / "node_modules")
        (folder / "orval.config.cjs").write_text(ORVAL)
        settings = json.loads((NODE_TESTS / "tsconfig.json").read_text(encoding="utf-8"))
        options = {"module": "preserve", "moduleResolution": "bundler", "noEmit": True}
        # Of the strictest checks, what hey-api writes itself does not stand this one.
        settings["compilerOptions"] |= {**options, "exactOptionalPropertyTypes": False}
        settings["files"] = [f"{program}.ts" for program in PROGRAMS]
        (folder / "tsconfig.json").write_text(json.dumps(settings))
        write_contract(folder)
        run(NODE_PROGRAMS / "openapi-ts", "--input", "openapi.json", "--output", "hey", "--no-log-file", folder=folder)
        run(NODE_PROGRAMS / "orval", "--config", "orval.config.cjs", folder=folder)
        yield folder


@pytest.mark.requirement("FR-593")
def test_both_clients_and_what_uses_them_compile(folder: Path) -> None:
    run(NODE_PROGRAMS / "tsc", "--project", folder, folder=folder)


@pytest.mark.requirement("FR-592", "FR-593")
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_client_lives_the_life_of_a_task(folder: Path, api: API, program: str) -> None:
    options = ("--bundle", "--platform=node", "--format=esm", f"--outfile=out/{program}.js", "--log-level=warning")
    run(NODE_PROGRAMS / "esbuild", f"{program}.ts", *options, folder=folder)
    token = issue_token(SECRET, new_user(), ttl_seconds=600)

    assert run("node", f"out/{program}.js", api.base_url, token, folder=folder) == "done\n"


@pytest.mark.requirement("FR-594")
@pytest.mark.parametrize("file", ["hey/types.gen.ts", "orval/client.ts"])
def test_what_may_be_null_is_so_and_nothing_else(folder: Path, file: str) -> None:
    types = COMMENT.sub("", (folder / file).read_text(encoding="utf-8"))
    found = MODEL.search(types)
    assert found
    named = dict(NAMED.findall(types))  # Orval names the type of each field
    fields = {name: named.get(kind, kind) for name, kind in FIELD.findall(found[1])}

    assert fields.keys() == answers()["TaskPublic"]
    assert {name for name, kind in fields.items() if "null" in kind} == nullable_fields("TaskPublic")
    assert "unknown" not in fields.values()


@pytest.mark.requirement("FR-592")
def test_an_event_has_a_type(folder: Path) -> None:
    types = (folder / "hey/types.gen.ts").read_text(encoding="utf-8")
    (answers,) = re.findall(r"^export type StreamChangesResponses = \{$(.*?)^\};", types, re.DOTALL | re.MULTILINE)

    assert "200: TaskPublic | DeletedTask | TaskChange | LabelChange | ListChange;" in answers
