"""Subtasks in files and in batches: what names a parent that is not there yet."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import icalendar
import pytest

from backend.config import Settings
from backend.models.task_file import FileFormat
from backend.services.tasks import tree_queries
from tests.fixtures.calls.api import serve
from tests.fixtures.calls.batches import creation, operation, run_batch, run_each, send_batch, statuses_of
from tests.fixtures.calls.lists import make
from tests.fixtures.calls.subtasks import Tree, chain, plant, refused, stored_tasks, subtasks
from tests.fixtures.calls.task_files import CALENDAR, EXPORT, TYPES, exported, imported, lines_of, problems
from tests.fixtures.calls.tasks import Task, create, path_of, read, revision_of, task_of

TREE: Tree = {"trip": {"pack": {"socks": {}, "shoes": {}}, "book": {}}, "other": {}}
PARENT, CHILD = (str(uuid.UUID(int=5 * 2**80 + number)) for number in (1, 2))


def row(title: str, **fields: object) -> dict[str, object]:
    return {"title": title, **fields}


def kept(task: dict[str, Any]) -> list[object]:
    """Return what a file keeps of a task; calendars have whole seconds."""
    names = ("id", "parent_id", "list_id", "completed", "position", "has_subtasks")
    return [*(task[name] for name in names), (task["completed_at"] or "")[:19]]


def parents_of(url: str, user_id: str) -> dict[str, str | None]:
    """Return the title of each task's parent."""
    tasks = stored_tasks(url, user_id)
    titles = {task["id"]: title for title, task in tasks.items()}
    return {title: titles.get(task["parent_id"]) for title, task in tasks.items()}


@pytest.mark.requirement("FR-367")
@pytest.mark.parametrize("file_format", TYPES)
def test_a_tree_comes_back_from_a_file_in_any_order(
    client: httpx.Client, stranger: httpx.Client, user_id: str, database_url: str, file_format: Any
) -> None:
    home = make(client, "Home")
    tasks = plant(client, TREE)
    task_of(client.patch(path_of(tasks["trip"]), json={"list_id": home["id"]}))
    client.patch(f"{path_of(tasks['pack'])}/complete", json={"completed": True})
    before, file = stored_tasks(database_url, user_id), exported(client, file_format)
    parents = parents_of(database_url, user_id)
    assert imported(client, file, TYPES[file_format]) == {"unchanged": 6}

    task_of(client.patch(path_of(tasks["other"]), json={"parent_id": tasks["socks"]["id"]}))
    task_of(client.patch(path_of(tasks["book"]), json={"parent_id": None}))
    assert imported(client, file, TYPES[file_format]) == {"updated": 2, "unchanged": 4}
    assert parents_of(database_url, user_id) == parents

    for title in ("trip", "other"):
        assert client.delete(path_of(tasks[title]), params={"permanent": "true"}).status_code == 204
    if file_format == "jsonl":
        file = "".join(line + "\n" for line in reversed(file.split("\n")[:-1]))  # the subtasks come first
    assert imported(client, file, TYPES[file_format]) == {"created": 6}
    after = stored_tasks(database_url, user_id)
    assert {title: kept(task) for title, task in after.items()} == {title: kept(task) for title, task in before.items()}
    assert client.get("/api/tasks").json()["data"] != stranger.get("/api/tasks").json()["data"] == []


@pytest.mark.requirement("FR-367")
@pytest.mark.parametrize("is_child_first", [True, False])
def test_a_tree_that_is_in_another_list_by_now_comes_back_whole(
    client: httpx.Client, user_id: str, database_url: str, *, is_child_first: bool
) -> None:
    home = make(client, "Home")
    tasks = plant(client, {"trip": {"pack": {"socks": {}}}})
    task_of(client.patch(path_of(tasks["trip"]), json={"list_id": home["id"]}))
    before, lines = stored_tasks(database_url, user_id), exported(client, "jsonl").split("\n")[:-1]
    task_of(client.patch(path_of(tasks["trip"]), json={"list_id": None}))
    lines.sort(
        key=lambda line: [title in line for title in ('"trip"', '"pack"', '"socks"')], reverse=not is_child_first
    )

    report = imported(client, "".join(f"{line}\n" for line in lines), TYPES[FileFormat.JSON_LINES])

    assert report.get("failed", 0) == 0
    after = stored_tasks(database_url, user_id)
    assert {title: kept(task) for title, task in after.items()} == {title: kept(task) for title, task in before.items()}


