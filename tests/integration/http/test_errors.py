"""Bad requests over HTTP: each gets its specific error, which repeats nothing of the input, and changes nothing."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest

from tests.fixtures.calls.batches import BATCH
from tests.fixtures.calls.tasks import (
    JSON,
    MISSING_ID,
    create,
    error_of,
    everything_of,
    path_of,
    task_of,
)
from tests.fixtures.documents.contract import resolved
from tests.fixtures.running.waiting import PATIENCE_SECONDS

MIB = 1024 * 1024
BAD_TITLES = {
    "number": "5", "boolean": "true", "list": '["a"]', "object": '{"a": "b"}', "null": "null",
    "1e999": "1e999", "empty": '""', "blank": '" \\t\\u3000"',
    "501 characters": json.dumps("a" * 501), "NUL": '"a\\u0000b"', "surrogate": '"a\\ud800b"',
    "turned surrogates": '"\\udc00\\ud800"',
}  # fmt: skip
BAD_DESCRIPTIONS = {
    "number": "5", "boolean": "false", "list": "[]", "object": "{}",
    "10001 characters": json.dumps("a" * 10_001), "NUL": '"\\u0000"', "surrogate": '"\\udfff"',
}  # fmt: skip
BAD_FLAGS = {
    "1": "1", "0": "0", "1.0": "1.0", "string": '"true"', "yes": '"yes"', "null": "null", "list": "[true]",
    "huge": "9" * 400,
}  # fmt: skip
BAD_IDS = {
    "number": "5", "boolean": "true", "list": "[]", "empty": '""', "word": '"not-an-id"', "NUL": '"\\u0000"',
    "surrogate": '"\\ud800"', "braces": f'"{{{MISSING_ID}}}"', "urn": f'"urn:uuid:{MISSING_ID}"',
    "digits": f'"{MISSING_ID.replace("-", "")}"', "blank around": f'" {MISSING_ID}"',
    "hyphen after": f'"{MISSING_ID}-"', "long": json.dumps("0" * 5000),
}  # fmt: skip
BAD_FIELDS = [
    pytest.param(name, value, id=f"{name}: {kind}")
    for name, values in {
        "title": BAD_TITLES, "description": BAD_DESCRIPTIONS, "completed": BAD_FLAGS, "id": BAD_IDS,
    }.items()
    for kind, value in values.items()
]  # fmt: skip
NO_JSON = {
    "blank": b" ", "word": b"hello", "half": b'{"title": "a"', "two": b'{"title": "a"} {}', "comma": b'{"title": "a",}',
    "single quotes": b"{'title': 'a'}", "no colon": b'{"title" "a"}', "bare name": b'{title: "a"}', "form": b"title=a",
    "control character": b'{"title": "a\nb"}', "bad escape": b'{"title": "\\x41"}', "UTF-8 cut": b'{"title": "\xc3"}',
    "latin-1": '{"title": "é"}'.encode("latin-1"), "NUL": b"\x00",
    "19,000 lists": b"[" * 19_000, "19,000 objects": b'{"title":' * 19_000,
    "19,000 closed lists": b"[" * 19_000 + b"]" * 19_000,
    "5,000 digits": b'{"title": "a", "x": ' + b"1" * 5000 + b"}",
    "NaN": b'{"completed": NaN}', "Infinity": b'{"completed": Infinity}', "-Infinity": b'{"title": -Infinity}',
}  # fmt: skip
NO_OBJECT = {
    "list": b"[]", "full list": b'[{"title": "a"}]', "string": b'"title"', "number": b"1", "true": b"true",
    "null": b"null", "spaced null": b" null ",
}  # fmt: skip


@pytest.fixture
def unchanged(client: httpx.Client) -> Iterator[str]:
    """Yield the path of a task, and check afterwards that nothing of the user's has changed."""
    task = create(client, "as it was", description="as it was")
    before = everything_of(client)
    yield path_of(task)
    assert everything_of(client) == before


def writes(path: str) -> list[tuple[str, str]]:
    """List the requests that take a body."""
    return [("POST", "/api/tasks"), ("PUT", path), ("PATCH", path), ("PATCH", f"{path}/complete")]


def fields_of(error: dict[str, Any]) -> list[str]:
    """List the fields that an error names."""
    return [detail["field"] for detail in error["details"]]


