"""Each resource is declared once, and whatever concerns all of them knows it."""

from __future__ import annotations

from importlib import import_module
from pkgutil import walk_packages
from typing import Any

import pytest
from pydantic import TypeAdapter

from backend import services
from backend.api.main import DOCUMENTED
from backend.models.change import ChangeType
from backend.models.export import Kind
from backend.services.account.lines import PARTS
from backend.services.registry import RESOURCES, TABLES
from backend.services.resources.resource import Resource

pytestmark = pytest.mark.requirement("FR-497")

# Of these, the first is the line of the account, the second hides whose it is, and the third repeats the address.
BESIDES = {"users", "rate_limits", "email_keys"}


def test_every_resource_is_among_them() -> None:
    modules = [import_module(each.name) for each in walk_packages(services.__path__, f"{services.__name__}.")]
    declared = {value for module in modules for value in vars(module).values() if isinstance(value, Resource)}

    assert {resource.kind for resource in declared} == {resource.kind for resource in RESOURCES}
    assert len({resource.kind for resource in RESOURCES}) == len(RESOURCES)


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.kind)
def test_it_stores_the_columns_of_its_table_and_shows_some_of_them(resource: Resource[Any]) -> None:
    columns = {column.name for column in resource.table.columns if column.computed is None}

    assert {*resource.stored, "user_id"} <= columns
    assert {*resource.changing} < {*resource.stored}
    assert resource.exported.model_fields.keys() >= resource.public.model_fields.keys() & columns


def test_the_contract_describes_each() -> None:
    assert {each.resource for each in DOCUMENTED} == {*RESOURCES}


def test_what_changes_can_be_followed() -> None:
    kinds = {resource.kind for resource in RESOURCES if resource.is_counted}

    assert kinds == {*ChangeType}
    for kind in kinds:
        assert TypeAdapter(Kind).validate_python(kind) == kind  # of a tombstone in an export


def test_an_export_has_every_table_with_rows_of_users() -> None:
    assert {part.table.name for part in PARTS.values()} == {table.name for table in TABLES} - BESIDES
