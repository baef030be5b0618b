"""The change feed: its content, its pages, and when it cannot be continued."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from backend.database.engine import Engine
from backend.models.values.sync_token import SyncToken
from backend.services.changes.service import MAX_PAGE_BYTES
from tests.fixtures.calls.api import API, new_user
from tests.fixtures.calls.erasure import erase
from tests.fixtures.calls.feed import Replica, living, purge, sync_token
from tests.fixtures.calls.tasks import Task, create, error_of, path_of, read, revision_of
from tests.fixtures.postgres.database import execute
from tests.fixtures.postgres.rival import rival
from tests.fixtures.postgres.tenant_statements import STATEMENTS, run_as_user

FEED = "/api/changes"
Json = dict[str, Any]


def feed(client: httpx.Client, **params: int | str) -> tuple[list[Task], Json]:
    """Read one page of the feed."""
    response = client.get(FEED, params=params)
    assert response.status_code == 200, response.text
    return response.json()["data"], response.json()["page"]


def ending(revision: int, *, has_more: bool = False) -> Json:
    """Return the last part of a page that leaves its reader at this revision."""
    return {"next_since": sync_token(revision), "has_more": has_more}


def gone(task: Task, revision: int) -> Task:
    return {"id": task["id"], "deleted": True, "revision": revision}


@pytest.mark.requirement("FR-145")
def test_the_feed_has_every_task_as_its_last_change_left_it(client: httpx.Client) -> None:
    first, second, third, fourth = (create(client, title) for title in ("a", "b", "c", "d"))
    client.put(path_of(first), json={"title": "A"})
    client.delete(path_of(second))
    client.delete(path_of(third), params={"permanent": "true"})
    client.delete(path_of(fourth))
    client.post(f"{path_of(fourth)}/restore")

    changes, page = feed(client)

    assert changes == [read(client, first), gone(second, 6), gone(third, 7), read(client, fourth)]
    assert [change["revision"] for change in changes] == [5, 6, 7, 9]
    assert page == ending(9)
    assert feed(client, since=sync_token(6))[0] == changes[2:]
    assert feed(client, since=sync_token(9)) == ([], ending(9))


@pytest.mark.requirement("FR-145")
def test_who_never_wrote_anything_has_an_empty_feed(client: httpx.Client) -> None:
    assert feed(client) == ([], ending(0))


@pytest.mark.requirement("FR-145", "FR-137")
def test_an_id_that_is_used_again_is_a_living_task_in_the_end(client: httpx.Client) -> None:
    task = create(client)
    client.delete(path_of(task), params={"permanent": "true"})
    again = create(client, "b", id=task["id"])

    assert feed(client)[0] == [gone(task, 2), again]
    client.delete(path_of(task), params={"permanent": "true"})
    assert feed(client)[0] == [gone(task, 4)]


@pytest.mark.requirement("FR-145")
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 1000])
def test_pages_of_any_size_hold_every_change_once(client: httpx.Client, limit: int) -> None:
    tasks = [create(client, str(number)) for number in range(7)]
    for task in tasks[1:3]:
        client.delete(path_of(task))
    for task in tasks[3:5]:
        client.delete(path_of(task), params={"permanent": "true"})

    seen, since, has_more = list[Task](), "", True
    while has_more:
        changes, page = feed(client, since=since, limit=limit)
        assert len(changes) == min(limit, 7 - len(seen))
        seen += changes
        since, has_more = page["next_since"], page["has_more"]

    assert seen == feed(client)[0]
    assert len(seen) == 7
    assert since == sync_token(revision_of(client)) == sync_token(11)


@pytest.mark.requirement("FR-145", "FR-134")
def test_a_page_is_bounded_in_bytes_but_has_at_least_one_change(client: httpx.Client) -> None:
    large = "\x01" * 10_000  # six bytes each in JSON
    for number in range(80):
        create(client, str(number), description=large)

    response = client.get(FEED)

    changes, page = response.json()["data"], response.json()["page"]
    assert MAX_PAGE_BYTES - 70_000 < len(response.content) < MAX_PAGE_BYTES + 1000
    assert page == ending(changes[-1]["revision"], has_more=True)
    rest, page = feed(client, since=page["next_since"])
    assert len(changes) + len(rest) == 80
    assert page == ending(80)


@pytest.mark.requirement("FR-145")
@pytest.mark.parametrize(
    "since", ["0", "1", "-2000", "x", f"{sync_token(1)}A", sync_token(1)[:-1], sync_token(1).lower()]
)
def test_what_is_no_sync_token_is_refused_and_told_how_to_start_again(client: httpx.Client, since: str) -> None:
    create(client)

    (detail,) = error_of(client.get(FEED, params={"since": since}), 422, "VALIDATION_ERROR")["details"]

    assert (detail["field"], detail["code"]) == ("query.since", "sync_token_invalid")
    assert "leave since out to start again" in detail["message"]


@pytest.mark.requirement("FR-145")
def test_a_sync_token_can_stand_in_an_address_and_stays_the_same(client: httpx.Client) -> None:
    create(client)
    page = feed(client)[1]

    assert feed(client)[1] == page
    assert page["next_since"].replace("-", "").replace("_", "").isalnum()
    assert client.get(f"{FEED}?since={page['next_since']}").json() == {"data": [], "page": page}
    assert client.get(f"{FEED}?since=").json() == client.get(FEED).json()


@pytest.mark.requirement("FR-147")
def test_a_revision_ahead_of_the_counter_is_gone(client: httpx.Client) -> None:
    create(client)

    for since in (SyncToken(2), SyncToken(2**63 - 1), SyncToken(2, 0), SyncToken(2**63 - 1, 0)):
        error = error_of(client.get(FEED, params={"since": str(since)}), 410, "GONE")
        assert "start again without since" in error["message"]
    assert erase(client).status_code == 204
    error_of(client.get(FEED, params={"since": sync_token(1)}), 410, "GONE")
    assert feed(client) == ([], ending(0))


@pytest.mark.requirement("FR-147", "FR-138")
def test_a_revision_from_before_a_purge_is_gone(
    client: httpx.Client, api: API, database_url: str, user_id: str
) -> None:
    old, trashed, removed = (create(client, title) for title in ("a", "b", "c"))
    client.delete(path_of(trashed))
    client.delete(path_of(removed), params={"permanent": "true"})
    new = create(client, "d")
    assert purge(api, database_url, user_id)

    assert feed(client) == ([old, new], ending(6))
    for known in range(1, 5):
        error_of(client.get(FEED, params={"since": sync_token(known)}), 410, "GONE")
    assert feed(client, since=sync_token(5))[0] == [new]


@pytest.mark.requirement("FR-147")
@pytest.mark.parametrize("limit", [1, 2, 5, 1000])
def test_a_full_sync_is_never_stopped_by_an_earlier_purge(
    client: httpx.Client, api: API, database_url: str, user_id: str, limit: int
) -> None:
    for round_ in range(3):
        kept, trashed, removed = (create(client, f"{name}{round_}") for name in "abc")
        client.delete(path_of(trashed))
        client.delete(path_of(removed), params={"permanent": "true"})
        client.put(path_of(kept), json={"description": "kept"})
        create(client, f"d{round_}")
        assert purge(api, database_url, user_id)
    create(client, "last")

    replica = Replica()
    pages = 1
    while replica.pull(client, limit):
        pages += 1

    assert pages == -(-7 // limit)
    assert replica.tasks == living(client)
    assert len(replica.tasks) == 7
    assert replica.since == sync_token(revision_of(client))


@pytest.mark.requirement("FR-147")
def test_a_full_sync_that_a_purge_overtakes_starts_over(
    client: httpx.Client, api: API, database_url: str, user_id: str
) -> None:
    create(client, "a")
    create(client, "b")
    sync_tokens = []
    for _ in range(2):
        client.delete(path_of(create(client, "c")))
        assert purge(api, database_url, user_id)
        sync_tokens.append(feed(client, limit=1)[1]["next_since"])
    overtaken, latest = sync_tokens

    assert len({*sync_tokens, sync_token(1)}) == 3
    error_of(client.get(FEED, params={"since": overtaken}), 410, "GONE")
    assert len(feed(client, since=latest)[0]) == 1


@pytest.mark.requirement("FR-146")
def test_a_change_that_becomes_visible_late_is_never_skipped(
    client: httpx.Client, database_url: str, user_id: str
) -> None:
    task, other = create(client, "a"), create(client, "b")
    replica = Replica()
    replica.pull(client)
    with rival(database_url, user_id) as early, ThreadPoolExecutor(1) as thread:
        early.execute("UPDATE tasks SET title = 'early', revision = 3 WHERE id = %s", task["id"])
        late = thread.submit(client.put, path_of(other), json={"title": "late"})
        # A change with a greater number waits for those with smaller ones, so that nobody sees it before them.
        assert not replica.pull(client)
        assert replica.since == sync_token(2)
        early.commit_when_awaited()
        assert late.result().json()["data"]["revision"] == 4

    assert not replica.pull(client)
    assert replica.since == sync_token(4)
    assert replica.tasks == living(client)
    assert {each["title"] for each in replica.tasks.values()} == {"early", "late"}


@pytest.mark.requirement("FR-442")
@pytest.mark.parametrize("types", [None, "task,label,list"])
def test_now_is_what_is_known_without_reading_anything(client: httpx.Client, types: str | None) -> None:
    query = {} if types is None else {"types": types}
    assert feed(client, since="now", **query) == ([], ending(0))
    task = create(client, "before")
    client.delete(path_of(create(client, "gone")))

    changes, page = feed(client, since="now", **query)

    assert (changes, page) == ([], ending(3))
    after = create(client, "after")
    found, page = feed(client, since=page["next_since"], **query)
    assert found == [after if types is None else {"type": "task", "data": after}]
    assert page == ending(4)
    assert task["revision"] == 1


@pytest.mark.requirement("FR-442")
def test_a_purge_does_not_matter_to_what_begins_now(
    client: httpx.Client, api: API, database_url: str, user_id: str
) -> None:
    client.delete(path_of(create(client)))
    assert purge(api, database_url, user_id)

    _, page = feed(client, since="now")

    assert feed(client, since=page["next_since"]) == ([], page)


@pytest.mark.requirement("FR-443")
@pytest.mark.parametrize("limit", [1, 2, 1000])
def test_a_copy_begins_with_a_listing_and_goes_on_with_the_feed(client: httpx.Client, limit: int) -> None:
    tasks = [create(client, str(number)) for number in range(4)]
    first = client.get("/api/tasks", params={"limit": limit}).json()
    copy = Replica({task["id"]: task for task in first["data"]}, first["page"]["since"])
    client.delete(path_of(tasks[0]))
    client.put(path_of(tasks[3]), json={"title": "changed between two pages"})
    page = first
    while cursor := page["page"]["next_cursor"]:
        page = client.get("/api/tasks", params={"limit": limit, "cursor": cursor}).json()
        copy.tasks |= {task["id"]: task for task in page["data"]}

    while copy.pull(client):
        pass

    assert copy.tasks == living(client)


@pytest.mark.requirement("FR-443")
@pytest.mark.parametrize("path", ["/api/tasks?deleted=true", "/api/tasks?q=nothing", "/api/tasks?include_total=true"])
def test_each_listing_says_which_state_it_shows(client: httpx.Client, path: str) -> None:
    assert client.get(path).json()["page"]["since"] == sync_token(0)
    task = create(client)
    assert client.get(path).json()["page"]["since"] == sync_token(1)
    assert client.get(f"{path_of(task)}/subtasks").json()["page"]["since"] == sync_token(1)


@pytest.mark.requirement("FR-145")
def test_the_feed_is_read_from_the_sync_token_on_in_the_indexes(own_url: str) -> None:
    user_id, statement = new_user(), STATEMENTS["changes.queries.CHANGES"]
    execute(own_url, _TWENTY_THOUSAND, user_id, user_id, user_id)
    values = {"principal": user_id, "since": 9000, "max_rows": 100, "max_bytes": MAX_PAGE_BYTES}
    engine = Engine(own_url, pool_size=1, timeout_seconds=60)

    plan = run_as_user(engine, user_id, f"EXPLAIN {statement.sql}", values)

    engine.dispose()
    assert "Index Scan using ix_tasks_user_id_revision on tasks" in plan
    assert "Index Scan using ix_tombstones_user_id_revision on tombstones" in plan
    assert not re.search("Seq Scan on (tasks|tombstones)", plan)


_TWENTY_THOUSAND = """
INSERT INTO users (id, revision, task_count) VALUES (%s, 20000, 10000);
INSERT INTO tasks (user_id, id, title, revision)
SELECT %s, gen_random_uuid(), 'a', 2 * number FROM generate_series(1, 10000) AS number;
INSERT INTO tombstones (user_id, id, revision)
SELECT %s, gen_random_uuid(), 2 * number - 1 FROM generate_series(1, 10000) AS number;
ANALYZE tasks, tombstones
"""