@pytest.mark.requirement("FR-031", "FR-032", "FR-042", "FR-044", "FR-052")
@pytest.mark.parametrize(("name", "value"), BAD_FIELDS)
def test_a_bad_value_is_refused_under_its_name(client: httpx.Client, unchanged: str, name: str, value: str) -> None:
    accepting = {"title": [0, 1, 2], "description": [0, 1, 2], "completed": [0, 1, 2, 3], "id": [0]}[name]
    for method, path in (writes(unchanged)[index] for index in accepting):
        others = '"title": "a marker", ' if method == "POST" and name != "title" else ""
        response = client.request(method, path, content=f'{{{others}"{name}": {value}}}', headers=JSON)

        error = error_of(response, 422, "VALIDATION_ERROR")
        assert fields_of(error) == [name]
        assert set(error["details"][0]) == {"field", "code", "message"}
        assert "marker" not in response.text


@pytest.mark.requirement("FR-042")
def test_an_error_never_repeats_what_was_sent(client: httpx.Client, unchanged: str) -> None:
    secret = "my password is hunter2 "  # noqa: S105 - the point
    for body in (
        {"title": secret * 30},
        {"title": [secret]},
        {"title": "a", "description": {"a": secret}},
        {"title": "a", "completed": secret},
        {"title": "a", "id": secret},
        {"title": "a", "unknown": secret},
    ):
        assert "hunter2" not in client.post("/api/tasks", json=body).text
    for content in (f'{{"title": "{secret}"', f'"{secret}"', secret):
        assert "hunter2" not in client.post("/api/tasks", content=content, headers=JSON).text
    assert "hunter2" not in client.get("/api/tasks", params={"limit": "hunter2", "cursor": "hunter2"}).text
    assert "hunter2" not in client.get("/api/tasks", params={"x": "hunter2"}).text
    assert "hunter2" not in client.get(f"{unchanged}hunter2").text


@pytest.mark.requirement("FR-044", "FR-052")
@pytest.mark.parametrize("body", NO_JSON.values(), ids=NO_JSON.keys())
def test_a_body_that_is_no_json_is_refused(client: httpx.Client, unchanged: str, body: bytes) -> None:
    for method, path in writes(unchanged):
        error = error_of(client.request(method, path, content=body, headers=JSON), 422, "VALIDATION_ERROR")

        assert [(detail["field"], detail["code"]) for detail in error["details"]] == [("body", "json_invalid")]


@pytest.mark.requirement("FR-044", "FR-052")
@pytest.mark.parametrize("body", NO_OBJECT.values(), ids=NO_OBJECT.keys())
def test_a_body_that_is_no_object_is_refused(client: httpx.Client, unchanged: str, body: bytes) -> None:
    for method, path in writes(unchanged):
        error = error_of(client.request(method, path, content=body, headers=JSON), 422, "VALIDATION_ERROR")

        assert [(detail["field"], detail["code"]) for detail in error["details"]] == [("body", "object_type")]


@pytest.mark.requirement("FR-044")
def test_only_completing_works_without_a_body(client: httpx.Client, unchanged: str) -> None:
    for method, path in writes(unchanged)[:3]:
        response = client.request(method, path, headers=JSON)

        assert fields_of(error_of(response, 422, "VALIDATION_ERROR")) == ["body"]


@pytest.mark.requirement("FR-026", "FR-090")
def test_only_no_body_at_all_toggles(client: httpx.Client) -> None:
    path = f"{path_of(create(client))}/complete"

    assert task_of(client.patch(path, headers=JSON))["completed"] is True
    for body, problem in {"null": ("body", "object_type"), "{}": ("completed", "missing")}.items():
        error = error_of(client.patch(path, content=body, headers=JSON), 422, "VALIDATION_ERROR")
        assert [(detail["field"], detail["code"]) for detail in error["details"]] == [problem]
    assert task_of(client.patch(path))["completed"] is False


@pytest.mark.requirement("FR-043", "FR-042")
@pytest.mark.parametrize("name", ["", "Title", "a.b", "a" * 5000, "\u2028", "\x00", "__proto__", "0"], ids=ascii)
def test_an_unknown_field_is_refused_under_its_name_cut_short(client: httpx.Client, unchanged: str, name: str) -> None:
    for method, path in writes(unchanged):
        known = {"completed": True} if path.endswith("/complete") else {"title": "a"}
        error = error_of(client.request(method, path, json={**known, name: 1}), 422, "VALIDATION_ERROR")

        assert [(detail["field"], detail["code"]) for detail in error["details"]] == [(name[:100], "extra_forbidden")]


