"""Paths that are nearly ours: with a slash at the end, with another method, or misspelled."""

from __future__ import annotations

import httpx
import pytest

from tests.fixtures.calls.access_tokens import READ, WRITE, make_token
from tests.fixtures.calls.api import API, new_user
from tests.fixtures.calls.erasure import user_of
from tests.fixtures.calls.lists import make
from tests.fixtures.calls.tasks import JSON, MISSING_ID, create, error_of, path_of, read, task_of
from tests.fixtures.documents.contract import Operation, contract, operations
from tests.fixtures.inputs.examples import EXAMPLES

PRIVATE = [operations()[name] for name in sorted(EXAMPLES) if operations()[name].is_private]


@pytest.mark.requirement("FR-309")
@pytest.mark.parametrize("operation", PRIVATE, ids=lambda operation: operation.id)
def test_one_slash_at_the_end_is_as_good_as_none(
    client: httpx.Client, anonymous: httpx.Client, operation: Operation
) -> None:
    example = EXAMPLES[operation.id]
    request = example.request_of(user_of(client))
    own = make_token(client) if "{token_id}" in operation.path else create(client)
    address = operation.address(own["id"])
    if "{name}" in operation.path:
        client.put(address, json={})
    if "{list_id}" in operation.path:
        make(client, id=own["id"])

    # All that follows in the path of a label is its name.
    for slashes in ("//", "///") if "/labels" not in address else ():
        error_of(client.request(operation.method, address + slashes, **request), 404, "NOT_FOUND")
    error_of(anonymous.request(operation.method, f"{address}/", **request), 401, "UNAUTHORIZED")
    response = client.request(operation.method, f"{address}/", **request)

    assert (response.status_code, response.history) == (example.status, [])


@pytest.mark.requirement("FR-309")
def test_with_a_slash_at_the_end_an_address_is_the_same_address(client: httpx.Client) -> None:
    key = {"Idempotency-Key": "a key"}
    created = client.post("/api/tasks/", json={"title": "a"}, headers=key)
    task = task_of(created, 201)

    again = client.post("/api/tasks", json={"title": "a"}, headers=key)
    assert (again.headers["Idempotency-Replayed"], again.json()) == ("true", created.json())
    assert created.headers["Location"] == path_of(task)
    create(client)
    page = client.get("/api/tasks/?limit=1")
    assert page.headers["Link"].startswith('</api/tasks?limit=1>; rel="first", </api/tasks?limit=1&cursor=')
    assert task_of(client.get(f"{path_of(task)}/")) == task
    assert client.head(f"{path_of(task)}/").headers["ETag"] == f'"{task["revision"]}"'
    wrong = client.put("/api/tasks/", json={"title": "a"})
    assert (wrong.status_code, wrong.headers["Allow"]) == (405, "GET, HEAD, POST")


@pytest.mark.requirement("FR-309")
def test_an_encoded_slash_belongs_to_the_name_of_a_label(client: httpx.Client) -> None:
    for path, name in {"a": "a", "b/": "b", "c%2F": "c/", "d%2F/": "d/", "e/f": "e/f"}.items():
        assert client.put(f"/api/labels/{path}", json={}).json()["data"]["name"] == name
        assert client.delete(f"/api/labels/{path}").status_code == 204


@pytest.mark.requirement("FR-309")
def test_a_slash_at_the_end_leaves_the_limit_of_a_file_as_it_is(client: httpx.Client) -> None:
    row = b'{"title": "a"}\n'
    file = row + b" " * 1024 * 1024 + row
    answer = client.post("/api/tasks/import/", content=file, headers={"Content-Type": "application/jsonl"})

    assert answer.status_code != 413
    error_of(client.post("/api/tasks/batch/", content=file, headers=JSON), 413, "PAYLOAD_TOO_LARGE")


@pytest.mark.requirement("FR-495")
@pytest.mark.parametrize("method", ["PATCH", "POST"])
def test_each_method_of_a_call_finds_no_malformed_id(client: httpx.Client, method: str) -> None:
    error_of(client.request(method, "/api/tasks/nonsense/complete"), 404, "NOT_FOUND")


@pytest.mark.requirement("FR-495")
@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_each_method_of_an_edit_finds_no_malformed_id(client: httpx.Client, method: str) -> None:
    error_of(client.request(method, "/api/lists/nonsense", json={"name": "a"}), 404, "NOT_FOUND")


@pytest.mark.requirement("FR-310")
def test_a_post_completes_like_a_patch(client: httpx.Client) -> None:
    task = create(client)
    path = f"{path_of(task)}/complete"

    toggled = task_of(client.post(path))
    assert toggled["completed"] is True
    assert task_of(client.post(path, json={"completed": True})) == toggled  # safe to repeat
    assert task_of(client.post(path))["completed"] is False
    assert task_of(client.patch(path, json={"completed": True}))["completed"] is True
    assert task_of(client.post(path, json={"completed": False}))["status"] == "todo"
    before = read(client, task)
    error_of(client.post(path, json={"completed": 1}), 422, "VALIDATION_ERROR")
    error_of(client.post(path, headers={"If-Match": '"999"'}), 412, "PRECONDITION_FAILED")
    error_of(client.post(f"/api/tasks/{MISSING_ID}/complete"), 404, "NOT_FOUND")
    assert read(client, task) == before
    key = {"Idempotency-Key": "a key"}
    once = client.post(path, headers=key)
    again = client.post(path, headers=key)
    assert (again.content, again.headers["Idempotency-Replayed"]) == (once.content, "true")
    assert read(client, task)["completed"] is True


@pytest.mark.requirement("FR-310")
def test_a_post_completes_only_ones_own_tasks_and_only_with_the_scope_for_changes(
    api: API, client: httpx.Client
) -> None:
    task = create(client)
    path = f"{path_of(task)}/complete"

    with api.client(new_user()) as other:
        error_of(other.post(path, json={"completed": True}), 404, "NOT_FOUND")
    for scope, status in ((READ, 403), (WRITE, 200)):
        token = make_token(client, scope)["token"]
        with api.client(Authorization=f"Bearer {token}") as script:
            assert script.post(path, json={"completed": True}).status_code == status
        assert read(client, task)["completed"] is (status == 200)


@pytest.mark.requirement("FR-310")
def test_the_contract_names_both_ways_of_completing() -> None:
    assert set(contract()["paths"]["/api/tasks/{task_id}/complete"]) == {"patch", "post"}
