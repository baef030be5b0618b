"""The contract is complete, has valid examples, and equals both the committed file and what the service serves."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from pydantic import BaseModel

from backend import cli
from backend.api.http.envelope import message_of
from backend.api.main import DOCUMENTED
from backend.api.openapi.groups import GROUPS
from backend.api.streams.download import JSON_LINES
from backend.errors import NO_PARAMETERS, Detail, ValidationFailed
from backend.services.account.lines import LINES
from tests.fixtures.calls.api import EVENT_STREAM
from tests.fixtures.calls.tasks import error_of
from tests.fixtures.documents.contract import (
    NAMED_EXAMPLE,
    Json,
    Operation,
    contract,
    example_of,
    handlers,
    model_named,
    operations,
    resolved,
)

COMMITTED = Path(__file__).parents[2] / "specs/001-task-api-persistence/contracts/openapi.json"
ERROR = "#/components/schemas/ErrorAnswer"
OF_OAUTH = "#/components/schemas/OAuthError"
# The model of a 412, by the beginning of the path.
WITH_CURRENT = {
    f"/api/{each.name}s": f"#/components/schemas/{each.current.__name__}" for each in DOCUMENTED if each.has_tag
}

# The statuses that each call must at least document, by design.
ANSWERS = {
    "GET /api/tasks": {200, 304, 400, 401, 403, 422},
    "POST /api/tasks": {200, 201, 400, 401, 403, 409, 408, 412, 413, 415, 422},
    "POST /api/tasks/batch": {200, 400, 401, 403, 404, 408, 409, 412, 413, 415, 422, 428},
    "GET /api/tasks/export": {200, 401, 403, 422},
    "POST /api/tasks/import": {200, 400, 401, 403, 408, 413, 415, 422},
    "GET /api/tasks/{task_id}": {200, 304, 400, 401, 403, 404, 422},
    "PUT /api/tasks/{task_id}": {200, 400, 401, 403, 404, 408, 409, 412, 413, 415, 422, 428},
    "PATCH /api/tasks/{task_id}": {200, 400, 401, 403, 404, 408, 409, 412, 413, 415, 422, 428},
    "DELETE /api/tasks/{task_id}": {204, 400, 401, 403, 404, 412, 422, 428},
    "PATCH /api/tasks/{task_id}/complete": {200, 400, 401, 403, 404, 408, 412, 413, 415, 422, 428},
    "POST /api/tasks/{task_id}/complete": {200, 400, 401, 403, 404, 408, 412, 413, 415, 422, 428},
    "POST /api/tasks/{task_id}/move": {200, 400, 401, 403, 404, 408, 409, 412, 413, 415, 422, 428},
    "GET /api/tasks/{task_id}/subtasks": {200, 304, 400, 401, 403, 404, 422},
    "POST /api/tasks/{task_id}/restore": {200, 400, 401, 403, 404, 412, 422, 428},
    "GET /api/labels": {200, 304, 400, 401, 403, 422},
    "PUT /api/labels/{name}": {200, 201, 400, 401, 403, 408, 409, 413, 415, 422},
    "PATCH /api/labels/{name}": {200, 400, 401, 403, 404, 408, 409, 413, 415, 422},
    "DELETE /api/labels/{name}": {204, 401, 403, 404, 422},
    "POST /api/lists": {200, 201, 400, 401, 403, 408, 409, 412, 413, 415, 422},
    "GET /api/lists": {200, 304, 400, 401, 403, 422},
    "GET /api/lists/{list_id}": {200, 304, 400, 401, 403, 404, 422},
    "PATCH /api/lists/{list_id}": {200, 400, 401, 403, 404, 408, 412, 413, 415, 422, 428},
    "DELETE /api/lists/{list_id}": {204, 400, 401, 403, 404, 412, 422, 428},
    "POST /api/lists/{list_id}/move": {200, 400, 401, 403, 404, 408, 409, 412, 413, 415, 422, 428},
    "POST /api/lists/{list_id}/restore": {200, 400, 401, 403, 404, 412, 422, 428},
    "POST /api/undo": {200, 400, 401, 403, 408, 409, 413, 415, 422},
    "POST /api/tasks/{task_id}/undo": {200, 400, 401, 403, 404, 409, 412, 422, 428},
    "GET /api/activity": {200, 400, 401, 403, 422},
    "GET /api/tasks/{task_id}/activity": {200, 400, 401, 403, 404, 422},
    "GET /api/changes": {200, 401, 403, 410, 422},
    "GET /api/changes/stream": {200, 400, 401, 403, 410, 422},
    "GET /api/me": {200, 401, 403, 422},
    "PATCH /api/me": {200, 401, 403, 408, 413, 415, 422},
    "GET /api/me/export": {200, 401, 403, 422},
    "DELETE /api/me": {204, 401, 403, 422},
    "GET /api/me/tokens": {200, 401, 403, 422},
    "POST /api/me/tokens": {201, 401, 403, 408, 409, 413, 415, 422},
    "DELETE /api/me/tokens/{token_id}": {204, 401, 403, 404, 422},
    "GET /api/auth": {200, 422},
    "POST /api/auth/register": {200, 201, 403, 404, 408, 409, 413, 415, 422},
    "POST /api/auth/login": {200, 401, 404, 408, 413, 415, 422},
    "POST /api/auth/refresh": {200, 401, 404, 408, 413, 415, 422},
    "POST /api/auth/logout": {204, 404, 408, 413, 415, 422},
    "POST /api/auth/token": {200, 400, 404, 408, 413},
    "PUT /api/me/password": {200, 401, 403, 404, 408, 413, 415, 422},
    "GET /health/live": {200},
    "GET /health/ready": {200},
    "GET /": {200},
}

FILES = {JSON_LINES, "text/csv", "text/calendar"}
OF_LINES = {"stream_changes": {EVENT_STREAM}, "export_account": {JSON_LINES}, "export_tasks": FILES}
EVERYWHERE = {"X-Request-Id", "RateLimit", "RateLimit-Policy", "Access-Control-Allow-Origin"}
ANYWHERE = {429, 500, 503}

pytestmark = pytest.mark.requirement("FR-057")

_MODELS = [name for name, schema in contract()["components"]["schemas"].items() if "properties" in schema]


@pytest.fixture(params=operations())
def operation(request: pytest.FixtureRequest) -> Operation:
    """Every operation of the contract, one after another."""
    return operations()[request.param]


def _content(part: Json) -> Json:
    content: Json = part.get("content", {})
    return content


def _examples(part: Json) -> list[object]:
    """Gather the examples of a parameter, its schema, or a content type."""
    named = (
        [example["value"] for example in part["examples"].values()] if isinstance(part.get("examples"), dict) else []
    )
    listed = part["examples"] if isinstance(part.get("examples"), list) else []
    inner = [*_examples(part["schema"]), *_examples(resolved(part["schema"]))] if "schema" in part else []
    return [*named, *listed, *([part["example"]] if "example" in part else []), *inner]


def _model_of(schema: Json) -> type[BaseModel]:
    """Find the model behind a schema that refers to one, optional or not."""
    (reference,) = [part["$ref"] for part in [schema, *schema.get("anyOf", [])] if "$ref" in part]
    return model_named(reference.rpartition("/")[2])


def _assert_fits(model: type[BaseModel], example: object) -> None:
    model.model_validate_json(json.dumps(example), strict=True, extra="forbid")


def test_the_committed_contract_is_the_one_that_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["openapi"]) == 0

    assert capsys.readouterr().out == COMMITTED.read_text(encoding="utf-8"), "run: make contract"


def test_the_committed_contract_is_the_one_that_is_served(anonymous: httpx.Client) -> None:
    response = anonymous.get("/openapi.json")

    assert response.status_code == 200
    assert response.json() == json.loads(COMMITTED.read_text(encoding="utf-8"))


@pytest.mark.requirement("FR-444")
def test_the_contract_is_kept_and_asked_for_again(anonymous: httpx.Client) -> None:
    first = anonymous.get("/openapi.json")
    tag = first.headers["ETag"]

    assert first.headers.get_list("Cache-Control") == ["no-cache"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = anonymous.get("/openapi.json", headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
    assert anonymous.get("/openapi.json", headers={"If-None-Match": '"other"'}).content == first.content
    error_of(anonymous.get("/openapi.json", headers={"If-None-Match": "other"}), 400, "BAD_REQUEST")


def test_every_operation_answers_as_designed(operation: Operation) -> None:
    documented = {int(status) for status in operation.document["responses"]}

    assert documented == ANSWERS[f"{operation.method} {operation.path}"] | ANYWHERE


def test_every_designed_operation_is_there() -> None:
    assert {f"{operation.method} {operation.path}" for operation in operations().values()} == ANSWERS.keys()


def test_every_operation_is_named_after_its_handler_and_described(operation: Operation) -> None:
    assert handlers()[operation.method, operation.path] == operation.id
    assert operation.document["summary"]
    assert operation.document["description"].endswith(".")
    assert len(operation.document["tags"]) == 1


def test_every_operation_has_a_success_with_an_example_that_fits(operation: Operation) -> None:
    successes = {int(status): answer for status, answer in operation.document["responses"].items() if status[0] == "2"}

    assert successes
    for status, answer in successes.items():
        assert answer["description"]
        assert answer["headers"].keys() >= EVERYWHERE
        kinds = OF_LINES.get(operation.id, {"application/json"} | ({"text/html"} if operation.path == "/" else set()))
        assert _content(answer).keys() == (set() if status == 204 else kinds)
        if operation.id in OF_LINES:
            continue
        if status != 204:
            content = _content(answer)["application/json"]
            _assert_fits(_model_of(content["schema"]), content["example"])


@pytest.mark.requirement("FR-148", "FR-592")
def test_an_event_is_described_by_what_it_holds() -> None:
    content = _content(operations()["stream_changes"].document["responses"]["200"])[EVENT_STREAM]
    page = contract()["components"]["schemas"]["ChangesAnswer"]["properties"]["data"]["items"]

    assert content["schema"] == page
    _assert_fits(model_named("TaskPublic"), content["example"])


@pytest.mark.requirement("FR-184")
def test_the_example_of_an_export_has_a_line_of_each_kind() -> None:
    content = _content(operations()["export_account"].document["responses"]["200"])[JSON_LINES]
    lines = [json.loads(line) for line in content["example"].splitlines()]

    assert [line["type"] for line in lines] == list(LINES)
    for line, schema in zip(lines, content["schema"]["contentSchema"]["items"]["oneOf"], strict=True):
        _assert_fits(LINES[line["type"]], line["data"])
        assert schema["properties"]["type"]["const"] == line["type"]
        assert _model_of(schema["properties"]["data"]) is LINES[line["type"]]
        assert resolved(schema["properties"]["data"])["properties"].keys() == line["data"].keys()
    assert lines[-1]["data"] == {"lines": len(lines) - 1}


def test_every_tag_is_described_and_used() -> None:
    used = {tag for operation in operations().values() for tag in operation.document["tags"]}

    assert sorted(tag["name"] for tag in contract()["tags"] if tag["description"]) == sorted(used)


def test_every_error_has_its_real_shape_and_an_example_that_fits(operation: Operation) -> None:
    errors = {int(status): answer for status, answer in operation.document["responses"].items() if status[0] in "45"}

    for status, answer in errors.items():
        content = answer["content"]["application/json"]
        current = next((name for path, name in WITH_CURRENT.items() if operation.path.startswith(path)), ERROR)
        usual = OF_OAUTH if operation.id == "issue_token" else ERROR
        assert content["schema"] == {"$ref": current if status == 412 else usual}
        _assert_fits(_model_of(content["schema"]), content["example"])
        assert answer["headers"].keys() >= EVERYWHERE
        assert ("Retry-After" in answer["headers"]) == (status in {429, 503})
        if operation.id == "issue_token":
            continue
        error = content["example"]["error"]
        details = [Detail(**each) for each in error["details"]]
        said = message_of(details) if answer["description"] == ValidationFailed.message else answer["description"]
        assert error["message"] == said
        is_about_token = status in {401, 403} and operation.id != "register"
        assert ("WWW-Authenticate" in answer["headers"]) == is_about_token
        assert ("ETag" in answer["headers"]) == (status == 412)


@pytest.mark.requirement("FR-112", "FR-116")
def test_every_answer_that_holds_one_task_or_list_or_spares_it_has_its_tag(operation: Operation) -> None:
    for status, answer in operation.document["responses"].items():
        references = [content.get("schema", {}).get("$ref", "") for content in _content(answer).values()]
        answers = ("/TaskAnswer", "/CurrentTaskAnswer", "/ListAnswer", "/CurrentListAnswer")
        has_one = any(reference.endswith(answers) for reference in references)
        assert ("ETag" in answer["headers"]) >= (has_one or status == "304")
        assert status != "304" or "content" not in answer


@pytest.mark.requirement("FR-325")
def test_every_parameter_is_described_and_has_an_example_where_programs_should_send_it(operation: Operation) -> None:
    for parameter in operation.document.get("parameters", []):
        assert parameter["description"], parameter["name"]
        assert bool(_examples(parameter)) == parameter["required"], parameter["name"]
        is_text = resolved(parameter["schema"])["type"] == "string" and "enum" not in resolved(parameter["schema"])
        is_named = bool(NAMED_EXAMPLE.search(parameter["description"]))
        assert is_named == (is_text and not parameter["required"]), parameter["name"]


def test_every_body_has_examples_that_fit(operation: Operation) -> None:
    body = operation.document.get("requestBody", {})
    if operation.id in {"import_tasks", "issue_token"}:
        return  # no JSON: tests/contract/test_documented_files.py reads the examples of an import
    for content in _content(body).values():
        model = _model_of(content["schema"])
        assert model.model_config["extra"] == "forbid"
        for example in _examples(content):
            _assert_fits(model, example)
    if body:
        assert _examples(_content(body)["application/json"])


def test_examples_of_query_parameters_fit() -> None:
    parameters = [each for each in operations()["list_tasks"].document["parameters"] if each["in"] == "query"]

    _assert_fits(model_named("TaskQuery"), {parameter["name"]: example_of(parameter) for parameter in parameters})


@pytest.mark.requirement("FR-325")
def test_the_server_is_where_the_contract_comes_from() -> None:
    (server,) = contract()["servers"]

    assert (server["url"], bool(server["description"])) == ("/", True)


@pytest.mark.requirement("FR-325", "FR-538")
def test_a_token_is_asked_for_under_api_and_nowhere_else(operation: Operation) -> None:
    schemes = contract()["components"]["securitySchemes"]
    assert schemes["BearerToken"].items() >= {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}.items()
    flow = {"tokenUrl": "/api/auth/token", "refreshUrl": "/api/auth/token", "scopes": {}}
    assert (schemes["SignIn"]["type"], schemes["SignIn"]["flows"]) == ("oauth2", {"password": flow})
    assert len(schemes) == 2

    either: list[Json] = [{"BearerToken": []}, {"SignIn": []}]
    assert operation.document["security"] == (either if operation.is_private else [])


@pytest.mark.parametrize("name", _MODELS)
def test_every_field_is_described_and_has_an_example_that_fits(name: str) -> None:
    schema, model = contract()["components"]["schemas"][name], model_named(name)
    assert schema["description"]

    for field, content in schema["properties"].items():
        assert content["description"], field
        assert content["examples"], field
    examples = {field: content["examples"][0] for field, content in schema["properties"].items()}
    if "id" in examples:
        examples.pop("ref", None)  # which stands in place of an id
    _assert_fits(model, examples)


@pytest.mark.requirement("FR-209", "FR-210")
def test_every_enumeration_has_a_name_and_so_has_each_of_its_values() -> None:
    schemas = contract()["components"]["schemas"]
    named = [schema for name, schema in schemas.items() if name not in _MODELS]

    assert {"Scope", "TaskSort"} <= schemas.keys() - set(_MODELS)
    for schema in named:
        assert schema["description"]
        assert len(set(schema["x-enum-varnames"])) == len(schema["enum"])
        assert all(name.isidentifier() for name in schema["x-enum-varnames"])
    assert json.dumps(contract()).count('"enum":') == len(named) + 1  # the header Idempotency-Replayed has one value


def test_every_code_of_an_error_is_named() -> None:
    codes = contract()["components"]["schemas"]["ErrorBody"]["properties"]["code"]["examples"]
    used = {
        content["example"]["error"]["code"]
        for operation in operations().values()
        for status, answer in operation.document["responses"].items()
        if status[0] in "45" and operation.id != "issue_token"
        for content in _content(answer).values()
    }

    assert len(codes) == len(set(codes))
    assert used < set(codes)


def test_the_frameworks_own_error_is_not_in_the_contract() -> None:
    assert "HTTPValidationError" not in json.dumps(contract())
    assert not {"HTTPValidationError", "ValidationError"} & contract()["components"]["schemas"].keys()


def test_the_example_of_an_invalid_request_is_possible(operation: Operation) -> None:
    if "422" not in operation.document["responses"]:
        return
    (detail,) = _content(operation.document["responses"]["422"])["application/json"]["example"]["error"]["details"]
    parameters = {f"query.{item['name']}" for item in operation.document.get("parameters", []) if item["in"] == "query"}
    body = operation.document.get("requestBody", {"content": {}})["content"].get("application/json", {}).get("schema")
    fields = set(_model_of(body.get("anyOf", [body.get("items", body)])[0]).model_fields) if body else set()
    if operation.id == "import_tasks":
        fields = set(model_named("ImportedTask").model_fields)

    if detail["code"] == "extra_forbidden":
        assert detail["message"] == NO_PARAMETERS
        assert not parameters
        assert not fields
    else:
        assert detail["field"] in parameters | fields


@pytest.mark.requirement("FR-488")
def test_a_created_answer_stands_first_and_the_guide_is_named(operation: Operation) -> None:
    answers = [*operation.document["responses"]]

    assert "201" not in answers or answers[0] == "201"
    description = contract()["info"]["description"]
    assert "(/docs/guide/)" in description
    assert "Authorize" not in description


@pytest.mark.requirement("FR-484")
def test_many_parameters_have_groups_and_stand_in_their_order() -> None:
    for operation in operations().values():
        groups = [each.get("x-group") for each in operation.document.get("parameters", [])]
        if operation.id == "list_tasks":
            assert [*dict.fromkeys(groups)] == [*GROUPS]
        else:
            assert not any(groups), operation.id


@pytest.mark.requirement("FR-486")
def test_the_import_names_all_columns() -> None:
    description = operations()["import_tasks"].document["requestBody"]["description"]

    assert [name for name in model_named("ImportedTask").model_fields if f"`{name}`" not in description] == []
