"""Pages on other origins in a real browser: a configured origin can read every response, others none."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator

import pytest

from backend.config import Settings
from backend.identity.jwt import issue_token
from tests.fixtures.browsers.chromium import Watched
from tests.fixtures.browsers.pages import FRAMED, Answer, Frontend, website
from tests.fixtures.calls.access_tokens import READ, TOKENS, wanted
from tests.fixtures.calls.api import API, new_user, serve
from tests.fixtures.calls.erasure import erasure_of, subject_of
from tests.fixtures.calls.tasks import MISSING_ID
from tests.fixtures.http.rates import begin_in_one_day
from tests.fixtures.identity.tokens import SECRET
from tests.fixtures.running.waiting import until
from tests.fixtures.telemetry.logs import events

NAMED = "app.example.com"
CREDENTIALS = ["same-origin", "include"]
EVERYWHERE = {"content-type", "x-request-id", "ratelimit", "ratelimit-policy"}
REQUESTS_A_DAY = 2


def a_defect() -> None:
    raise AssertionError("a defect, made for this test")


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The port of the website that may call the service."""
    with website() as port:
        yield port


@pytest.fixture(scope="module")
def configured(settings: Settings, port: int) -> Settings:
    """Settings with the website's origin: by address, and by name."""
    return settings.model_copy(update={"cors_origins": (f"http://127.0.0.1:{port}", f"http://{NAMED}:{port}")})


@pytest.fixture(scope="module")
def service(configured: Settings) -> Iterator[API]:
    """The service, with an endpoint that fails."""
    with serve(configured) as api:
        api.app.add_api_route("/api/defect", a_defect)
        yield api


def frontend(visit: Watched, service: API, page: str, credentials: str = "same-origin") -> Frontend:
    """Open a page of a user who has signed in."""
    visit.page.goto(page)
    token = issue_token(SECRET, new_user(), ttl_seconds=600)
    return Frontend(visit.page, service.base_url, token, credentials)


def reads(answer: Answer, status: int, *headers: str) -> Answer:
    """Check the response's status, and that the page can read these headers in addition to the common ones."""
    assert answer.status == status, answer
    missing = (EVERYWHERE - ({"content-type"} if status in {204, 304} else set())).union(
        headers
    ) - answer.headers.keys()
    assert not missing, answer
    return answer


@pytest.mark.requirement("FR-202")
@pytest.mark.parametrize("credentials", CREDENTIALS)
@pytest.mark.parametrize("name", ["127.0.0.1", NAMED])
def test_a_page_of_a_configured_origin_lives_with_tasks(
    visit: Watched, service: API, port: int, name: str, credentials: str
) -> None:
    page = frontend(visit, service, f"http://{name}:{port}/", credentials)
    once = {"Idempotency_Key": str(uuid.uuid4())}

    created = reads(page.call("POST", "/api/tasks", {"title": "a"}, **once), 201, "etag", "location")
    again = reads(page.call("POST", "/api/tasks", {"title": "a"}, **once), 201, "idempotency-replayed")
    assert (again.headers["idempotency-replayed"], again.text) == ("true", created.text)
    path = created.headers["location"]
    edited = page.call("PUT", path, {"title": "b"}, If_Match=created.headers["etag"])
    assert reads(edited, 200, "etag").json["data"]["title"] == "b"
    reads(page.call("GET", path, If_None_Match=edited.headers["etag"]), 304, "etag")
    reads(page.call("POST", "/api/tasks", {"title": "c"}), 201)
    listed = reads(page.call("GET", "/api/tasks?limit=1"), 200, "etag", "link")
    assert 'rel="next"' in listed.headers["link"]
    reads(page.call("GET", "/api/me/export"), 200, "content-disposition")
    reads(page.call("DELETE", path), 204)


@pytest.mark.requirement("FR-202")
def test_the_browser_asks_before_an_edit(
    visit: Watched, service: API, port: int, caplog: pytest.LogCaptureFixture
) -> None:
    page = frontend(visit, service, f"http://127.0.0.1:{port}/")
    path = page.call("POST", "/api/tasks", {"title": "a"}).headers["location"]
    caplog.set_level(logging.INFO, "backend")

    reads(page.call("PUT", path, {"title": "b"}, If_Match="*"), 200)

    def methods() -> list[str]:
        """List the methods of this call: the line of the one before may be written only now."""
        return [line["method"] for line in events(caplog, "request") if line["route"] == "/api/tasks/{task_id}"]

    until(lambda: len(methods()) >= 2)  # a line is written after its answer
    assert methods() == ["OPTIONS", "PUT"]


