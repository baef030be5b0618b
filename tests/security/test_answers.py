"""Headers that every response sends to browsers, and details that no response reveals."""

from __future__ import annotations

import re

import httpx
import pytest

from tests.fixtures.calls.api import API, ORIGIN
from tests.fixtures.calls.tasks import JSON, MISSING_ID, create, path_of

NOTHING = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
REQUESTS: list[tuple[str, str, dict[str, object]]] = [
    ("GET", "/", {}),
    ("GET", "/api/tasks", {}),
    ("HEAD", "/api/tasks", {}),
    ("GET", f"/api/tasks/{MISSING_ID}", {}),
    ("POST", "/api/tasks", {"json": {"title": ""}}),
    ("POST", "/api/tasks", {"content": b"x" * (1024 * 1024 + 1), "headers": JSON}),
    ("POST", "/api/tasks", {"content": b"a"}),
    ("PUT", "/api/me", {}),
    ("GET", "/api/nothing", {}),
    ("GET", "/api/me", {"headers": {"Authorization": "Bearer nonsense"}}),
    ("OPTIONS", "/api/tasks", {"headers": {"Origin": ORIGIN, "Access-Control-Request-Method": "PUT"}}),
    ("GET", "/health/live", {}),
    ("GET", "/health/ready", {}),
    ("GET", "/", {}),
    ("GET", "/nothing", {}),
    ("GET", "/docs/assets/nothing.js", {}),
]


@pytest.mark.requirement("FR-109")
@pytest.mark.parametrize(("method", "path", "options"), REQUESTS)
def test_every_answer_lets_browsers_do_nothing_with_it(
    client: httpx.Client, method: str, path: str, options: dict[str, object]
) -> None:
    response = client.request(method, path, **options)  # type: ignore[arg-type]

    assert response.headers.items() >= {name.lower(): value for name, value in HEADERS.items()}.items()
    assert response.headers.get_list("Content-Security-Policy") == [NOTHING]
    assert response.headers.get_list("Cache-Control") == ["no-store"]
    assert "Server" not in response.headers
    assert "Strict-Transport-Security" not in response.headers


@pytest.mark.requirement("FR-109")
def test_a_browser_that_came_by_tls_is_told_to_stay_with_it(client: httpx.Client) -> None:
    for path in ("/api/tasks", "/api/nothing", "/docs"):
        response = client.get(path, headers={"X-Forwarded-Proto": "https"})

        assert response.headers["Strict-Transport-Security"] == "max-age=31536000"


@pytest.mark.requirement("FR-110")
def test_the_page_of_the_documentation_may_run_our_files_only(anonymous: httpx.Client) -> None:
    response = anonymous.get("/docs")

    (policy,) = response.headers.get_list("Content-Security-Policy")
    assert dict(directive.split(" ", 1) for directive in policy.split("; ")) == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert not re.findall(rb"<script>|<style|\son\w+=|\sstyle=|javascript:", response.content)


@pytest.mark.requirement("FR-110")
def test_the_files_of_the_page_are_kept_and_asked_for_again(anonymous: httpx.Client) -> None:
    asset = "/docs/assets/swagger-ui.css"

    first = anonymous.get(asset)
    again = anonymous.get(asset, headers={"If-None-Match": first.headers["ETag"]})

    assert first.headers.get_list("Cache-Control") == ["no-cache"]
    assert (again.status_code, again.headers["Cache-Control"]) == (304, "no-cache")
    assert again.headers.get_list("Content-Security-Policy") == [NOTHING]


@pytest.mark.requirement("FR-041", "FR-110")
@pytest.mark.parametrize("wanted", ["bytes=9-2", "bytes=", "nonsense", "bytes=99999999-", "bytes=0-1,3-4"])
def test_a_part_of_a_file_is_answered_with_all_of_it(anonymous: httpx.Client, wanted: str) -> None:
    asset = "/docs/assets/swagger-ui.css"

    response = anonymous.get(asset, headers={"Range": wanted})

    assert (response.status_code, response.content) == (200, anonymous.get(asset).content)


@pytest.mark.requirement("FR-109")
def test_a_page_that_is_answered_often_does_not_gather_headers(api: API) -> None:
    with api.client() as client:
        sizes = {len(client.get("/docs", headers={"X-Request-Id": "same"}).headers) for _ in range(3)}

    assert len(sizes) == 1


@pytest.mark.requirement("FR-109")
def test_an_address_of_a_task_tells_nothing_but_its_id(client: httpx.Client) -> None:
    task = create(client)

    response = client.get(path_of(task))

    assert set(response.headers) <= {
        *(name.lower() for name in HEADERS),
        *("date", "etag", "content-length", "content-type", "vary", "x-request-id", "ratelimit-policy", "ratelimit"),
        *("cache-control", "content-security-policy"),
    }
