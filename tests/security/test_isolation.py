"""The isolation matrix: every operation of the contract, tried by its owner, by another user and by nobody."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import make_url

from backend.api.http.paths import OPEN
from backend.config import Settings
from backend.identity.jwt import issue_token
from tests.fixtures.calls.api import API, new_user, serve
from tests.fixtures.calls.erasure import erase, erasure_of, user_of
from tests.fixtures.calls.exports import stored_of
from tests.fixtures.calls.lists import make
from tests.fixtures.documents.contract import SIGN_IN, Json, Operation, handlers, operations
from tests.fixtures.identity.tokens import SECRET, claims, ec_pair, hmac_token
from tests.fixtures.inputs.examples import EXAMPLES
from tests.fixtures.postgres.database import execute
from tests.fixtures.postgres.pooler import pooled

CHALLENGE = 'Bearer error="invalid_token"'
MALFORMED_IDS = ("1", "not-a-uuid", "%00", "{missing}0", "urn:uuid:{missing}", "{{{missing}}}")


def _named(is_wanted: Callable[[Operation], bool]) -> list[str]:
    """List the wanted operations of the table. One that the contract lacks fails a separate test."""
    return [name for name in sorted(EXAMPLES) if name in operations() and is_wanted(operations()[name])]


@dataclass(frozen=True)
class Owner:
    """A user with a task that nobody else should notice."""

    user_id: str
    client: httpx.Client
    task: Json
    database_url: str

    def rows(self) -> dict[str, list[dict[str, Any]]]:
        """Read everything stored for this user, without tenant filter or row-level security."""
        return stored_of(self.database_url, self.user_id)

    def secrets(self) -> set[str]:
        """Return texts that responses to other users must not contain."""
        return {self.user_id, self.task["id"], self.task["title"], self.task["description"]}


@pytest.fixture(scope="module")
def through_pooler(server_url: str, settings: Settings) -> Iterator[API]:
    """The service behind a pooler, where all users share one server connection, and nothing is prepared."""
    assert settings.database_url
    login = f"login_{uuid.uuid4().hex}"
    execute(server_url, f"CREATE ROLE {login} SUPERUSER LOGIN PASSWORD '{login}'")
    own = make_url(settings.database_url.get_secret_value()).set(username=login, password=login)
    with (
        pooled(own.render_as_string(hide_password=False)) as url,
        serve(settings.model_copy(update={"database_url": SecretStr(url)})) as running,
    ):
        running.app.state.feed.stream_seconds = 0
        yield running
    execute(server_url, f"DROP ROLE {login}")


# Direct connections prepare their statements, and those through a pooler do not.
both_connections = pytest.mark.parametrize("api", ["directly", "through a pooler"], indirect=True)


@pytest.fixture
def api(request: pytest.FixtureRequest, api: API) -> API:
    """The service with a kind of connection, a direct one unless the test names another."""
    if getattr(request, "param", "directly") == "directly":
        return api
    return request.getfixturevalue("through_pooler")  # type: ignore[no-any-return]


@pytest.fixture
def owner(api: API, database_url: str) -> Iterator[Owner]:
    user_id = new_user()
    with api.client(user_id) as client:
        texts = {name: f"{name} of {user_id}" for name in ("title", "description")}
        task = client.post("/api/tasks", json=texts).json()["data"]
        assert client.put(f"/api/labels/{task['id']}", json={}).status_code == 201
        make(client, id=task["id"])
        # Token and list get the task's id, the label is named after it: so it belongs to the owner in every address.
        token = client.post("/api/me/tokens", json=EXAMPLES["create_access_token"].body).json()["data"]
        execute(database_url, "UPDATE access_tokens SET id = %s WHERE id = %s", task["id"], token["id"])
        yield Owner(user_id, client, task, database_url)


@pytest.fixture(params=sorted(EXAMPLES))
def operation(request: pytest.FixtureRequest) -> Operation:
    """Every operation of the table, one after another."""
    return operations()[request.param]


@pytest.fixture(params=_named(lambda operation: operation.is_private))
def private(request: pytest.FixtureRequest) -> Operation:
    """Every operation that is one user's own."""
    return operations()[request.param]


def _bad_tokens(user_id: str) -> dict[str, str]:
    """Make invalid tokens that all name the owner."""
    good = issue_token(SECRET, user_id, ttl_seconds=600)
    return {
        "expired": issue_token(SECRET, user_id, ttl_seconds=600, now=lambda: time.time() - 601),
        "of an unknown secret": hmac_token(SECRET[::-1], claims(sub=user_id)),
        "of an unknown key": ec_pair().token(claims(sub=user_id)),
        "without exp": hmac_token(SECRET, claims("exp", sub=user_id)),
        "not yet valid": hmac_token(SECRET, claims(sub=user_id, nbf=time.time() + 3600)),
        "cut off": good[:-1],
        "of no form": user_id,
    }


