"""Names that do not exist: each message says which there are, wherever the name stands."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from backend.api.http.envelope import MAX_DETAILS
from backend.errors import NO_PARAMETERS
from backend.formats.csv import COLUMNS
from backend.models.access_token import AccessTokenCreate
from backend.models.batch import (
    Batch,
    CompleteOperation,
    CreateOperation,
    DeleteOperation,
    RestoreOperation,
    UpdateOperation,
)
from backend.models.task import TaskCompletion, TaskCreate, TaskUpdate
from backend.models.task_file import ImportedTask
from backend.utils.unknown_names import unknown_name
from tests.fixtures.calls.access_tokens import TOKENS, make_token, wanted
from tests.fixtures.calls.batches import BATCH, creation, operation, update
from tests.fixtures.calls.erasure import erasure_of
from tests.fixtures.calls.task_files import CSV, report_of, send
from tests.fixtures.calls.tasks import JSON, MISSING_ID, create, error_of, path_of, read
from tests.fixtures.documents.contract import Operation, operations
from tests.fixtures.inputs.hostile import good_body

pytestmark = pytest.mark.requirement("FR-269")

Json = dict[str, Any]

UNHEARD_OF = "x_unheard_of"
TASK = f"/api/tasks/{MISSING_ID}"
BODIES: list[tuple[str, str, Json, type[BaseModel]]] = [
    ("POST", "/api/tasks", {"title": "a"}, TaskCreate),
    ("PUT", TASK, {"title": "a"}, TaskUpdate),
    ("PATCH", TASK, {}, TaskUpdate),
    ("PATCH", f"{TASK}/complete", {"completed": True}, TaskCompletion),
    ("POST", TOKENS, wanted(), AccessTokenCreate),
    ("POST", BATCH, {"operations": [creation()]}, Batch),
]
OPERATIONS: list[tuple[Json, str, type[BaseModel]]] = [
    (creation(), "", CreateOperation),
    (creation(), "data", TaskCreate),
    (update(MISSING_ID, title="a"), "", UpdateOperation),
    (update(MISSING_ID, title="a"), "data", TaskUpdate),
    (operation("complete", MISSING_ID), "", CompleteOperation),
    (operation("complete", MISSING_ID, data={"completed": True}), "data", TaskCompletion),
    (operation("delete", MISSING_ID), "", DeleteOperation),
    (operation("restore", MISSING_ID), "", RestoreOperation),
]
HARMLESS = {"__proto__", "a.b", "title[]"}
ODD_NAMES = ["", "\0", "\x1b[31m", "\n", "\ud800", "\u202etitle", "<img src=x onerror=alert(1)>", "`", "\U0001f36e",
             "title" * 21, "x" * 5000, "\u00e9", "%s{0}", *sorted(HARMLESS)]  # fmt: skip
PRIVATE = [each for each in operations().values() if each.is_private]


def there_are(names: list[str], kind: str = "field") -> str:
    """Return how a message lists the names of one kind."""
    return f"; the {kind}s are: {', '.join(names)}" if len(names) > 1 else f"; the only {kind} is: {names[0]}"


def only_message(response: httpx.Response, field: str) -> str:
    """Return the message of the only detail, which must be about this field, and which the error repeats."""
    error = error_of(response, 422, "VALIDATION_ERROR")
    (detail,) = error["details"]
    assert (detail["field"], detail["code"]) == (field, "extra_forbidden")
    message: str = detail["message"]
    assert error["message"] == (message if message.endswith("?") else f"{message}.")
    return message


@pytest.mark.parametrize(("method", "path", "body", "model"), BODIES)
def test_an_unknown_field_of_a_body(
    client: httpx.Client, method: str, path: str, body: Json, model: type[BaseModel]
) -> None:
    answer = client.request(method, path, json={**body, UNHEARD_OF: "marker"})

    assert only_message(answer, UNHEARD_OF) == f"There is no field `{UNHEARD_OF}`{there_are([*model.model_fields])}"
    assert "marker" not in answer.text


@pytest.mark.parametrize(("each", "place", "model"), OPERATIONS)
@pytest.mark.parametrize("atomic", [True, False])
def test_an_unknown_field_of_an_operation(
    client: httpx.Client, each: Json, place: str, model: type[BaseModel], *, atomic: bool
) -> None:
    bad = {**each, "data": {**each["data"], UNHEARD_OF: 1}} if place else {**each, UNHEARD_OF: 1}
    name = f"operations.1.{place}.{UNHEARD_OF}" if place else f"operations.1.{UNHEARD_OF}"

    answer = client.post(BATCH, json={"operations": [operation("delete", MISSING_ID), bad], "atomic": atomic})

    assert only_message(answer, name) == f"There is no field `{name}`{there_are([*model.model_fields])}"


@pytest.mark.parametrize("operation", PRIVATE, ids=lambda operation: operation.id)
def test_an_unknown_parameter(client: httpx.Client, user_id: str, operation: Operation) -> None:
    known = [each["name"] for each in operation.document.get("parameters", ()) if each["in"] == "query"]
    good = f"confirm={user_id}&" if "confirm" in known else ""
    address = f"{operation.address(MISSING_ID)}?{good}{UNHEARD_OF}=1"

    answer = client.request(operation.method, address, content=good_body(operation), headers=JSON)

    expected = f"There is no parameter `{UNHEARD_OF}`{there_are(known, 'parameter')}" if known else NO_PARAMETERS
    # The documents have the parameters of the largest call in groups, and the message has them as the service does.
    words = (re.findall(r"\w+", text) for text in (only_message(answer, f"query.{UNHEARD_OF}"), expected))
    assert len({tuple(sorted(each)) for each in words}) == 1


@pytest.mark.parametrize(
    ("path", "field", "suggestion"),
    [
        ("/api/tasks?completd=true", "query.completd", "`completd`; did you mean `completed`? The parameters are: "),
        ("/api/tasks?createdAfter=x", "query.createdAfter", "; did you mean `created_after`? The parameters are: "),
        ("/api/tasks?created=x", "query.created", "; did you mean `created_after` or `created_before`? The "),
        ("/api/changes?lmit=1", "query.lmit", "; did you mean `limit`? The parameters are: "),
    ],
)
def test_a_similar_parameter_is_suggested(client: httpx.Client, path: str, field: str, suggestion: str) -> None:
    assert suggestion in only_message(client.get(path), field)


@pytest.mark.parametrize("name", ["descripton", "Description", "desc"])
def test_a_similar_field_is_suggested(client: httpx.Client, name: str) -> None:
    message = only_message(client.post("/api/tasks", json={"title": "a", name: "b"}), name)

    fields = ", ".join(TaskCreate.model_fields)
    assert message == f"There is no field `{name}`; did you mean `description`? The fields are: {fields}"


def test_an_unknown_parameter_of_an_erasure_that_is_not_confirmed(client: httpx.Client, user_id: str) -> None:
    error = error_of(client.delete(f"/api/me?Confirm={user_id}"), 422, "VALIDATION_ERROR")

    assert [detail["message"] for detail in error["details"]] == [
        "Must be your own user id",
        "There is no parameter `Confirm`; did you mean `confirm`? The only parameter is: confirm",
    ]
    assert error["message"].startswith("Nothing was erased.")
    message = only_message(client.delete(f"{erasure_of(user_id)}&force=true"), "query.force")
    assert message == "There is no parameter `force`; the only parameter is: confirm"


def test_a_task_that_is_sent_back_as_it_was_read_says_what_to_leave_out(client: httpx.Client) -> None:
    task = create(client)
    for method, path, model in [
        ("POST", "/api/tasks", TaskCreate),
        ("PATCH", f"{path_of(task)}/complete", TaskCompletion),
    ]:
        details = error_of(client.request(method, path, json=task), 422, "VALIDATION_ERROR")["details"]

        assert {detail["field"]: detail["message"] for detail in details} == {
            name: f"`{name}` cannot be changed here: leave it out"
            if name in TaskCreate.model_fields
            else f"`{name}` is set by the service: leave it out"
            for name in task.keys() - model.model_fields.keys()
        }
    assert read(client, task) == task


def test_a_field_that_the_service_sets_is_named_wherever_it_stands(client: httpx.Client) -> None:
    body = {"title": "a", "createdAt": "2026-11-21T09:30:00Z"}
    message = only_message(client.post("/api/tasks", json=body), "createdAt")
    assert message == "`created_at` is set by the service: leave it out"

    answer = client.post(BATCH, json={"operations": [update(MISSING_ID, title="a", Id=MISSING_ID)]})
    message = only_message(answer, "operations.0.data.Id")
    assert message == "`operations.0.data.id` cannot be changed here: leave it out"
    message = only_message(client.put(TASK, json={"title": "a", "updatedAt": "x"}), "updatedAt")
    assert message == "`updated_at` is set by the service: leave it out"

    token = make_token(client)
    details = error_of(client.post(TOKENS, json=token | wanted()), 422, "VALIDATION_ERROR")["details"]
    assert {detail["field"]: detail["message"] for detail in details} == {
        name: f"`{name}` is set by the service: leave it out" for name in token.keys() - wanted(list_id=None).keys()
    }


@pytest.mark.requirement("FR-439")
def test_among_other_mistakes_the_error_tells_the_first_ones(client: httpx.Client) -> None:
    for body in [{"title": "", "titel": "a"}, {"titel": "a"}, {"title": "a", "titel": 1, "colour": 2}]:
        answer = client.post("/api/tasks", json=body)
        error = error_of(answer, 422, "VALIDATION_ERROR")

        assert len(error["details"]) == 2
        for detail in error["details"]:
            named = detail["code"] == "extra_forbidden"
            assert (detail["message"] if named else f"{detail['field']}: {detail['message']}.") in error["message"]
        assert answer.json()["detail"] == error["message"]
    error = error_of(client.get("/api/tasks?limit=0&lmit=1"), 422, "VALIDATION_ERROR")
    assert error["message"].startswith("query.limit: Must be greater than or equal to 1. There is no parameter `lmit`")
    error = error_of(client.patch("/api/me", json=dict.fromkeys("abcde", 1)), 422, "VALIDATION_ERROR")
    assert error["message"].endswith(" See details for more.")
    error = error_of(client.get("/api/me?a=1&b=2"), 422, "VALIDATION_ERROR")
    assert error["message"] == "This call has no query parameters: leave them out."


def test_an_unknown_field_of_a_row(client: httpx.Client) -> None:
    rows = [{"title": "a", "titel": 1}, {"title": "a", UNHEARD_OF: "marker"}, {"title": "a", "\x1b[31m": 1}]
    fields = list(ImportedTask.model_fields)

    answer = send(client, "\n".join(map(json.dumps, rows)).encode())

    assert [error["message"] for error in report_of(answer)["errors"]] == [
        f"There is no field `titel`; did you mean `title`? The fields are: {', '.join(fields)}",
        f"There is no field `{UNHEARD_OF}`{there_are(fields)}",
        f"There is no field with this name{there_are(fields)}",
    ]
    assert "marker" not in answer.text


@pytest.mark.parametrize("name", ["descripton", UNHEARD_OF, "<b>", "\x1b[31m", "x" * 5000])
def test_an_unknown_column(client: httpx.Client, name: str) -> None:
    error = error_of(send(client, f"title,{name}\na,marker\n".encode(), CSV), 422, "VALIDATION_ERROR")

    (detail,) = error["details"]
    assert (detail["field"], detail["code"]) == (name[:100], "extra_forbidden")
    assert detail["message"] == unknown_name(name, COLUMNS, kind="column")
    end = "" if detail["message"].endswith("?") else "."
    assert error["message"] == f"{detail['message']}{end} Nothing was imported."


@pytest.mark.parametrize("name", ODD_NAMES, ids=ascii)
def test_an_odd_name_is_repeated_only_where_it_does_no_harm(client: httpx.Client, name: str) -> None:
    begins = f"There is no field `{name}`" if name in HARMLESS else "There is no field with this name"
    if name == "\ud800":  # not even text: it could be no name
        begins = "body: Must not contain half a character"
    for method, path, body, _ in BODIES:
        content = json.dumps({**body, name: 1}).encode()
        error = error_of(client.request(method, path, content=content, headers=JSON), 422, "VALIDATION_ERROR")

        assert error["message"].startswith(begins)
        assert error["message"].isascii()
        assert error["message"].isprintable()
    sent = name.encode("utf-8", "replace").decode()
    error = error_of(client.get("/api/tasks", params={sent: "1"}), 422, "VALIDATION_ERROR")
    assert error["message"].isascii()
    assert error["message"].isprintable()


def test_of_very_many_unknown_names_only_those_listed_are_compared(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[str] = []

    def counted(name: str, *arguments: Any, **options: Any) -> str:
        compared.append(name)
        return unknown_name(name, *arguments, **options)

    for module in ("backend.api.http.refusals", "backend.api.deps"):
        monkeypatch.setattr(f"{module}.unknown_name", counted)
    many = "&".join(f"completed{number}" for number in range(500))
    answers = [
        client.post("/api/tasks", json={"title": "a", **{f"{'title' * 10}{number}": 1 for number in range(999)}}),
        client.get(f"/api/tasks?{many}"),
        client.delete(f"/api/me?{many}"),
    ]

    for answer in answers:
        assert len(error_of(answer, 422, "VALIDATION_ERROR")["details"]) == MAX_DETAILS
        assert len(answer.content) < 10_000
    assert len(compared) == len(answers) * MAX_DETAILS


@pytest.mark.requirement("FR-314")
@pytest.mark.parametrize("name", ["page", "skip", "offset"])
def test_whoever_numbers_pages_is_told_of_the_cursor(client: httpx.Client, name: str) -> None:
    sentence = f"`{name}` is not a parameter here: pages are read with `cursor`, see page.next_cursor of the answer"

    assert only_message(client.get(f"/api/tasks?limit=10&{name}=2"), f"query.{name}") == sentence
    # Where there is no cursor, it is a name like any other.
    assert only_message(client.get(f"/api/changes?{name}=2"), f"query.{name}").startswith(
        f"There is no parameter `{name}`"
    )
