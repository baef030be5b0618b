"""Bad values for the query parameters of the list: the error names the parameter, and nothing changes."""

from __future__ import annotations

import base64
import hashlib

import httpx
import pytest

from backend.models.activity import ActivityQuery
from backend.models.task_query import TaskQuery
from tests.fixtures.calls.tasks import create, error_of, path_of
from tests.fixtures.inputs.hostile import BAD_QUERIES, MARK

BAD_CURSORS = ["x", "=", "====", "\x00", "null", MARK, MARK * 900, "A" * 40, "\u00e9", "../..", "' OR 1=1 --"]
LISTING_ID = TaskQuery().listing_id
TITLES_ID = TaskQuery.model_validate({"sort": "title"}).listing_id


@pytest.mark.requirement("FR-089", "FR-091", "FR-128", "FR-129", "FR-130", "FR-132", "FR-136")
@pytest.mark.parametrize("name", BAD_QUERIES)
def test_a_value_that_the_parameter_does_not_have_is_refused_under_its_name(client: httpx.Client, name: str) -> None:
    create(client)
    for value in BAD_QUERIES[name]:
        response = client.get("/api/tasks", params={name: value})

        details = error_of(response, 422, "VALIDATION_ERROR")["details"]
        assert {detail["field"] for detail in details} == {f"query.{name}"}, value
        assert MARK not in response.text
        assert len(value) < 20 or value not in response.text
    if name not in {"q", "labels", "labels_any"}:  # these may contain unreadable characters
        assert client.get(f"/api/tasks?{name}=%ff").status_code == 422


def forged(content: bytes) -> str:
    """Build a cursor with a correct checksum."""
    check = hashlib.blake2s(content, digest_size=6, person=b"tasks").digest()
    return base64.urlsafe_b64encode(content + check).decode().rstrip("=")


def time_of(microseconds: int) -> bytes:
    """Encode a time as in a cursor."""
    return microseconds.to_bytes(8, "big", signed=True)


@pytest.mark.requirement("FR-089", "FR-091", "FR-131")
def test_a_cursor_that_is_not_ours_is_refused(client: httpx.Client) -> None:
    create(client, "a task")
    year_10000 = 253402300800 * 10**6
    nobody = bytes(16)
    beyond = [forged(LISTING_ID + nobody + time_of(time)) for time in (year_10000, 2**63 - 1, -(2**63), -(10**17))]
    short = [forged(LISTING_ID + nobody + bytes(count)) for count in (0, 7, 9, 5000)]
    others = [forged(b""), forged(bytes(23)), forged(bytes(40)), forged(bytes(5000)), forged(LISTING_ID)]
    for value in [*BAD_CURSORS, *beyond, *short, *others]:
        response = client.get("/api/tasks", params={"cursor": value})

        assert error_of(response, 400, "BAD_REQUEST")["details"][0]["field"] == "query.cursor"
        assert MARK not in response.text
    for ending in (b"a\x00", b"\xff", b"\xed\xa0\x80", b"a" * 201):
        query = {"sort": "title", "cursor": forged(TITLES_ID + nobody + ending)}
        assert error_of(client.get("/api/tasks", params=query), 400, "BAD_REQUEST")
    # The smallest and largest times are valid positions: before everything, and after it.
    for time, titles in {-62135596800 * 10**6: [], 0: [], year_10000 - 1: ["a task"]}.items():
        page = client.get("/api/tasks", params={"cursor": forged(LISTING_ID + b"\xff" * 16 + time_of(time))})
        assert [each["title"] for each in page.json()["data"]] == titles
    for ending in (b"", b"'; DROP TABLE tasks; --", b"%s %(principal)s \\", "\U0010ffff".encode()):
        page = client.get("/api/tasks", params={"sort": "title", "cursor": forged(TITLES_ID + nobody + ending)})
        assert page.status_code == 200


@pytest.mark.requirement("FR-615")
def test_a_cursor_of_events_may_say_any_number(client: httpx.Client) -> None:
    task = create(client, "a task")
    for path in ("/api/activity", f"{path_of(task)}/activity"):
        for number, revisions in {0: [], 1: [], 2: [1], 2**63: [1], 2**128 - 1: [1]}.items():
            cursor = forged(ActivityQuery().listing_id + number.to_bytes(16, "big") + time_of(0))
            response = client.get(path, params={"cursor": cursor})
            assert response.status_code == 200, (path, number)
            assert [event["revision"] for event in response.json()["data"]] == revisions
