"""Requests whose database connection is lost midway: retried where that is safe, and never executed twice."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import pytest
from pydantic import SecretStr

from backend.config import Settings
from tests.fixtures.api import API, new_user, serve
from tests.fixtures.database import execute
from tests.fixtures.erasure import erase
from tests.fixtures.proxy import Fault, Proxy
from tests.fixtures.tasks import create, error_of, path_of, read, revision_of, task_of

BATCH = ("LOCK", "READ", "STORE", "COMMIT")  # the round trips of a batch, in their order
ONE_CREATE = {"operations": [{"op": "create", "data": {"title": "a"}}]}


@pytest.fixture
def through(proxied: API) -> Iterator[httpx.Client]:
    """A client of the service behind the proxy, with a warm database connection."""
    with proxied.client(new_user()) as client:
        create(client)
        yield client


class Call(NamedTuple):
    """A request about one task, and the expected status when it was executed twice."""

    method: str
    suffix: str = ""
    body: dict[str, Any] | None = None
    status: int = 200
    status_after_two: int = 200


READS = ["/api/tasks", "/api/tasks?q=milk&include_total=true", "/api/me", "/api/changes"]
CHANGES = [
    Call("PUT", body={"title": "b"}),
    Call("PATCH", body={"description": "c"}),
    Call("PATCH", "/complete", {"completed": True}),
    Call("DELETE", status=204, status_after_two=503),
    Call("DELETE", "?permanent=true", status=204, status_after_two=503),
    Call("POST", "/restore"),
]
WAYS_TO_LOSE = pytest.mark.parametrize("fault", [Fault.LOST, Fault.UNANSWERED])


def send(client: httpx.Client, call: Call, task: dict[str, Any], **headers: str) -> httpx.Response:
    return client.request(call.method, path_of(task) + call.suffix, json=call.body, headers=headers)


def unavailable(response: httpx.Response) -> None:
    error_of(response, 503, "SERVICE_UNAVAILABLE")
    assert int(response.headers["Retry-After"]) >= 1


@pytest.mark.requirement("FR-156")
@WAYS_TO_LOSE
@pytest.mark.parametrize("path", READS)
def test_a_read_is_retried(through: httpx.Client, proxy: Proxy, path: str, fault: Fault) -> None:
    proxy.fail_at(1, fault)
    lost = through.get(path)

    assert (lost.status_code, lost.json()) == (200, through.get(path).json())


@pytest.mark.requirement("FR-156")
@WAYS_TO_LOSE
def test_what_a_retried_read_does_not_find_is_not_there(through: httpx.Client, proxy: Proxy, fault: Fault) -> None:
    proxy.fail_at(1, fault)
    error_of(through.get(f"/api/tasks/{uuid.uuid4()}"), 404, "NOT_FOUND")


@pytest.mark.requirement("FR-157")
@WAYS_TO_LOSE
@pytest.mark.parametrize("own_id", [False, True])
def test_a_create_makes_one_task(through: httpx.Client, proxy: Proxy, own_id: bool, fault: Fault) -> None:  # noqa: FBT001 - a parameter
    body = {"title": "a", "id": str(uuid.uuid4())} if own_id else {"title": "a"}
    proxy.fail_at(1, fault)
    made = through.post("/api/tasks", json=body)

    task = task_of(made, 200 if own_id and fault is Fault.UNANSWERED else 201)
    assert made.headers["Location"] == path_of(task)
    assert [row["title"] for row in through.get("/api/tasks").json()["data"]] == ["a", "Buy milk"]
    assert (task["revision"], revision_of(through)) == (2, 2)


@pytest.mark.requirement("FR-157", "FR-159")
@WAYS_TO_LOSE
@pytest.mark.parametrize("call", CHANGES)
def test_a_change_that_may_be_retried_is_retried(through: httpx.Client, proxy: Proxy, call: Call, fault: Fault) -> None:
    task = create(through)
    twin = create(through)
    if call.suffix == "/restore":
        for one in (task, twin):
            assert through.delete(path_of(one)).status_code == 204
    before = revision_of(through)
    proxy.fail_at(1, fault)
    lost = send(through, call, task)

    expected = call.status_after_two if fault is Fault.UNANSWERED else call.status
    assert lost.status_code == expected, lost.text
    if expected == 503:
        unavailable(lost)
    assert revision_of(through) == before + 1
    assert send(through, call, twin).status_code == call.status
    ways = [through.get(path_of(one)).status_code for one in (task, twin)]
    assert ways[0] == ways[1]


@pytest.mark.requirement("FR-159")
@WAYS_TO_LOSE
def test_a_conditional_change_is_never_refused_for_what_it_did_itself(
    through: httpx.Client, proxy: Proxy, fault: Fault
) -> None:
    task = create(through)
    proxy.fail_at(1, fault)
    lost = send(through, CHANGES[0], task, **{"If-Match": f'"{task["revision"]}"'})

    if fault is Fault.LOST:
        assert task_of(lost)["title"] == "b"
    else:
        unavailable(lost)
    assert (read(through, task)["title"], revision_of(through)) == ("b", 3)


@pytest.mark.requirement("FR-159")
@WAYS_TO_LOSE
def test_a_create_of_a_new_task_only_is_never_refused_for_what_it_did_itself(
    through: httpx.Client, proxy: Proxy, fault: Fault
) -> None:
    body, only_new = {"title": "a", "id": str(uuid.uuid4())}, {"If-None-Match": "*"}
    proxy.fail_at(1, fault)
    lost = through.post("/api/tasks", json=body, headers=only_new)

    if fault is Fault.LOST:
        task_of(lost, 201)
    else:
        unavailable(lost)
    assert through.post("/api/tasks", json=body, headers=only_new).status_code == 412
    assert revision_of(through) == 2


@pytest.mark.requirement("FR-158")
@WAYS_TO_LOSE
def test_a_toggle_is_not_retried(through: httpx.Client, proxy: Proxy, fault: Fault) -> None:
    task = create(through)
    proxy.fail_at(1, fault)
    unavailable(through.patch(f"{path_of(task)}/complete"))

    assert read(through, task)["completed"] is (fault is Fault.UNANSWERED)
    assert task_of(through.patch(f"{path_of(task)}/complete"))["completed"] is (fault is Fault.LOST)


@pytest.mark.requirement("FR-158")
@WAYS_TO_LOSE
def test_erasing_is_not_retried(through: httpx.Client, proxy: Proxy, fault: Fault) -> None:
    proxy.fail_at(1, fault)
    unavailable(erase(through))

    assert len(through.get("/api/tasks").json()["data"]) == (fault is Fault.LOST)
    assert erase(through).status_code == 204


@pytest.mark.requirement("FR-158")
@WAYS_TO_LOSE
@pytest.mark.parametrize("round_trip", BATCH)
def test_a_batch_is_retried_unless_it_may_be_committed(
    through: httpx.Client, proxy: Proxy, round_trip: str, fault: Fault
) -> None:
    proxy.fail_at(BATCH.index(round_trip) + 1, fault)
    lost = through.post("/api/tasks/batch", json=ONE_CREATE)

    if round_trip == "COMMIT":
        unavailable(lost)
    else:
        assert lost.status_code == 200, lost.text
    is_lost = (round_trip, fault) == ("COMMIT", Fault.LOST)
    assert len(through.get("/api/tasks").json()["data"]) == (1 if is_lost else 2)


@pytest.fixture
def own_api(settings: Settings, own_url: str) -> Iterator[API]:
    """The service on this test's own database."""
    with serve(settings.model_copy(update={"database_url": SecretStr(own_url)})) as running:
        yield running


