"""The feed of changes with types: tasks and labels in one order, page by page and as a stream."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest

from backend.config import Settings
from backend.database.engine import Engine
from backend.services.changes.service import MAX_PAGE_BYTES
from tests.fixtures.calls.api import API, new_user, serve
from tests.fixtures.calls.feed import living, purge, sync_token
from tests.fixtures.calls.labels import Label, label_path, labels_of, listed, put, rename
from tests.fixtures.calls.tasks import Task, create, error_of, path_of, read, revision_of
from tests.fixtures.postgres.database import execute
from tests.fixtures.postgres.tenant_statements import STATEMENTS, run_as_user

FEED, STREAM = "/api/changes", "/api/changes/stream"
BOTH = "task,label"
Json = dict[str, Any]


def feed(client: httpx.Client, types: str | None = BOTH, **params: int | str) -> tuple[list[Json], Json]:
    """Read one page of the feed."""
    response = client.get(FEED, params={**params, **({"types": types} if types else {})})
    assert response.status_code == 200, response.text
    return response.json()["data"], response.json()["page"]


def shown(label: Label) -> Json:
    """Return a label as the feed has it."""
    return {"type": "label", "data": {name: value for name, value in label.items() if name != "task_count"}}


def whole(task: Task) -> Json:
    return {"type": "task", "data": task}


def gone(kind: str, row: Json, revision: int) -> Json:
    return {"type": kind, "data": {"id": row["id"], "deleted": True, "revision": revision}}


@pytest.mark.requirement("FR-299")
def test_the_feed_has_tasks_and_labels_in_one_order(client: httpx.Client) -> None:
    first, task, second = put(client, "a"), create(client), put(client, "b", color="#123456")
    removed = create(client)
    client.delete(path_of(removed), params={"permanent": "true"})

    changes, page = feed(client)

    assert changes == [shown(first), whole(task), shown(second), gone("task", removed, 5)]
    assert page == {"next_since": sync_token(5), "has_more": False}
    assert feed(client, "label,task") == (changes, page)
    assert feed(client, "task") == ([changes[1], changes[3]], page)
    assert feed(client, "label") == ([changes[0], changes[2]], page)
    assert feed(client, since=sync_token(2))[0] == changes[2:]


@pytest.mark.requirement("FR-299")
def test_without_types_the_feed_is_that_of_tasks(client: httpx.Client) -> None:
    put(client, "a")
    put(client, "b")
    task = create(client)
    client.delete(label_path("a"))

    response = client.get(FEED)

    text = json.dumps([task], ensure_ascii=False, separators=(",", ":"))
    assert response.text == f'{{"data":{text},"page":{{"next_since":"{sync_token(4)}","has_more":false}}}}'
    assert client.get(FEED, params={"types": ""}).content == response.content  # as forms send what is not filled in


@pytest.mark.requirement("FR-299", "FR-297", "FR-298")
def test_the_feed_shows_what_a_renaming_and_a_removal_change(client: httpx.Client, database_url: str) -> None:
    label = put(client, "home")
    task, trashed = (create(client, title, labels=["home"]) for title in ("a", "b"))
    client.delete(path_of(trashed))
    since = sync_token(revision_of(client))

    renamed = rename(client, "home", "away")
    changes, page = feed(client, since=since)
    assert changes == [shown(renamed), whole(read(client, task)), gone("task", trashed, 7)]
    assert labels_of(database_url, task) == ["away"]
    assert feed(client, None, since=since)[0] == [change["data"] for change in changes[1:]]

    assert client.delete(label_path("away")).status_code == 204
    changes, page = feed(client, since=page["next_since"])
    assert changes == [gone("label", label, 8), whole(read(client, task)), gone("task", trashed, 10)]
    assert page == {"next_since": sync_token(10), "has_more": False}
    assert feed(client, "label") == ([changes[0]], page)


@pytest.mark.requirement("FR-299")
@pytest.mark.parametrize("types", ["task", "label", BOTH])
@pytest.mark.parametrize("limit", [1, 2, 3, 5, 1000])
def test_pages_of_any_size_hold_every_change_once(client: httpx.Client, types: str, limit: int) -> None:
    for number in range(4):
        create(client, str(number), labels=[str(number)])  # which makes the label, too
    client.delete(label_path("1"))
    rename(client, "2", "two")

    seen, since, has_more = list[Json](), "", True
    while has_more:
        changes, page = feed(client, types, since=since, limit=limit)
        assert len(changes) <= limit
        seen += changes
        since, has_more = page["next_since"], page["has_more"]

    assert seen == feed(client, types)[0]
    assert len(seen) == {"task": 4, "label": 4, BOTH: 8}[types]
    assert since == sync_token(revision_of(client))
    kept = {each["data"]["id"]: each["data"] for each in seen if not each["data"].get("deleted")}
    own = {label["id"]: shown(label)["data"] for label in listed(client)} if "label" in types else {}
    assert kept == own | (living(client) if "task" in types else {})


@pytest.mark.requirement("FR-299")
@pytest.mark.parametrize("path", [FEED, STREAM])
@pytest.mark.parametrize("types", ["lists", "task,", "task,lists", "Task", ","])
def test_an_unknown_type_is_refused(client: httpx.Client, path: str, types: str) -> None:
    (detail,) = error_of(client.get(path, params={"types": types}), 422, "VALIDATION_ERROR")["details"]

    assert (detail["field"], detail["code"]) == ("query.types", "enum")
    assert "task, label, list" in detail["message"]


@pytest.mark.requirement("FR-299")
def test_a_stream_names_its_events_after_the_types(client: httpx.Client) -> None:
    put(client, "a")
    create(client)
    text = client.get(STREAM, params={"types": BOTH, "since": sync_token(0)})
    assert text.status_code == 200

    changes, _ = feed(client)
    events = "".join(
        f"event: {change['type']}\ndata: {json.dumps(change, ensure_ascii=False, separators=(',', ':'))}\n"
        f"id: {sync_token(revision)}\n\n"
        for revision, change in enumerate(changes, start=1)
    )
    assert text.text == f"id: {sync_token(0)}\nretry: 2000\n\n{events}"
    assert "event:" not in client.get(STREAM).text


@pytest.mark.requirement("FR-299")
def test_an_open_stream_reports_what_happens_to_labels(settings: Settings, user_id: str) -> None:
    with (
        serve(settings) as live,
        live.client(user_id) as writer,
        live.client(user_id) as reader,
        reader.stream("GET", STREAM, params={"types": "label"}) as response,
    ):
        lines = response.iter_lines()
        while not next(lines).startswith("retry"):
            pass
        create(writer)
        made = put(writer, "a")
        seen = next(line for line in lines if line.startswith("data"))
        assert json.loads(seen.removeprefix("data: ")) == shown(made)


@pytest.mark.requirement("FR-299", "FR-298")
def test_the_purge_forgets_removed_labels(client: httpx.Client, api: API, database_url: str, user_id: str) -> None:
    put(client, "a")
    create(client)
    client.delete(label_path("a"))
    assert feed(client, "label", since=sync_token(2))[0]

    assert purge(api, database_url, user_id).tombstones == 1

    assert feed(client, "label")[0] == []
    error_of(client.get(FEED, params={"types": BOTH, "since": sync_token(2)}), 410, "GONE")


@pytest.mark.requirement("FR-299", "FR-298")
def test_an_id_that_was_a_labels_and_then_a_tasks_is_reported_as_the_last_one(client: httpx.Client) -> None:
    label = put(client, "a")
    client.delete(label_path("a"))
    task = create(client, id=label["id"])
    client.delete(path_of(task), params={"permanent": "true"})

    assert feed(client)[0] == [gone("task", task, 4)]


@pytest.mark.requirement("FR-299")
@pytest.mark.parametrize("types", ["task", "label", "list", "task,label,list"])
def test_the_feed_of_types_is_read_from_the_sync_token_on_in_their_indexes(own_url: str, types: str) -> None:
    user_id, statement = new_user(), STATEMENTS["changes.queries.CHANGES_OF_TYPES"]
    execute(own_url, _MANY, user_id, user_id, user_id, user_id, user_id)
    values = {
        "principal": user_id,
        "since": 9000,
        "max_rows": 100,
        "max_bytes": MAX_PAGE_BYTES,
        "types": types.split(","),
    }
    engine = Engine(own_url, pool_size=1, timeout_seconds=60)

    plan = run_as_user(engine, user_id, f"EXPLAIN {statement.sql}", values)

    engine.dispose()
    for table in ("tasks", "labels", "lists", "tombstones"):
        is_read = table == "tombstones" or table.removesuffix("s") in types
        assert (f"Index Scan using ix_{table}_user_id_revision on {table}" in plan) == is_read
    assert not re.search("Seq Scan on (tasks|labels|lists|tombstones)", plan)


_MANY = """
INSERT INTO users (id, revision, task_count) VALUES (%s, 30000, 10000);
INSERT INTO tasks (user_id, id, title, revision)
SELECT %s, gen_random_uuid(), 'a', 3 * number FROM generate_series(1, 10000) AS number;
INSERT INTO tombstones (user_id, id, revision, kind)
SELECT %s, gen_random_uuid(), 3 * number - 1, (ARRAY['task', 'label', 'list'])[1 + number %% 3]
FROM generate_series(1, 10000) AS number;
INSERT INTO labels (user_id, id, name, name_key, revision)
SELECT %s, gen_random_uuid(), number, number, 3 * number - 2 FROM generate_series(1, 10000) AS number;
INSERT INTO lists (user_id, id, name, revision)
SELECT %s, gen_random_uuid(), number, 3 * number - 2 FROM generate_series(1, 10000) AS number;
ANALYZE tasks, tombstones, labels, lists
"""
