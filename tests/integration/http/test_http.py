"""Common to all responses: paths, methods, HEAD, request ids, token checks, health and the root."""

from __future__ import annotations

import http.client
import logging
import re
import time
from contextlib import closing
from typing import Any

import httpx
import pytest

from tests.fixtures.calls.api import API, new_user
from tests.fixtures.calls.tasks import JSON, MISSING_ID, REQUESTS, create, error_of, everything_of, path_of
from tests.fixtures.running.waiting import PATIENCE_SECONDS, until
from tests.fixtures.telemetry.logs import events

BAD_REQUESTS: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/api/tasks", {"content": b"{", "headers": JSON}),
    ("POST", "/api/tasks", {"content": b"x" * (1024 * 1024 + 1), "headers": JSON}),
    ("POST", "/api/tasks", {"content": b"a", "headers": {"Content-Type": "text/plain"}}),
    ("GET", "/api/tasks/not-an-id", {}),
    ("GET", "/api/tasks?unknown=1", {}),
    ("GET", "/api/tasks?cursor=x", {}),
    ("GET", "/api/nothing", {}),
    ("GET", "/api", {}),
    ("GET", "/api/", {}),
    ("DELETE", "/api/tasks", {}),
    ("OPTIONS", "/api/tasks", {}),
]


@pytest.mark.requirement("FR-002", "FR-041")
@pytest.mark.parametrize(("method", "path"), REQUESTS)
def test_without_a_token_there_is_nothing(anonymous: httpx.Client, method: str, path: str) -> None:
    response = anonymous.request(method, path, json={"title": "a"} if method in {"POST", "PUT", "PATCH"} else None)

    error = error_of(response, 401, "UNAUTHORIZED")
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert error["details"] == []


@pytest.mark.requirement("FR-004", "FR-002")
@pytest.mark.parametrize(("method", "path", "request_"), BAD_REQUESTS)
def test_the_token_is_judged_before_anything_else(
    api: API, anonymous: httpx.Client, method: str, path: str, request_: dict[str, Any]
) -> None:
    missing = anonymous.request(method, path, **request_)
    error_of(missing, 401, "UNAUTHORIZED")
    assert missing.headers["WWW-Authenticate"] == "Bearer"

    with api.client(Authorization="Bearer x.y.z") as client:
        bad = client.request(method, path, **request_)
    error_of(bad, 401, "UNAUTHORIZED")
    assert bad.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


@pytest.mark.requirement("FR-003")
@pytest.mark.parametrize("value", ["Basic YTpi", "Bearer", "Token x", "Bearer\tx", ""])
def test_another_kind_of_authorization_is_no_good_token(api: API, value: str) -> None:
    with api.client(Authorization=value) as client:
        response = client.get("/api/tasks")

    error_of(response, 401, "UNAUTHORIZED")
    assert response.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


@pytest.mark.requirement("FR-003")
def test_the_scheme_is_read_in_any_case_and_two_tokens_are_one_too_many(client: httpx.Client) -> None:
    token = client.headers["Authorization"].removeprefix("Bearer ")
    assert client.get("/api/me", headers={"Authorization": f"bearer   {token}"}).status_code == 200

    twice = httpx.get(
        client.base_url.join("/api/me"),
        headers=[("Authorization", f"Bearer {token}")] * 2,
        trust_env=False,
        timeout=PATIENCE_SECONDS,
    )
    error_of(twice, 401, "UNAUTHORIZED")


@pytest.mark.requirement("FR-047", "FR-041", "FR-048")
@pytest.mark.parametrize("path", [
    "/nothing", "/api", "/api/", "/api/nothing", "/api/nothing/", "/api/tasks//", "/api/me//", "/api//tasks",
    "/api//tasks/", "//api/tasks/", "/api/tasks/{id}//", "/api/tasks/{id}/complete//", "/api/tasks/{id}/x",
    "/docs/assets/x", "/docs/assets/..%2f..%2f__init__.py", "/health", "/health/live/", "/API/tasks", "/api/tasks/%2F",
    "/api/tasks///", "/api/tasks/.//", "/tasks/",
])  # fmt: skip
def test_an_unknown_path_is_not_found(client: httpx.Client, path: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        if method == "GET" or "assets" not in path:
            response = client.request(method, path.format(id=MISSING_ID))
            error_of(response, 404, "NOT_FOUND")


@pytest.mark.requirement("FR-047", "FR-041")
@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/api/tasks", "GET, HEAD, POST"),
        (f"/api/tasks/{MISSING_ID}", "DELETE, GET, HEAD, PATCH, PUT"),
        (f"/api/tasks/{MISSING_ID}/complete", "PATCH, POST"),
        (f"/api/tasks/{MISSING_ID}/restore", "POST"),
        ("/api/tasks/batch", "POST"),
        ("/api/changes", "GET, HEAD"),
        ("/api/changes/stream", "GET, HEAD"),
        ("/api/me", "DELETE, GET, HEAD, PATCH"),
        ("/", "GET, HEAD"),
        ("/health/live", "GET, HEAD"),
        ("/health/ready", "GET, HEAD"),
        ("/docs", "GET, HEAD"),
        ("/openapi.json", "GET, HEAD"),
        ("/docs/assets/swagger-ui.css", "GET, HEAD"),
    ],
)
def test_a_wrong_method_is_told_all_the_right_ones(client: httpx.Client, path: str, allowed: str) -> None:
    for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} - set(allowed.split(", ")):
        response = client.request(method, path)

        assert (response.status_code, response.headers["Allow"]) == (405, allowed)
        if method != "HEAD":
            error_of(response, 405, "METHOD_NOT_ALLOWED")