@pytest.mark.requirement("FR-158", "FR-156")
def test_what_the_database_aborted_for_the_sake_of_others_is_retried(own_api: API, own_url: str) -> None:
    """Some databases let transactions conflict (SQLSTATE 40001): here the first of every two changes fails so."""
    execute(
        own_url,
        """
        CREATE SEQUENCE changes;
        GRANT USAGE ON SEQUENCE changes TO task_api;
        CREATE FUNCTION collide() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF nextval('changes') % 2 = 1 THEN RAISE 'collision' USING ERRCODE = '40001'; END IF;
            RETURN NEW;
        END $$;
        CREATE TRIGGER collide BEFORE INSERT OR UPDATE ON tasks FOR EACH ROW EXECUTE FUNCTION collide();
        """,
    )
    with own_api.client(new_user()) as client:
        task = create(client)
        assert task_of(client.patch(f"{path_of(task)}/complete"))["completed"] is True
        assert client.post("/api/tasks/batch", json=ONE_CREATE).status_code == 200
        assert revision_of(client) == 3


@pytest.mark.requirement("FR-158", "FR-162")
def test_a_database_that_became_a_copy_for_reading_is_left_for_the_new_one(own_api: API, own_url: str) -> None:
    """After a failover a connection may still lead to the former primary, which accepts no writes."""
    name = own_url.partition("?")[0].rpartition("/")[2]
    with own_api.client(new_user()) as client:
        create(client)
        execute(own_url, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        own_api.app.state.sessions.engine.dispose()
        unavailable(client.post("/api/tasks", json={"title": "a"}))
        assert client.get("/api/tasks").status_code == 200

        writable = f"SET TRANSACTION READ WRITE; ALTER DATABASE {name} RESET default_transaction_read_only"
        execute(own_url, writable)
        assert create(client)["revision"] == 2
