"""Bad values for every field and parameter of the contract: the error names the field, and nothing changes."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest

from backend.models.label import LabelUpdate
from backend.models.list import ListUpdate
from backend.models.task import READ_ONLY
from backend.models.user import AccountUpdate
from backend.models.values.sync_token import SyncToken
from backend.utils import opaque
from tests.fixtures.calls.access_tokens import listed
from tests.fixtures.calls.labels import listed as labels
from tests.fixtures.calls.lists import make
from tests.fixtures.calls.task_files import LINES
from tests.fixtures.calls.tasks import JSON, MISSING_ID, create, error_of
from tests.fixtures.documents.contract import Json, Operation, operations
from tests.fixtures.inputs.hostile import (
    BAD_HEADERS,
    BAD_QUERIES,
    MANY,
    MARK,
    NO_JSON,
    TAGS_OF_NOTHING,
    TEXTS,
    Field,
    fields,
    good_body,
    parameters,
)

PRIVATE = [operation for operation in operations().values() if operation.is_private]
WITH_BODY = {field.operation.id: field.operation for field in fields()}  # a file has no fields
ABOUT_ONE_TASK = [operation for operation in PRIVATE if operation.is_about_one_task]

# What an edit ignores, and what of it an edit may name, if it is the own one.
OF_TASK = (READ_ONLY, {"id": "task", "user_id": "user"})
OF_LABEL = (LabelUpdate.read_only, {"id": "label"})
EDITS = {
    **dict.fromkeys(("update_task", "patch_task"), OF_TASK),
    "update_list": (ListUpdate.read_only, {"id": "list"}),
    **dict.fromkeys(("put_label", "update_label"), OF_LABEL),
    "update_account": (AccountUpdate.read_only, {"id": "user"}),
}
SERVER_FIELDS = {
    "user_id": '"somebody-else"', "revision": "9223372036854775807", "created_at": '"9999-12-31T23:59:00-14:00"',
    "updated_at": '"2026-01-01T00:00:00+23:59"', "completed_at": '"infinity"', "deleted_at": '"10000-01-01T00:00:00Z"',
}  # fmt: skip
ODD_NAMES = ["__proto__", "constructor", "__class__", "model_config", "self", "data", "Title", " title", "title\x00",
             "0", "$where", "title[]", "title.a", "", "\U0001f36e" * 200, "%(principal)s"]  # fmt: skip
BAD_LIMITS = ["0", "-1", "+5", "1_0", "5.0", "1e2", " 5", "5 ", "0x10", "\u0665", "true", "null", "NaN", "Infinity",
              "1001", "2147483648", "9223372036854775808", MANY, "5\x00", "\x00", "[]", "5,6", f"{MARK}"]  # fmt: skip
# Sync tokens sent to a feed of three changes that was never purged, with the status of the response.
SYNC_TOKENS = {SyncToken(0): 200, SyncToken(1): 200, SyncToken(3): 200, SyncToken(4): 410,
               SyncToken(2**63 - 1): 410, SyncToken(0, 0): 200, SyncToken(0, 1): 410, SyncToken(1, 0): 200,
               SyncToken(4, 0): 410, SyncToken(1, 2**63 - 1): 410}  # fmt: skip
ODD_QUERIES = ["x=1", "=", "=1", "%00=1", "%ff", "%ff=%fe", "user_id=x", "id=1", "token=x", "x[]=1", "limit[]=1",
               "Limit=1", "%E2%80%A8", "a;b", "%26=1", "x=" + MARK * 900, MARK * 900,
               "&".join(f"x{n}" for n in range(900)), "%u0041", "%", "%zz", "limit%00=1", "\u00e9=1"]  # fmt: skip
NO_IDS = ["1", "%00", "%ff", "%c0%ae", "%ed%a0%80", "%20", "%0a", "..;", "-1", "1_0", "1e400", "NaN", "null",
          "undefined", "*", "%25s", "%2500", "'%20OR%201=1--", "a" * 5000, MARK, "{id}%00", "{id}%0a", "%20{id}",
          "{id}-", "{{{id}}}", "urn:uuid:{id}", "{id},{id}", "%D9%A0" * 8,
          "{id};a=b", "{id}.json", "\u00e9"]  # fmt: skip


def _id_or_name(value: Any) -> str:
    return value.id if isinstance(value, Operation) else value["name"]


def send(client: httpx.Client, operation: Operation, task_id: object, **request: Any) -> httpx.Response:
    """Send a request to an operation."""
    return client.request(operation.method, operation.address(task_id), **request)


def stored(client: httpx.Client, operation: Operation, id_: str) -> Json:
    """Read what an operation has stored."""
    if operation.id == "create_access_token":
        return next(token for token in listed(client) if token["id"] == id_)
    if operation.path.startswith("/api/labels"):
        return next(label for label in labels(client) if label["name"] == id_)
    kind = "lists" if operation.path.startswith("/api/lists") else "tasks"
    found: Json = client.get("/api/me" if operation.path == "/api/me" else f"/api/{kind}/{id_}").json()["data"]
    return found


def problems(response: httpx.Response, value: str) -> list[tuple[str, str]]:
    """Return the field and code of each detail of a 422, which must not hold the value."""
    error = error_of(response, 422, "VALIDATION_ERROR")
    assert MARK not in response.text
    # Shorter values can occur in a message by chance.
    assert len(value) < 8 or value not in response.text
    assert len(response.content) < 10_000
    return [(detail["field"], detail["code"]) for detail in error["details"]]


@pytest.mark.requirement("FR-089", "FR-091")
@pytest.mark.parametrize("field", fields(), ids=str)
def test_a_value_that_the_type_does_not_have_is_refused_under_its_name(
    client: httpx.Client, task: Json, field: Field
) -> None:
    headers = {"Content-Type": field.media_type}
    for kind, value in field.bad_values().items():
        response = send(client, field.operation, task["id"], content=field.content(value), headers=headers)

        assert {name for name, _ in problems(response, value)} == {field.name}, kind


@pytest.mark.requirement("FR-089", "FR-090", "FR-091")
@pytest.mark.parametrize("field", fields(), ids=str)
def test_a_value_that_is_no_json_spoils_the_body(client: httpx.Client, task: Json, field: Field) -> None:
    headers = {"Content-Type": field.media_type}
    for kind, value in NO_JSON.items():
        response = send(client, field.operation, task["id"], content=field.content(value), headers=headers)

        assert problems(response, value) == [("body", "json_invalid")], kind


@pytest.mark.requirement("FR-089")
@pytest.mark.parametrize("field", [field for field in fields() if field.is_text], ids=str)
def test_text_that_looks_like_something_else_is_kept_as_it_is(client: httpx.Client, field: Field) -> None:
    task, max_length = create(client), field.longest
    make(client, id=task["id"])
    longest = {
        "longest": "a" * max_length,
        "longest astral": "\U0001f36e" * max_length,
        "longest joined": "e\u0301" * (max_length // 2),
    }
    for kind, text in (field.texts | longest).items():
        content = field.content(json.dumps(text, ensure_ascii=kind in {"controls", "longest astral"}))
        response = send(
            client, field.operation, task["id"], content=content, headers={"Content-Type": field.media_type}
        )

        assert response.is_success, kind
        kept = response.json()["data"]
        assert kept[field.name] == text, kind
        assert stored(client, field.operation, kept["id"])[field.name] == text, kind


@pytest.mark.requirement("FR-089", "FR-091")
@pytest.mark.parametrize("operation", WITH_BODY.values(), ids=WITH_BODY)
def test_a_field_that_is_not_the_clients_is_refused(client: httpx.Client, task: Json, operation: Operation) -> None:
    known = {field.name for field in fields() if field.operation is operation}
    good = good_body(operation) or b""
    unknown = SERVER_FIELDS | dict.fromkeys(ODD_NAMES, f'"{MARK}"')
    if "id" not in known:
        unknown["id"] = f'"{MISSING_ID}"'
    for name, value in unknown.items():
        content = good[:-1] + f", {json.dumps(name)}: {value}}}".encode()
        (read_only, own), field = EDITS.get(operation.id, (frozenset(), {})), json.dumps(name)
        if name in read_only - own.keys():  # an edit ignores it; the fixture sees that nothing changes
            response = send(client, operation, task["id"], content=f"{{{field}: {value}}}", headers=JSON)
            assert response.json()["data"] == stored(client, operation, task["id"])
            continue
        response = send(client, operation, task["id"], content=content, headers=JSON)

        code = f"other_{own[name]}" if name in own else "extra_forbidden"
        bounded = name[:100].encode("utf-8", "replace").decode()
        assert problems(response, value) == [(bounded, code)]


@pytest.mark.usefixtures("task")
@pytest.mark.requirement("FR-089", "FR-091")
@pytest.mark.parametrize("path", ["/api/tasks", "/api/changes"])
def test_a_limit_that_is_no_plain_number_is_refused(client: httpx.Client, path: str) -> None:
    for value in BAD_LIMITS:
        response = client.get(path, params={"limit": value})

        assert [name for name, _ in problems(response, value)] == ["query.limit"], value
    assert client.get(f"{path}?limit=%ff").status_code == 422


@pytest.mark.usefixtures("task")
@pytest.mark.requirement("FR-089", "FR-091", "FR-147")
@pytest.mark.parametrize("path", ["/api/changes", "/api/changes/stream"])
def test_what_is_no_sync_token_is_refused_and_one_that_never_was_is_gone(client: httpx.Client, path: str) -> None:
    ours = str(SyncToken(1))
    strange = [
        ours.lower(),
        ours * 2,
        f" {ours}",
        f"{ours}=",
        f"{ours}\n",
        f"{ours}\x00",
        opaque.write(bytes(8), b"tasks"),
    ]
    for value in [*BAD_LIMITS, *strange, *TEXTS.values(), "0", "1", "-1000", "9" * 19, "9" * 30]:
        response = client.get(path, params={"since": value})

        assert problems(response, value) == [("query.since", "sync_token_invalid")], value
    for sync_token, status in SYNC_TOKENS.items():
        assert client.get(path, params={"since": str(sync_token)}).status_code == status, sync_token


@pytest.mark.requirement("FR-089", "FR-091")
def test_every_query_parameter_of_the_contract_has_been_tried() -> None:
    assert {(operation.id, parameter["name"]) for operation, parameter in parameters("query")} == {
        *(("list_tasks", name) for name in ("limit", "cursor", *BAD_QUERIES)),
        ("delete_task", "permanent"),
        # tests/integration/tasks/test_subtasks.py tries these.
        ("get_task", "include"),
        *(("list_subtasks", name) for name in ("limit", "cursor", "include")),
        ("erase_account", "confirm"),
        # tests/integration/lists/test_list_calls.py tries these.
        *(("list_lists", name) for name in ("archived", "deleted", "include_counts")),
        *(("delete_list", name) for name in ("tasks", "permanent")),
        # tests/integration/files/test_task_exports.py, test_file_types.py and test_lists.py try these.
        *(("export_tasks", name) for name in ("format", "bom", "list_id")),
        # tests/integration/activity/test_activity.py tries these.
        *(("list_activity", name) for name in ("kind", "verb", "limit", "cursor")),
        *(("list_task_activity", name) for name in ("verb", "limit", "cursor")),
        ("list_changes", "since"),
        ("list_changes", "limit"),
        ("stream_changes", "since"),
        # tests/integration/changes/test_label_feed.py tries these.
        *((name, "types") for name in ("list_changes", "stream_changes")),
    }
    assert {parameter["name"] for _, parameter in parameters("path")} == {"task_id", "token_id", "name", "list_id"}
    assert {parameter["name"] for _, parameter in parameters("header")} == BAD_HEADERS.keys()


@pytest.mark.requirement("FR-089", "FR-091", "FR-114", "FR-117")
@pytest.mark.parametrize(("operation", "parameter"), parameters("header"), ids=_id_or_name)
def test_a_header_that_is_malformed_is_refused_by_name(
    client: httpx.Client, task: Json, operation: Operation, parameter: Json
) -> None:
    for value in BAD_HEADERS[parameter["name"]]:
        kind = {"Content-Type": LINES} if operation.id == "import_tasks" else JSON
        headers = {**kind, parameter["name"]: value}
        response = send(client, operation, task["id"], content=good_body(operation), headers=headers)

        (detail,) = error_of(response, 400, "BAD_REQUEST")["details"]
        assert detail["field"] == f"header.{parameter['name']}", value
        assert MARK not in response.text


@pytest.mark.requirement("FR-089", "FR-091", "FR-114")
@pytest.mark.parametrize(("operation", "parameter"), parameters("header"), ids=_id_or_name)
def test_a_tag_that_is_of_nothing_matches_nothing(
    client: httpx.Client, task: Json, operation: Operation, parameter: Json
) -> None:
    if parameter["name"] not in {"If-Match", "If-None-Match"}:
        return
    expected = 412 if parameter["name"] == "If-Match" else 200 if operation.method == "GET" else 400
    for value in TAGS_OF_NOTHING:
        headers = {**JSON, parameter["name"]: value}
        response = send(client, operation, task["id"], content=good_body(operation), headers=headers)

        is_known = (operation.id, value) == ("get_task", b'W/"1"')  # a weak tag is enough for reading
        assert response.status_code == (304 if is_known else expected), value
        assert MARK not in response.text


@pytest.mark.usefixtures("task")
@pytest.mark.requirement("FR-089", "FR-091", "FR-137")
def test_a_flag_of_a_query_is_true_or_false_and_nothing_else(client: httpx.Client, task: Json) -> None:
    for value in [*BAD_LIMITS, *TEXTS.values(), "True", "yes", "on", "1", "t", "truetrue", "true\x00"]:
        if value not in {"true", "false"}:
            response = client.delete(f"/api/tasks/{task['id']}", params={"permanent": value})

            assert problems(response, value) == [("query.permanent", "bool_parsing")], value


@pytest.mark.requirement("FR-089", "FR-091")
@pytest.mark.parametrize("operation", PRIVATE, ids=lambda operation: operation.id)
def test_an_unknown_or_repeated_parameter_is_refused(client: httpx.Client, task: Json, operation: Operation) -> None:
    known = [parameter["name"] for each, parameter in parameters("query") if each is operation]
    for query in [*ODD_QUERIES, *(f"{name}=5&{name}={MARK}" for name in known)]:
        address = f"{operation.address(task['id'])}?{query}"
        response = client.request(operation.method, address, content=good_body(operation), headers=JSON)

        details = error_of(response, 422, "VALIDATION_ERROR")["details"]
        assert all(re.fullmatch(r"query\..{0,94}", detail["field"], re.DOTALL) for detail in details), query
        assert MARK not in re.sub(r'"query\.[^"]*', "", response.text)
        assert len(response.content) < 10_000


@pytest.mark.requirement("FR-089", "FR-111")
@pytest.mark.parametrize("operation", ABOUT_ONE_TASK, ids=lambda operation: operation.id)
def test_a_malformed_id_is_answered_like_a_missing_one(client: httpx.Client, task: Json, operation: Operation) -> None:
    client.headers.update({**JSON, "X-Request-Id": "the-same"})
    requests: list[Json] = [{"content": good_body(operation)}, {"content": b"["}, {"params": {"x": "1"}}]
    for request in requests:
        missing = send(client, operation, MISSING_ID, **request)
        for template in NO_IDS:
            address = operation.path.replace("{task_id}", template.format(id=task["id"]))
            malformed = client.request(operation.method, address, **request)

            assert (malformed.status_code, malformed.content) == (missing.status_code, missing.content), template