@pytest.mark.requirement("FR-048")
@pytest.mark.parametrize("path", [
    "/api/tasks", "/api/tasks?limit=1", "{task}", "/api/me", "/", "/health/live", "/docs", "/openapi.json",
    "/docs/assets/swagger-ui.css", "/api/nothing", "/api/tasks?limit=x",
])  # fmt: skip
def test_head_answers_like_get_without_a_body(client: httpx.Client, path: str) -> None:
    address = path.format(task=path_of(create(client)))
    fixed = {"X-Request-Id": "same"}

    get, head = client.get(address, headers=fixed), client.head(address, headers=fixed)

    assert (head.status_code, head.content) == (get.status_code, b"")
    moving = {"date": "", "ratelimit": ""}
    assert {**head.headers, **moving} == {**get.headers, **moving}
    assert client.get("/health/live").status_code == 200  # the connection still works


@pytest.mark.requirement("FR-048", "FR-002")
def test_head_needs_a_token_where_get_does(anonymous: httpx.Client) -> None:
    response = anonymous.head("/api/tasks")

    assert (response.status_code, response.content) == (401, b"")
    assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.requirement("FR-049")
@pytest.mark.parametrize("sent", ["a", "abc-DEF_0.9", "x" * 128])
def test_a_sensible_request_id_is_kept(client: httpx.Client, sent: str) -> None:
    for path in ("/api/me", "/api/nothing", "/api/tasks?limit=0", "/"):
        response = client.get(path, headers={"X-Request-Id": sent})

        assert response.headers.get_list("X-Request-Id") == [sent]
        if response.is_error:
            assert response.json()["error"]["request_id"] == sent


@pytest.mark.requirement("FR-049")
@pytest.mark.parametrize("sent", ["", "a b", "x" * 129, "a\tb", "<script>", "a,b", "\xe9", '"a"'], ids=ascii)
def test_a_senseless_request_id_is_replaced(client: httpx.Client, anonymous: httpx.Client, sent: str) -> None:
    headers = {b"X-Request-Id": sent.encode("latin-1")}

    ids = [user.get("/api/tasks", headers=headers).headers["X-Request-Id"] for user in (client, anonymous, client)]

    assert len(set(ids)) == 3
    assert all(re.fullmatch("[0-9a-f]{32}", made) for made in ids)


@pytest.mark.requirement("FR-049")
def test_every_request_is_logged_with_its_id_and_user_and_cannot_forge_a_line(
    client: httpx.Client, user_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "backend"):
        client.get("/api/me%0aforged", headers={"X-Request-Id": "abc"})
        until(lambda: "'abc'" in caplog.text)  # it is logged after the response

    (line,) = [line for line in events(caplog, "request") if line["request_id"] == "abc"]
    assert (line["user"], line["method"], line["route"], line["status"]) == (user_id, "GET", "(unknown)", 404)
    assert "forged" not in caplog.text
    assert client.headers["Authorization"] not in caplog.text


@pytest.mark.requirement("FR-053", "FR-054", "FR-041")
@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_the_service_is_alive_and_ready_for_everyone(anonymous: httpx.Client, path: str) -> None:
    response = anonymous.get(path)

    assert (response.status_code, response.json()) == (200, {"data": {"status": "ok"}})


@pytest.mark.requirement("FR-055")
def test_the_root_names_addresses_that_exist(anonymous: httpx.Client) -> None:
    response = anonymous.get("/")

    assert response.status_code == 200
    addresses = {name: value for name, value in response.json()["data"].items() if name != "name"}
    assert set(addresses) == {"docs", "openapi", "tasks", "account", "health"}
    assert {name: anonymous.get(path).status_code for name, path in addresses.items()} == {
        "docs": 200,
        "openapi": 200,
        "tasks": 401,
        "account": 401,
        "health": 200,
    }


@pytest.mark.requirement("FR-001")
def test_no_header_names_a_user(client: httpx.Client, user_id: str) -> None:
    other = new_user()
    before = everything_of(client)

    response = client.get("/api/me", headers={"X-User-Id": other, "X-Forwarded-User": other, "Cookie": f"user={other}"})

    assert response.json()["data"]["id"] == user_id
    assert everything_of(client) == before


@pytest.mark.requirement("FR-041", "FR-052")
def test_a_client_that_goes_away_within_its_body_is_no_defect(
    client: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    task = create(client)
    before = everything_of(client)
    connection = http.client.HTTPConnection(client.base_url.host, client.base_url.port, timeout=PATIENCE_SECONDS)
    with caplog.at_level(logging.INFO, "backend"):
        with closing(connection):
            sent = {"Authorization": client.headers["Authorization"], "Content-Length": "100", "X-Request-Id": "gone"}
            connection.putrequest("PUT", path_of(task))
            for name, value in (JSON | sent).items():
                connection.putheader(name, value)
            connection.endheaders(b'{"title": ')
            time.sleep(0.1)  # so that the service is reading the body by then
        until(lambda: "'gone'" in caplog.text)

    (line,) = [line for line in events(caplog, "request") if line["request_id"] == "gone"]
    assert (line["method"], line["route"], line["status"]) == ("PUT", "/api/tasks/{task_id}", 400)
    assert everything_of(client) == before