@pytest.mark.requirement("FR-367")
def test_a_subtask_waits_for_its_parent(client: httpx.Client, user_id: str, database_url: str) -> None:
    assert imported(client, lines_of([row("child", id=CHILD, parent_id=PARENT)])) == {"created": 1, "mended": 1}
    assert client.get(f"/api/tasks/{PARENT}/subtasks").status_code == 404
    assert read(client, {"id": CHILD})["parent_id"] == PARENT
    task_of(client.patch(f"/api/tasks/{CHILD}", json={"title": "child", "parent_id": PARENT}))  # as it is
    home = make(client, "Home")
    create(client, "parent", id=PARENT, list_id=home["id"])
    assert [task["list_id"] for task in subtasks(client, {"id": PARENT})] == [home["id"]]
    client.patch(f"/api/tasks/{PARENT}/complete")
    assert read(client, {"id": CHILD})["completed"]
    task_of(client.patch(f"/api/tasks/{CHILD}", json={"parent_id": None}))
    assert stored_tasks(database_url, user_id)["parent"]["has_subtasks"]  # perhaps
    client.patch(f"/api/tasks/{PARENT}/complete")
    assert not stored_tasks(database_url, user_id)["parent"]["has_subtasks"]
    assert read(client, {"id": CHILD})["completed"]


@pytest.mark.requirement("FR-367")
def test_a_row_that_would_close_a_circle_loses_its_parent(
    client: httpx.Client, user_id: str, database_url: str
) -> None:
    rows = [row("a", id=CHILD, parent_id=PARENT), row("b", id=PARENT, parent_id=CHILD)]
    assert imported(client, lines_of(rows)) == {"created": 2, "mended": 1}
    assert parents_of(database_url, user_id) == {"a": "b", "b": None}
    assert imported(client, lines_of(rows)) == {"unchanged": 2, "mended": 1}
    itself = [row("c", id=str(uuid.UUID(int=9)), parent_id=str(uuid.UUID(int=9)))]
    assert imported(client, lines_of(itself)) == {"created": 1, "mended": 1}
    assert parents_of(database_url, user_id)["c"] is None


@pytest.mark.requirement("FR-367")
def test_a_row_that_does_not_fit_into_the_tree_is_refused(client: httpx.Client) -> None:
    five, home = chain(client, *"abcde"), make(client, "Home")
    place = {"parent_id": five["e"]["id"]}
    assert problems(client, lines_of([row("f", **place)])) == [(1, "parent_id", "too_deep")]
    elsewhere = row("f", parent_id=five["a"]["id"], list_id=home["id"])
    assert problems(client, lines_of([elsewhere])) == [(1, "parent_id", "parent_unknown")]
    waiting = [row("x", id=CHILD, parent_id=PARENT)]
    assert imported(client, lines_of(waiting)) == {"created": 1, "mended": 1}
    late = row("y", id=PARENT, parent_id=five["d"]["id"])
    assert problems(client, lines_of([late])) == [(1, "parent_id", "too_deep")]


@pytest.mark.requirement("FR-367")
def test_a_file_brings_parents_back_and_completes_nothing_else(
    client: httpx.Client, user_id: str, database_url: str
) -> None:
    tasks = plant(client, TREE)
    client.delete(path_of(tasks["trip"]))
    assert imported(client, lines_of([row("sandals", parent_id=tasks["pack"]["id"])])) == {"created": 1}
    everything = stored_tasks(database_url, user_id)
    assert {title for title, task in everything.items() if task["deleted_at"]} == {"book"}
    done = lines_of([row("pack", id=tasks["pack"]["id"], completed=True)])
    assert imported(client, done) == {"updated": 1}
    everything = stored_tasks(database_url, user_id)
    assert {title for title, task in everything.items() if task["completed"]} == {"pack"}
    assert imported(client, lines_of([row("book", id=tasks["book"]["id"])])) == {"restored": 1}


@pytest.mark.requirement("FR-367")
def test_a_row_that_is_refused_brings_no_parent_back(
    client: httpx.Client, settings: Settings, user_id: str, database_url: str
) -> None:
    five = chain(client, *"abcde")
    client.delete(path_of(five["a"]))
    before = stored_tasks(database_url, user_id)
    assert problems(client, lines_of([row("f", parent_id=five["e"]["id"])])) == [(1, "parent_id", "too_deep")]
    strict = settings.model_copy(update={"require_if_match": True})
    with serve(strict) as api, api.client(user_id) as careful:
        assert problems(careful, lines_of([row("f", parent_id=five["a"]["id"])])) == [
            (1, "parent_id", "parent_unknown")
        ]
    assert stored_tasks(database_url, user_id) == before
    rows = [row("f", parent_id=five["e"]["id"]), row("g", parent_id=five["b"]["id"])]
    assert problems(client, lines_of(rows)) == [(1, "parent_id", "too_deep")]
    assert [task["title"] for task in subtasks(client, five["b"])] == ["c", "g"]
    assert revision_of(client) == max(task["revision"] for task in stored_tasks(database_url, user_id).values())