@pytest.mark.requirement("FR-042", "FR-043")
def test_a_flood_of_mistakes_is_answered_briefly(client: httpx.Client, unchanged: str) -> None:
    flood = {f"{'name' * 100}{number}": number for number in range(500)}
    body = client.put(unchanged, json=flood)
    query = client.get(f"{unchanged}?{'&'.join(f'x{number}=1' for number in range(500))}")

    for response in (body, query):
        assert len(error_of(response, 422, "VALIDATION_ERROR")["details"]) == 20
        assert len(response.content) < 10_000


@pytest.mark.requirement("FR-032")
@pytest.mark.parametrize("body", [b'{"\\ud800": 1}', b'{"title": "\xed\xa0\x80"}'], ids=["in a name", "in raw bytes"])
def test_lone_surrogates_are_refused_wherever_they_hide(client: httpx.Client, unchanged: str, body: bytes) -> None:
    for method, path in writes(unchanged):
        error_of(client.request(method, path, content=body, headers=JSON), 422, "VALIDATION_ERROR")


@pytest.mark.requirement("FR-042")
def test_every_mistake_is_named_at_once(client: httpx.Client, unchanged: str) -> None:
    error = error_of(
        client.put(unchanged, json={"title": "", "completed": 1, "colour": "red"}), 422, "VALIDATION_ERROR"
    )

    assert sorted(fields_of(error)) == ["colour", "completed", "title"]
    assert {detail["code"] for detail in error["details"]} == {"string_too_short", "bool_type", "extra_forbidden"}


@pytest.mark.requirement("FR-045", "FR-052")
@pytest.mark.parametrize(
    "media_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml", "json",
     "application/jsonx", "text/json+x", "application/octet-stream", "", None],
)  # fmt: skip
def test_a_body_that_is_not_declared_as_json_is_refused(
    client: httpx.Client, unchanged: str, media_type: str | None
) -> None:
    for method, path in writes(unchanged):
        headers = {} if media_type is None else {"Content-Type": media_type}
        content = b'{"completed": true}' if path.endswith("/complete") else b'{"title": "a"}'

        error = error_of(client.request(method, path, content=content, headers=headers), 415, "UNSUPPORTED_MEDIA_TYPE")
        assert error["details"] == []


@pytest.mark.requirement("FR-046", "FR-052", "FR-050")
@pytest.mark.parametrize("chunked", [False, True], ids=["declared", "chunked"])
def test_a_body_over_the_limit_is_refused(client: httpx.Client, unchanged: str, *, chunked: bool) -> None:
    body = b'{"title": "a"}'.ljust(MIB + 1)
    for method, path in writes(unchanged):
        content = iter([body[:MIB], body[MIB:]]) if chunked else body
        error_of(client.request(method, path, content=content, headers=JSON), 413, "PAYLOAD_TOO_LARGE")


@pytest.mark.requirement("FR-046")
@pytest.mark.parametrize("chunked", [False, True], ids=["declared", "chunked"])
def test_a_body_of_just_the_limit_is_accepted(client: httpx.Client, *, chunked: bool) -> None:
    body = b'{"title": "a"}'.ljust(MIB)

    response = client.post("/api/tasks", content=iter([body]) if chunked else body, headers=JSON)

    assert task_of(response, 201)["title"] == "a"


@pytest.mark.requirement("FR-046")
@pytest.mark.parametrize("length", [MIB + 1, 10**17, 10**18, 2**63, 2**64 - 1])
def test_a_body_declared_too_long_is_refused_before_it_is_sent(client: httpx.Client, length: int) -> None:
    connection = http.client.HTTPConnection(client.base_url.host, client.base_url.port, timeout=PATIENCE_SECONDS)
    with closing(connection):
        connection.putrequest("POST", "/api/tasks")
        for name, value in {"Authorization": client.headers["Authorization"], "Content-Length": str(length)}.items():
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        assert response.status == 413
        assert json.load(response)["error"]["code"] == "PAYLOAD_TOO_LARGE"