def _send(client: httpx.Client, operation: Operation, task_id: object, method: str | None = None) -> httpx.Response:
    """Send the example request of an operation to one task, if it is about one."""
    request = EXAMPLES[operation.id].request_of(user_of(client))
    return client.request(method or operation.method, operation.address(task_id), **request)


def _methods(operation: Operation) -> list[str]:
    return ["GET", "HEAD"] if operation.method == "GET" else [operation.method]


def test_the_matrix_has_every_operation_of_the_contract() -> None:
    assert EXAMPLES.keys() == operations().keys()


def test_the_contract_hides_no_private_operation() -> None:
    private = {name for (_, path), name in handlers().items() if path.startswith("/api") and path not in SIGN_IN}

    assert private == {operation.id for operation in operations().values() if operation.is_private}


@both_connections
@pytest.mark.requirement("FR-001", "FR-011")
def test_the_owner_gets_the_documented_success(owner: Owner, operation: Operation) -> None:
    for method in _methods(operation):
        response = _send(owner.client, operation, owner.task["id"], method)

        assert response.status_code == EXAMPLES[operation.id].status
        assert str(response.status_code) in operation.document["responses"]


@both_connections
@pytest.mark.requirement("FR-011", "FR-012")
@pytest.mark.parametrize("name", _named(lambda operation: operation.is_about_one))
def test_a_foreign_task_is_answered_like_one_that_is_not_there(owner: Owner, api: API, name: str) -> None:
    operation, before, missing = operations()[name], owner.rows(), uuid.uuid4()
    # With the same request id everywhere, responses can be compared byte by byte.
    with api.client(new_user(), **{"X-Request-Id": "the-same"}) as stranger:
        deleted = stranger.post("/api/tasks", json={"title": "Mine"}).json()["data"]["id"]
        assert stranger.delete(f"/api/tasks/{deleted}").status_code == 204
        malformed = [id_.format(missing=missing) for id_ in MALFORMED_IDS]
        for method in _methods(operation):
            foreign = _send(stranger, operation, owner.task["id"], method)
            assert foreign.status_code == 404
            # The stranger may restore it, read what was done to it, and undo that.
            others = [] if name in {"restore_task", "list_task_activity", "undo_task"} else [deleted]
            for task_id in (missing, *others, *malformed):
                absent = _send(stranger, operation, task_id, method)
                assert _all_of(absent) == _all_of(foreign), task_id
        assert stranger.get("/api/me").json()["data"]["revision"] == 2  # a refused request is not counted

    assert owner.rows() == before


@pytest.mark.requirement("FR-011", "FR-012")
@pytest.mark.parametrize("name", _named(lambda operation: operation.is_about_one))
def test_a_wrong_request_to_a_foreign_task_tells_no_more(owner: Owner, api: API, name: str) -> None:
    operation, before = operations()[name], owner.rows()
    with api.client(new_user(), **{"X-Request-Id": "the-same"}) as stranger:
        for wrong in ({"json": {"nonsense": 1}}, {"content": "{"}, {"json": [], "params": {"nonsense": 1}}):
            foreign, missing = (
                stranger.request(operation.method, operation.address(task_id), **wrong)
                for task_id in (owner.task["id"], uuid.uuid4())
            )
            assert foreign.status_code in {404, 415, 422}
            assert _all_of(foreign) == _all_of(missing)

    assert owner.rows() == before


def _all_of(response: httpx.Response) -> tuple[int, bytes, list[tuple[str, str]]]:
    """Return all that a client can see of a response, except its date and rate limit."""
    return (
        response.status_code,
        response.content,
        sorted((name, value) for name, value in response.headers.items() if name not in {"date", "ratelimit"}),
    )


@both_connections
@pytest.mark.requirement("FR-001", "FR-011", "FR-016")
@pytest.mark.parametrize("name", _named(lambda operation: operation.is_private and not operation.is_about_one))
def test_another_user_sees_and_changes_nothing_of_the_owner(owner: Owner, stranger: httpx.Client, name: str) -> None:
    operation, before = operations()[name], owner.rows()

    for method in _methods(operation):
        response = _send(stranger, operation, owner.task["id"], method)

        assert response.status_code == (EXAMPLES[name].status_of_others or EXAMPLES[name].status)
        seen = response.text + json.dumps(dict(response.headers))
        sent = operation.address(owner.task["id"])  # the name of a label, which the answer repeats
        assert not [secret for secret in owner.secrets() if secret in seen and secret not in sent]
    assert owner.rows() == before


