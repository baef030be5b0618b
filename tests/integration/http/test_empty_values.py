"""Empty values as forms and tools send them count as absent: optional headers, and known parameters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import httpx
import pytest

from backend.config import Settings
from tests.fixtures.calls.api import API, new_user, serve
from tests.fixtures.calls.feed import sync_token
from tests.fixtures.calls.keys import KEY, assert_replays, is_replayed, new_key, stored_keys
from tests.fixtures.calls.lists import make
from tests.fixtures.calls.task_files import EXPORT, LINES
from tests.fixtures.calls.tasks import (
    JSON,
    MISSING_ID,
    Task,
    create,
    error_of,
    everything_of,
    path_of,
    revision_of,
    task_of,
)
from tests.fixtures.documents.contract import Json, Operation, operations
from tests.fixtures.http.wire import send
from tests.fixtures.inputs.examples import EXAMPLES
from tests.fixtures.inputs.hostile import good_body, parameters

pytestmark = pytest.mark.requirement("FR-240")

BLANKS = [b"", b" ", b"\t", b" \t "]
LISTING = [parameter["name"] for operation, parameter in parameters("query") if operation.id == "list_tasks"]
PRIVATE = {name: operation for name, operation in operations().items() if operation.is_private}
ENDLESS = {"stream_changes"}
PARAMETERS = [(each, parameter["name"]) for each, parameter in parameters("query") if not parameter.get("required")]


def _name(value: object) -> str:
    return value.id if isinstance(value, Operation) else str(value)


def answers_of(api: API, operation: Operation, queries: Iterable[str]) -> Iterator[tuple[int, str | None]]:
    """Send requests with these queries; yield each response's status and type. Reads have one user, changes a new one
    each.
    """
    if operation.method != "GET":
        for query in queries:
            yield answer_of(api, operation, query)
        return
    with api.client(new_user()) as client:
        id_ = everything_for(client)
        for query in queries:
            yield sent_by(client, operation, id_, query)


def answer_of(api: API, operation: Operation, query: str, **headers: str) -> tuple[int, str | None]:
    """Send the request as a new user who has a task; return the response's status and type."""
    with api.client(new_user()) as client:
        return sent_by(client, operation, everything_for(client), query, **headers)


def everything_for(client: httpx.Client) -> str:
    """Give a new user a task, a label named after its id, and a list with its id; return the id."""
    id_: str = create(client)["id"]
    create(client, labels=[id_])
    make(client, id=id_)
    return id_


def sent_by(client: httpx.Client, operation: Operation, id_: str, query: str, **headers: str) -> tuple[int, str | None]:
    """Send the request; return the response's status and type."""
    address = f"{operation.address(id_)}{query}"
    kind = {"Content-Type": LINES} if operation.id == "import_tasks" else JSON  # nothing to import is fine
    request = client.build_request(operation.method, address, content=good_body(operation), headers=kind | headers)
    response = client.send(request, stream=operation.id in ENDLESS)
    response.close()
    return response.status_code, response.headers.get("Content-Type")


@pytest.mark.parametrize(("operation", "parameter"), parameters("header"), ids=lambda value: getattr(value, "id", ""))
def test_a_blank_header_is_none(api: API, operation: Operation, parameter: Json) -> None:
    plain = answer_of(api, operation, "")
    assert plain[0] == EXAMPLES[operation.id].status
    assert answer_of(api, operation, "", **{parameter["name"]: ""}) == plain


@pytest.mark.parametrize(("operation", "name"), PARAMETERS, ids=_name)
def test_a_parameter_without_a_value_is_none(api: API, operation: Operation, name: str) -> None:
    queries = [f"?{name}=", f"?{name}=&{name}=", f"?&{name}=&", f"?%{ord(name[0]):02x}{name[1:]}="]
    plain, *answers = answers_of(api, operation, ["", *queries])

    assert plain[0] < 300
    assert dict(zip(queries, answers, strict=True)) == dict.fromkeys(queries, plain)


def test_a_form_that_nobody_has_filled_in_asks_for_the_plain_listing(client: httpx.Client) -> None:
    for number in range(3):
        create(client, str(number))
    plain, form = client.get("/api/tasks"), client.get("/api/tasks", params=dict.fromkeys(LISTING, ""))

    assert form.json() == plain.json()
    assert (form.headers["ETag"], form.headers["Link"]) == (plain.headers["ETag"], plain.headers["Link"])


def test_what_is_filled_in_counts_and_links_and_cursors_know_of_nothing_else(client: httpx.Client) -> None:
    tasks = [create(client, f"milk {number}") for number in range(3)]
    query = {"q": "milk", "completed": "", "ids": "", "sort": "created_at", "cursor": "", "limit": "2", "deleted": ""}
    first = client.get("/api/tasks", params=query)
    filled = client.get("/api/tasks", params={name: value for name, value in query.items() if value})

    assert first.json() == filled.json()
    assert first.headers["Link"] == filled.headers["Link"]
    assert first.json()["data"] == tasks[:2]
    cursor = first.json()["page"]["next_cursor"]
    second = client.get("/api/tasks", params={**query, "cursor": cursor})
    assert second.json()["data"] == tasks[2:]
    assert second.links["first"]["url"] == first.links["first"]["url"]
    assert client.get(first.links["next"]["url"]).json() == second.json()


@pytest.mark.requirement("FR-043")
def test_an_empty_parameter_does_not_repeat_one_that_has_a_value(client: httpx.Client) -> None:
    create(client, "bread")
    milk = create(client, "milk")
    for query in ("q=&q=milk", "q=milk&q=", "q=&q=milk&q=", "%71=&q=milk"):
        assert client.get(f"/api/tasks?{query}").json()["data"] == [milk], query
    for query in ("q=milk&q=milk", "q=milk&q=&q=bread", "q=&q=milk&q"):
        (detail,) = error_of(client.get(f"/api/tasks?{query}"), 422, "VALIDATION_ERROR")["details"]
        assert (detail["field"], detail["code"]) == ("query.q", "repeated"), query


