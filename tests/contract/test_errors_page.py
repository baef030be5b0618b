"""docs/errors.md lists exactly the codes that responses and their details can have.

tests/fixtures/calls/api.py compares the codes in the responses of all other tests with the page.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from functools import cache
from typing import get_args

import pytest
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from pydantic_core.core_schema import ErrorType

import backend
from backend.api.main import ROUTES
from backend.errors import TaskAPIError
from backend.models.batch import Batch, TaskOperation
from backend.models.task import TaskCreate
from tests.fixtures.documents.error_codes import (
    PAGE,
    ROOT,
    codes_in,
    documented_details,
    documented_errors,
    listed_details,
)

pytestmark = pytest.mark.requirement("FR-231")

# Values to try in every field: each is wrong for most fields.
VALUES: tuple[object, ...] = (
    *(None, True, 0, -1, 10**30, -(10**400), 1.5, float("inf"), float("nan")),
    *("", " ", "\u3000", "x", "x" * 20_000, "\0", "\ud800", "1", "1" * 20, "1" * 5000, "2026-01-01T00:00:00"),
    ",".join(["0197c1f0-7a3b-7c4d-8e5f-6a7b8c9d0e1f"] * 101),
    *([], [1], ["tasks:read"] * 2, ["x"] * 1200, {}, {"x": 1}),
)
KINDS = ("create", "update", "complete", "delete", "restore", "none")


def every_error() -> Iterator[type[TaskAPIError]]:
    """Give each error class, wherever in the code it is defined."""
    for module in pkgutil.walk_packages(backend.__path__, "backend."):
        importlib.import_module(module.name)
    waiting: list[type[TaskAPIError]] = [TaskAPIError]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        yield kind


def test_the_page_lists_every_code_of_an_error() -> None:
    errors = {(kind.status, kind.code) for kind in every_error() if kind.__module__.startswith("backend.")}

    assert documented_errors() == errors


@cache
def literal_codes() -> set[str]:
    literal, others = codes_in(path.read_text(encoding="utf-8") for path in (ROOT / "backend").rglob("*.py"))
    assert others == set(), "write the code of a detail where the detail is made: this test reads it there"
    return literal


def test_the_page_lists_every_code_of_a_detail_that_stands_in_the_source() -> None:
    assert literal_codes() - documented_details() == set()


def inputs() -> list[type[BaseModel]]:
    """List the models of all bodies and queries."""
    routes = [route for route in ROUTES if isinstance(route, APIRoute)]
    bodies = [route.body_field for route in routes if route.body_field]
    queries = [query for route in routes for query in route.dependant.query_params]
    models = [field.field_info.annotation for field in (*bodies, *queries)]
    return [model for model in models if isinstance(model, type) and issubclass(model, BaseModel)]


def codes_of(model: type[BaseModel], value: object) -> set[str]:
    try:
        model.model_validate(value)
    except ValidationError as error:
        return {problem["type"] for problem in error.errors()}
    return set()


def test_the_page_lists_every_code_that_a_field_has_for_a_wrong_value() -> None:
    models = inputs()
    asked: list[type[BaseModel]] = [*models, TaskCreate, TaskOperation]
    names = {name for model in asked for name in model.model_fields} | {"none"}
    wrong: list[dict[str, object]] = [{name: value} for name in names for value in VALUES]
    codes = {code for model in models for value in wrong for code in codes_of(model, value)}
    for kind in KINDS:
        for value in wrong + [dict[str, object](data=each) for each in wrong]:
            codes |= codes_of(Batch, {"operations": [{"op": kind, **value}]})

    assert len(codes) > 20, "hardly anything was refused"
    assert codes - documented_details() == set()


def test_the_page_lists_no_code_that_nothing_has() -> None:
    known = literal_codes() | set(get_args(ErrorType))

    assert listed_details() - known == set()


def test_a_code_is_found_however_it_is_given() -> None:
    source = """
class Row:
    line: int
    code: str
def refuse(field, code): return Detail(field, code, "")
def _own(code): ...
class Service:
    def method(self, field, code): ...
PydanticCustomError("a", "")
x.Detail("field", "b", "")
refuse("field", "c")
_own(code="d")
self.method("field", "e")
Row(1, "f")
Detail("field", CODE, "")
_private("g")
"""
    elsewhere = """
def _private(code): ...
refuse("field", f"{x}")
"""

    assert codes_in([source, elsewhere]) == (set("abcdef"), {"CODE", "f'{x}'"})


@pytest.mark.requirement("FR-475")
def test_each_code_is_an_address() -> None:
    """A program that has an error can link to what it means."""
    ids = re.findall(r'<a id="(\w+)"></a>', PAGE.read_text(encoding="utf-8"))

    assert set(ids) == documented_details() | {code for _, code in documented_errors()}
    assert len(set(ids)) == len(ids)
