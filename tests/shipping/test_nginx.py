"""The API through nginx as we configure it: same responses over TLS, unbuffered streams, real client addresses."""

from __future__ import annotations

import json
import ssl
import subprocess
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from backend.config import Settings
from tests.fixtures.calls.api import API, ORIGIN, new_user, serve
from tests.fixtures.calls.tasks import MISSING_ID, REQUESTS, create, error_of
from tests.fixtures.processes.nginx import Front, fronted
from tests.fixtures.running.needs import need, skip_without
from tests.fixtures.running.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.requirement("FR-180")

# Headers that change over time, or that describe the connection and not the response.
OF_THE_MOMENT = {"date", "ratelimit", "connection", "server", "keep-alive", "transfer-encoding", "content-length"}


@dataclass(frozen=True)
class Site:
    """A service, and nginx in front of it."""

    api: API
    front: Front


@pytest.fixture(scope="module")
def site(settings: Settings) -> Iterator[Site]:
    """A service behind nginx, whose streams end on their own."""
    with serve(settings) as api, fronted(httpx.URL(api.base_url).port or 0) as front:
        yield Site(api, front)


def _comparable(response: httpx.Response) -> tuple[int, dict[str, str], bytes]:
    headers = {name: value for name, value in response.headers.items() if name not in OF_THE_MOMENT}
    return response.status_code, headers, response.content


CALLS = [
    *(
        (method, path, b"")
        for method, path in REQUESTS
        if "stream" not in path and (method, path) != ("DELETE", "/api/me")
    ),
    ("POST", "/api/tasks", b'{"title": ""}'),
    ("POST", "/api/tasks", b"{"),
    ("GET", "/api/tasks?limit=0", b""),
    ("GET", "/api/tasks?q=%2e%2f%25&limit=2", b""),
    ("PUT", "/api/tasks/%2e%2e%2fme", b'{"title": "a"}'),
    ("DELETE", "/api//tasks", b""),
    ("GET", "/api/tasks/", b""),
    ("GET", "/nowhere", b""),
    ("GET", "/", b""),
    ("GET", "/docs", b""),
    ("GET", "/health/live", b""),
    ("HEAD", "/api/tasks", b""),
    ("OPTIONS", "/api/tasks", b""),
    ("GET", f"/api/tasks?q={'a' * 9000}", b""),
]


@pytest.mark.parametrize(("method", "path", "body"), CALLS, ids=lambda value: str(value)[:40])
def test_it_answers_as_without_it(site: Site, method: str, path: str, body: bytes) -> None:
    user = new_user()
    headers = {"Content-Type": "application/json", "X-Request-Id": "the-same", "Origin": ORIGIN}

    with site.front.client(user, **headers) as through, site.api.client(user, **headers) as direct:
        answers = [_comparable(client.request(method, path, content=body)) for client in (direct, through)]

    status, plain, content = answers[0]
    assert answers[1] == (status, {**plain, "strict-transport-security": "max-age=31536000"}, content)


def test_a_task_lives_there(site: Site) -> None:
    with site.front.client(new_user()) as client:
        task = create(client)
        path = f"/api/tasks/{task['id']}"
        edited = client.put(path, json={"description": "Two litres"}, headers={"If-Match": f'"{task["revision"]}"'})
        assert edited.status_code == 200
        assert client.get(path, headers={"If-None-Match": edited.headers["ETag"]}).status_code == 304
        assert client.patch(f"{path}/complete").json()["data"]["completed"] is True
        assert client.delete(path).status_code == 204
        assert client.get("/api/tasks").json()["data"] == []


def test_only_tls_of_today_is_spoken_and_by_whom_it_says(site: Site) -> None:
    with (
        httpx.Client(base_url=site.front.address, trust_env=False, timeout=PATIENCE_SECONDS) as trusting,
        pytest.raises(httpx.ConnectError),
    ):
        trusting.get("/")  # trusts the machine's certificate authorities
    for version, is_spoken in [
        (ssl.TLSVersion.TLSv1_1, False),
        (ssl.TLSVersion.TLSv1_2, True),
        (ssl.TLSVersion.TLSv1_3, True),
    ]:
        context = ssl.create_default_context(cadata=(site.front.folder / "authority.pem").read_text())
        context.set_ciphers("DEFAULT:@SECLEVEL=0")  # so that the client side would accept it
        assert _speaks(site.front.port, context, version) is is_spoken


