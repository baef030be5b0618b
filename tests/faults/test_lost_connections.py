"""Requests whose database connection is lost midway: retried where that is safe, and never executed twice."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import pytest
from pydantic import SecretStr

from backend.config import Settings
from tests.fixtures.calls.api import API, new_user, serve
from tests.fixtures.calls.erasure import erase
from tests.fixtures.calls.tasks import create, error_of, path_of, read, revision_of, task_of
from tests.fixtures.http.deadlines import hurried_at
from tests.fixtures.postgres.database import execute
from tests.fixtures.postgres.proxy import Fault, Proxy

LOAD, STORE = 1, 2  # the round trips of a change
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
EACH_ROUND_TRIP = pytest.mark.parametrize("round_trip", [LOAD, STORE])


def was_done(round_trip: int, fault: Fault) -> bool:
    """Return whether a change was done although its connection was lost."""
    return (round_trip, fault) == (STORE, Fault.UNANSWERED)


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
@EACH_ROUND_TRIP
def test_a_create_makes_one_task(
    through: httpx.Client,
    proxy: Proxy,
    round_trip: int,
    own_id: bool,  # noqa: FBT001 - a parameter
    fault: Fault,
) -> None:
    body = {"title": "a", "id": str(uuid.uuid4())} if own_id else {"title": "a"}
    proxy.fail_at(round_trip, fault)
    made = through.post("/api/tasks", json=body)

    task = task_of(made, 200 if own_id and was_done(round_trip, fault) else 201)
    assert made.headers["Location"] == path_of(task)
    assert [row["title"] for row in through.get("/api/tasks").json()["data"]] == ["a", "Buy milk"]
    assert (task["revision"], revision_of(through)) == (2, 2)


@pytest.mark.requirement("FR-157", "FR-159")
@WAYS_TO_LOSE
@EACH_ROUND_TRIP
@pytest.mark.parametrize("call", CHANGES)
def test_a_change_that_may_be_retried_is_retried(
    through: httpx.Client, proxy: Proxy, call: Call, round_trip: int, fault: Fault
) -> None:
    task = create(through)
    twin = create(through)
    if call.suffix == "/restore":
        for one in (task, twin):
            assert through.delete(path_of(one)).status_code == 204
    before = revision_of(through)
    proxy.fail_at(round_trip, fault)
    lost = send(through, call, task)

    expected = call.status_after_two if was_done(round_trip, fault) else call.status
    assert lost.status_code == expected, lost.text
    if expected == 503:
        unavailable(lost)
    assert revision_of(through) == before + 1
    assert send(through, call, twin).status_code == call.status
    ways = [through.get(path_of(one)).status_code for one in (task, twin)]
    assert ways[0] == ways[1]


@pytest.mark.requirement("FR-159")
@WAYS_TO_LOSE
@EACH_ROUND_TRIP
def test_a_conditional_change_is_never_refused_for_what_it_did_itself(
    through: httpx.Client, proxy: Proxy, round_trip: int, fault: Fault
) -> None:
    task = create(through)
    proxy.fail_at(round_trip, fault)
    lost = send(through, CHANGES[0], task, **{"If-Match": f'"{task["revision"]}"'})

    if was_done(round_trip, fault):
        unavailable(lost)
    else:
        assert task_of(lost)["title"] == "b"
    assert (read(through, task)["title"], revision_of(through)) == ("b", 3)


@pytest.mark.requirement("FR-159")
@WAYS_TO_LOSE
@EACH_ROUND_TRIP
def test_a_create_of_a_new_task_only_is_never_refused_for_what_it_did_itself(
    through: httpx.Client, proxy: Proxy, round_trip: int, fault: Fault
) -> None:
    body, only_new = {"title": "a", "id": str(uuid.uuid4())}, {"If-None-Match": "*"}
    proxy.fail_at(round_trip, fault)
    lost = through.post("/api/tasks", json=body, headers=only_new)

    if was_done(round_trip, fault):
        unavailable(lost)
    else:
        task_of(lost, 201)
    assert through.post("/api/tasks", json=body, headers=only_new).status_code == 412
    assert revision_of(through) == 2


@pytest.mark.requirement("FR-158")
@WAYS_TO_LOSE
@EACH_ROUND_TRIP
def test_a_toggle_is_retried_unless_it_may_be_done(
    through: httpx.Client, proxy: Proxy, round_trip: int, fault: Fault
) -> None:
    task = create(through)
    proxy.fail_at(round_trip, fault)
    lost = through.patch(f"{path_of(task)}/complete")

    if round_trip == LOAD:
        assert task_of(lost)["completed"] is True
    else:
        unavailable(lost)
    is_done = round_trip == LOAD or fault is Fault.UNANSWERED
    assert read(through, task)["completed"] is is_done
    assert task_of(through.patch(f"{path_of(task)}/complete"))["completed"] is not is_done


@pytest.mark.requirement("FR-158")
@WAYS_TO_LOSE
def test_erasing_is_not_retried(through: httpx.Client, proxy: Proxy, fault: Fault) -> None:
    proxy.fail_at(1, fault)
    unavailable(erase(through))

    assert len(through.get("/api/tasks").json()["data"]) == (fault is Fault.LOST)
    assert erase(through).status_code == 204


@pytest.mark.requirement("FR-158")
@WAYS_TO_LOSE
@EACH_ROUND_TRIP
def test_a_batch_is_retried_unless_it_may_be_done(
    through: httpx.Client, proxy: Proxy, round_trip: int, fault: Fault
) -> None:
    proxy.fail_at(round_trip, fault)
    lost = through.post("/api/tasks/batch", json=ONE_CREATE)

    if round_trip == STORE:
        unavailable(lost)
    else:
        assert lost.status_code == 200, lost.text
    is_lost = (round_trip, fault) == (STORE, Fault.LOST)
    assert len(through.get("/api/tasks").json()["data"]) == (1 if is_lost else 2)


@pytest.mark.requirement("FR-158")
@WAYS_TO_LOSE
@EACH_ROUND_TRIP
def test_a_part_of_an_import_is_stored_once(through: httpx.Client, proxy: Proxy, round_trip: int, fault: Fault) -> None:
    proxy.fail_at(round_trip, fault)
    lost = through.post("/api/tasks/import", content='{"title": "a"}', headers={"Content-Type": "application/jsonl"})

    assert lost.json()["data"]["created"] == 1
    assert [row["title"] for row in through.get("/api/tasks").json()["data"]] == ["a", "Buy milk"]


@pytest.mark.requirement("FR-158")
@WAYS_TO_LOSE
@EACH_ROUND_TRIP
def test_a_token_is_made_once(through: httpx.Client, proxy: Proxy, round_trip: int, fault: Fault) -> None:
    script = {"name": "a", "scopes": ["tasks:read"], "expires_in_days": 1}
    proxy.fail_at(round_trip, fault)
    lost = through.post("/api/me/tokens", json=script)

    if round_trip == STORE:
        unavailable(lost)
    else:
        assert lost.status_code == 201, lost.text
    is_lost = (round_trip, fault) == (STORE, Fault.LOST)
    assert len(through.get("/api/me/tokens").json()["data"]) == (0 if is_lost else 1)


ALL_CHANGES = [*CHANGES, Call("PATCH", "/complete")]


@pytest.mark.requirement("FR-158", "FR-160", "FR-051")
@EACH_ROUND_TRIP
@pytest.mark.parametrize("call", ALL_CHANGES)
def test_a_database_that_falls_silent_holds_no_request_and_no_row(
    proxied: API, through: httpx.Client, proxy: Proxy, call: Call, round_trip: int
) -> None:
    task = create(through)
    if call.suffix == "/restore":
        assert through.delete(path_of(task)).status_code == 204
    before = revision_of(through)
    proxy.fail_at(round_trip, Fault.SILENT)
    try:
        with hurried_at(proxied, round_trip):
            unavailable(send(through, call, task))
    finally:
        proxy.silent = False

    assert revision_of(through) == before
    assert send(through, call, task).status_code == call.status


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
