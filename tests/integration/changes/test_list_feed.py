"""Lists in the feed of changes."""

from __future__ import annotations

from itertools import permutations

import httpx
import pytest

from tests.fixtures.calls.feed import sync_token
from tests.fixtures.calls.labels import put
from tests.fixtures.calls.lists import List, delete, edit, make, restore
from tests.fixtures.calls.tasks import Task, create, read

FEED = "/api/changes"
ALL = "task,label,list"
Change = dict[str, object]


def feed(client: httpx.Client, types: str = ALL, since: int = 0) -> list[Change]:
    """Read the changes after a revision."""
    response = client.get(FEED, params={"types": types, "since": sync_token(since)})
    assert response.status_code == 200, response.text
    changes: list[Change] = response.json()["data"]
    return changes


def whole(kind: str, row: List | Task) -> Change:
    return {"type": kind, "data": row}


def gone(kind: str, row: List | Task, revision: int) -> Change:
    return {"type": kind, "data": {"id": row["id"], "deleted": True, "revision": revision}}


@pytest.mark.requirement("FR-343")
def test_lists_stand_in_the_feed_beside_tasks_and_labels(client: httpx.Client) -> None:
    first, label = make(client, "a"), put(client, "home")
    task = create(client, list_id=first["id"])
    second = edit(client, make(client, "b"), archived=True)

    changes = feed(client)

    labels = {name: value for name, value in label.items() if name != "task_count"}
    assert changes == [whole("list", first), whole("label", labels), whole("task", task), whole("list", second)]
    assert [feed(client, ",".join(types)) for types in permutations(ALL.split(","))] == [changes] * 6
    assert feed(client, "list") == [changes[0], changes[3]]
    assert feed(client, "list,task") == [changes[0], changes[2], changes[3]]
    assert feed(client, since=3) == changes[3:]
    assert client.get(FEED).json()["data"] == [task]


@pytest.mark.requirement("FR-343", "FR-335")
def test_a_deleted_list_is_reported_with_its_tasks(client: httpx.Client) -> None:
    made = make(client)
    task = create(client, list_id=made["id"])

    delete(client, made)
    assert feed(client, since=2) == [gone("list", made, 3), gone("task", task, 4)]
    back = restore(client, made)
    assert feed(client, since=4) == [whole("list", back), whole("task", read(client, task))]
    delete(client, made, tasks="inbox")
    assert feed(client, since=6) == [gone("list", made, 7), whole("task", read(client, task))]
    delete(client, made, permanent="true")
    assert feed(client, since=8) == [gone("list", made, 9)]
    assert feed(client, "task", since=8) == []
    assert feed(client, "list") == [gone("list", made, 9)]
