"""A page's other parts: cursor, total, links, tag, and its maximum size."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from backend.services.tasks.listing_queries import MAX_BYTES
from tests.fixtures.calls.erasure import erase
from tests.fixtures.calls.feed import sync_token
from tests.fixtures.calls.listing import pages, store_tasks, titles
from tests.fixtures.calls.tasks import create, error_of, path_of
from tests.fixtures.postgres.database import execute

PAGE = ["limit", "has_more", "next_cursor", "since"]
LINK = re.compile(r'<([^<>"]*)>; rel="(\w+)"')


def links(response: httpx.Response) -> dict[str, str]:
    """Return the URLs of the response's links, by relation."""
    header = response.headers["Link"]
    assert header.isascii()
    found = {name: address for address, name in LINK.findall(header)}
    assert ", ".join(f'<{address}>; rel="{name}"' for name, address in found.items()) == header
    return found


@pytest.mark.requirement("FR-131")
def test_a_cursor_of_another_listing_is_refused_and_says_so(client: httpx.Client) -> None:
    for number in range(3):
        create(client, f"milk {number}")
    query: dict[str, Any] = {"limit": 1, "q": "milk", "completed": "false", "created_after": "2020-01-01T00:00:00Z"}
    cursor = client.get("/api/tasks", params=query).json()["page"]["next_cursor"]
    others: list[dict[str, Any]] = [
        {"sort": "created_at"}, {"sort": "title"}, {"q": "mil"}, {"completed": "true"}, {"deleted": "true"},
        {"created_after": "2020-01-01T00:00:01Z"}, {"updated_before": "2099-01-01T00:00:00Z"},
    ]  # fmt: skip

    for other in [*others, {"completed": None}]:
        changed = {name: value for name, value in {**query, **other, "cursor": cursor}.items() if value is not None}
        (detail,) = error_of(client.get("/api/tasks", params=changed), 400, "BAD_REQUEST")["details"]
        assert (detail["field"], detail["code"]) == ("query.cursor", "cursor_of_another_list")
        assert "another sort or other filters" in detail["message"]
    # Equivalent parameters, and those that are no filters, may change.
    for same in ({"limit": 2}, {"include_total": "true"}, {"created_after": "2020-01-01T01:00:00+01:00"}):
        response = client.get("/api/tasks", params={**query, **same, "cursor": cursor})
        assert response.json()["data"][0]["title"] == "milk 1"


@pytest.mark.requirement("FR-132", "FR-151")
def test_the_total_counts_what_fits_whatever_the_page(client: httpx.Client, stranger: httpx.Client) -> None:
    create(stranger)
    for number in range(5):
        create(client, str(number), completed=number < 3)

    first = client.get("/api/tasks?limit=2&completed=true&include_total=true").json()["page"]
    assert list(first) == [*PAGE, "total"]
    assert first["total"] == 3
    query = {"limit": 2, "completed": "true", "include_total": "true", "cursor": first["next_cursor"]}
    assert client.get("/api/tasks", params=query).json()["page"]["total"] == 3
    assert client.get("/api/tasks?include_total=true&q=nothing").json()["page"]["total"] == 0
    for query_string in ("", "?include_total=false"):
        assert list(client.get(f"/api/tasks{query_string}").json()["page"]) == PAGE


@pytest.mark.requirement("FR-133")
def test_links_lead_from_page_to_page(client: httpx.Client) -> None:
    for number in range(5):
        create(client, str(number))
    response = client.get("/api/tasks?limit=2&sort=title")
    seen = [response.json()["data"]]
    assert links(response)["first"] == "/api/tasks?limit=2&sort=title"

    while "next" in links(response):
        assert (
            dict(parse_qsl(urlsplit(links(response)["next"]).query))["cursor"] == response.json()["page"]["next_cursor"]
        )
        response = client.get(links(response)["next"])
        assert links(response)["first"] == "/api/tasks?limit=2&sort=title"
        seen.append(response.json()["data"])

    assert [[task["title"] for task in page] for page in seen] == [["0", "1"], ["2", "3"], ["4"]]
    assert client.get(links(response)["first"]).json()["data"] == seen[0]
    assert links(client.get("/api/tasks")).keys() == {"first"}


@pytest.mark.requirement("FR-133")
@pytest.mark.parametrize(
    "q",
    ['a>; rel="evil", <//example.com', "a\r\nSet-Cookie: b=c", "牛奶 \U0001f36e", "a&limit=1000#b", 'a "b c" %41+',
     "\u2028a\x85", "%0d%0aa"],
)  # fmt: skip
def test_links_keep_whatever_is_searched_for(client: httpx.Client, q: str) -> None:
    for _ in range(2):
        create(client, q)

    response = client.get("/api/tasks", params={"q": q, "limit": 1})

    assert response.json()["page"]["has_more"]
    assert "Set-Cookie" not in response.headers
    assert dict(parse_qsl(urlsplit(links(response)["first"]).query)) == {"q": q, "limit": "1"}
    (task,) = client.get(links(response)["next"]).json()["data"]
    assert task["id"] != response.json()["data"][0]["id"]


