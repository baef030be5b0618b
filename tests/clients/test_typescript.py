"""A TypeScript client, made with openapi-typescript and openapi-fetch: its types are accurate, and it works."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from backend.identity.jwt import issue_token
from tests.fixtures.calls.api import API, new_user
from tests.fixtures.documents.contract import operations
from tests.fixtures.identity.tokens import SECRET
from tests.fixtures.node.clients import (
    MAY_BE_ABSENT,
    NODE_PROGRAMS,
    NODE_TESTS,
    answers,
    enumerations,
    needs_node,
    nullable_fields,
    run,
    write_contract,
)

PROGRAM = "life_of_a_task"
COMMENT = re.compile(r"/\*\*.*?\*/", re.DOTALL)
MODEL = re.compile(r"^ {8}(\w+): \{$(.*?)^ {8}\};$", re.DOTALL | re.MULTILINE)
FIELD = re.compile(r"^ {12}(\w+)(\??): (.+|\{\n(?: {16}.+\n)+ {12}\}.*);$", re.MULTILINE)
ENUMERATION = re.compile(r'^ {8}(\w+): ("[^"]+"(?: \| "[^"]+")*);$', re.MULTILINE)
OTHER_HEADERS = "[name: string]: unknown;"  # in every response: headers that the contract does not define
OPERATION = re.compile(r'operations\["(\w+)"\]')

pytestmark = [needs_node, pytest.mark.requirement("FR-209")]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder with the generated types, and the setup to compile the program that uses them."""
    with TemporaryDirectory(prefix="task-api-test-") as name:
        folder = Path(name)
        for file in ("package.json", "tsconfig.json", f"{PROGRAM}.ts"):
            shutil.copy(NODE_TESTS / file, folder)
        (folder / "node_modules").symlink_to(NODE_TESTS / "node_modules")
        contract = write_contract(folder)
        printed = run(NODE_PROGRAMS / "openapi-typescript", contract, "--output", "schema.ts", folder=folder)
        assert "warn" not in printed.lower(), printed
        yield folder


@pytest.fixture(scope="module")
def types(folder: Path) -> str:
    """The generated types, without comments."""
    return COMMENT.sub("", (folder / "schema.ts").read_text(encoding="utf-8"))


def test_the_client_compiles_with_every_strictness_and_lives_the_life_of_a_task(folder: Path, api: API) -> None:
    run(NODE_PROGRAMS / "tsc", "--project", folder, folder=folder)
    token = issue_token(SECRET, new_user(), ttl_seconds=600)

    printed = run("node", f"out/{PROGRAM}.js", api.base_url, token, folder=folder)

    assert printed == "done\n"


def test_every_operation_is_there(types: str) -> None:
    assert set(OPERATION.findall(types)) == set(operations())


def test_no_field_is_anything(types: str) -> None:
    assert OTHER_HEADERS in types
    assert not re.findall(r".*\b(?:any|unknown|object)\b.*", types.replace(OTHER_HEADERS, ""))


def test_nothing_is_optional_that_is_always_there(types: str) -> None:
    found = {name: FIELD.findall(body) for name, body in MODEL.findall(types)}
    models = answers()

    assert {name: {field for field, _, _ in found[name]} for name in models} == models
    optional = {name: {field for field, mark, _ in found[name] if mark} for name in models}
    assert {name: fields for name, fields in optional.items() if fields} == MAY_BE_ABSENT


def test_enumerations_have_names(types: str) -> None:
    named = dict(ENUMERATION.findall(types))

    assert {name: re.findall(r'"([^"]+)"', values) for name, values in named.items()} == enumerations()
    assert not re.findall(r'.*" \| ".*', ENUMERATION.sub("", types))


@pytest.mark.requirement("FR-594")
def test_what_may_be_null_is_so_and_nothing_else(types: str) -> None:
    found = {name: FIELD.findall(body) for name, body in MODEL.findall(types)}

    nullable = {field for field, _, kind in found["TaskPublic"] if "null" in kind}
    assert nullable == nullable_fields("TaskPublic")