@pytest.mark.requirement("FR-367")
def test_other_programs_read_and_write_the_relation(client: httpx.Client) -> None:
    tasks = plant(client, TREE)
    calendar = icalendar.Calendar.from_ical(client.get(EXPORT, params={"format": "ics"}).text)
    todos = {str(todo["SUMMARY"]): todo for todo in calendar.walk("VTODO")}
    assert str(todos["socks"]["RELATED-TO"]) == tasks["pack"]["id"]
    assert "RELATED-TO" not in todos["trip"]

    written = icalendar.Calendar({"PRODID": "-//Other//EN", "VERSION": "2.0"})
    for uid, above in (("below@other", "above@other"), ("above@other", None)):
        todo = icalendar.Todo({"UID": uid, "SUMMARY": uid})
        if above:
            todo.add("RELATED-TO", above)
        written.add_component(todo)
    assert imported(client, written.to_ical(), CALENDAR) == {"created": 2}
    made = {task["title"]: task for task in client.get("/api/tasks").json()["data"]}
    assert made["below@other"]["parent_id"] == made["above@other"]["id"]


@pytest.mark.requirement("FR-368")
def test_operations_point_at_what_an_earlier_one_creates(client: httpx.Client) -> None:
    book = create(client, "book")
    made = run_batch(
        client,
        {**creation("trip"), "ref": "trip"},
        {**creation("pack"), "ref": "pack", "parent_ref": "trip"},
        {**creation("socks"), "parent_ref": "pack"},
        operation("update", book, data={"title": "book a room"}, parent_ref="trip"),
        {"op": "complete", "ref": "pack"},
        {"op": "update", "ref": "trip", "data": {"priority": "high"}},
    )
    trip, pack, socks, book, _, changed = (result["data"] for result in made)
    assert [pack["parent_id"], socks["parent_id"], book["parent_id"]] == [trip["id"], pack["id"], trip["id"]]
    assert changed["id"] == trip["id"]
    assert (changed["priority"], book["title"]) == ("high", "book a room")
    assert [read(client, task)["completed"] for task in (trip, pack, socks)] == [False, True, True]


@pytest.mark.requirement("FR-368")
def test_a_reference_that_leads_nowhere_is_refused(client: httpx.Client) -> None:
    before = revision_of(client)
    trip = {**creation("trip"), "ref": "trip"}
    cases: list[tuple[list[dict[str, object]], tuple[str, str]]] = [
        ([{"op": "delete", "ref": "trip"}, trip], ("operations.0.ref", "ref_unknown")),
        ([trip, {**creation(), "parent_ref": "Trip"}], ("operations.1.parent_ref", "ref_unknown")),
        ([trip, trip], ("operations.1.ref", "ref_taken")),
    ]
    for operations, problem in cases:
        assert refused(send_batch(client, *operations)) == [problem]
    assert revision_of(client) == before

    failing = {**creation("x" * 500, parent_id=str(uuid.uuid4())), "ref": "trip"}
    results = run_each(client, failing, {"op": "complete", "ref": "trip"}, {**creation(), "parent_ref": "trip"})
    assert statuses_of(results) == [422, 404, 422]


@pytest.mark.requirement("FR-368")
def test_a_batch_with_references_is_sent_once(client: httpx.Client) -> None:
    keyed = {"headers": {"Idempotency-Key": "k"}}
    operations = [{**creation("trip"), "ref": "trip"}, {**creation("pack"), "parent_ref": "trip"}]
    first, again = (send_batch(client, *operations, **keyed) for _ in range(2))
    assert first.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(client.get("/api/tasks").json()["data"]) == 2


@pytest.mark.requirement("FR-363")
def test_many_trees_are_too_many_for_one_request(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert tree_queries.MAX_IN_TREES == 10_000
    monkeypatch.setattr("backend.services.tasks.loaded.MAX_IN_TREES", 20)
    tops: list[Task] = [create(client, f"top {number}") for number in range(3)]
    for top in tops:
        run_batch(client, *(creation(parent_id=top["id"]) for _ in range(9)))
    before = revision_of(client)
    seen = [{"id": top["id"], "title": top["title"]} for top in tops]  # a file is not one request to them
    assert imported(client, lines_of([*seen, row("last", parent_id=tops[2]["id"])])) == {"unchanged": 3, "created": 1}
    before += 1
    response = send_batch(client, *(operation("complete", top) for top in tops))
    assert refused(response, 409, "CONFLICT") == [("body", "too_many_subtasks")]
    assert revision_of(client) == before
    assert statuses_of(run_batch(client, *(operation("complete", top) for top in tops[:2]))) == [200, 200]
    counts = client.get("/api/tasks", params={"include_counts": "true"}).json()["page"]["counts"]
    assert (counts["done"], counts["todo"]) == (20, 11)
    monkeypatch.setattr("backend.services.tasks.loaded.MAX_IN_TREES", 5)
    assert problems(client, lines_of([row("one", parent_id=tops[2]["id"])])) == [(1, "row", "too_many_subtasks")]
