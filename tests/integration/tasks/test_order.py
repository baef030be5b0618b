"""The order that people arrange: of the tasks in a list, and of lists."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.fixtures.calls.batches import run_each
from tests.fixtures.calls.lists import LISTS, delete, list_of, list_path, listed, make, restore
from tests.fixtures.calls.task_files import CALENDAR, CSV, EXPORT, LINES, imported, lines_of
from tests.fixtures.calls.tasks import MISSING_ID, create, error_of, path_of, read, revision_of, task_of

Json = dict[str, Any]
INBOX = "inbox"
LATE = "pz" + 15 * "1"


def in_order(client: httpx.Client, place: str = INBOX, **query: str) -> list[str]:
    """Return the titles of a list's tasks in the order of their positions."""
    response = client.get("/api/tasks", params={"list_id": place, "sort": "position", **query})
    assert response.status_code == 200, response.text
    return [task["title"] for task in response.json()["data"]]


def move(client: httpx.Client, task: Json, **to: str | None) -> Json:
    """Move a task; returns it as it is then."""
    return task_of(client.post(f"{path_of(task)}/move", json=to))


def refused(response: httpx.Response) -> list[tuple[str, str]]:
    """Return the fields and codes of a refusal."""
    return [(each["field"], each["code"]) for each in error_of(response, 422, "VALIDATION_ERROR")["details"]]


@pytest.mark.requirement("FR-346")
def test_new_tasks_come_last_wherever_they_come_from(client: httpx.Client) -> None:
    create(client, "a")
    run_each(client, *({"op": "create", "data": {"title": title}} for title in "bcd"))
    imported(client, lines_of([{"title": title} for title in "efg"]))
    create(client, "h", id=MISSING_ID)

    assert in_order(client) == [*"abcdefgh"]
    assert in_order(client, sort="-position") == [*"hgfedcba"]
    assert in_order(client, limit="3") == [*"abc"]


@pytest.mark.requirement("FR-346")
def test_a_task_that_comes_into_another_list_is_its_last(client: httpx.Client) -> None:
    home, work = make(client, "Home"), make(client, "Work")
    early = [create(client, title) for title in "abc"]
    create(client, "d", list_id=home["id"])

    for task in early[:2]:
        task_of(client.patch(path_of(task), json={"list_id": home["id"]}))
    run_each(client, {"op": "update", "id": early[2]["id"], "data": {"list_id": home["id"]}})
    assert in_order(client, home["id"]) == [*"dabc"]

    placed = task_of(client.patch(path_of(early[0]), json={"list_id": work["id"], "position": "a0"}))
    assert placed["position"] == "a0"
    delete(client, work)
    delete(client, home, tasks="inbox")
    create(client, "e")
    assert task_of(client.post(f"{path_of(early[0])}/restore"))["list_id"] is None
    assert in_order(client) == [*"dbcea"]


@pytest.mark.requirement("FR-347")
def test_a_task_moves_beside_another_and_no_other_changes(client: httpx.Client) -> None:
    a, b, c, d = tasks = [create(client, title) for title in "abcd"]
    before = revision_of(client)

    moves: list[tuple[Json, dict[str, str | None], str]] = [
        (d, {"after": a["id"]}, "adbc"),
        (a, {"before": c["id"].upper(), "after": None}, "dbac"),
        (c, {"before": d["id"]}, "cdba"),
        (c, {}, "dbac"),
        (d, {"before": None}, "bacd"),
        (b, {"list_id": None, "after": d["id"]}, "acdb"),
    ]
    for number, (task, to, order) in enumerate(moves, 1):
        others = [read(client, other) for other in tasks if other is not task]
        found = move(client, task, **to)
        assert in_order(client) == [*order]
        assert found == read(client, task)
        assert found["revision"] == revision_of(client) == before + number
        assert [read(client, other) for other in tasks if other is not task] == others


@pytest.mark.requirement("FR-347")
def test_a_task_that_stands_there_already_does_not_change(client: httpx.Client) -> None:
    a, b, c = (create(client, title) for title in "abc")
    before = revision_of(client)

    assert move(client, b, after=a["id"]) == move(client, b, before=c["id"]) == move(client, b, after=b["id"]) == b
    assert move(client, c) == c
    assert revision_of(client) == before


