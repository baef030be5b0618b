"""Foreign, missing and deleted ids take the same path, malformed ones none; all get the same response."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import psycopg2
import pytest
from sqlalchemy import make_url

from tests.fixtures.calls.api import API
from tests.fixtures.calls.batches import states_of
from tests.fixtures.calls.lists import delete, make
from tests.fixtures.calls.tasks import JSON, create, error_of, path_of
from tests.fixtures.documents.contract import Operation, operations
from tests.fixtures.inputs.hostile import good_body
from tests.fixtures.postgres.proxy import Proxy
from tests.fixtures.postgres.statements import executed, noted_statements
from tests.fixtures.postgres.tenant_statements import statements
from tests.fixtures.running.waiting import PATIENCE_SECONDS

ABOUT_ONE = {name: operation for name, operation in operations().items() if operation.is_about_one}
ABOUT_ONE_TASK = {name: operation for name, operation in operations().items() if operation.is_about_one_task}
MALFORMED = {"malformed": "not-an-id", "nearly": f"{uuid.uuid4()}0", "NUL": "%00"}
READING = [f"tasks.queries.{name}" for name in ("GET", "NAMED", "UPDATE", "UPDATE_TEXTS", "UPDATE_STATE")]


# Restoring needs a task in the trash, and what was done to it can be read and undone there.
FOUND_IN_TRASH = {
    *(("restore_task", "deleted"), ("restore_list", "deleted")),
    *(("list_task_activity", "deleted"), ("undo_task", "deleted")),
}


@pytest.fixture
def ids(client: httpx.Client, stranger: httpx.Client) -> dict[str, str]:
    """Ids that belong to none of the stranger's living tasks and lists, by kind."""
    deleted = create(stranger, "Mine")
    assert stranger.delete(path_of(deleted)).status_code == 204
    delete(stranger, make(stranger, id=deleted["id"]))
    foreign = create(client, "Not theirs")
    make(client, id=foreign["id"])
    return {
        "foreign": foreign["id"],
        "missing": str(uuid.uuid4()),
        "deleted": deleted["id"],
        **MALFORMED,
    }


def without_what_it_finds(ids: dict[str, str], operation: Operation) -> dict[str, str]:
    """Leave out the ids that the operation accepts."""
    return {kind: id_ for kind, id_ in ids.items() if (operation.id, kind) not in FOUND_IN_TRASH}


@pytest.mark.requirement("FR-111", "FR-012")
@pytest.mark.parametrize("operation", ABOUT_ONE.values(), ids=ABOUT_ONE)
def test_every_wrong_id_takes_the_same_way_and_a_malformed_one_does_not_reach_the_database(
    proxied: API, proxy: Proxy, stranger: httpx.Client, ids: dict[str, str], operation: Operation
) -> None:
    headers = {**JSON, "X-Request-Id": "the-same", "Authorization": stranger.headers["Authorization"]}
    with httpx.Client(base_url=proxied.base_url, headers=headers, trust_env=False, timeout=PATIENCE_SECONDS) as through:
        assert through.get("/api/me").status_code == 200  # the connection is warm
        for method in {operation.method, "HEAD"} if operation.method == "GET" else {operation.method}:
            seen = {}
            for kind, task_id in without_what_it_finds(ids, operation).items():
                before = proxy.round_trips
                with noted_statements(proxied.app.state.sessions.engine) as sent:
                    answer = through.request(method, operation.address(task_id), content=good_body(operation))
                seen[kind] = (
                    answer.status_code,
                    answer.content,
                    proxy.round_trips - before,
                    [executed(sql) for sql, _ in sent],
                )

            status, content, round_trips, statements = seen["missing"]
            is_short = method in {"GET", "HEAD"} or operation.id == "revoke_access_token"
            expected = 1 if is_short else 3 if operation.id == "undo_task" else 2
            assert (status, round_trips, len(statements)) == (404, expected, expected)
            malformed = {"NUL"} if "{name}" in operation.path else MALFORMED.keys()  # a label may have any other name
            ways = {kind: (status, content, 0, []) if kind in malformed else seen["missing"] for kind in seen}
            assert seen == ways


@pytest.mark.requirement("FR-111")
@pytest.mark.parametrize("operation", ABOUT_ONE_TASK.values(), ids=ABOUT_ONE_TASK)
def test_a_malformed_id_with_a_key_does_not_reach_the_database(
    proxied: API, proxy: Proxy, user_id: str, operation: Operation
) -> None:
    with proxied.client(user_id) as client:
        assert client.get("/api/me").status_code == 200  # the connection is warm
        before = proxy.round_trips
        for malformed in MALFORMED.values():
            answer = client.request(
                operation.method,
                operation.address(malformed),
                content=good_body(operation),
                headers={**JSON, "Idempotency-Key": "the-same", "If-Match": '"1"'},
            )
            error_of(answer, 404, "NOT_FOUND")
        assert proxy.round_trips == before


