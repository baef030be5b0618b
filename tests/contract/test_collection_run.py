"""What remains after a program such as Postman sends every call of the contract with its examples."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from backend.identity.claims import is_user_id
from tests.fixtures.calls.api import API, new_user
from tests.fixtures.calls.tasks import create
from tests.fixtures.documents.contract import Json, Operation, example_of, operations, resolved

pytestmark = pytest.mark.requirement("FR-245")


def examples_of(part: Json) -> list[Any]:
    """List the examples of a parameter or a body."""
    named = part.get("examples", {})
    listed = [example["value"] for example in named.values()] if isinstance(named, dict) else named
    schemas = [part["schema"], resolved(part["schema"])] if "schema" in part else []
    inner = [example for schema in schemas for example in examples_of(schema)]
    return [*listed, *([part["example"]] if "example" in part else []), *inner]


def sent_as_documented(client: httpx.Client, operation: Operation, *, whole: bool) -> int:
    """Send an operation the first example of each parameter and body; returns the status."""
    places: dict[str, dict[str, str]] = {"path": {}, "query": {}, "header": {}}
    for parameter in operation.document.get("parameters", []):
        if whole or parameter["required"]:
            places[parameter["in"]][parameter["name"]] = str(example_of(parameter))
    request: dict[str, Any] = {"params": places["query"], "headers": places["header"]}
    for kind, content in list(operation.document.get("requestBody", {}).get("content", {}).items())[:1]:
        example = examples_of(content)[0]
        request |= {"content": example} if isinstance(example, str) else {"json": example}
        request["headers"]["Content-Type"] = kind
    address = operation.path.format(**places["path"])
    with client.stream(operation.method, address, **request) as answer:  # one of the responses never ends
        return answer.status_code


@pytest.mark.parametrize("whole", [True, False], ids=["all parameters", "those that are required"])
@pytest.mark.parametrize("user_id", [new_user(), "alice", "user_2NiWoBvBbPfAA"], ids=["anybody", "alice", "example"])
def test_whoever_sends_every_call_with_its_examples_keeps_their_account(api: API, user_id: str, *, whole: bool) -> None:
    with api.client(user_id) as client:
        kept = create(client, "Dear to me")

        statuses = {
            name: sent_as_documented(client, operation, whole=whole) for name, operation in operations().items()
        }

        assert statuses["erase_account"] == 422
        assert client.get(f"/api/tasks/{kept['id']}").json()["data"] == kept
    assert {name for name, status in statuses.items() if status >= 500} == set()


def test_no_account_has_an_id_that_the_contract_gives_as_an_example_of_a_confirmation() -> None:
    (parameter,) = operations()["erase_account"].document["parameters"]

    assert (parameter["name"], parameter["in"], parameter["required"]) == ("confirm", "query", True)
    examples = examples_of(parameter)
    assert examples
    assert [example for example in examples if is_user_id(example)] == []
    assert "default" not in parameter["schema"]