@pytest.mark.requirement("FR-011", "FR-022")
def test_another_users_id_can_be_used_without_noticing_it(owner: Owner, stranger: httpx.Client) -> None:
    before = owner.rows()

    created = stranger.post("/api/tasks", json={"id": owner.task["id"], "title": "Mine"})
    assert created.status_code == 201
    assert created.json()["data"]["revision"] == 1
    assert stranger.delete(created.headers["Location"]).status_code == 204
    assert erase(stranger).status_code == 204

    assert owner.rows() == before


@pytest.mark.requirement("FR-244", "FR-011")
def test_another_users_id_confirms_nothing(owner: Owner, stranger: httpx.Client, anonymous: httpx.Client) -> None:
    before, theirs = owner.rows(), stranger.post("/api/tasks", json={"title": "Mine"}).json()["data"]

    refused = stranger.delete(erasure_of(owner.user_id))

    assert refused.status_code == 422
    assert owner.user_id not in refused.text
    assert anonymous.delete(erasure_of(owner.user_id)).status_code == 401
    assert owner.rows() == before
    assert stranger.get("/api/tasks").json()["data"] == [theirs]


@pytest.mark.requirement("FR-011")
def test_another_users_cursor_shows_my_own_tasks(owner: Owner, stranger: httpx.Client) -> None:
    owner.client.post("/api/tasks", json={"title": "Second"})
    cursor = owner.client.get("/api/tasks", params={"limit": 1}).json()["page"]["next_cursor"]

    assert stranger.get("/api/tasks", params={"cursor": cursor}).json()["data"] == []


@pytest.mark.requirement("FR-002", "FR-011")
def test_without_a_token_nothing_private_is_answered(owner: Owner, anonymous: httpx.Client, private: Operation) -> None:
    before = owner.rows()

    for method in _methods(private):
        response = _send(anonymous, private, owner.task["id"], method)

        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"] == "Bearer"
    assert owner.rows() == before


@pytest.mark.requirement("FR-003", "FR-011")
def test_with_a_bad_token_nothing_private_is_answered(owner: Owner, api: API, private: Operation) -> None:
    before = owner.rows()

    for kind, token in _bad_tokens(owner.user_id).items():
        with api.client(Authorization=f"Bearer {token}") as client:
            for method in _methods(private):
                response = _send(client, private, owner.task["id"], method)

                assert response.status_code == 401, kind
                assert response.headers["WWW-Authenticate"] == CHALLENGE, kind
        assert owner.rows() == before, kind


@pytest.mark.requirement("FR-004", "FR-052")
def test_a_bad_token_is_noticed_before_anything_else(owner: Owner, api: API, private: Operation) -> None:
    before, task_id = owner.rows(), owner.task["id"]
    requests: tuple[tuple[str, dict[str, Any]], ...] = (
        (private.address(task_id), {"content": "{"}),
        (private.address(task_id), {"content": "x", "headers": {"Content-Type": "text/plain"}}),
        (private.address(task_id), {"params": {"nonsense": "1"}}),
        (private.address(task_id), {"content": b"x" * (2 * 1024 * 1024)}),
        (private.address("not-a-uuid"), {}),
        (f"{private.address(task_id)}/unknown", {}),
    )

    with api.client(Authorization=f"Bearer {_bad_tokens(owner.user_id)['expired']}") as client:
        for method in (private.method, "OPTIONS", "TRACE"):
            for address, request in requests:
                response = client.request(method, address, **request)

                assert response.status_code == 401
                assert response.headers["WWW-Authenticate"] == CHALLENGE
    assert owner.rows() == before


@pytest.mark.requirement("FR-002", "FR-004")
@pytest.mark.parametrize("path", ["/api", "/api/", "/api/unknown", "/api/tasks/", "/api//tasks", "/api/tasks/1/2/3"])
def test_an_unknown_path_under_api_needs_a_token_too(anonymous: httpx.Client, path: str) -> None:
    response = anonymous.get(path)

    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.requirement("FR-002", "FR-521")
def test_only_where_people_sign_in_no_token_is_needed() -> None:
    assert SIGN_IN == OPEN == {path for _, path in handlers() if path.startswith("/api/auth")}


@pytest.mark.requirement("FR-055")
@pytest.mark.parametrize("name", _named(lambda operation: not operation.is_private))
def test_other_operations_need_no_token_and_judge_none(api: API, name: str) -> None:
    operation = operations()[name]
    for headers in ({}, {"Authorization": "Bearer nonsense"}):
        with api.client(**headers) as client:
            for method in _methods(operation):
                assert _send(client, operation, None, method).status_code == EXAMPLES[name].status