@pytest.mark.requirement("FR-112", "FR-116")
def test_the_tag_is_another_after_each_change_and_the_same_until_then(
    client: httpx.Client, stranger: httpx.Client, user_id: str, database_url: str
) -> None:
    tags = [client.get("/api/tasks").headers["ETag"]]
    assert tags == ['"0"']

    def has_changed() -> bool:
        create(stranger)
        tags.append(client.get("/api/tasks").headers["ETag"])
        assert client.get("/api/tasks?limit=1&deleted=true&q=milk").headers["ETag"] == tags[-1]
        return tags.count(tags[-1]) == 1

    task = create(client)
    assert has_changed()
    client.patch(path_of(task), json={"title": "Buy bread"})
    assert has_changed()
    client.patch(path_of(task), json={"title": "Buy bread"})
    assert not has_changed()
    client.delete(path_of(task))
    assert has_changed()
    # As a purge does: the task is deleted, the user's revision stays.
    execute(database_url, "DELETE FROM tasks WHERE user_id = %s", user_id)
    execute(database_url, "UPDATE users SET task_count = 0 WHERE id = %s", user_id)
    assert has_changed()
    erase(client)
    assert client.get("/api/tasks").headers["ETag"] == '"0"'
    create(client)  # the first change, as before, in another account
    assert has_changed()


@pytest.mark.requirement("FR-116")
def test_a_listing_that_the_client_has_is_not_sent_again(client: httpx.Client) -> None:
    create(client)
    tag = client.get("/api/tasks").headers["ETag"]

    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        for query in ("", "?limit=1&include_total=true&q=milk&sort=title"):
            response = client.get(f"/api/tasks{query}", headers={"If-None-Match": known})
            assert (response.status_code, response.content) == (304, b"")
            assert response.headers["ETag"] == tag
    for other in ('"other"', '""', f'"{tag[1:-2]}"', '"ä"'):
        assert client.get("/api/tasks", headers=[(b"If-None-Match", other.encode("latin-1"))]).json()["data"]
    assert error_of(client.get("/api/tasks", headers={"If-None-Match": tag[1:-1]}), 400, "BAD_REQUEST")
    create(client)
    assert client.get("/api/tasks", headers={"If-None-Match": tag}).status_code == 200


@pytest.mark.requirement("FR-116")
def test_a_listing_of_a_user_without_tasks_has_a_tag_too(client: httpx.Client) -> None:
    for known in ('"0"', "*"):
        assert client.get("/api/tasks", headers={"If-None-Match": known}).status_code == 304
    assert client.head("/api/tasks").headers["ETag"] == '"0"'


@pytest.mark.requirement("FR-134", "FR-131")
def test_pages_of_the_longest_tasks_end_early(client: httpx.Client, user_id: str, database_url: str) -> None:
    # The longest text in JSON: six bytes for each character.
    longest = {"title": "\x01" * 500, "description": "\x01" * 10_000}
    store_tasks(database_url, user_id, [{**longest, "created_at": f"2026-01-01T00:{n:02}:00Z"} for n in range(50)] * 4)
    size = len(json.dumps(client.get("/api/tasks?limit=1").json()["data"][0], separators=(",", ":")))
    assert size > 60_000

    response = client.get("/api/tasks")
    found = pages(client)

    assert MAX_BYTES < len(response.content) < MAX_BYTES + size + 1000
    assert response.json()["page"]["has_more"]
    assert len({task["id"] for page in found for task in page}) == sum(map(len, found)) == 200
    assert {len(page) for page in found[:-1]} == {-(-MAX_BYTES // size)}


@pytest.mark.requirement("FR-134")
def test_a_page_that_is_exactly_full_has_no_more(client: httpx.Client, user_id: str, database_url: str) -> None:
    store_tasks(database_url, user_id, [{"title": "\x01" * 500, "description": "\x01" * 10_000}] * 70)

    assert [len(page) for page in pages(client)] == [67, 3]
    assert [len(page) for page in pages(client, limit=66)] == [66, 4]
    three = "(SELECT id FROM tasks WHERE user_id = %s LIMIT 3)"
    execute(database_url, f"DELETE FROM tasks WHERE user_id = %s AND id IN {three}", user_id, user_id)  # noqa: S608 - ours
    assert [len(page) for page in pages(client)] == [67]


@pytest.mark.requirement("FR-151")
def test_the_plain_listing_is_answered_as_before(client: httpx.Client) -> None:
    task = create(client, "Buy milk")

    body = client.get("/api/tasks").content.decode()

    page = f'"page":{{"limit":1000,"has_more":false,"next_cursor":null,"since":"{sync_token(1)}"}}'
    assert body == f'{{"data":[{json.dumps(task, separators=(",", ":"))}],{page}}}'
    assert titles(client) == ["Buy milk"]
