"""Every operation takes one round trip to the database, or a fixed number, counted at the wire."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import pytest
from sqlalchemy import create_engine, make_url, text

from backend.api.http.paths import SIGN_IN
from tests.fixtures.calls.api import API, new_user
from tests.fixtures.calls.erasure import user_of
from tests.fixtures.calls.feed import sync_token
from tests.fixtures.calls.lists import delete, make
from tests.fixtures.calls.tasks import JSON, MISSING_ID, create, path_of
from tests.fixtures.postgres.proxy import Proxy, counting_proxy

TASK = "/api/tasks/{task_id}"
COMPLETE = "/api/tasks/{task_id}/complete"
RESTORE = "/api/tasks/{task_id}/restore"
LABEL = "/api/labels/{name}"
LIST = "/api/lists/{list_id}"
STALE = {"If-Match": '"999"'}
ANY = {"If-None-Match": "*"}
MINE = "5db8b1aa-6f2c-4b7e-9a55-0d4c2f1e8a33"
KEYED = {"Idempotency-Key": "a key"}  # of each test's own user
BATCH = "/api/tasks/batch"
IMPORT = "/api/tasks/import"
LINES = {"Content-Type": "application/jsonl"}
ROWS = '{"title": "a"}\n{"id": "TASK_ID", "title": "b"}\n'
TRASHED = "86f1a5be-12ab-4d5c-9d4e-3b1f0a7c9e21"
TOP, BELOW = TRASHED.replace("8", "7"), TRASHED.replace("8", "6")


@dataclass(frozen=True)
class Case:
    """One request. In the query and the body, TASK_ID and CURSOR stand for an existing task's id and cursor.

    USER_ID stands for its user.
    There are a task under the id MINE, created from `{"title": "a"}`, and one in the trash under the id TRASHED.
    The task BELOW is a subtask of the task TOP.
    The task MINE has the label `home`, and there is another label, `other`. There are lists with the same ids.
    """

    method: str
    path: str
    status: int
    body: str = ""
    query: str = ""
    task_id: str = "TASK_ID"
    name: str = "home"  # of a label
    list_id: str = MINE
    headers: dict[str, str] = field(default_factory=dict)
    round_trips: int = 1


def batch(
    length: int, task_id: str = "TASK_ID", *, atomic: bool = True, labels: list[str] | None = None, **condition: int
) -> str:
    """Build a batch of this many edits of one task."""

    def data(number: int) -> dict[str, object]:
        return {"title": f"b{number}", **({"labels": labels} if labels else {})}

    edits = [{"op": "update", "id": task_id, "data": data(n), **condition} for n in range(length)]
    return json.dumps({"operations": edits, "atomic": atomic})


LABELS = '["home", "errand"]'
SCRIPT = '{"name": "a", "scopes": ["tasks:read"], "expires_in_days": 1}'

CASES = {
    "list": Case("GET", "/api/tasks", 200),
    "next page": Case("GET", "/api/tasks", 200, query="?limit=1&cursor=CURSOR"),
    "create": Case("POST", "/api/tasks", 201, '{"title": "a"}', round_trips=2),
    "create again": Case("POST", "/api/tasks", 200, f'{{"title": "a", "id": "{MINE}"}}', round_trips=2),
    "create another under that id": Case("POST", "/api/tasks", 409, '{"title": "a", "id": "TASK_ID"}', round_trips=2),
    "create in the trash": Case("POST", "/api/tasks", 409, f'{{"title": "a", "id": "{TRASHED}"}}', round_trips=2),
    "create only new": Case("POST", "/api/tasks", 412, f'{{"title": "a", "id": "{MINE}"}}', headers=ANY, round_trips=2),
    "create with labels": Case("POST", "/api/tasks", 201, f'{{"title": "a", "labels": {LABELS}}}', round_trips=2),
    "put labels": Case("PUT", TASK, 200, f'{{"labels": {LABELS}}}', round_trips=2),
    "batch with labels": Case("POST", BATCH, 200, batch(100, labels=["a", "b"]), round_trips=2),
    "import with labels": Case(
        "POST", IMPORT, 200, f'{{"title": "a", "labels": {LABELS}}}', headers=LINES, round_trips=2
    ),
    "list with labels": Case("GET", "/api/tasks", 200, query="?labels=a,b&labels_any=b,c"),
    "batch of 1": Case("POST", BATCH, 200, batch(1), round_trips=2),
    "batch of 100": Case("POST", BATCH, 200, batch(100), round_trips=2),
    "batch of 100 with a key": Case("POST", BATCH, 200, batch(100), headers=KEYED, round_trips=2),
    "batch that changes nothing": Case("POST", BATCH, 200, batch(100, if_match=999, atomic=False), round_trips=2),
    "batch that is refused": Case("POST", BATCH, 412, batch(100, if_match=999), round_trips=2),
    "batch on what is missing": Case("POST", BATCH, 404, batch(100, task_id=MISSING_ID), round_trips=2),
    "export tasks": Case("GET", "/api/tasks/export", 200),
    "import": Case("POST", IMPORT, 200, ROWS, headers=LINES, round_trips=2),
    "import of 100": Case("POST", IMPORT, 200, ROWS * 100, headers=LINES, round_trips=2),
    "import that changes nothing": Case(
        "POST", IMPORT, 200, '{"id": "TASK_ID", "title": "0"}', headers=LINES, round_trips=2
    ),
    "import without a good row": Case("POST", IMPORT, 200, "{}", headers=LINES, round_trips=0),
    "get": Case("GET", TASK, 200),
    "get what is known": Case("GET", TASK, 304, headers=ANY),
    "get missing": Case("GET", TASK, 404, task_id=MISSING_ID),
    "get malformed": Case("GET", TASK, 404, task_id="not-an-id", round_trips=0),
    "put": Case("PUT", TASK, 200, '{"title": "b"}', round_trips=2),
    "put the same": Case("PUT", TASK, 200, '{"title": "0"}', round_trips=2),
    "put missing": Case("PUT", TASK, 404, '{"title": "b"}', task_id=MISSING_ID, round_trips=2),
    "patch": Case("PATCH", TASK, 200, '{"description": "b"}', round_trips=2),
    "patch missing": Case("PATCH", TASK, 404, '{"description": "b"}', task_id=MISSING_ID, round_trips=2),
    "toggle": Case("PATCH", COMPLETE, 200, round_trips=2),
    "set": Case("PATCH", COMPLETE, 200, '{"completed": true}', round_trips=2),
    "set by POST": Case("POST", COMPLETE, 200, '{"completed": true}', round_trips=2),
    "set the same": Case("PATCH", COMPLETE, 200, '{"completed": false}', round_trips=2),
    "set missing": Case("PATCH", COMPLETE, 404, '{"completed": true}', task_id=MISSING_ID, round_trips=2),
    "delete": Case("DELETE", TASK, 204, round_trips=2),
    "delete missing": Case("DELETE", TASK, 404, task_id=MISSING_ID, round_trips=2),
    "delete for good": Case("DELETE", TASK, 204, query="?permanent=true", round_trips=2),
    "delete for good from the trash": Case(
        "DELETE", TASK, 204, query="?permanent=true", task_id=TRASHED, round_trips=2
    ),
    "delete missing for good": Case("DELETE", TASK, 404, query="?permanent=true", task_id=MISSING_ID, round_trips=2),
    "restore": Case("POST", RESTORE, 200, task_id=TRASHED, round_trips=2),
    "restore a living one": Case("POST", RESTORE, 200, round_trips=2),
    "restore missing": Case("POST", RESTORE, 404, task_id=MISSING_ID, round_trips=2),
    "put as expected": Case("PUT", TASK, 200, '{"title": "b"}', headers={"If-Match": '"1", W/"2"'}, round_trips=2),
    "put stale": Case("PUT", TASK, 412, '{"title": "b"}', headers=STALE, round_trips=2),
    "put missing stale": Case("PUT", TASK, 404, '{"title": "b"}', task_id=MISSING_ID, headers=STALE, round_trips=2),
    "patch stale": Case("PATCH", TASK, 412, '{"title": "b"}', headers=STALE, round_trips=2),
    "complete stale": Case("PATCH", COMPLETE, 412, headers=STALE, round_trips=2),
    "delete stale": Case("DELETE", TASK, 412, headers=STALE, round_trips=2),
    "delete for good stale": Case("DELETE", TASK, 412, query="?permanent=true", headers=STALE, round_trips=2),
    "restore stale": Case("POST", RESTORE, 412, task_id=TRASHED, headers=STALE, round_trips=2),
    "create with a key": Case("POST", "/api/tasks", 201, '{"title": "a"}', headers=KEYED, round_trips=2),
    "toggle with a key": Case("PATCH", COMPLETE, 200, headers=KEYED, round_trips=2),
    "toggle malformed with a key": Case("PATCH", COMPLETE, 404, task_id="not-an-id", headers=KEYED, round_trips=0),
    "toggle missing with a key": Case("PATCH", COMPLETE, 404, task_id=MISSING_ID, headers=KEYED, round_trips=2),
    "restore with a key": Case("POST", RESTORE, 200, task_id=TRASHED, headers=KEYED, round_trips=2),
    "labels": Case("GET", "/api/labels", 200),
    "known labels": Case("GET", "/api/labels", 304, headers=ANY),
    "make a label": Case("PUT", LABEL, 201, "{}", name="new", round_trips=2),
    "put a label": Case("PUT", LABEL, 200, '{"color": "#000000"}', round_trips=2),
    "put the same label": Case("PUT", LABEL, 200, "{}", headers=KEYED, round_trips=2),
    "rename a label": Case("PATCH", LABEL, 200, '{"name": "new"}', round_trips=2),
    "rename a label with a key": Case("PATCH", LABEL, 200, '{"name": "new"}', headers=KEYED, round_trips=2),
    "rename a label to another": Case("PATCH", LABEL, 409, '{"name": "other"}', round_trips=2),
    "rename a missing label": Case("PATCH", LABEL, 404, "{}", name="missing", round_trips=2),
    "rename a label of no name": Case("PATCH", LABEL, 404, "{}", name=",", round_trips=0),
    "delete a label": Case("DELETE", LABEL, 204, round_trips=2),
    "delete a missing label": Case("DELETE", LABEL, 404, name="missing", round_trips=2),
    "lists": Case("GET", "/api/lists", 200),
    "lists with counts": Case("GET", "/api/lists", 200, query="?include_counts=true&archived=true"),
    "known lists": Case("GET", "/api/lists", 304, headers=ANY),
    "make a list": Case("POST", "/api/lists", 201, '{"name": "new"}', round_trips=2),
    "make a list with a key": Case("POST", "/api/lists", 201, '{"name": "new"}', headers=KEYED, round_trips=2),
    "make a list again": Case("POST", "/api/lists", 200, f'{{"name": "a", "id": "{MINE}"}}', round_trips=2),
    "get a list": Case("GET", LIST, 200),
    "get a missing list": Case("GET", LIST, 404, list_id=MISSING_ID),
    "get a malformed list": Case("GET", LIST, 404, list_id="not-an-id", round_trips=0),
    "archive a list": Case("PATCH", LIST, 200, '{"archived": true}', round_trips=2),
    "patch a list to the same": Case("PATCH", LIST, 200, "{}", round_trips=2),
    "patch a list stale": Case("PATCH", LIST, 412, '{"name": "b"}', headers=STALE, round_trips=2),
    "delete a list": Case("DELETE", LIST, 204, round_trips=2),
    "delete a list without its tasks": Case("DELETE", LIST, 204, query="?tasks=inbox", round_trips=2),
    "delete a list for good": Case("DELETE", LIST, 204, query="?permanent=true", round_trips=2),
    "restore a list": Case("POST", "/api/lists/{list_id}/restore", 200, list_id=TRASHED, round_trips=2),
    "create in a list": Case("POST", "/api/tasks", 201, f'{{"title": "a", "list_id": "{MINE}"}}', round_trips=2),
    "create in a missing list": Case(
        "POST", "/api/tasks", 422, f'{{"title": "a", "list_id": "{MISSING_ID}"}}', round_trips=2
    ),
    "move": Case("PATCH", TASK, 200, f'{{"list_id": "{MINE}", "labels": ["home"]}}', round_trips=2),
    "move to the end": Case("POST", f"{TASK}/move", 200, "{}", round_trips=3),
    "move beside another": Case("POST", f"{TASK}/move", 200, f'{{"before": "{MINE}"}}', round_trips=3),
    "move into a list": Case("POST", f"{TASK}/move", 200, f'{{"list_id": "{MINE}"}}', round_trips=3),
    "move beside itself": Case("POST", f"{TASK}/move", 200, '{"after": "TASK_ID"}', round_trips=2),
    "move beside a missing one": Case("POST", f"{TASK}/move", 422, f'{{"after": "{MISSING_ID}"}}', round_trips=2),
    "move stale": Case("POST", f"{TASK}/move", 412, "{}", headers=STALE, round_trips=2),
    "move with a key": Case("POST", f"{TASK}/move", 200, "{}", headers=KEYED, round_trips=3),
    "move a list": Case("POST", f"{LIST}/move", 200, "{}", round_trips=3),
    "move a list stale": Case("POST", f"{LIST}/move", 412, "{}", headers=STALE, round_trips=2),
    "list a list in its order": Case("GET", "/api/tasks", 200, query=f"?list_id={MINE}&sort=position"),
    "list the tasks of a list": Case("GET", "/api/tasks", 200, query=f"?list_id={MINE}&in_archived=false"),
    "create a subtask": Case("POST", "/api/tasks", 201, '{"title": "a", "parent_id": "TASK_ID"}', round_trips=2),
    "create another subtask": Case("POST", "/api/tasks", 201, f'{{"title": "a", "parent_id": "{TOP}"}}', round_trips=3),
    "put under a parent": Case("PATCH", TASK, 200, f'{{"parent_id": "{TOP}"}}', round_trips=3),
    "put under a missing parent": Case("PATCH", TASK, 422, f'{{"parent_id": "{MISSING_ID}"}}', round_trips=2),
    "move under a parent": Case("POST", f"{TASK}/move", 200, f'{{"parent_id": "{TOP}"}}', round_trips=4),
    "edit a parent": Case("PATCH", TASK, 200, '{"title": "b"}', task_id=TOP, round_trips=2),
    "complete a parent": Case("PATCH", COMPLETE, 200, '{"completed": true}', task_id=TOP, round_trips=3),
    "complete a parent alone": Case(
        "PATCH", COMPLETE, 200, '{"completed": true, "cascade": false}', task_id=TOP, round_trips=2
    ),
    "complete a subtask": Case("PATCH", COMPLETE, 200, '{"completed": true}', task_id=BELOW, round_trips=2),
    "delete a parent": Case("DELETE", TASK, 204, task_id=TOP, round_trips=3),
    "delete a parent for good": Case("DELETE", TASK, 204, "", "?permanent=true", task_id=TOP, round_trips=3),
    "batch with parents": Case(
        "POST",
        "/api/tasks/batch",
        200,
        json.dumps({"operations": [{"op": "complete", "id": TOP}, {"op": "delete", "id": MINE}]}),
        round_trips=3,
    ),
    "subtasks": Case("GET", "/api/tasks/{task_id}/subtasks", 200, task_id=TOP),
    "subtasks of a task without any": Case("GET", "/api/tasks/{task_id}/subtasks", 200),
    "subtasks of a missing task": Case("GET", "/api/tasks/{task_id}/subtasks", 404, task_id=MISSING_ID),
    "get with counts": Case("GET", TASK, 200, query="?include=subtask_counts", task_id=TOP),
    "list with counts": Case("GET", "/api/tasks", 200, query="?include=subtask_counts&parent_id=none"),
    "undo": Case("POST", "/api/tasks/{task_id}/undo", 200, round_trips=3),
    "undo stale": Case("POST", "/api/tasks/{task_id}/undo", 412, headers=STALE, round_trips=3),
    "undo missing": Case("POST", "/api/tasks/{task_id}/undo", 404, task_id=MISSING_ID, round_trips=3),
    "undo what nobody knows": Case("POST", "/api/undo", 409, '{"request_id": "none"}', round_trips=3),
    "activity": Case("GET", "/api/activity", 200),
    "activity of a kind": Case("GET", "/api/activity", 200, query="?kind=list&verb=created"),
    "activity of a task": Case("GET", "/api/tasks/{task_id}/activity", 200),
    "changes": Case("GET", "/api/changes", 200),
    "changes of all types": Case("GET", "/api/changes", 200, query="?types=task,label,list"),
    "more changes": Case("GET", "/api/changes", 200, query=f"?since={sync_token(1)}&limit=1"),
    "changes that never were": Case("GET", "/api/changes", 410, query=f"?since={sync_token(999)}"),
    "stream": Case("GET", "/api/changes/stream", 200),
    "account": Case("GET", "/api/me", 200),
    "update account": Case("PATCH", "/api/me", 200, '{"timezone": "Europe/Berlin"}', round_trips=2),
    "update account to the same": Case("PATCH", "/api/me", 200, '{"timezone": null}', round_trips=2),
    "export": Case("GET", "/api/me/export", 200, round_trips=10),
    "tokens": Case("GET", "/api/me/tokens", 200),
    "make a token": Case("POST", "/api/me/tokens", 201, SCRIPT, round_trips=2),
    "revoke a token": Case("DELETE", "/api/me/tokens/{task_id}", 404),
    "revoke malformed": Case("DELETE", "/api/me/tokens/{task_id}", 404, task_id="not-an-id", round_trips=0),
    "erase": Case("DELETE", "/api/me", 204, query="?confirm=USER_ID"),
    "erase unconfirmed": Case("DELETE", "/api/me", 422, round_trips=0),
}


@pytest.fixture
def through(proxied: API) -> Iterator[httpx.Client]:
    """A client of that service, with a warm database connection."""
    with proxied.client(new_user()) as client:
        assert client.get("/api/me").status_code == 200
        yield client


@pytest.mark.requirement("FR-038", "FR-113", "FR-127", "FR-144", "FR-151", "FR-184", "FR-199", "FR-624")
@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_an_operation_takes_as_many_round_trips_as_it_should(through: httpx.Client, proxy: Proxy, case: Case) -> None:
    task, *_ = [create(through, str(number)) for number in range(3)]
    assert through.put("/api/labels/other", json={}).status_code == 201
    create(through, "a", id=MINE)
    create(through, "b", id=BELOW, parent_id=create(through, "a", id=TOP)["id"])
    assert through.put("/api/labels/home", json={}).status_code == 201
    assert through.delete(path_of(create(through, id=TRASHED))).status_code == 204
    for list_id in (MINE, TRASHED):
        found = make(through, "a", id=list_id)
        create(through, list_id=list_id)
    delete(through, found)
    cursor = through.get("/api/tasks?limit=1").json()["page"]["next_cursor"]
    address, body = (
        template.replace("TASK_ID", task["id"]).replace("CURSOR", cursor).replace("USER_ID", user_of(through))
        for template in (
            case.path.format(task_id=case.task_id, name=case.name, list_id=case.list_id) + case.query,
            case.body,
        )
    )
    before = proxy.round_trips

    response = through.request(case.method, address, content=body, headers=JSON | case.headers)

    assert proxy.round_trips - before == case.round_trips
    assert response.status_code == case.status


@pytest.mark.requirement("FR-127")
@pytest.mark.parametrize(("body", "status"), [('{"title": "a"}', 201), ('{"title": "b"}', 422)])
def test_a_key_that_is_known_is_two_round_trips(through: httpx.Client, proxy: Proxy, body: str, status: int) -> None:
    assert through.post("/api/tasks", json={"title": "a"}, headers=KEYED).status_code == 201
    for _ in range(3):
        before = proxy.round_trips

        response = through.post("/api/tasks", content=body, headers=JSON | KEYED)

        assert proxy.round_trips - before == 2  # the key with its response, COMMIT or ROLLBACK
        assert response.status_code == status


@pytest.mark.requirement("FR-038", "FR-053")
@pytest.mark.parametrize(
    "case",
    [
        Case("GET", "/api/tasks?cursor=x", 400),
        Case("GET", "/api/changes?since=1", 422),
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
    before = proxy.round_trips

    response = through.request(case.method, case.path, content=case.body, headers=JSON)

    assert proxy.round_trips == before
    assert response.status_code == case.status


@pytest.mark.requirement("FR-038")
def test_every_operation_of_the_contract_is_counted(api: API) -> None:
    # Those of the sign-in are counted in tests/integration/sign_in/test_costs.py.
    documented = {
        (method.upper(), path)
        for path, operations in api.app.openapi()["paths"].items()
        for method in operations
        if path.startswith("/api/") and not path.startswith(SIGN_IN) and path != "/api/me/password"
    }

    assert {
        (case.method, case.path.replace("tokens/{task_id}", "tokens/{token_id}")) for case in CASES.values()
    } == documented


@pytest.mark.requirement("FR-038")
def test_the_proxy_counts_what_it_should(database_url: str) -> None:
    """Checks the test itself: a connection used in the ordinary way takes three round trips for one statement."""
    with counting_proxy(database_url) as proxy:
        engine = create_engine(make_url(proxy.url).set(drivername="postgresql+psycopg2"))
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
        before = proxy.round_trips
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
        assert proxy.round_trips - before == 3  # BEGIN, SELECT, ROLLBACK
        engine.dispose()