@pytest.mark.requirement("FR-043")
@pytest.mark.parametrize("operation", PRIVATE.values(), ids=_name)
def test_a_parameter_that_is_not_known_is_refused_with_nothing_in_it_too(
    client: httpx.Client, user_id: str, operation: Operation
) -> None:
    task = create(client)
    before = everything_of(client)
    known = {parameter["name"] for each, parameter in parameters("query") if each is operation}
    good = "".join(f"{name}={user_id if name == 'confirm' else ''}&" for name in known)
    for name in {"x", "Q", "q ", "limit[]", *LISTING, "permanent", "since", "format"} - known:
        address = f"{operation.address(task['id'])}?{good}{name}="
        response = client.request(operation.method, address, content=good_body(operation), headers=JSON)

        details = error_of(response, 422, "VALIDATION_ERROR")["details"]
        assert [(detail["field"], detail["code"]) for detail in details] == [(f"query.{name}", "extra_forbidden")]
    assert everything_of(client) == before


def test_a_name_alone_a_blank_and_an_equals_sign_are_values(client: httpx.Client) -> None:
    for query, name in {
        "deleted": "deleted", "deleted&q=": "deleted", "q=&completed": "completed", "limit": "limit", "q": "q",
        "q=+": "q", "q=%20": "q", "q==": "q", "limit==": "limit", "sort=%00": "sort", "ids=,&q=": "ids",
    }.items():  # fmt: skip
        details = error_of(client.get(f"/api/tasks?{query}"), 422, "VALIDATION_ERROR")["details"]
        assert [detail["field"] for detail in details] == [f"query.{name}"], query
    task = create(client)
    error_of(client.delete(f"{path_of(task)}?permanent"), 422, "VALIDATION_ERROR")


def test_a_blank_line_does_not_repeat_one_that_says_something(client: httpx.Client, stranger: httpx.Client) -> None:
    task = create(client)
    for lines in ([("If-Match", ""), ("If-Match", '"9"')], [("If-Match", '"9"'), ("If-Match", "")]):
        error_of(client.put(path_of(task), json={"title": "b"}, headers=lines), 412, "PRECONDITION_FAILED")
    known = client.get(path_of(task), headers=[("If-None-Match", ""), ("If-None-Match", '"1"')])
    assert known.status_code == 304
    for key in ("k", "l"):
        first = stranger.post("/api/tasks", json={"title": "a"}, headers=[(KEY, key), (KEY, "")])
        task_of(first, 201)
        assert_replays(stranger, first)
    gone = client.get("/api/changes/stream", headers=[("Last-Event-ID", ""), ("Last-Event-ID", sync_token(9))])
    error_of(gone, 410, "GONE")


def test_a_blank_key_stores_nothing(client: httpx.Client, user_id: str, database_url: str) -> None:
    for blank in BLANKS:
        headers = {KEY.encode(): blank, b"Content-Type": b"application/json", b"If-None-Match": blank}
        task_of(send(client, b"/api/tasks", "POST", headers=headers, body=b'{"title": "a"}'), 201)

    assert revision_of(client) == len(BLANKS)
    assert stored_keys(database_url, user_id) == 0


def test_a_request_with_a_key_is_the_same_with_blank_conditions(client: httpx.Client) -> None:
    task, keys = create(client), [new_key(), new_key()]
    for method, path, body, headers in (
        ("POST", "/api/tasks", {"title": "a"}, {"If-None-Match": "", "If-Match": ""}),
        ("PATCH", f"{path_of(task)}/complete", None, {"If-Match": ""}),
    ):
        key = keys.pop()
        first = client.request(method, path, json=body, headers=key | headers)
        assert first.is_success
        assert is_replayed(client.request(method, path, json=body, headers=key))


def test_a_batch_and_a_create_may_be_sent_with_blank_conditions(client: httpx.Client) -> None:
    blank = {"If-Match": "", "If-None-Match": ""}
    create_one = {"op": "create", "data": {"title": "a"}}
    assert client.post("/api/tasks/batch", json={"operations": [create_one]}, headers=blank).status_code == 200
    task = task_of(client.post("/api/tasks", json={"title": "b", "id": MISSING_ID}, headers=blank), 201)
    again = client.post("/api/tasks", json={"title": "b", "id": task["id"]}, headers=blank)
    assert task_of(again) == task  # and not 412, as with `*`


def test_an_export_without_a_format_is_the_usual_one(client: httpx.Client) -> None:
    task: Task = create(client)
    assert client.get(f"{EXPORT}?format=").json() == task


@pytest.fixture(scope="module")
def strict(settings: Settings) -> Iterator[API]:
    """The service configured to require a precondition for every change."""
    with serve(settings.model_copy(update={"require_if_match": True})) as running:
        yield running


@pytest.mark.requirement("FR-118")
def test_where_a_condition_is_required_a_blank_one_is_missing(strict: API) -> None:
    with strict.client(new_user()) as client:
        task = create(client)
        for method, suffix in (("PUT", ""), ("PATCH", "/complete"), ("DELETE", ""), ("POST", "/restore")):
            body = {"title": "b"} if method == "PUT" else None
            response = client.request(method, path_of(task) + suffix, json=body, headers={"If-Match": ""})
            error_of(response, 428, "PRECONDITION_REQUIRED")
        assert client.get(path_of(task)).json()["data"] == task
