"""A client in Python, made by openapi-python-client: it passes mypy where it is used, and it works."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import yaml  # type: ignore[import-untyped]

from backend.identity.jwt import issue_token
from tests.fixtures.api import API, new_user
from tests.fixtures.clients import (
    CONTRACTS,
    MAY_BE_ABSENT,
    PYTHON_PROGRAMS,
    answers,
    enumerations,
    run,
    write_contract,
)
from tests.fixtures.contract import contract, operations
from tests.fixtures.tokens import SECRET

CONFIGURATION = CONTRACTS / "openapi-python-client.yaml"
PROGRAM = Path(__file__).with_name("life_of_a_task.py")
PACKAGE = "task_api_client"

pytestmark = pytest.mark.requirement("FR-210")


@pytest.fixture(scope="module")
def client() -> Iterator[Path]:
    """The generated client: a folder with its package."""
    with TemporaryDirectory(prefix="task-api-test-") as name:
        folder = Path(name)
        printed = run(
            PYTHON_PROGRAMS / "openapi-python-client",
            "generate",
            "--fail-on-warning",
            *("--path", write_contract(folder)),
            *("--config", CONFIGURATION),
            *("--output-path", folder / "client"),
            folder=folder,
        )
        assert printed.split() == ["Generating", str(folder / "client")], printed
        yield folder / "client"


def _classes(client: Path) -> dict[str, ast.ClassDef]:
    """Read the classes of all models and enumerations."""
    files = (client / PACKAGE / "models").glob("[!_]*.py")
    statements = [statement for file in files for statement in ast.parse(file.read_text(encoding="utf-8")).body]
    return {statement.name: statement for statement in statements if isinstance(statement, ast.ClassDef)}


def _functions(file: Path) -> set[str]:
    """Return the names of a module's functions."""
    statements = ast.parse(file.read_text(encoding="utf-8")).body
    return {part.name for part in statements if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef)}


def _fields(model: ast.ClassDef) -> dict[str, str]:
    """Return how the fields of a model are annotated."""
    fields = {
        field.target.id: ast.unparse(field.annotation)
        for field in model.body
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
    }
    assert fields.pop("additional_properties", "dict[str, Any]") == "dict[str, Any]"
    return fields


def test_what_uses_the_client_passes_the_strictest_check(client: Path, tmp_path: Path) -> None:
    (tmp_path / "mypy.ini").write_text("[mypy]\n")
    options = ("--strict", "--config-file=mypy.ini", "--cache-dir=cache")

    printed = run(sys.executable, "-m", "mypy", *options, PROGRAM, folder=tmp_path, MYPYPATH=str(client))

    assert printed == "Success: no issues found in 1 source file\n"


def test_it_lives_the_life_of_a_task(client: Path, api: API) -> None:
    token = issue_token(SECRET, new_user(), ttl_seconds=600)

    printed = run(sys.executable, PROGRAM, api.base_url, token, folder=client, PYTHONPATH=str(client))

    assert printed == "done\n"


def test_methods_are_called_like_the_operations(client: Path) -> None:
    found = {file.stem: _functions(file) for file in (client / PACKAGE / "api").glob("*/[!_]*.py")}

    assert found.keys() == operations().keys()
    for name, calls in found.items():
        assert calls >= {"sync_detailed", "asyncio_detailed"}, name


def test_nothing_is_optional_that_is_always_there(client: Path) -> None:
    classes = _classes(client)
    models = answers()

    fields = {name: _fields(classes[name]) for name in models}
    assert {name: set(annotated) for name, annotated in fields.items()} == models
    optional = {
        name: {field for field, annotation in annotated.items() if "Unset" in annotation}
        for name, annotated in fields.items()
    }
    assert {name: fields for name, fields in optional.items() if fields} == MAY_BE_ABSENT


def test_no_field_is_anything(client: Path) -> None:
    annotations = {
        f"{name}.{field}": annotation
        for name, model in _classes(client).items()
        for field, annotation in _fields(model).items()
    }

    assert len(annotations) > 100
    assert [field for field, annotation in annotations.items() if "Any" in annotation or "object" in annotation] == []


def test_enumerations_and_their_values_have_names(client: Path) -> None:
    schemas = contract()["components"]["schemas"]
    found = {
        name: {
            ast.unparse(line.targets[0]): ast.literal_eval(line.value)
            for line in found.body
            if isinstance(line, ast.Assign)
        }
        for name, found in _classes(client).items()
        if [ast.unparse(base) for base in found.bases] == ["StrEnum"]
    }

    assert found == {
        name: dict(zip(schemas[name]["x-enum-varnames"], values, strict=True))
        for name, values in enumerations().items()
    }


def test_what_is_taken_for_bytes_is_a_file() -> None:
    overridden = yaml.safe_load(CONFIGURATION.read_text(encoding="utf-8"))["content_type_overrides"]
    kinds = {
        kind
        for operation in operations().values()
        for part in (operation.document.get("requestBody", {}), *operation.document["responses"].values())
        for kind, content in part.get("content", {}).items()
        if content["schema"].get("format") == "binary"
    }

    assert set(overridden.values()) == {"application/octet-stream"}
    assert overridden.keys() <= kinds