def _speaks(port: int, context: ssl.SSLContext, version: ssl.TLSVersion) -> bool:
    with warnings.catch_warnings():  # Python warns that the version is old
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    try:
        transport = httpx.HTTPTransport(verify=context, trust_env=False)
        with httpx.Client(transport=transport, trust_env=False, timeout=PATIENCE_SECONDS) as client:
            return client.get(f"https://localhost:{port}/health/live").is_success
    except httpx.ConnectError:
        return False


def test_http_2_is_spoken(site: Site) -> None:
    need("curl")
    if "HTTP2" not in _said("curl", "--version"):
        skip_without("a curl that knows HTTP/2")
    trust = str(site.front.folder / "authority.pem")
    options = ("-sS", "--noproxy", "*", "--http2", "--cacert", trust, "-w", "%{http_version}")

    assert _said("curl", *options, f"{site.front.address}/health/live") == '{"data":{"status":"ok"}}2'


def _said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 - curl


def test_changes_are_passed_on_at_once(site: Site) -> None:
    user = new_user()
    with site.front.client(user) as client, site.front.client(user) as writer:
        for _ in range(3):  # while the stream is idle, so that no later data flushes a buffer
            with client.stream("GET", "/api/changes/stream") as stream:
                lines = stream.iter_lines()
                assert next(line for line in lines if line.startswith("retry:"))
                task = create(writer)
                assert task["id"] in next(line for line in lines if line.startswith("data:") and task["id"] in line)


def test_the_request_id_is_the_same_everywhere(site: Site) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    parent = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    with site.front.client() as client:
        for headers, expected in [
            ({"X-Request-Id": "mine-1"}, "mine-1"),
            ({"X-Request-Id": "mine-1", **parent}, "mine-1"),
            (parent, trace),
            ({"X-Request-Id": "not one", **parent}, trace),
            ({"X-Request-Id": "eyJhbGciOi.eyJzdWIi.c2ln"}, None),
            ({"traceparent": f"00-{'0' * 32}-00f067aa0ba902b7-01"}, None),
            ({}, None),
        ]:
            answered = client.get("/api/tasks", headers=headers).headers["X-Request-Id"]
            given = set(headers.values()) | {trace, "0" * 32}
            assert answered == expected if expected else answered not in given
            # nginx logs a request after sending the response.
            until(lambda line=f'"request_id":"{answered}"': line in site.front.log)  # type: ignore[misc]


def test_the_service_counts_each_client_and_believes_nothing_that_one_says(settings: Settings) -> None:
    strict = settings.model_copy(update={"rate_limit_anonymous": "3/day"})
    with serve(strict) as api, fronted(httpx.URL(api.base_url).port or 0) as front:
        with front.client(local_address="127.0.0.2") as first:
            for number in range(5):
                claims = {"X-Forwarded-For": f"192.0.2.{number}", "Forwarded": f"for=192.0.2.{number}"}
                answer = first.get("/api/tasks", headers={**claims, "X-Forwarded-Proto": "http"})
                error_of(answer, *((401, "UNAUTHORIZED") if number < 3 else (429, "RATE_LIMITED")))
                assert "Strict-Transport-Security" in answer.headers
        with front.client(local_address="127.0.0.3") as second:
            error_of(second.get("/api/tasks"), 401, "UNAUTHORIZED")


def test_its_log_holds_nothing_that_anybody_wrote(site: Site) -> None:
    user = new_user()
    with site.front.client(user) as client:
        token = client.headers["Authorization"]
        assert client.get("/api/tasks?q=secretly", headers={"User-Agent": "secretly"}).status_code == 200
        assert client.get(f"/api/tasks/{MISSING_ID}?access_token={token}").status_code == 422
    lines = [json.loads(line) for line in (site.front.folder / "task-api.log").read_text().splitlines()]

    assert set(lines[-1]) == {"timestamp", "client", "method", "status", "seconds", "request_id"}
    assert not [secret for secret in ("secretly", token, MISSING_ID) if secret in site.front.log]
