"""The token alone decides the user of a request; no input can name another."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.fixtures.calls.api import new_user
from tests.fixtures.documents.contract import Json, Operation, operations, resolved

NAMES_OF_USERS = {"user", "users", "user_id", "userid", "owner", "owner_id", "sub", "subject", "account", "account_id"}


@pytest.mark.requirement("FR-001")
def test_no_input_of_the_contract_names_a_user() -> None:
    for operation in operations().values():
        assert not set(_input_names(operation)) & NAMES_OF_USERS, operation.id


def _input_names(operation: Operation) -> Iterator[str]:
    for parameter in operation.document.get("parameters", []):
        yield parameter["name"].lower()
        yield from _property_names(parameter["schema"])
    for media in operation.document.get("requestBody", {"content": {}})["content"].values():
        yield from _property_names(media["schema"])


def _property_names(schema: Json) -> Iterator[str]:
    """List the names of all properties, at any depth."""
    schema = resolved(schema)
    for name, inner in schema.get("properties", {}).items():
        yield name.lower()
        yield from _property_names(inner)
    alternatives = [part for key in ("anyOf", "oneOf", "allOf") for part in schema.get(key, [])]
    for inner in [*alternatives, *([schema["items"]] if "items" in schema else [])]:
        yield from _property_names(inner)


@pytest.mark.requirement("FR-001")
def test_the_names_of_inputs_are_found_wherever_they_are() -> None:
    names = {name for operation in operations().values() for name in _input_names(operation)}

    assert {"task_id", "limit", "title", "completed"} <= names
    assert "user_id" in set(_property_names({"$ref": "#/components/schemas/TaskListAnswer"}))


@pytest.mark.requirement("FR-001")
def test_no_request_can_name_another_user(client: httpx.Client, user_id: str) -> None:
    other = new_user()
    headers = {"X-User-Id": other, "X-Forwarded-User": other, "Cookie": f"user_id={other}; sub={other}"}

    assert client.get("/api/me", headers=headers).json()["data"]["id"] == user_id
    created = client.post("/api/tasks", headers=headers, json={"title": "Mine"})
    assert created.json()["data"]["user_id"] == user_id
    for name in ("user_id", "user", "sub"):
        assert client.get("/api/tasks", params={name: other}).status_code == 422
        assert client.post("/api/tasks", params={name: other}, json={"title": "Mine"}).status_code == 422
        assert client.post("/api/tasks", json={"title": "Mine", name: other}).status_code == 422
        assert client.patch(created.headers["Location"], json={name: other}).status_code == 422