@pytest.mark.requirement("FR-202")
@pytest.mark.parametrize("credentials", CREDENTIALS)
def test_a_page_of_a_configured_origin_reads_every_error(
    visit: Watched, service: API, port: int, credentials: str
) -> None:
    page = frontend(visit, service, f"http://127.0.0.1:{port}/", credentials)
    path = page.call("POST", "/api/tasks", {"title": "a"}).headers["location"]
    script = page.call("POST", TOKENS, wanted(READ)).json["data"]["token"]

    for status, code, headers, answer in [
        (401, "UNAUTHORIZED", ["www-authenticate"], page.call("GET", "/api/tasks", Authorization="")),
        (401, "UNAUTHORIZED", ["www-authenticate"], page.call("DELETE", path, Authorization="Bearer nonsense")),
        (403, "FORBIDDEN", ["www-authenticate"], page.call("DELETE", path, Authorization=f"Bearer {script}")),
        (404, "NOT_FOUND", [], page.call("GET", f"/api/tasks/{MISSING_ID}")),
        (412, "PRECONDITION_FAILED", ["etag"], page.call("PUT", path, {"title": "b"}, If_Match='"0"')),
        (422, "VALIDATION_ERROR", [], page.call("POST", "/api/tasks", {"title": ""})),
        (500, "INTERNAL_ERROR", [], page.call("GET", "/api/defect")),
    ]:
        error = reads(answer, status, *headers).json["error"]
        assert (error["code"], error["request_id"]) == (code, answer.headers["x-request-id"])


@pytest.mark.requirement("FR-202")
def test_a_page_of_a_configured_origin_reads_how_long_to_wait(visit: Watched, configured: Settings, port: int) -> None:
    begin_in_one_day()
    with serve(configured.model_copy(update={"rate_limit": f"{REQUESTS_A_DAY}/day"})) as service:
        page = frontend(visit, service, f"http://127.0.0.1:{port}/")
        for _ in range(REQUESTS_A_DAY):  # the browser's preflights are not counted
            reads(page.call("PUT", f"/api/tasks/{MISSING_ID}", {"title": "a"}), 404)

        refused = reads(page.call("PUT", f"/api/tasks/{MISSING_ID}", {"title": "a"}), 429, "retry-after")

    assert int(refused.headers["retry-after"]) > 0
    assert refused.headers["ratelimit"].startswith('"user";r=0;')


def sees_nothing(page: Frontend, service: API, caplog: pytest.LogCaptureFixture) -> None:
    """Check that a page can read no response, and that requests needing a preflight are not sent."""
    caplog.set_level(logging.INFO, "backend")
    for method, path, body in [
        ("POST", "/api/tasks", {"title": "a"}),
        ("GET", "/api/tasks", None),
        ("PUT", f"/api/tasks/{MISSING_ID}", {"title": "a"}),
        ("DELETE", erasure_of(subject_of(page.token)), None),
    ]:
        assert page.call(method, path, body).status == 0, (method, path)
    until(lambda: events(caplog, "request"))
    assert {line["method"] for line in events(caplog, "request")} == {"OPTIONS"}
    # These are sent, as form submissions are; but no page can read the response.
    assert page.call("GET", "/health/live", Authorization="").status == 0
    assert page.call("POST", "/api/tasks", {"title": "a"}, Authorization="", Content_Type="text/plain").status == 0

    with service.client() as client:
        client.headers["Authorization"] = f"Bearer {page.token}"
        assert client.get("/api/tasks").json()["data"] == []


@pytest.fixture(params=[
    "http://frontend.example:{port}",
    "http://127.0.0.1:{other_port}",
    "http://localhost:{port}",
    "http://my-app.example.com:{port}",
    "http://www.app.example.com:{port}",
    "http://app.example.com.example:{port}",
])  # fmt: skip
def other_origin(request: pytest.FixtureRequest, port: int) -> Iterator[str]:
    """An origin that is not configured, with its website."""
    with website() as other_port:
        yield request.param.format(port=port, other_port=other_port)


@pytest.mark.requirement("FR-203")
@pytest.mark.parametrize("credentials", CREDENTIALS)
def test_a_page_of_another_origin_sees_nothing(
    visit: Watched, service: API, other_origin: str, credentials: str, caplog: pytest.LogCaptureFixture
) -> None:
    page = frontend(visit, service, other_origin, credentials)

    sees_nothing(page, service, caplog)


@pytest.mark.requirement("FR-203")
def test_a_page_without_an_origin_sees_nothing(
    visit: Watched, service: API, port: int, caplog: pytest.LogCaptureFixture
) -> None:
    page = frontend(visit, service, f"http://127.0.0.1:{port}/")
    framed = visit.page.frame(url=f"**{FRAMED}")
    assert framed is not None
    assert framed.evaluate("origin") == "null"

    sees_nothing(Frontend(framed, page.address, page.token), service, caplog)