@pytest.mark.requirement("FR-347")
def test_a_task_moves_into_another_list(client: httpx.Client, stranger: httpx.Client) -> None:
    home, gone, theirs = make(client, "Home"), make(client, "Gone"), make(stranger, "Theirs")
    delete(client, gone)
    first, second = (create(client, title, list_id=home["id"]) for title in "ab")
    task, trashed, foreign = create(client, "c"), create(client, "d"), create(stranger)
    client.delete(path_of(trashed)).raise_for_status()

    assert move(client, task, list_id=home["id"], after=first["id"])["list_id"] == home["id"]
    assert in_order(client, home["id"]) == [*"acb"]
    assert in_order(client) == []
    task = move(client, task, list_id=None)
    assert (task["list_id"], in_order(client)) == (None, ["c"])

    before = revision_of(client)
    path = f"{path_of(task)}/move"
    for side in ("after", "before"):
        for other in (first, trashed, foreign, {"id": MISSING_ID}):
            assert refused(client.post(path, json={side: other["id"]})) == [(side, "task_not_in_list")]
        body = {side: task["id"], "list_id": home["id"]}
        assert refused(client.post(path, json=body)) == [(side, "task_not_in_list")]
    for place in (gone, theirs, {"id": MISSING_ID}):
        assert refused(client.post(path, json={"list_id": place["id"]})) == [("list_id", "list_unknown")]
        body = {"list_id": place["id"], "after": second["id"]}
        assert refused(client.post(path, json=body)) == [("list_id", "list_unknown")]
    both = {"after": first["id"], "before": second["id"]}
    assert refused(client.post(path, json=both)) == [("before", "after_or_before")]
    error_of(client.post(f"{path_of(foreign)}/move", json={}), 404, "NOT_FOUND")
    error_of(client.post(f"{path_of(trashed)}/move", json={}), 404, "NOT_FOUND")
    assert (read(client, task), revision_of(client)) == (task, before)


@pytest.mark.requirement("FR-347")
def test_a_move_honours_etags_and_keys(client: httpx.Client) -> None:
    a, b = (create(client, title) for title in "ab")
    path = f"{path_of(b)}/move"
    stale = client.post(path, json={"before": a["id"]}, headers={"If-Match": '"99"'})
    error_of(stale, 412, "PRECONDITION_FAILED")
    assert stale.json()["data"] == b

    keyed = {"Idempotency-Key": "move", "If-Match": f'"{b["revision"]}"'}
    first = client.post(path, json={"before": a["id"]}, headers=keyed)
    again = client.post(path, json={"before": a["id"]}, headers=keyed)
    assert task_of(first)["position"] < a["position"]
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (first.json(), "true")
    error_of(client.post(path, json={}, headers=keyed), 422, "VALIDATION_ERROR")


@pytest.mark.requirement("FR-347")
def test_a_task_in_the_trash_keeps_its_place(client: httpx.Client) -> None:
    a, b, c = (create(client, title) for title in "abc")
    task = move(client, c, after=a["id"])
    client.delete(path_of(task)).raise_for_status()
    move(client, b, after=a["id"])
    task_of(client.post(f"{path_of(task)}/restore"))

    positions = {each["title"]: each["position"] for each in client.get("/api/tasks").json()["data"]}
    assert positions["c"] == task["position"]
    assert len(set(positions.values())) == 3


@pytest.mark.requirement("FR-346")
def test_a_client_may_choose_positions(client: httpx.Client) -> None:
    create(client, "a", position="a1")
    b = create(client, "b", position="Zz")
    assert in_order(client) == ["b", "a"]
    for _ in range(2):
        assert task_of(client.patch(path_of(b), json={"position": "a1V"}))["position"] == "a1V"
    assert in_order(client) == ["a", "b"]
    before = revision_of(client)
    for wrong in ("", "a", "a10", "b", "A" + 26 * "0", 201 * "z", "a1 ", "\u00e41"):
        assert refused(client.patch(path_of(b), json={"position": wrong})) == [("position", "position_invalid")]
        assert refused(client.post(LISTS, json={"name": "a", "position": wrong})) == [("position", "position_invalid")]
    assert refused(client.patch(path_of(b), json={"position": None})) == [("position", "string_type")]
    assert revision_of(client) == before

    same = [create(client, title, position="a2") for title in "cd"]
    assert in_order(client)[2:] == [task["title"] for task in sorted(same, key=lambda task: str(task["id"]))]
    assert move(client, b, after=same[0]["id"])["position"] > "a2"


@pytest.mark.requirement("FR-347", "FR-408")
def test_a_place_without_room_is_told(client: httpx.Client) -> None:
    imported(client, lines_of([{"title": str(number), "position": "a0"} for number in range(2100)]))
    query = {"list_id": INBOX, "sort": "position", "limit": "1000"}
    first = client.get("/api/tasks", params=query).json()
    second = client.get("/api/tasks", params={**query, "cursor": first["page"]["next_cursor"]}).json()
    task = create(client)
    before = revision_of(client)

    response = client.post(f"{path_of(task)}/move", json={"after": second["data"][49]["id"]})
    assert [each["code"] for each in error_of(response, 409, "CONFLICT")["details"]] == ["no_room"]
    assert (read(client, task), revision_of(client)) == (task, before)
    assert client.get("/api/tasks", params=query).json()["data"] == first["data"]

    assert move(client, task, after=first["data"][599]["id"])["position"] < "a0"
    moved = client.get("/api/tasks", params=query).json()["data"]
    expected = [*first["data"][:600], task, *first["data"][600:]]
    assert [each["id"] for each in moved] == [each["id"] for each in expected[:1000]]
    assert revision_of(client) == before + 601


