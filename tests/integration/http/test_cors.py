"""Browsers on other origins: configured origins may read every response, others none."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from backend.config import Settings
from tests.fixtures.calls.api import API, ORIGIN, new_user, serve
from tests.fixtures.calls.tasks import JSON, MISSING_ID, error_of
from tests.fixtures.running.waiting import PATIENCE_SECONDS

EXPOSED = {
    "Allow", "Content-Disposition", "ETag", "Idempotency-Replayed", "Link", "Location", "RateLimit", "RateLimit-Policy",
    "Retry-After", "WWW-Authenticate", "X-Request-Id",
}  # fmt: skip
OF_THIS_MACHINE = [
    f"{scheme}://{host}{port}"
    for scheme in ("http", "https")
    for host in ("localhost", "127.0.0.1", "[::1]")
    for port in ("", ":3000", ":5173", ":65535")
]
OF_OTHERS = [
    "http://localhost.evil.example", "http://evil.example", "http://localhost:5173.evil.example", "http://127.0.0.2",
    "http://127.0.0.1.evil.example", "http://127x0.0.1", "http://evillocalhost", "http://user@localhost", "http://::1",
    "http://[::2]", "http://localhost:", "http://localhost:5173/", "http://localhost:123456", "http://localhost:a",
    "http://localhost/http://localhost", "ftp://localhost", "file://localhost", "localhost", "null", "",
    ORIGIN,
]  # fmt: skip


@pytest.fixture(scope="module")
def development(settings: Settings) -> Iterator[API]:
    """A service in development, without CORS_ORIGINS."""
    with serve(settings.model_copy(update={"cors_origins": ()})) as api:
        yield api


@pytest.fixture(scope="module")
def production(settings: Settings) -> Iterator[API]:
    """A service in production, without CORS_ORIGINS."""
    with serve(settings.model_copy(update={"cors_origins": (), "environment": "production"})) as api:
        yield api


def preflight(api: API, origin: str, method: str = "PUT", **more: str) -> httpx.Response:
    """Send the preflight that a browser sends before a request to another origin."""
    asked = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": "authorization,content-type"}
    asked |= {name.replace("_", "-"): value for name, value in more.items()}
    headers = {"Origin": origin, **asked}
    return httpx.options(f"{api.base_url}/api/tasks", headers=headers, trust_env=False, timeout=PATIENCE_SECONDS)


def cors_headers(response: httpx.Response) -> list[str]:
    """List the CORS headers of a response."""
    return [name for name in response.headers if name.startswith("access-control-")]


@pytest.mark.requirement("FR-050")
@pytest.mark.parametrize(
    "path", ["/api/me", "/api/nothing", "/api/tasks?limit=0", "/api/tasks?cursor=x", "/health/live"]
)
def test_a_configured_origin_may_read_answers_and_errors(client: httpx.Client, path: str) -> None:
    response = client.get(path, headers={"Origin": ORIGIN})

    assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert response.headers["Access-Control-Allow-Credentials"] == "true"
    assert set(response.headers["Access-Control-Expose-Headers"].split(", ")) == EXPOSED
    assert "Origin" in response.headers["Vary"]


@pytest.mark.requirement("FR-050")
@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("POST", "/api/tasks", b"x" * (1024 * 1024 + 1), 413),
        ("POST", "/api/tasks", b"x", 422),
        ("DELETE", "/api/tasks", b"", 405),
        ("DELETE", f"/api/tasks/{MISSING_ID}", b"", 404),
    ],
)
def test_errors_of_every_layer_carry_cors_headers(
    client: httpx.Client, method: str, path: str, content: bytes, status: int
) -> None:
    response = client.request(method, path, content=content, headers={**JSON, "Origin": ORIGIN})

    assert (response.status_code, response.headers.get("Access-Control-Allow-Origin")) == (status, ORIGIN)


@pytest.mark.requirement("FR-050", "FR-002")
def test_a_missing_token_is_told_to_a_configured_origin(anonymous: httpx.Client) -> None:
    response = anonymous.get("/api/tasks", headers={"Origin": ORIGIN})

    error_of(response, 401, "UNAUTHORIZED")
    assert response.headers["Access-Control-Allow-Origin"] == ORIGIN


@pytest.mark.requirement("FR-050")
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"])
def test_a_configured_origin_may_ask_for_every_method_without_a_token(api: API, method: str) -> None:
    response = preflight(api, ORIGIN, method)

    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert method in response.headers["Access-Control-Allow-Methods"].split(", ")
    assert response.headers["Access-Control-Allow-Headers"] == "authorization,content-type"
    assert response.headers["Access-Control-Allow-Credentials"] == "true"
    assert response.headers["X-Request-Id"]


@pytest.mark.requirement("FR-050", "FR-041")
@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        f"{ORIGIN}.evil.example",
        f"{ORIGIN}:8443",
        "http://app.example.com",
        "null",
        "",
        f"{ORIGIN}/",
    ],
)
def test_another_origin_gets_no_cors_headers(api: API, client: httpx.Client, origin: str) -> None:
    response = client.get("/api/me", headers={"Origin": origin})
    assert (response.status_code, cors_headers(response)) == (200, [])
    assert response.headers["Vary"] == "Origin"

    refused = preflight(api, origin)
    error_of(refused, 401, "UNAUTHORIZED")
    assert cors_headers(refused) == []


@pytest.mark.requirement("FR-050")
def test_without_an_origin_there_are_no_cors_headers(client: httpx.Client) -> None:
    response = client.get("/api/me")

    assert cors_headers(response) == []
    assert response.headers["Vary"] == "Origin"


@pytest.mark.requirement("FR-041", "FR-050")
@pytest.mark.parametrize(
    ("method", "more"),
    [("FOO", {}), ("put", {}), ("", {}), ("PUT", {"Access_Control_Request_Private_Network": "true"})],
)
def test_a_preflight_for_what_is_not_allowed_is_refused_in_the_envelope(
    api: API, method: str, more: dict[str, str]
) -> None:
    response = preflight(api, ORIGIN, method, **more)

    error_of(response, 401, "UNAUTHORIZED")
    assert cors_headers(response) == []


@pytest.mark.requirement("FR-307")
@pytest.mark.parametrize("origin", OF_THIS_MACHINE)
def test_in_development_pages_of_this_machine_may_call(development: API, origin: str) -> None:
    with development.client(new_user(), Origin=origin) as client:
        for response in (client.get("/api/me"), client.get("/api/nothing")):
            assert response.headers["Access-Control-Allow-Origin"] == origin
            assert response.headers["Access-Control-Allow-Credentials"] == "true"
            assert set(response.headers["Access-Control-Expose-Headers"].split(", ")) == EXPOSED
            assert response.headers["Vary"] == "Origin"
    asked = preflight(development, origin)
    assert (asked.status_code, asked.headers["Access-Control-Allow-Origin"]) == (200, origin)
    assert asked.headers["Access-Control-Allow-Headers"] == "authorization,content-type"


@pytest.mark.requirement("FR-307")
@pytest.mark.parametrize("origin", OF_OTHERS)
def test_in_development_pages_of_other_machines_may_not_call(development: API, origin: str) -> None:
    refuses(development, origin)


@pytest.mark.requirement("FR-307")
@pytest.mark.parametrize("origin", OF_THIS_MACHINE)
def test_with_cors_origins_or_in_production_pages_of_this_machine_are_like_others(
    api: API, production: API, origin: str
) -> None:
    for service in (api, production):
        refuses(service, origin)


def refuses(service: API, origin: str) -> None:
    """Check that a page of this origin can read nothing and gets no preflight answered."""
    with service.client(new_user(), Origin=origin) as client:
        response = client.get("/api/me")
    assert (response.status_code, cors_headers(response), response.headers["Vary"]) == (200, [], "Origin")
    refused = preflight(service, origin)
    error_of(refused, 401, "UNAUTHORIZED")
    assert cors_headers(refused) == []


@pytest.mark.requirement("FR-308")
def test_a_page_can_read_which_methods_are_allowed(client: httpx.Client) -> None:
    response = client.put("/api/tasks", json={"title": "a"}, headers={"Origin": ORIGIN})

    assert (response.status_code, response.headers["Allow"]) == (405, "GET, HEAD, POST")
    assert "Allow" in response.headers["Access-Control-Expose-Headers"].split(", ")