@pytest.mark.requirement("FR-111", "FR-004")
def test_the_token_is_judged_before_a_malformed_id(anonymous: httpx.Client) -> None:
    for operation in ABOUT_ONE.values():
        error_of(anonymous.request(operation.method, operation.address("not-an-id")), 401, "UNAUTHORIZED")


@pytest.mark.requirement("FR-111")
@pytest.mark.parametrize("body", [b"{", b"[]", b'{"x": 1}', b"null"])
@pytest.mark.parametrize("operation", ABOUT_ONE_TASK.values(), ids=ABOUT_ONE_TASK)
def test_what_is_wrong_with_a_body_comes_before_what_is_wrong_with_the_id(
    stranger: httpx.Client, ids: dict[str, str], operation: Operation, body: bytes
) -> None:
    headers = {**JSON, "X-Request-Id": "the-same"}
    answers = {
        kind: stranger.request(operation.method, operation.address(task_id), content=body, headers=headers)
        for kind, task_id in without_what_it_finds(ids, operation).items()
    }

    assert {answer.content for answer in answers.values()} == {answers["missing"].content}
    assert {answer.status_code for answer in answers.values()} == {422 if good_body(operation) else 404}


@pytest.mark.requirement("FR-111", "FR-011", "FR-114")
@pytest.mark.parametrize("query", ["", "?permanent=true"])
@pytest.mark.parametrize("operation", ABOUT_ONE_TASK.values(), ids=ABOUT_ONE_TASK)
def test_a_precondition_tells_nothing_of_a_task_that_is_not_mine(
    stranger: httpx.Client, ids: dict[str, str], operation: Operation, query: str
) -> None:
    if query:
        del ids["deleted"]  # the stranger may purge it
    for header, tag in itertools.product(("If-Match", "If-None-Match"), ('"1"', 'W/"1"', '"2"', '"1", "2"', "*", "1")):
        headers = {**JSON, "X-Request-Id": "the-same", header: tag}
        answers = {
            kind: stranger.request(
                operation.method, operation.address(id_) + query, content=good_body(operation), headers=headers
            )
            for kind, id_ in without_what_it_finds(ids, operation).items()
        }

        assert {answer.content for answer in answers.values()} == {answers["missing"].content}
        assert {tuple(answer.headers) for answer in answers.values()} == {tuple(answers["missing"].headers)}
        assert {answer.status_code for answer in answers.values()} <= ({404, 400, 422} if tag == "1" else {404, 422})


@pytest.mark.requirement("FR-111")
@pytest.mark.parametrize("name", READING)
def test_a_foreign_id_touches_no_more_of_the_database_than_a_missing_one(
    database_url: str, client: httpx.Client, stranger: httpx.Client, user_id: str, name: str
) -> None:
    stranger_id = stranger.get("/api/me").json()["data"]["id"]
    foreign = create(client, "Not theirs")["id"]
    for number in range(20):
        create(stranger, str(number))

    touched, conditions = {}, set()
    for kind, task_id in {"foreign": foreign, "missing": str(uuid.uuid4())}.items():
        plan = explain(database_url, name, stranger_id, task_id)
        touched[kind] = touched_by(plan)
        conditions |= {node["Index Cond"] for node in plan if "_tasks" in node.get("Index Name", "")}

    assert touched["foreign"] == touched["missing"]
    assert conditions
    assert all("user_id =" in condition for condition in conditions)
    assert touched_by(explain(database_url, name, user_id, foreign)) != touched["foreign"]  # a difference would show


def touched_by(plan: list[dict[str, Any]]) -> list[tuple[str, float, int]]:
    """Return the type, the rows and the blocks read of each node of a plan."""
    return [(node["Node Type"], node["Actual Rows"], blocks(node)) for node in plan]


def explain(url: str, name: str, user_id: str, task_id: str) -> list[dict[str, Any]]:
    """Run a statement as the service does, twice so that caches are warm; returns the nodes of the last plan."""
    statement = statements()[name]
    values = {"principal": user_id, "task": task_id, **states_of(task_id, "b", 9)}
    connection = psycopg2.connect(make_url(url).set(drivername="postgresql").render_as_string(hide_password=False))
    with closing(connection), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL ROLE task_api")  # as planned for a big table
        cursor.execute("SELECT set_config('app.user_id', %s, true)", (user_id,))
        for _ in range(2):
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement.sql}", values)
            (((document,),),) = cursor.fetchall()
        connection.rollback()
    return list(nodes(document["Plan"]))


def nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Walk through a plan."""
    yield node
    for below in node.get("Plans", ()):
        yield from nodes(below)


def blocks(node: dict[str, Any]) -> int:
    """Count the blocks that a node and those below it have read."""
    return int(node["Shared Hit Blocks"]) + int(node["Shared Read Blocks"])