@pytest.mark.requirement("FR-012")
@pytest.mark.parametrize(
    "task_id",
    [
        "not-an-id",
        "1",
        "{00000000-0000-7000-8000-000000000000}",
        "urn:uuid:00000000-0000-7000-8000-000000000000",
        "00000000000070008000000000000000",
        "00000000-0000-7000-8000-00000000000",
        "00000000-0000-7000-8000-0000000000000",
        "00000000-0000-7000-8000-00000000000g",
        "00000000-0000-7000-8000-00000000000\u0661",
        "%00",
        "%20" + MISSING_ID,
        MISSING_ID + "%0a",
        MISSING_ID + "-",
        MISSING_ID + "}",
        "%ff",
        "a" * 5000,
        "' OR 1=1 --",
    ],
)  # fmt: skip
def test_a_malformed_id_is_a_missing_task(client: httpx.Client, task_id: str) -> None:
    named = {"X-Request-Id": "same"}
    for method, suffix, body in [
        ("GET", "", None),
        ("PUT", "", {"title": "b"}),
        ("PATCH", "", {"title": "b"}),
        ("PATCH", "/complete", None),
        ("DELETE", "", None),
    ]:
        missing = client.request(method, f"/api/tasks/{MISSING_ID}{suffix}", json=body, headers=named)
        malformed = client.request(method, f"/api/tasks/{task_id}{suffix}", json=body, headers=named)
        error_of(malformed, 404, "NOT_FOUND")
        assert malformed.content == missing.content


@pytest.mark.requirement("FR-052", "FR-012")
def test_a_missing_task_is_missing_whatever_else_is_wrong_in_the_same_way_as_a_malformed_id(
    client: httpx.Client,
) -> None:
    bad: list[dict[str, Any]] = [
        {"json": {"title": ""}},
        {"content": b"{", "headers": JSON},
        {"content": b"{}"},
        {"json": {}, "params": {"x": "1"}},
    ]
    for request in bad:
        answers = [client.put(f"/api/tasks/{id_}", **request) for id_ in (MISSING_ID, "not-an-id")]
        missing, malformed = ({**answer.json()["error"], "request_id": answer.status_code} for answer in answers)
        assert missing == malformed


@pytest.mark.requirement("FR-311")
def test_the_body_of_every_error_has_its_message_once_more_as_detail(
    client: httpx.Client, anonymous: httpx.Client
) -> None:
    path = path_of(create(client))
    # From the server, each layer, the framework and the service.
    for response in (
        anonymous.get("/api/me"),
        client.get("/nothing"),
        client.put("/api/tasks", json={}),
        client.patch(path, json={}, headers={"If-Match": '"999"'}),
        client.post("/api/tasks", content=b" " * (MIB + 1), headers=JSON),
        client.get("/nothing", headers={"Host": "a b"}),
        client.get(f"/{'a' * 20_000}"),
        client.post("/api/tasks", content="title=a", headers={"Content-Type": "application/x-www-form-urlencoded"}),
        client.post("/api/tasks", json={"titel": "a", "x": 1}),
        client.post("/api/tasks", content=b"{"),
    ):
        body = response.json()

        assert response.is_client_error
        assert body.keys() - {"data"} == {"error", "detail"}
        assert body["detail"] == body["error"]["message"]
        assert isinstance(body["detail"], str)
        assert body["detail"]


@pytest.mark.requirement("FR-311")
def test_the_results_of_a_batch_have_no_detail_but_its_own_error_has(client: httpx.Client) -> None:
    operation = {"op": "delete", "id": MISSING_ID}

    (result,) = client.post(BATCH, json={"operations": [operation], "atomic": False}).json()["data"]
    assert result.keys() == {"index", "status", "error"}
    error_of(client.post(BATCH, json={"operations": [operation]}), 404, "NOT_FOUND")


@pytest.mark.requirement("FR-311")
@pytest.mark.parametrize("name", ["ErrorAnswer", "CurrentTaskAnswer"])
def test_the_contract_says_that_errors_have_a_detail(name: str) -> None:
    schema = resolved({"$ref": f"#/components/schemas/{name}"})

    assert "detail" in schema["required"]
    assert schema["properties"]["detail"]["type"] == "string"
    assert "detail" not in resolved({"$ref": "#/components/schemas/FailedResult"})["properties"]
