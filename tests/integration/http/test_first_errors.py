"""Beginners' mistakes with the API: each response says what happened and what to do."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import httpx
import pytest

from backend.api.http.other_services import same_here
from backend.config import Settings
from backend.identity.jwt import issue_token
from tests.fixtures.calls.api import API, new_user, serve
from tests.fixtures.calls.tasks import JSON, MISSING_ID, create, error_of, path_of
from tests.fixtures.documents.contract import operations
from tests.fixtures.identity.tokens import SECRET, USER, claims, hmac_token, rsa_pair

pytestmark = pytest.mark.requirement("FR-230")

ISSUER, AUDIENCE = "https://sign-in.example.com", "https://tasks.example.com"
OTHER_SECRET = "the-secret-of-another-folder-that-is-long-enough"  # noqa: S105 - it protects nothing


@pytest.fixture(scope="module")
def careful(settings: Settings) -> Iterator[API]:
    """A service that checks issuer and audience, and has low limits."""
    little = {"jwt_issuer": ISSUER, "jwt_audience": (AUDIENCE,), "rate_limit": "9/day", "max_body_bytes": 2000}
    with serve(settings.model_copy(update=little)) as running:
        yield running


def good(user_id: str = USER) -> str:
    return issue_token(SECRET, user_id, ttl_seconds=60, issuer=ISSUER, audience=AUDIENCE)


def token(**changes: object) -> str:
    return hmac_token(SECRET, {**claims(iss=ISSUER, aud=AUDIENCE), **changes})


def said(response: httpx.Response, status: int, *words: str) -> str:
    """Check the status, and that the message and the details contain all of these texts; returns them."""
    assert response.status_code == status, response.text
    error = response.json()["error"]
    text = " ".join([error["message"], *(detail["message"] for detail in error["details"])])
    assert [word for word in words if word not in text] == [], text
    return text


UNQUOTED = "without quotes and without a second Bearer"
IN_DEVELOPMENT = "development, task-api token prints"


@pytest.mark.parametrize(
    ("header", "happened", "to_do"),
    [
        (None, "has no token", "Send one in the header Authorization: Bearer TOKEN."),
        ("{}", "has no bearer token", "the word Bearer, a space and the token"),
        ("Bearer: {}", "has no bearer token", "the word Bearer, a space and the token"),
        ("Token {}", "has no bearer token", "the word Bearer, a space and the token"),
        ("Bearer", "has no bearer token", "the word Bearer, a space and the token"),
        ('Bearer "{}"', "not a JSON Web Token", UNQUOTED),
        ("Bearer <{}>", "not a JSON Web Token", UNQUOTED),
        ("Bearer Bearer {}", "not a JSON Web Token", UNQUOTED),
        ("Bearer undefined", "not a JSON Web Token", "Send it complete"),
        ("Bearer {}", "", ""),
    ],
)
def test_a_header_that_is_typed_wrongly(careful: API, header: str | None, happened: str, to_do: str) -> None:
    headers = {} if header is None else {"Authorization": header.format(good())}
    with careful.client(**headers) as client:
        answer = client.get("/api/me")

    if happened:
        text = said(answer, 401, happened, to_do)
        assert "eyJ" not in text
    else:
        assert answer.status_code == 200


@pytest.mark.parametrize(
    ("made", "happened", "to_do"),
    [
        (lambda: token(exp=time.time() - 1), "has expired", ("Sign in again", IN_DEVELOPMENT)),
        (lambda: token(iat=time.time() + 600), "not valid yet", ("Wait", "clocks")),
        (
            lambda: token(iss="https://marker.example"),
            "issuer is not accepted",
            ("accepts only tokens whose iss", "JWT_ISSUER"),
        ),
        (
            lambda: token(aud="marker"),
            "not issued for this audience",
            ("accepts only tokens whose aud", "JWT_AUDIENCE"),
        ),
        (lambda: token(sub=5), "has no valid user id (sub)", ("Configure its issuer",)),
        (
            lambda: hmac_token(OTHER_SECRET, claims(iss=ISSUER, aud=AUDIENCE)),
            "signature is not valid",
            (IN_DEVELOPMENT, "DATA_DIR"),
        ),
        (lambda: rsa_pair().token(claims()), "algorithm is not accepted", ("issuer that this service trusts",)),
        (lambda: token()[:-3], "signature is not valid", ("Send a complete token",)),
    ],
    ids=["expired", "early", "issuer", "audience", "user", "secret", "algorithm", "cut"],
)
def test_a_token_that_does_not_count(careful: API, made: object, happened: str, to_do: tuple[str, ...]) -> None:
    assert callable(made)
    with careful.client(Authorization=f"Bearer {made()}") as client:
        text = said(client.get("/api/me"), 401, happened, *to_do)

    assert "marker" not in text
    assert ISSUER not in text
    assert AUDIENCE not in text


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", ""])
def test_a_body_of_another_kind(client: httpx.Client, kind: str) -> None:
    headers = {"Content-Type": kind} if kind else {}

    answer = client.post("/api/tasks", content='{"title": "a"}', headers=headers)

    said(answer, 415, "not declared as JSON", "the header Content-Type: application/json")


@pytest.mark.parametrize(
    ("body", "happened", "to_do"),
    [
        ("{'title': 'marker'}", "not valid JSON", "check that nothing is cut off; see line 1, column 2"),
        ('{"title": "marker",\n"completed": true', "not valid JSON", "nothing is cut off; see line 2, column 18"),
        ('{"title": NaN}', "not valid JSON", "double quotes"),
        ("[]", "must be a JSON object", ""),
        ("", "is required", "send it"),
        ("{}", "is required", "send it"),
        ('{"title": "a", "titel": "marker"}', "There is no field `titel`", "did you mean `title`?"),
        ('{"title": "a", "completed": "marker"}', "Must be true or false", ""),
    ],
)
def test_a_body_that_is_typed_wrongly(client: httpx.Client, body: str, happened: str, to_do: str) -> None:
    text = said(client.post("/api/tasks", content=body, headers=JSON), 422, happened, to_do)

    assert "marker" not in text


@pytest.mark.parametrize(
    ("path", "happened", "to_do"),
    [
        ("/api/tasks?lmit=5", "There is no parameter `lmit`", "did you mean `limit`?"),
        ("/api/me?verbose=1", "This call has no query parameters", "leave them out"),
    ],
)
def test_an_unknown_parameter(client: httpx.Client, path: str, happened: str, to_do: str) -> None:
    said(client.get(path), 422, happened, to_do)


@pytest.mark.parametrize("path", ["/api/notes", "/v2", "/health", "/api"])
def test_an_address_that_is_none(client: httpx.Client, path: str) -> None:
    said(client.get(path), 404, "nothing at this path", "See /docs for all paths")


@pytest.mark.requirement("FR-315")
@pytest.mark.parametrize(
    ("path", "meant"),
    [
        *((path, "/api/tasks") for path in ("/api/tasks//", "/tasks", "/api/task", "/api/v1/tasks", "/API/Tasks")),
        (f"/tasks/{MISSING_ID}", "/api/tasks/{task_id}"),
        (f"/api/task/{MISSING_ID}", "/api/tasks/{task_id}"),
        (f"/api/tasks/{MISSING_ID}/completed", "/api/tasks/{task_id}/complete"),
        (f"/v1/me/token/{MISSING_ID}", "/api/me/tokens/{token_id}"),
        ("/task/batch", "/api/tasks/batch"),
        ("/health/live/", "/health/live"),
    ],
)
def test_an_address_that_is_nearly_one_of_ours(client: httpx.Client, path: str, meant: str) -> None:
    for method in ("GET", "POST"):
        error = error_of(client.request(method, path), 404, "NOT_FOUND")

        assert error["message"] == f"Not found; did you mean {meant}?"
        assert error["details"] == []


@pytest.mark.requirement("FR-440")
@pytest.mark.parametrize(
    ("path", "said_of_it"),
    [
        *(
            (f"/api/tasks/{MISSING_ID}/{each}", "did you mean /api/tasks/{task_id}/complete?")
            for each in ("toggle", "toggle-complete", "toggle_complete", "complete-toggle", "done", "uncomplete")
        ),
        ("/api/tasks/search", "GET /api/tasks?q=WORDS"),
        ("/api/tasks/search?q=milk&page=2", "GET /api/tasks?q=WORDS"),
        ("/api/search", "GET /api/tasks?q=WORDS"),
        ("/api/tasks/stats", "GET /api/tasks?include_counts=true"),
        ("/api/stats", "GET /api/tasks?include_counts=true"),
        ("/api/tasks/tags", "did you mean /api/labels?"),
        ("/api/tags", "did you mean /api/labels?"),
        ("/api/projects", "did you mean /api/lists?"),
        ("/api/tasks/done", "GET /api/tasks?status=done"),
        ("/api/tasks/pending", "GET /api/tasks?status=pending"),
        ("/api/tasks/overdue", "GET /api/tasks?overdue=true"),
        ("/api/tasks/today", "due_before=DAY"),
        ("/api/tasks/trash", "GET /api/tasks?deleted=true"),
        ("/api/trash", "GET /api/tasks?deleted=true"),
        ("/api/tasks/bulk", "did you mean /api/tasks/batch?"),
        ("/api/tasks/bulk-delete", "did you mean /api/tasks/batch?"),
        (f"/api/lists/{MISSING_ID}/tasks", "GET /api/tasks?list_id=ID"),
        ("/api/users/me", "did you mean /api/me?"),
        ("/api/todos", "did you mean /api/tasks?"),
        ("/api/v1/Todos/", "did you mean /api/tasks?"),
        ("/api/todos/7", "did you mean /api/tasks/{task_id}?"),
        *(
            (path, "did you mean /api/tasks? The token says whose tasks they are.")
            for path in ("/api/users/7/tasks", "/api/alice/tasks", "/api/alice/tasks/7", "/api/user/7/tasks/8/complete")
        ),
    ],
)
def test_an_address_of_other_services(client: httpx.Client, path: str, said_of_it: str) -> None:
    error = error_of(client.get(path), 404, "NOT_FOUND")

    assert error["message"].startswith("Not found; ")
    assert said_of_it in error["message"]
    assert error["details"] == []


@pytest.mark.requirement("FR-440")
def test_no_address_of_ours_is_taken_for_one_of_other_services() -> None:
    for operation in operations().values():
        assert same_here(operation.address(MISSING_ID)) is None, operation.path


@pytest.mark.requirement("FR-440")
def test_a_day_that_there_is_not_is_no_time(client: httpx.Client) -> None:
    for day, is_time in (("2026-02-30", False), ("2026-02-03T10:00:00Z", True)):
        error = error_of(client.post("/api/tasks", json={"title": "a", "due_date": day}), 422, "VALIDATION_ERROR")
        assert ("due_at" in error["message"]) is is_time


@pytest.mark.requirement("FR-440")
def test_words_that_belong_elsewhere(client: httpx.Client) -> None:
    for body, words in [
        (
            {"title": "a", "due_date": "2026-11-21T09:30:00Z"},
            "due_date: Must be a calendar day, like 2026-11-21; a time belongs into due_at",
        ),
        ({"title": "a", "status": "completed"}, "did you mean done?"),
        ({"title": "a", "status": "in-progress"}, "did you mean in_progress?"),
        ({"title": "a", "status": "canceled"}, "did you mean cancelled?"),
        ({"title": "a", "priority": "urgent"}, "did you mean high?"),
        ({"title": "a", "due_at": "2026-11-21T09:30:00Z", "timezone": "Etc/GMT 5"}, "send %2B instead"),
    ]:
        said(client.post("/api/tasks", json=body), 422, words)
    said(client.get("/api/tasks?overdue=true&timezone=Etc/GMT+5"), 422, "In a URL, + means a space: send %2B instead")


@pytest.mark.requirement("FR-441")
def test_a_weak_tag_in_if_match(client: httpx.Client) -> None:
    answer = client.post("/api/tasks", json={"title": "a"})
    path, tag = path_of(answer.json()["data"]), answer.headers["ETag"]

    said(client.patch(path, json={}, headers={"If-Match": f"W/{tag}"}), 412, "A weak tag (W/) never matches", "proxy")
    assert "weak" not in client.patch(path, json={}, headers={"If-Match": '"0"'}).text
    assert client.patch(path, json={}, headers={"If-Match": f"W/{tag}, {tag}"}).status_code == 200


def test_a_wrong_method(client: httpx.Client) -> None:
    answer = client.put("/api/tasks", json={"title": "a"})

    said(answer, 405, "does not support this method", "The Allow header lists those that it supports")
    assert answer.headers["Allow"] == "GET, HEAD, POST"


def test_a_task_that_is_not_there_or_not_as_expected(client: httpx.Client) -> None:
    path = path_of(create(client, "marker"))

    said(client.get(f"{path}0"), 404, "Task not found", "Check the id", "if the task was deleted, restore it")
    said(client.patch(path, json={}, headers={"If-Match": "42"}), 400, "If-Match", 'in double quotes, like "42"')
    said(
        client.patch(path, json={}, headers={"If-Match": '"42"'}),
        412,
        "not in the state that your request expects",
        "See data",
    )


def test_what_is_too_much(careful: API) -> None:
    alone = good(new_user())  # tests share a database, and it counts the requests of each user
    with careful.client(Authorization=f"Bearer {alone}") as client:
        said(client.post("/api/tasks", json={"title": "a" * 3000}), 413, "too large", "Send less")
        answers = [client.get("/api/me") for _ in range(10)]
    seconds = answers[-1].headers["Retry-After"]
    said(answers[-1], 429, f"Too many requests. Try again in {seconds} seconds.")
    assert int(seconds) > 0


@pytest.mark.parametrize(
    ("method", "address", "body", "words"),
    [
        ("POST", "", {"title": "a", "completed": "true"}, "Must be true or false; in JSON, without quotes"),
        ("POST", "", {"title": "a", "labels": "home"}, "Must be an array, in square brackets"),
        ("POST", "", {"title": 7}, "Must be a text; in JSON, in double quotes"),
        ("POST", "", {"title": "a" * 501}, "Must have at most 500 characters"),
        ("POST", "", {"title": "a", "status": "over"}, "Must be one of: todo, in_progress, done, cancelled"),
        ("POST", "", {"title": "a", "tags": ["home"]}, "did you mean `labels`?"),
        ("POST", "/batch", {"operations": "all"}, "Must be an array"),
        (
            "POST",
            "/batch",
            {"operations": [{"op": "delete", "id": MISSING_ID}] * 101},
            "Must have at most 100 items, not",
        ),
        ("POST", "/batch", {"operations": [{"op": "delete", "ref": "a b"}]}, "Must match pattern"),
        ("GET", "?limit=0", None, "Must be greater than or equal to 1"),
        ("GET", "?limit=9999999999", None, "Must be a whole number of at most 9 plain digits"),
        ("GET", "?due_before=tomorrow", None, "Must be a day, like 2026-11-21, or a time, like"),
    ],
)
def test_a_value_of_the_wrong_kind(client: httpx.Client, method: str, address: str, body: object, words: str) -> None:
    text = said(client.request(method, f"/api/tasks{address}", json=body), 422, words)
    assert not re.search(r"\b(Input|String|List) should|validation, not", text)
