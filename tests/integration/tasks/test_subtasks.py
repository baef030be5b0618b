"""Subtasks: where they may be, and what changes along with a task."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from backend.services.tasks import tree
from tests.fixtures.calls.access_tokens import READ, WRITE, make_token, with_token
from tests.fixtures.calls.api import API
from tests.fixtures.calls.batches import creation, operation, run_batch
from tests.fixtures.calls.lists import delete as delete_list
from tests.fixtures.calls.lists import make
from tests.fixtures.calls.lists import restore as restore_list
from tests.fixtures.calls.subtasks import Tree, chain, plant, refused, stored_tasks, subtasks
from tests.fixtures.calls.task_files import lines_of, problems
from tests.fixtures.calls.tasks import Task, create, path_of, read, revision_of, task_of
from tests.fixtures.postgres.database import execute

TREE: Tree = {"trip": {"pack": {"socks": {}, "shoes": {}}, "book": {}}, "other": {}}
UNKNOWN, CYCLE = ("parent_id", "parent_unknown"), ("parent_id", "parent_cycle")


def patch(client: httpx.Client, task: Task, **fields: object) -> Task:
    return task_of(client.patch(path_of(task), json=fields))


def complete(client: httpx.Client, task: Task, **body: object) -> Task:
    return task_of(client.patch(f"{path_of(task)}/complete", json={"completed": True, **body}))


def reopen(client: httpx.Client, task: Task, **body: object) -> Task:
    return task_of(client.patch(f"{path_of(task)}/complete", json={"completed": False, **body}))


def delete(client: httpx.Client, task: Task, **params: str) -> None:
    response = client.delete(path_of(task), params=params)
    assert response.status_code == 204, response.text


def restore(client: httpx.Client, task: Task) -> Task:
    return task_of(client.post(f"{path_of(task)}/restore"))


def done(tasks: dict[str, dict[str, Any]]) -> set[str]:
    return {title for title, task in tasks.items() if task["completed"]}


def in_trash(tasks: dict[str, dict[str, Any]]) -> set[str]:
    return {title for title, task in tasks.items() if task["deleted_at"]}


@pytest.mark.requirement("FR-359")
def test_a_parent_is_a_task_that_is_there(client: httpx.Client, stranger: httpx.Client) -> None:
    tasks, trashed, theirs = plant(client, TREE), create(client), create(stranger)
    delete(client, trashed)
    before = revision_of(client)
    for unknown in (str(uuid.uuid4()), trashed["id"], theirs["id"]):
        for response in (
            client.post("/api/tasks", json={"title": "a", "parent_id": unknown}),
            client.patch(path_of(tasks["book"]), json={"parent_id": unknown, "title": "a"}),
            client.post(f"{path_of(tasks['book'])}/move", json={"parent_id": unknown}),
        ):
            assert refused(response) == [UNKNOWN]
    assert revision_of(client) == before
    assert patch(client, tasks["shoes"], parent_id=tasks["book"]["id"].upper())["parent_id"] == tasks["book"]["id"]
    assert patch(client, tasks["shoes"], parent_id=None)["parent_id"] is None


@pytest.mark.requirement("FR-359")
@pytest.mark.parametrize("above", ["trip", "pack", "socks"])
def test_no_task_comes_under_itself(client: httpx.Client, user_id: str, database_url: str, above: str) -> None:
    tasks = plant(client, TREE)
    before = stored_tasks(database_url, user_id)
    place = {"parent_id": tasks[above]["id"]}
    assert refused(client.patch(path_of(tasks["trip"]), json=place)) == [CYCLE]
    assert refused(client.post(f"{path_of(tasks['trip'])}/move", json=place)) == [CYCLE]
    batch = [operation("update", tasks["book"], data={"title": "b"}), operation("update", tasks["trip"], data=place)]
    _, cause = refused(client.post("/api/tasks/batch", json={"operations": batch}))
    assert cause == ("operations.1.data.parent_id", "parent_cycle")
    assert stored_tasks(database_url, user_id) == before
    own_id = str(uuid.uuid4())
    assert refused(client.post("/api/tasks", json={"id": own_id, "title": "a", "parent_id": own_id})) == [CYCLE]


@pytest.mark.requirement("FR-359")
def test_a_tree_has_five_levels(client: httpx.Client) -> None:
    five, two = chain(client, *"abcde"), chain(client, "x", "y")
    deep = [("parent_id", "too_deep")]
    assert refused(client.post("/api/tasks", json={"title": "f", "parent_id": five["e"]["id"]})) == deep
    assert refused(client.patch(path_of(two["x"]), json={"parent_id": five["d"]["id"]})) == deep
    assert patch(client, two["x"], parent_id=five["c"]["id"])["parent_id"] == five["c"]["id"]
    top = create(client)
    assert refused(client.patch(path_of(five["a"]), json={"parent_id": top["id"]})) == deep
    delete(client, five["e"])  # it may come back
    assert refused(client.patch(path_of(five["a"]), json={"parent_id": top["id"]})) == deep


@pytest.mark.requirement("FR-359")
def test_a_bounded_number_of_tasks_is_below_one(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert tree.MAX_BELOW == 1000
    monkeypatch.setattr(tree, "MAX_BELOW", 10)
    top = create(client)
    middle = run_batch(client, *(creation(parent_id=top["id"]) for _ in range(7)))[0]["data"]
    other = chain(client, "x", "y")
    assert patch(client, other["x"], parent_id=middle["id"])["parent_id"] == middle["id"]
    assert create(client, parent_id=middle["id"])["parent_id"] == middle["id"]
    full = client.post("/api/tasks", json={"title": "one more", "parent_id": other["y"]["id"]})
    assert refused(full, 409, "CONFLICT") == [("body", "too_many_subtasks")]
    single = create(client)
    moved = client.post(f"{path_of(single)}/move", json={"parent_id": top["id"]})
    assert refused(moved, 409, "CONFLICT") == [("body", "too_many_subtasks")]
    assert patch(client, other["y"], parent_id=top["id"])["parent_id"] == top["id"]  # it was there already
    assert len(subtasks(client, top)) == 8


@pytest.mark.requirement("FR-360")
def test_a_subtask_is_in_the_list_of_its_parent(client: httpx.Client, user_id: str, database_url: str) -> None:
    home, work = make(client, "Home"), make(client, "Work")
    tasks = plant(client, {"trip": {"pack": {"socks": {}}}})
    moved = patch(client, tasks["trip"], list_id=home["id"])
    everything = stored_tasks(database_url, user_id)
    assert {task["list_id"] for task in everything.values()} == {home["id"]}
    assert [everything[title]["revision"] - moved["revision"] for title in ("trip", "pack", "socks")] == [0, 1, 2]
    assert moved["position"] < everything["pack"]["position"] < everything["socks"]["position"]

    assert create(client, parent_id=moved["id"])["list_id"] == home["id"]
    assert create(client, parent_id=moved["id"], list_id=home["id"])["list_id"] == home["id"]
    elsewhere = client.post("/api/tasks", json={"title": "a", "parent_id": moved["id"], "list_id": work["id"]})
    assert refused(elsewhere) == [UNKNOWN]

    whole = read(client, tasks["pack"])
    left = task_of(client.put(path_of(whole), json={**whole, "list_id": work["id"]}))
    assert (left["list_id"], left["parent_id"]) == (work["id"], None)
    assert read(client, tasks["socks"])["list_id"] == work["id"]
    back = task_of(client.put(path_of(whole), json={**left, "parent_id": moved["id"]}))
    assert (back["list_id"], back["parent_id"]) == (home["id"], moved["id"])
    assert back["position"] > left["position"] > whole["position"]
    for beside in ({}, {"after": back["id"]}, {"before": back["id"]}):
        coming = create(client, list_id=work["id"])
        come = task_of(client.post(f"{path_of(coming)}/move", json={"parent_id": moved["id"], **beside}))
        assert (come["list_id"], come["parent_id"]) == (home["id"], moved["id"])
        delete(client, come)
    both = {"parent_id": moved["id"], "list_id": None}
    assert refused(client.post(f"{path_of(create(client, list_id=work['id']))}/move", json=both)) == [UNKNOWN]
    assert task_of(client.post(f"{path_of(whole)}/move", json={"list_id": None}))["parent_id"] is None
    assert stored_tasks(database_url, user_id)["socks"]["list_id"] is None


@pytest.mark.requirement("FR-360")
def test_a_task_under_another_parent_comes_last_or_where_it_is_moved(client: httpx.Client) -> None:
    tasks = plant(client, {"a": {"b": {}, "c": {}}, "d": {}})
    patch(client, tasks["d"], parent_id=tasks["a"]["id"])
    assert [task["title"] for task in subtasks(client, tasks["a"])] == ["b", "c", "d"]
    task_of(client.post(f"{path_of(tasks['d'])}/move", json={"before": tasks["c"]["id"]}))
    assert [task["title"] for task in subtasks(client, tasks["a"])] == ["b", "d", "c"]
    task_of(client.post(f"{path_of(tasks['d'])}/move", json={"parent_id": None, "before": tasks["a"]["id"]}))
    listed = client.get("/api/tasks", params={"parent_id": "none", "list_id": "inbox", "sort": "position"})
    assert [task["title"] for task in listed.json()["data"]] == ["d", "a"]
    patch(client, tasks["d"], parent_id=tasks["a"]["id"], position=tasks["b"]["position"][:-1])
    assert [task["title"] for task in subtasks(client, tasks["a"])] == ["d", "b", "c"]


@pytest.mark.requirement("FR-361", "FR-363")
def test_completing_takes_open_tasks_along_and_reopening_only_these(
    client: httpx.Client, user_id: str, database_url: str
) -> None:
    tasks = plant(client, {"trip": {"pack": {"socks": {}, "shoes": {}}, "book": {}, "never": {}}})
    earlier = complete(client, tasks["shoes"])
    patch(client, tasks["book"], status="in_progress")
    patch(client, tasks["never"], status="cancelled")
    before = revision_of(client)
    finished = complete(client, tasks["trip"])
    everything = stored_tasks(database_url, user_id)
    assert done(everything) == {"trip", "pack", "book", "socks", "shoes"}
    along = {"pack", "book", "socks"}
    assert {everything[title]["completed_at"] for title in along} == {everything["trip"]["completed_at"]}
    assert (finished["revision"], revision_of(client)) == (before + 1, before + 4)
    assert {everything[title]["revision"] for title in along} == {before + 2, before + 3, before + 4}
    assert read(client, earlier) == earlier

    reopen(client, tasks["trip"])
    everything = stored_tasks(database_url, user_id)
    assert done(everything) == {"shoes"}
    assert {everything[title]["open_status"] for title in along} == {"todo"}
    assert read(client, tasks["never"])["status"] == "cancelled"


@pytest.mark.requirement("FR-361")
def test_reopening_a_task_reopens_those_above(client: httpx.Client, user_id: str, database_url: str) -> None:
    tasks = plant(client, TREE)
    complete(client, tasks["trip"])
    reopen(client, tasks["socks"])
    assert done(stored_tasks(database_url, user_id)) == {"book", "shoes"}
    complete(client, tasks["socks"])
    assert done(stored_tasks(database_url, user_id)) == {"book", "shoes", "socks"}  # no parent is completed by itself


@pytest.mark.requirement("FR-361")
@pytest.mark.parametrize("way", ["edit", "toggle", "batch", "status"])
def test_every_way_to_complete_takes_along(client: httpx.Client, user_id: str, database_url: str, way: str) -> None:
    tasks = plant(client, TREE)
    ways: dict[str, Callable[[], object]] = {
        "edit": lambda: patch(client, tasks["pack"], completed=True, title="pack"),
        "toggle": lambda: task_of(client.patch(f"{path_of(tasks['pack'])}/complete")),
        "batch": lambda: run_batch(client, operation("complete", tasks["pack"])),
        "status": lambda: patch(client, tasks["pack"], status="done"),
    }
    ways[way]()
    assert done(stored_tasks(database_url, user_id)) == {"pack", "socks", "shoes"}
    patch(client, tasks["pack"], status="cancelled")  # which is not to be done again
    assert done(stored_tasks(database_url, user_id)) == {"socks", "shoes"}


@pytest.mark.requirement("FR-361")
def test_a_task_can_be_completed_and_reopened_alone(client: httpx.Client, user_id: str, database_url: str) -> None:
    tasks = plant(client, TREE)
    complete(client, tasks["pack"], cascade=False)
    assert done(stored_tasks(database_url, user_id)) == {"pack"}
    complete(client, tasks["trip"])
    run_batch(client, operation("complete", tasks["pack"], data={"completed": False, "cascade": False}))
    assert done(stored_tasks(database_url, user_id)) == {"trip", "book", "socks", "shoes"}


@pytest.mark.requirement("FR-362")
def test_a_tree_goes_to_the_trash_and_back_exactly(client: httpx.Client, user_id: str, database_url: str) -> None:
    tasks = plant(client, TREE)
    delete(client, tasks["shoes"])
    delete(client, tasks["trip"])
    everything = stored_tasks(database_url, user_id)
    assert in_trash(everything) == {"trip", "pack", "socks", "shoes", "book"}
    assert client.get(path_of(tasks["socks"])).status_code == 404
    restore(client, tasks["trip"])
    assert in_trash(stored_tasks(database_url, user_id)) == {"shoes"}
    restored = restore(client, tasks["shoes"])
    assert restored["parent_id"] == tasks["pack"]["id"]


@pytest.mark.requirement("FR-362")
def test_restoring_a_subtask_brings_back_those_above(client: httpx.Client, user_id: str, database_url: str) -> None:
    home = make(client, "Home")
    tasks = plant(client, TREE)
    patch(client, tasks["trip"], list_id=home["id"])
    delete(client, tasks["trip"])
    assert client.delete(f"/api/lists/{home['id']}").status_code == 204
    restored = restore(client, tasks["socks"])
    assert (restored["parent_id"], restored["list_id"]) == (tasks["pack"]["id"], None)
    everything = stored_tasks(database_url, user_id)
    assert in_trash(everything) == {"shoes", "book"}
    assert {everything[title]["list_id"] for title in ("trip", "pack", "socks")} == {None}


@pytest.mark.requirement("FR-360", "FR-362")
def test_what_stays_in_the_trash_goes_to_the_list_of_its_parent(
    client: httpx.Client, user_id: str, database_url: str
) -> None:
    home = make(client, "Home")
    tasks = plant(client, TREE, list_id=home["id"])
    delete_list(client, home)
    before = revision_of(client)
    restore(client, tasks["socks"])
    assert revision_of(client) == before + 5
    restore_list(client, home)
    everything = stored_tasks(database_url, user_id)
    assert {title for title, task in everything.items() if task["list_id"]} == {"other"}
    assert in_trash(everything) == {"shoes", "book"}
    assert restore(client, tasks["book"])["parent_id"] == tasks["trip"]["id"]


@pytest.mark.requirement("FR-361", "FR-362")
def test_operations_of_a_batch_undo_each_other_as_calls_do(client: httpx.Client) -> None:
    tasks = plant(client, TREE)
    complete(client, tasks["pack"], cascade=False)
    again = operation("complete", tasks["socks"], data={"completed": False})
    there_and_back = [
        *(operation("delete", tasks["book"]), operation("restore", tasks["book"])),
        *(operation("complete", tasks["socks"]), again),
    ]
    run_batch(client, *there_and_back)
    assert read(client, tasks["book"])["parent_id"] == tasks["trip"]["id"]
    assert not read(client, tasks["pack"])["completed"]


@pytest.mark.requirement("FR-359")
def test_tasks_that_are_under_each_other_all_the_same_harm_nobody(
    client: httpx.Client, user_id: str, database_url: str
) -> None:
    tasks = chain(client, "a", "b", "c")
    execute(
        database_url,
        "UPDATE tasks SET parent_id = %s WHERE user_id = %s AND title = 'a'",
        *(tasks["c"]["id"], user_id),
    )
    complete(client, tasks["b"])
    assert done(stored_tasks(database_url, user_id)) == {"a", "b", "c"}
    reopen(client, tasks["b"])
    delete(client, tasks["b"])
    restore(client, tasks["c"])
    assert patch(client, tasks["a"], parent_id=None)["parent_id"] is None
    delete(client, tasks["a"], permanent="true")
    assert stored_tasks(database_url, user_id) == {}


@pytest.mark.requirement("FR-362")
def test_a_tree_is_deleted_for_good(client: httpx.Client, user_id: str, database_url: str) -> None:
    tasks = plant(client, TREE)
    delete(client, tasks["shoes"])
    before = revision_of(client)
    delete(client, tasks["pack"], permanent="true")
    assert stored_tasks(database_url, user_id).keys() == {"trip", "book", "other"}
    assert revision_of(client) == before + 3
    feed = client.get("/api/changes").json()["data"]
    gone = {change["id"]: change["revision"] for change in feed if change.get("deleted")}
    assert gone.keys() == {tasks[title]["id"] for title in ("pack", "socks", "shoes")}
    assert set(gone.values()) == {before + 1, before + 2, before + 3}
    assert client.get("/api/me").status_code == 200
    complete(client, tasks["trip"])
    assert done(stored_tasks(database_url, user_id)) == {"trip", "book"}


@pytest.mark.requirement("FR-362", "FR-366")
def test_what_is_not_in_the_trash_is_not_deleted_along_with_what_is(
    client: httpx.Client, user_id: str, database_url: str
) -> None:
    tasks = plant(client, {"trip": {"pack": {}, "book": {}}})
    delete(client, tasks["book"])
    # As a release before does, which knows no subtasks.
    execute(database_url, "UPDATE tasks SET deleted_at = now() WHERE id = %s", tasks["trip"]["id"])
    delete(client, tasks["trip"], permanent="true")
    assert stored_tasks(database_url, user_id).keys() == {"pack"}
    assert read(client, tasks["pack"]) == tasks["pack"]


@pytest.mark.requirement("FR-363")
def test_if_match_is_about_the_task_that_is_named(client: httpx.Client) -> None:
    tasks = plant(client, TREE)
    patch(client, tasks["socks"], title="warm socks")
    tag = {"If-Match": f'"{tasks["trip"]["revision"]}"'}
    response = client.patch(f"{path_of(tasks['trip'])}/complete", json={"completed": True}, headers=tag)
    assert task_of(response)["completed"]
    response = client.delete(path_of(tasks["trip"]), headers=tag)
    assert response.status_code == 412
    assert read(client, tasks["socks"])["completed"]


@pytest.mark.requirement("FR-364")
def test_subtasks_are_listed(client: httpx.Client, stranger: httpx.Client) -> None:
    tasks = plant(client, TREE)
    assert [task["title"] for task in subtasks(client, tasks["trip"])] == ["pack", "book"]
    assert subtasks(client, tasks["socks"]) == []
    listed = client.get("/api/tasks", params={"parent_id": tasks["pack"]["id"], "sort": "title"}).json()["data"]
    assert [task["title"] for task in listed] == ["shoes", "socks"]
    listed = client.get("/api/tasks", params={"parent_id": "none", "sort": "created_at"}).json()["data"]
    assert [task["title"] for task in listed] == ["trip", "other"]
    first = client.get(f"{path_of(tasks['trip'])}/subtasks", params={"limit": 1}).json()
    assert first["page"]["has_more"]
    second = subtasks(client, tasks["trip"], limit=1, cursor=first["page"]["next_cursor"])
    assert [task["title"] for task in second] == ["book"]
    response = client.get(f"{path_of(tasks['trip'])}/subtasks")
    known = {"If-None-Match": response.headers["ETag"]}
    assert client.get(f"{path_of(tasks['trip'])}/subtasks", headers=known).status_code == 304
    delete(client, tasks["pack"])
    for missing in (tasks["pack"], create(stranger), {"id": str(uuid.uuid4())}, {"id": "x"}):
        assert client.get(f"{path_of(missing)}/subtasks").status_code == 404


@pytest.mark.requirement("FR-365")
def test_subtasks_are_counted_on_request(client: httpx.Client) -> None:
    tasks = plant(client, TREE)
    complete(client, tasks["book"])
    delete(client, tasks["shoes"])
    counts = {"include": "subtask_counts"}
    one = client.get(path_of(tasks["trip"]), params=counts, headers={"If-None-Match": "*"})
    assert one.json()["data"] == {**tasks["trip"], "subtask_counts": {"total": 2, "done": 1}}
    listed = client.get("/api/tasks", params=counts | {"limit": "10"}).json()["data"]
    assert {task["title"]: task["subtask_counts"] for task in listed} == {
        "trip": {"total": 2, "done": 1},
        "pack": {"total": 1, "done": 0},
        **{title: {"total": 0, "done": 0} for title in ("socks", "book", "other")},
    }
    assert [task["subtask_counts"]["total"] for task in subtasks(client, tasks["trip"], **counts)] == [1, 0]
    assert client.get(path_of(create(client, parent_id=None)), params={"include": "everything"}).status_code == 422
    whole = one.json()["data"]
    assert task_of(client.put(path_of(whole), json=whole))["revision"] == whole["revision"]


@pytest.mark.requirement("FR-403")
def test_a_tree_stays_in_one_list_when_its_list_is_deleted_without_it(api: API, client: httpx.Client) -> None:
    place = make(client)
    made = plant(client, {"top": {"middle": {"low": {}}}}, list_id=place["id"])
    token = make_token(client, READ, WRITE, list_id=place["id"])["token"]
    delete(client, made["middle"])
    delete_list(client, place, tasks="inbox")
    restore_list(client, place)

    with with_token(api, token) as guest:
        assert guest.post(f"{path_of(made['low'])}/restore").status_code == 404
    back = task_of(client.post(f"{path_of(made['low'])}/restore"))
    assert back["list_id"] is None
    assert {task["list_id"] for task in client.get("/api/tasks").json()["data"]} == {None}


@pytest.mark.requirement("FR-404")
@pytest.mark.parametrize("is_one_file", [True, False])
def test_a_parent_that_is_not_there_yet_counts(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch, *, is_one_file: bool
) -> None:
    monkeypatch.setattr(tree, "MAX_BELOW", 2)
    missing = str(uuid.uuid4())
    rows = [{"title": str(number), "parent_id": missing} for number in range(3)]
    files = [rows] if is_one_file else [[row] for row in rows]

    found = [problem for file in files for problem in problems(client, lines_of(file))]

    assert [code for _, _, code in found] == ["too_many_subtasks"]
    create(client, "parent", id=missing)
    assert {task["title"] for task in subtasks(client, {"id": missing})} == {"0", "1"}


@pytest.mark.requirement("FR-404")
def test_levels_below_a_parent_that_is_not_there_yet_are_bounded(client: httpx.Client) -> None:
    ids = [str(uuid.uuid4()) for _ in range(6)]
    rows = [{"title": "a", "id": each, "parent_id": parent} for parent, each in itertools.pairwise(ids)]

    assert [code for _, _, code in problems(client, lines_of(rows))] == ["too_deep"]
    create(client, "parent", id=ids[0])