@pytest.mark.requirement("FR-348")
@pytest.mark.parametrize("seed", range(3))
def test_parallel_moves_end_in_one_order(client: httpx.Client, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    tasks = [create(client, str(number)) for number in range(6)]
    wanted = [(chance.choice(tasks), chance.choice(["after", "before"]), chance.choice(tasks)) for _ in range(40)]
    with ThreadPoolExecutor(8) as pool:
        moved = list(pool.map(lambda each: move(client, each[0], **{each[1]: each[2]["id"]}), wanted))

    listed_now = client.get("/api/tasks", params={"list_id": INBOX, "sort": "position"}).json()["data"]
    positions = [task["position"] for task in listed_now]
    assert positions == sorted(set(positions))
    assert {task["title"] for task in listed_now} == {task["title"] for task in tasks}
    newest = {task["id"]: task for task in sorted(moved, key=lambda task: int(task["revision"]))}
    assert {task["id"]: task for task in listed_now} == {task["id"]: task for task in tasks} | newest
    changed = client.get("/api/changes").json()["data"]
    assert {task["id"]: task["position"] for task in changed} == {task["id"]: task["position"] for task in listed_now}


@pytest.mark.requirement("FR-349")
def test_positions_are_sorted_within_a_list_only(client: httpx.Client) -> None:
    for sort in ("position", "-position"):
        assert refused(client.get("/api/tasks", params={"sort": sort})) == [("query.sort", "sort_needs_list")]
    assert refused(client.get("/api/tasks?sort=position&order=desc")) == [("query.sort", "sort_needs_list")]
    assert client.get("/api/tasks?sort=position&order=desc&list_id=inbox").status_code == 200


@pytest.mark.requirement("FR-349")
@pytest.mark.parametrize("limit", [2, 60])
def test_each_task_is_on_one_page(client: httpx.Client, limit: int) -> None:
    home = make(client)
    operations = [
        {"op": "create", "data": {"title": str(number), "list_id": place, "position": f"b{number % 7}{number % 3}1"}}
        for number in range(70)
        for place in (home["id"], None)
    ]
    for start in range(0, len(operations), 100):
        run_each(client, *operations[start : start + 100])

    for place, sort in ((home["id"], "position"), (INBOX, "-position")):
        query, found = {"list_id": place, "sort": sort, "limit": str(limit)}, []
        while True:
            answer = client.get("/api/tasks", params=query).json()
            found += answer["data"]
            if not answer["page"]["has_more"]:
                break
            query["cursor"] = answer["page"]["next_cursor"]
        keys = [(task["position"], task["id"]) for task in found]
        assert keys == sorted(set(keys), reverse=sort.startswith("-"))
        assert len(keys) == 70


@pytest.mark.requirement("FR-350")
def test_lists_have_an_order_too(client: httpx.Client, stranger: httpx.Client) -> None:
    a, b, c = (make(client, name) for name in "abc")
    theirs, gone = make(stranger), make(client, "gone")
    delete(client, gone)

    def to(found: Json, **body: str | None) -> Json:
        return list_of(client.post(f"{list_path(found)}/move", json=body))

    def names(**query: str) -> list[str]:
        return [found["name"] for found in listed(client, **query)]

    assert names() == [*"abc"]
    assert to(c, before=a["id"])["position"] < a["position"]
    assert names() == [*"cab"]
    before = revision_of(client)
    assert to(a, after=a["id"]) == to(a, before=b["id"]) == a
    assert revision_of(client) == before
    to(c)
    assert names() == [*"abc"]
    for body in ({"after": theirs["id"]}, {"before": gone["id"]}, {"after": MISSING_ID}):
        (side,) = body
        assert refused(client.post(f"{list_path(a)}/move", json=body)) == [(side, "list_unknown")]
    error_of(client.post(f"{list_path(gone)}/move", json={}), 404, "NOT_FOUND")
    error_of(client.post(f"{list_path(a)}/move", json={}, headers={"If-Match": '"99"'}), 412, "PRECONDITION_FAILED")
    assert list_of(client.patch(list_path(a), json={"position": LATE, "archived": True}))["position"] == LATE
    assert (names(), names(archived="true")) == ([*"bc"], ["a"])
    restore(client, gone)
    assert names() == ["b", "c", "gone"]


@pytest.mark.requirement("FR-352")
@pytest.mark.parametrize("kind", [LINES, CSV, CALENDAR])
def test_a_file_brings_the_order_back(client: httpx.Client, kind: str) -> None:
    a, b, c = (create(client, title) for title in "abc")
    move(client, c, before=a["id"])
    file = client.get(EXPORT, params={"format": {LINES: "jsonl", CSV: "csv", CALENDAR: "ics"}[kind]}).content
    move(client, a, after=b["id"])
    assert in_order(client) == [*"cba"]

    assert imported(client, file, kind) == {"updated": 1, "unchanged": 2}
    assert in_order(client) == [*"cab"]
    client.delete("/api/me", params={"confirm": a["user_id"]}).raise_for_status()
    assert imported(client, file, kind) == {"created": 3}
    assert in_order(client) == [*"cab"]
