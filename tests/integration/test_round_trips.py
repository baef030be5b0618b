"""Every operation is one round trip to the database, counted at the wire."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from sqlalchemy import create_engine, make_url, text

from tests.fixtures.api import API, new_user
from tests.fixtures.proxy import Proxy, counting_proxy
from tests.fixtures.tasks import JSON, MISSING_ID, create

TASK = "/api/tasks/{task_id}"
COMPLETE = "/api/tasks/{task_id}/complete"


@dataclass(frozen=True)
class Case:
    """One request. TASK_ID and CURSOR in the query and the body stand for those of a task that exists."""

    method: str
    path: str
    status: int
    body: str = ""
    query: str = ""
    task_id: str = "TASK_ID"


CASES = {
    "list": Case("GET", "/api/tasks", 200),
    "next page": Case("GET", "/api/tasks", 200, query="?limit=1&cursor=CURSOR"),
    "create": Case("POST", "/api/tasks", 201, '{"title": "a"}'),
    "create again": Case("POST", "/api/tasks", 409, '{"title": "a", "id": "TASK_ID"}'),
    "get": Case("GET", TASK, 200),
    "get missing": Case("GET", TASK, 404, task_id=MISSING_ID),
    "get malformed": Case("GET", TASK, 404, task_id="not-an-id"),
    "put": Case("PUT", TASK, 200, '{"title": "b"}'),
    "put the same": Case("PUT", TASK, 200, '{"title": "0"}'),
    "put missing": Case("PUT", TASK, 404, '{"title": "b"}', task_id=MISSING_ID),
    "patch": Case("PATCH", TASK, 200, '{"description": "b"}'),
    "patch missing": Case("PATCH", TASK, 404, '{"description": "b"}', task_id=MISSING_ID),
    "toggle": Case("PATCH", COMPLETE, 200),
    "set": Case("PATCH", COMPLETE, 200, '{"completed": true}'),
    "set the same": Case("PATCH", COMPLETE, 200, '{"completed": false}'),
    "set missing": Case("PATCH", COMPLETE, 404, '{"completed": true}', task_id=MISSING_ID),
    "delete": Case("DELETE", TASK, 204),
    "delete missing": Case("DELETE", TASK, 404, task_id=MISSING_ID),
    "account": Case("GET", "/api/me", 200),
    "erase": Case("DELETE", "/api/me", 204),
}


@pytest.fixture
def through(proxied: API) -> Iterator[httpx.Client]:
    """A client of that service, whose connection to the database is warm."""
    with proxied.client(new_user()) as client:
        assert client.get("/api/me").status_code == 200
        yield client


@pytest.mark.requirement("FR-038")
@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_an_operation_is_one_round_trip(through: httpx.Client, proxy: Proxy, case: Case) -> None:
    task, *_ = [create(through, str(number)) for number in range(3)]
    cursor = through.get("/api/tasks?limit=1").json()["page"]["next_cursor"]
    address, body = (
        template.replace("TASK_ID", task["id"]).replace("CURSOR", cursor)
        for template in (case.path.format(task_id=case.task_id) + case.query, case.body)
    )
    before = proxy.flights

    response = through.request(case.method, address, content=body, headers=JSON)

    assert proxy.flights - before == 1
    assert response.status_code == case.status


@pytest.mark.requirement("FR-038", "FR-053")
@pytest.mark.parametrize(
    "case",
    [
        Case("GET", "/api/tasks?cursor=x", 400),
        Case("GET", "/api/nothing", 404),
        Case("DELETE", "/api/tasks", 405),
        Case("POST", "/api/tasks", 422, '{"title": ""}'),
        Case("GET", "/health/live", 200),
        Case("GET", "/", 200),
        Case("GET", "/openapi.json", 200),
    ],
    ids=lambda case: f"{case.method} {case.path}",
)
def test_a_request_that_needs_no_data_asks_the_database_nothing(
    through: httpx.Client, proxy: Proxy, case: Case
) -> None:
    before = proxy.flights

    response = through.request(case.method, case.path, content=case.body, headers=JSON)

    assert proxy.flights == before
    assert response.status_code == case.status


@pytest.mark.requirement("FR-038")
def test_every_operation_of_the_contract_is_counted(api: API) -> None:
    documented = {
        (method.upper(), path)
        for path, operations in api.app.openapi()["paths"].items()
        for method in operations
        if path.startswith("/api/")
    }

    assert {(case.method, case.path) for case in CASES.values()} == documented


@pytest.mark.requirement("FR-038")
def test_the_proxy_counts_what_it_should(database_url: str) -> None:
    """The measure itself: a connection in use the ordinary way costs three round trips for one statement."""
    with counting_proxy(database_url) as proxy:
        engine = create_engine(make_url(proxy.url).set(drivername="postgresql+psycopg2"))
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
        before = proxy.flights
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
        assert proxy.flights - before == 3  # BEGIN, SELECT, ROLLBACK
        engine.dispose()
