"""Every call of the API with a token for one list: nothing else of the user is seen or changed."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.fixtures.calls.access_tokens import READ, WRITE, make_token, with_token
from tests.fixtures.calls.api import API, new_user
from tests.fixtures.calls.batches import operation as single
from tests.fixtures.calls.batches import run_each, statuses_of, update
from tests.fixtures.calls.exports import stored_of
from tests.fixtures.calls.labels import put
from tests.fixtures.calls.lists import List, list_path, make
from tests.fixtures.calls.tasks import Task, create, error_of, path_of
from tests.fixtures.documents.contract import Operation, operations
from tests.fixtures.inputs.examples import EXAMPLES

pytestmark = pytest.mark.requirement("FR-354")

PRIVATE = sorted(name for name, operation in operations().items() if operation.is_private)
# A new call is not among them: it is refused until somebody has thought about it.
REMIT = {
    *("list_tasks", "create_task", "batch_tasks", "export_tasks", "import_tasks", "get_task", "update_task"),
    *("patch_task", "complete_task", "post_complete_task", "delete_task", "restore_task", "move_task"),
    "list_subtasks",
    *("list_lists", "get_list", "list_changes", "stream_changes"),
}
Rows = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Sharer:
    """A user who shares one list, and has something else everywhere."""

    user_id: str
    client: httpx.Client
    shared: List
    task: Task
    hidden: tuple[str, ...]  # ids and names that name something outside of the list
    secrets: frozenset[str]
    database_url: str

    def rows(self) -> Rows:
        """Read everything stored for this user, but when tokens were used."""
        rows = stored_of(self.database_url, self.user_id)
        for token in rows["access_tokens"]:
            del token["last_used_at"]
        return {table: sorted(found, key=str) for table, found in rows.items()}

    def rows_outside(self) -> Rows:
        """Read what is not in the list, without the counters of the account, and the events."""
        rows = self.rows()
        rows["tasks"] = [task for task in rows["tasks"] if task["list_id"] != self.shared["id"]]
        return rows | {"users": [], "events": []}

    def assert_hidden(self, response: httpx.Response, sent: str = "") -> None:
        """Fail if an answer tells of something outside of the list that the request has not named itself."""
        seen = response.text + json.dumps(dict(response.headers))
        assert not [secret for secret in self.secrets if secret in seen and secret not in sent]


@pytest.fixture
def sharer(api: API, database_url: str) -> Iterator[Sharer]:
    user_id = new_user()
    with api.client(user_id) as client:
        secret = f"secret-{uuid.uuid4().hex}"
        shared, other = make(client, "Shared"), make(client, f"list {secret}", color="#123456")
        task = create(client, "Ours", list_id=shared["id"], labels=["ours"])
        said = {"description": f"text {secret}", "labels": [f"label {secret}"]}
        elsewhere, inbox, trashed, removed = (
            create(client, f"task {secret}", list_id=list_id, **said)
            for list_id in (other["id"], None, other["id"], other["id"])
        )
        put(client, f"other {secret}")
        assert client.delete(path_of(trashed)).status_code == 204
        assert client.delete(path_of(removed), params={"permanent": "true"}).status_code == 204
        keyed = client.post("/api/tasks", json={"title": secret}, headers={"Idempotency-Key": "used"})
        token = make_token(client, READ, name=secret)
        ids = tuple(each["id"] for each in (elsewhere, inbox, trashed, removed, other, token, keyed.json()["data"]))
        hidden = (*ids, f"label {secret}", f"other {secret}")
        yield Sharer(user_id, client, shared, task, hidden, frozenset({*hidden, secret, token["token"]}), database_url)


@pytest.fixture
def guest(api: API, sharer: Sharer) -> Iterator[httpx.Client]:
    """Somebody who may read and change the list."""
    token = make_token(sharer.client, READ, WRITE, list_id=sharer.shared["id"])["token"]
    # With the same request id everywhere, responses can be compared byte by byte.
    with api.client(Authorization=f"Bearer {token}", **{"X-Request-Id": "the-same"}) as guest:
        yield guest


def _send(client: httpx.Client, operation: Operation, id_: object, user_id: str) -> httpx.Response:
    request = EXAMPLES[operation.id].request_of(user_id)
    return client.request(operation.method, operation.address(id_), **request)


def test_its_calls_are_calls_of_the_api() -> None:
    assert set(PRIVATE) >= REMIT


@pytest.mark.parametrize("name", PRIVATE)
def test_what_is_in_the_list_can_be_called_and_nothing_else(sharer: Sharer, guest: httpx.Client, name: str) -> None:
    operation, before, outside = operations()[name], sharer.rows(), sharer.rows_outside()
    own = sharer.shared["id"] if operation.is_about_one_list else sharer.task["id"]
    response = _send(guest, operation, own, sharer.user_id)

    sharer.assert_hidden(response)
    if name in REMIT:
        assert response.status_code == EXAMPLES[name].status, response.text
        assert sharer.rows_outside() == outside
    else:
        assert "one list" in error_of(response, 403, "FORBIDDEN")["message"] or operation.path.startswith("/api/me")
        assert sharer.rows() == before


@pytest.mark.parametrize("name", sorted(name for name in REMIT if operations()[name].method != "GET"))
def test_who_may_only_read_changes_nothing(api: API, sharer: Sharer, name: str) -> None:
    token = make_token(sharer.client, READ, list_id=sharer.shared["id"])["token"]
    before = sharer.rows()
    with with_token(api, token) as reader:
        error_of(_send(reader, operations()[name], sharer.task["id"], sharer.user_id), 403, "FORBIDDEN")
    assert sharer.rows() == before


@pytest.mark.parametrize("name", [name for name in PRIVATE if "{" in operations()[name].path])
def test_what_is_outside_is_answered_like_what_is_not_there(sharer: Sharer, guest: httpx.Client, name: str) -> None:
    operation, before = operations()[name], sharer.rows()
    absent = _send(guest, operation, uuid.uuid4(), sharer.user_id)
    assert absent.status_code == (404 if name in REMIT else 403)
    for id_ in sharer.hidden:
        response = _send(guest, operation, id_, sharer.user_id)
        assert (response.status_code, response.content) == (absent.status_code, absent.content)
        for wrong in ({"json": {"nonsense": 1}}, {"content": "{"}):
            refused = [
                guest.request(operation.method, operation.address(each), **wrong) for each in (id_, uuid.uuid4())
            ]
            assert refused[0].content == refused[1].content
    assert sharer.rows() == before


def _questions(sharer: Sharer) -> Iterator[tuple[str, dict[str, str]]]:
    """Ask in every way for what is outside."""
    elsewhere, inbox, trashed, _, other, *_, label, _ = sharer.hidden
    ids = f"{elsewhere},{inbox},{trashed}"
    narrowed: list[dict[str, str]] = [{"q": "secret"}, {"ids": ids}, {"labels": label}, {"labels_any": label}]
    narrowed += [{"list_id": other}, {"list_id": "inbox"}, {"list_id": other, "sort": "position"}]
    narrowed += [{"in_archived": "false"}, {"deleted": "true"}, {"status": "todo"}, {"sort": "-updated_at"}]
    for each in narrowed:
        yield "/api/tasks", each
        yield "/api/tasks", {**each, "include_total": "true", "include_counts": "true", "limit": "100"}
    for file_format in ("jsonl", "csv", "ics"):
        yield from (("/api/tasks/export", {"format": file_format, "list_id": place}) for place in (other, "inbox"))
        yield "/api/tasks/export", {"format": file_format}
    yield from (("/api/changes", {"types": types}) for types in ("task", "list", "task,list"))
    yield from (("/api/lists", {name: "true"}) for name in ("archived", "deleted", "include_counts"))


def test_no_question_is_answered_with_what_is_outside(sharer: Sharer, guest: httpx.Client) -> None:
    for path, params in _questions(sharer):
        for method in ("GET", "HEAD"):
            response = guest.request(method, path, params=params)
            assert response.status_code == 200, response.text
            sharer.assert_hidden(response, sent=json.dumps(params))
        page = guest.get(path, params=params).json()["page"] if path == "/api/tasks" else {}
        assert (page.get("total") or 0) <= 1
        assert sum((page.get("counts") or {}).values()) <= 1
    with guest.stream("GET", "/api/changes/stream", params={"types": "task,list"}) as stream:
        begin = next(stream.iter_text())
    assert sharer.task["id"] in begin
    assert not [secret for secret in sharer.secrets if secret in begin]


def test_cursors_of_other_listings_show_only_the_list(sharer: Sharer, guest: httpx.Client) -> None:
    page = sharer.client.get("/api/tasks", params={"limit": 1}).json()["page"]
    response = guest.get("/api/tasks", params={"cursor": page["next_cursor"]})
    assert {task["id"] for task in response.json()["data"]} <= {sharer.task["id"]}
    since = sharer.client.get("/api/changes", params={"limit": 1}).json()["page"]["next_since"]
    sharer.assert_hidden(guest.get("/api/changes", params={"since": since}))


def test_what_tells_of_the_account_is_not_in_an_answer(sharer: Sharer, guest: httpx.Client) -> None:
    """The tag of a listing is made of it: how many tasks there are, and since when the account."""
    mine, theirs = (each.get("/api/tasks").headers["ETag"] for each in (sharer.client, guest))
    assert mine != theirs
    assert all(re.fullmatch(r'"[0-9a-f]{64}"', tag) for tag in (mine, theirs))  # hashed
    assert sharer.client.delete(f"/api/tasks/{sharer.hidden[0]}").status_code == 204
    assert guest.get("/api/tasks").headers["ETag"] != theirs


def test_a_batch_reaches_nothing_outside(sharer: Sharer, guest: httpx.Client) -> None:
    outside = sharer.rows_outside()
    for id_ in sharer.hidden[:3]:
        done = run_each(
            guest,
            update(id_, title="a"),
            single("complete", id_, data={"completed": True}),
            single("delete", id_),
            single("restore", id_),
        )
        assert statuses_of(done) == [404] * 4
    assert sharer.rows_outside() == outside


def test_nothing_is_put_beside_what_is_outside(sharer: Sharer, guest: httpx.Client) -> None:
    answers = [
        guest.post(f"{path_of(sharer.task)}/move", json={side: id_})
        for side in ("after", "before")
        for id_ in (*sharer.hidden[:4], str(uuid.uuid4()))
    ]
    details = {error_of(answer, 422, "VALIDATION_ERROR")["details"][0]["code"] for answer in answers}
    assert details == {"task_not_in_list"}


def test_a_key_of_the_account_is_not_the_lists(sharer: Sharer, guest: httpx.Client) -> None:
    made = guest.post("/api/tasks", json={"title": "mine"}, headers={"Idempotency-Key": "used"})
    assert made.status_code == 201
    sharer.assert_hidden(made)


def test_a_list_in_the_trash_takes_its_tasks_along(sharer: Sharer, guest: httpx.Client) -> None:
    assert sharer.client.delete(list_path(sharer.shared)).status_code == 204
    outside = sharer.rows_outside()
    error_of(guest.post(f"{path_of(sharer.task)}/restore"), 403, "FORBIDDEN")  # it would go to the inbox
    assert guest.get("/api/tasks").json()["data"] == []
    assert [task["id"] for task in guest.get("/api/tasks?deleted=true").json()["data"]] == [sharer.task["id"]]
    assert sharer.rows_outside() == outside
