"""Clients that know nothing of tags, keys and filters: the six calls respond to them as they always did."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.fixtures.calls.tasks import MISSING_ID

EVERY_ANSWER = {
    "date",
    "vary",
    "x-request-id",
    "ratelimit",
    "ratelimit-policy",
    "cache-control",
    "content-security-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "referrer-policy",
    "x-content-type-options",
    "x-frame-options",
}
JSON_ANSWER = EVERY_ANSWER | {"content-type", "content-length"}
TASK = [
    *("id", "user_id", "title", "description", "completed", "completed_at", "created_at", "updated_at", "revision"),
    *(
        "status",
        "due_date",
        "due_at",
        "start_date",
        "start_at",
        "timezone",
        "priority",
        "labels",
        "list_id",
        "position",
        "parent_id",
    ),
]
ERROR = ["code", "message", "request_id", "details", "documentation"]

PATH = f"/api/tasks/{MISSING_ID}"
NEW = {"title": "Buy milk", "id": MISSING_ID}


def _keys(value: object) -> list[str]:
    return list(value) if isinstance(value, dict) else []


@pytest.mark.requirement("FR-151")
def test_the_six_calls_answer_these_statuses_headers_and_keys_in_this_order(client: httpx.Client) -> None:
    tagged, located = JSON_ANSWER | {"etag"}, JSON_ANSWER | {"etag", "location"}
    calls: list[tuple[str, str, Any, int, set[str]]] = [
        ("POST", "/api/tasks", NEW, 201, located),
        ("GET", PATH, None, 200, tagged),
        ("HEAD", PATH, None, 200, tagged),
        ("PUT", PATH, {"title": "b"}, 200, tagged),
        ("PUT", PATH, {"title": "b"}, 200, tagged),
        ("PATCH", PATH, {"description": "b"}, 200, tagged),
        ("PATCH", f"{PATH}/complete", None, 200, tagged),
        ("PATCH", f"{PATH}/complete", {"completed": True}, 200, tagged),
        ("PUT", PATH, {"title": ""}, 422, JSON_ANSWER),
        ("POST", "/api/tasks", {**NEW, "title": "c"}, 409, JSON_ANSWER),
        ("DELETE", PATH, None, 204, EVERY_ANSWER),
        ("DELETE", PATH, None, 404, JSON_ANSWER),
        ("GET", PATH, None, 404, JSON_ANSWER),
        ("PATCH", f"{PATH}/complete", None, 404, JSON_ANSWER),
        ("POST", "/api/tasks", NEW, 409, JSON_ANSWER),
    ]
    for method, path, body, status, headers in calls:
        response = client.request(method, path, json=body)

        assert (response.status_code, response.headers.keys() | set()) == (status, headers), (method, path)
        if method == "HEAD" or status == 204:
            assert response.content == b""
            continue
        (name, content), *more = response.json().items()
        assert more == ([("detail", content["message"])] if name == "error" else [])
        assert (name, _keys(content)) == (("data", TASK) if status < 300 else ("error", ERROR))
        assert response.text.startswith(f'{{"{name}":{{"{_keys(content)[0]}":"')  # compact, as ever
        assert response.headers["Cache-Control"] == "no-store"
        if "etag" in headers:
            assert response.headers["ETag"] == f'"{content["revision"]}"'


@pytest.mark.requirement("FR-151")
def test_a_listing_gained_headers_and_a_sync_token_and_nothing_else(client: httpx.Client) -> None:
    for number in range(3):
        assert client.post("/api/tasks", json={"title": str(number)}).status_code == 201

    for query, has_more, limit in [("", False, 1000), ("?limit=2", True, 2)]:
        response = client.get(f"/api/tasks{query}")

        assert (response.status_code, response.headers.keys() | set()) == (200, JSON_ANSWER | {"etag", "link"})
        answer = response.json()
        assert list(answer) == ["data", "page"]
        assert [task["title"] for task in answer["data"]] == ["2", "1", "0"][:limit]
        assert all(list(task) == TASK for task in answer["data"])
        assert list(answer["page"]) == ["limit", "has_more", "next_cursor", "since"]
        assert (answer["page"]["limit"], answer["page"]["has_more"]) == (limit, has_more)
        assert isinstance(answer["page"]["next_cursor"], str) == has_more


@pytest.mark.requirement("FR-151")
@pytest.mark.parametrize("method", ["POST", "GET", "PUT", "PATCH", "DELETE"])
def test_headers_that_a_call_does_not_know_are_passed_over_as_they_were(client: httpx.Client, method: str) -> None:
    # What libraries and proxies add on their own, and what only other calls use.
    added = {"If-Modified-Since": "x", "If-Unmodified-Since": "x", "If-Range": "x", "Range": "bytes=0-1"}
    listened = {"POST": {"If-Match"}, "GET": {"If-Match", "Idempotency-Key"}}
    ignored = listened.get(method, {"If-None-Match", "Idempotency-Key"})
    assert client.post("/api/tasks", json=NEW).status_code == 201

    response = client.request(
        method,
        "/api/tasks" if method == "POST" else PATH,
        json=None if method in {"GET", "DELETE"} else {"title": "b"},
        headers={**added, **dict.fromkeys(ignored, '"7')},
    )

    assert response.status_code == {"POST": 201, "DELETE": 204}.get(method, 200)
