"""Bodies that are odd as a whole: encodings, repeated keys, content types. Only plain JSON is accepted."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.fixtures.calls.tasks import JSON, Task, create, error_of, task_of
from tests.fixtures.documents.contract import Operation, operations
from tests.fixtures.inputs.hostile import MARK, good_body

TEXT = '{"title": "hunter2 \u00e9\U0001f36e"}'
OTHER_ENCODINGS = {
    **{name: TEXT.encode(name) for name in ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le")},
    "utf-32-be": TEXT.encode("utf-32-be"), "latin-1": '{"title": "hunter2 \u00e9"}'.encode("latin-1"),
    "two marks": b"\xef\xbb\xbf" * 2 + TEXT.encode(),
    "mark behind": TEXT.encode() + b"\xef\xbb\xbf", "surrogates as bytes": b'{"title": "hunter2 \xed\xa0\x80"}',
    "overlong": b'{"title": "hunter2 \xc0\xaf"}', "beyond Unicode": b'{"title": "hunter2 \xf4\x90\x80\x80"}',
    "cut": b'{"title": "hunter2 \xf0\x9f\x8d"}', "byte 255": b'{"title": "hunter2 \xff"}',
    "NUL behind": b'{"title": "a"}\x00',
    "no-break space": b'\xc2\xa0{"title": "a"}', "gzip": b"\x1f\x8b\x08\x00" + bytes(20),
}  # fmt: skip
TWICE = {
    "same value": ('{"title": "a", "title": "a"}', "title"),
    "other value": (f'{{"title": "{MARK}", "title": "a"}}', "title"),
    "spelled otherwise": ('{"title": "a", "t\\u0069tle": "b"}', "title"),
    "unknown": ('{"x": 1, "x": 1}', "x"),
    "within": ('{"title": "a", "x": [{"user_id": 1, "user_id": 2}]}', "user_id"),
    "empty": ('{"": 1, "": 1}', ""),
    "long": (f'{{"{"n" * 9000}": 1, "{"n" * 9000}": 1}}', "n" * 100),
    "surrogate": ('{"\\ud800": 1, "\\ud800": 1}', "?"),
    "many": ("{" + '"a": 1, ' * 900 + '"b": 1}', "a"),
}
WITH_BODY = {name: operation for name, operation in operations().items() if good_body(operation)}
OTHER_TYPES = [
    "text/plain", "text/json", "application/jsonx", "application/x-json", "application/json+x", "application/*", "*/*",
    "json", "application", "/", ";", "=", "application/json/x", "multipart/form-data; boundary=x", "\x22", "\xff\xfe",
    "application/x-www-form-urlencoded", "applicati\xf6n/json", "charset=utf-8", "a" * 7000, "/" * 7000, '";' * 3000,
    "application/json; charset=utf-16", "application/json; charset=latin-1", "application/json; charset=utf-7",
    'application/json; charset="\xff"', "application/json; charset*=utf-8''utf-16", "application/json; charset=",
    "application/json; charset*0=utf-; charset*1=16", "application/json; charset=idna", "application/json;charset=none",
]  # fmt: skip
SAME_TYPES = [
    "application/json", "APPLICATION/JSON", "application/json;charset=UTF-8", 'application/json; charset="utf-8"',
    "application/json; charset=utf8", "application/json;", "application/json; profile=x", "application/vnd.api+json",
    "application/json; charset=utf-8; charset=utf-16", "application/json; x=\xff",
    "application/json ; " + "a=b;" * 1500,
]  # fmt: skip


@pytest.fixture(params=WITH_BODY)
def operation(request: pytest.FixtureRequest) -> Operation:
    """Every operation that takes a body, one after another."""
    return WITH_BODY[request.param]


def send(client: httpx.Client, operation: Operation, task: Task, body: bytes, **headers: str | bytes) -> httpx.Response:
    """Send a body to an operation, as JSON if no header says otherwise."""
    sent = [
        (name.replace("_", "-").encode(), value)
        for name, value in {"Content_Type": JSON["Content-Type"], **headers}.items()
    ]
    return client.request(
        operation.method,
        operation.address(task["id"]),
        content=body,
        headers=[(name, value.encode("latin-1") if isinstance(value, str) else value) for name, value in sent],
    )


@pytest.mark.requirement("FR-089", "FR-090", "FR-091")
def test_a_body_in_another_encoding_is_refused(client: httpx.Client, task: Task, operation: Operation) -> None:
    for kind, body in OTHER_ENCODINGS.items():
        response = send(client, operation, task, body)

        (detail,) = error_of(response, 422, "VALIDATION_ERROR")["details"]
        assert (detail["field"], detail["code"]) == ("body", "json_invalid"), kind
        assert MARK not in response.text


@pytest.mark.requirement("FR-089", "FR-090", "FR-091")
def test_a_key_that_is_there_twice_is_refused_by_name(client: httpx.Client, task: Task, operation: Operation) -> None:
    for kind, (body, name) in TWICE.items():
        response = send(client, operation, task, body.encode())

        (detail,) = error_of(response, 422, "VALIDATION_ERROR")["details"]
        assert (detail["field"], detail["code"]) == (name, "duplicate_key"), kind
        assert MARK not in response.text


@pytest.mark.requirement("FR-090")
def test_the_same_key_may_be_in_different_objects(client: httpx.Client, task: Task, operation: Operation) -> None:
    body = json.dumps({"x": {"title": {"title": 1}}, "title": [{"title": 1}, {"title": 1}]}).encode()

    details = error_of(send(client, operation, task, body), 422, "VALIDATION_ERROR")["details"]

    assert "duplicate_key" not in {detail["code"] for detail in details}


@pytest.mark.requirement("FR-089")
def test_an_object_of_too_many_keys_is_refused(client: httpx.Client, task: Task, operation: Operation) -> None:
    for number, code in {1000: "extra_forbidden", 1001: "too_many_keys"}.items():
        response = send(client, operation, task, json.dumps(dict.fromkeys(map(str, range(number)), 1)).encode())

        details = error_of(response, 422, "VALIDATION_ERROR")["details"]
        assert code in {detail["code"] for detail in details}
        assert len(response.content) < 10_000


@pytest.mark.requirement("FR-089", "FR-090")
def test_a_content_type_that_is_not_json_in_utf_8_is_refused(
    client: httpx.Client, task: Task, operation: Operation
) -> None:
    for media_type in OTHER_TYPES:
        response = send(client, operation, task, good_body(operation) or b"", Content_Type=media_type)

        assert error_of(response, 415, "UNSUPPORTED_MEDIA_TYPE")["details"] == [], media_type


@pytest.mark.requirement("FR-090")
def test_json_in_utf_8_may_be_declared_in_many_ways(client: httpx.Client) -> None:
    for media_type in SAME_TYPES:
        response = client.post(
            "/api/tasks", content=TEXT.encode(), headers={b"Content-Type": media_type.encode("latin-1")}
        )

        assert task_of(response, 201)["title"] == "hunter2 \u00e9\U0001f36e", media_type


@pytest.mark.requirement("FR-089", "FR-090")
def test_a_body_that_says_it_is_compressed_is_refused(client: httpx.Client, task: Task, operation: Operation) -> None:
    for coding in ("gzip", "br", "deflate, gzip", "identity, gzip", "x", "\xff", "", "*"):
        response = send(client, operation, task, good_body(operation) or b"", Content_Encoding=coding)

        assert "Content-Encoding" in error_of(response, 415, "UNSUPPORTED_MEDIA_TYPE")["message"]
    said_twice = [
        ("Content-Encoding", "identity"),
        ("Content-Encoding", "gzip"),
        ("Content-Type", JSON["Content-Type"]),
    ]
    twice = client.request(operation.method, operation.address(task["id"]), content=b"{}", headers=said_twice)
    assert twice.status_code == 415


@pytest.mark.requirement("FR-090")
def test_a_body_may_say_that_it_is_not_compressed(client: httpx.Client) -> None:
    response = client.post("/api/tasks", json={"title": "a"}, headers={"Content-Encoding": "Identity"})

    assert task_of(response, 201)["title"] == "a"


@pytest.mark.requirement("FR-089", "FR-434")
@pytest.mark.parametrize("opening", ["[],", "{},", "[[", '{"a":[', "1,", '"",', "1e9,"])
def test_a_body_that_is_costly_to_read_is_refused_before_it_is_read(client: httpx.Client, opening: str) -> None:
    response = client.post("/api/tasks", content=f'{{"title": [{opening * 20_000}'.encode(), headers=JSON)

    (detail,) = error_of(response, 422, "VALIDATION_ERROR")["details"]
    assert (detail["field"], detail["code"]) == ("body", "too_complex")


@pytest.mark.requirement("FR-089")
@pytest.mark.parametrize("signs", ["[{", ",,"])
def test_brackets_and_commas_in_a_text_are_a_text(client: httpx.Client, signs: str) -> None:
    text = signs * 5_000

    assert create(client, text[:500], description=text)["description"] == text
