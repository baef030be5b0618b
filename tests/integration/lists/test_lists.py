"""Tasks in lists: moving them, restoring them, listing them, and files of them."""

from __future__ import annotations

import json
import uuid

import httpx
import pytest

from tests.fixtures.calls.batches import run_each, statuses_of
from tests.fixtures.calls.lists import delete, edit, make, restore, titles_in
from tests.fixtures.calls.task_files import CALENDAR, CSV, EXPORT, LINES, imported, lines_of, problems
from tests.fixtures.calls.tasks import MISSING_ID, create, error_of, path_of, read, revision_of, task_of
from tests.fixtures.inputs.hostile import BAD_QUERIES

UNKNOWN = ("list_id", "list_unknown")


def details_of(response: httpx.Response) -> list[tuple[str, str]]:
    """Return the fields and codes of a refusal."""
    return [(each["field"], each["code"]) for each in error_of(response, 422, "VALIDATION_ERROR")["details"]]


@pytest.mark.requirement("FR-338")
def test_a_task_is_made_in_a_list_and_moved(client: httpx.Client) -> None:
    first, second = make(client, "a"), make(client, "b")
    task = create(client, list_id=first["id"])
    assert task["list_id"] == first["id"]
    assert create(client)["list_id"] is None

    for method, place in (("PATCH", second["id"]), ("PUT", None), ("PUT", first["id"].upper())):
        task = task_of(client.request(method, path_of(task), json={"list_id": place}))
        assert task["list_id"] == (place and place.lower())
        assert read(client, task) == task
    assert task_of(client.patch(path_of(task), json={"list_id": first["id"]})) == task
    assert task_of(client.put(path_of(task), json={**task, "title": "b"}))["list_id"] == first["id"]
    assert revision_of(client) == 8


@pytest.mark.requirement("FR-338")
def test_no_task_comes_into_a_list_that_is_not_there(client: httpx.Client, stranger: httpx.Client) -> None:
    task, gone, theirs = create(client), make(client), make(stranger)
    delete(client, gone)
    before = revision_of(client)
    for place in (str(uuid.uuid4()), gone["id"], theirs["id"], task["id"]):
        assert details_of(client.patch(path_of(task), json={"list_id": place, "title": "b"})) == [UNKNOWN]
        assert details_of(client.put(path_of(task), json={"list_id": place})) == [UNKNOWN]
        assert details_of(client.post("/api/tasks", json={"title": "b", "list_id": place})) == [UNKNOWN]
        operations = [{"op": "create", "data": {"title": "b", "list_id": place}}]
        atomic = client.post("/api/tasks/batch", json={"operations": operations})
        assert ("operations.0.data.list_id", "list_unknown") in details_of(atomic)
        assert problems(client, lines_of([{"title": "b", "list_id": place}])) == [(1, *UNKNOWN)]
    for wrong in ("inbox", 7, ""):
        assert details_of(client.patch(path_of(task), json={"list_id": wrong})) == [("list_id", "uuid_format")]
    assert (read(client, task), revision_of(client)) == (task, before)
    assert task_of(stranger.post("/api/tasks", json={"title": "b", "list_id": theirs["id"]}), 201)


@pytest.mark.requirement("FR-338", "FR-332")
def test_a_repeated_create_in_a_list_is_known_again(client: httpx.Client) -> None:
    first, second = make(client, "a"), make(client, "b")
    body = {"id": str(uuid.uuid4()), "title": "x", "list_id": first["id"]}
    made = task_of(client.post("/api/tasks", json=body), 201)

    assert task_of(client.post("/api/tasks", json=body)) == made
    error_of(client.post("/api/tasks", json={**body, "list_id": second["id"]}), 409, "CONFLICT")
    moved = task_of(client.patch(path_of(made), json={"list_id": None}))
    assert task_of(client.post("/api/tasks", json=body)) == moved


@pytest.mark.requirement("FR-338", "FR-339")
def test_a_batch_does_with_lists_what_single_calls_do(client: httpx.Client) -> None:
    made, gone = make(client, "a"), make(client, "b")
    task, trashed = (create(client, name, list_id=made["id"]) for name in "xy")
    lost = create(client, "z", list_id=gone["id"])
    client.delete(path_of(trashed))
    client.delete(path_of(lost))
    delete(client, gone)

    results = run_each(
        client,
        {"op": "create", "data": {"title": "w", "list_id": made["id"]}},
        {"op": "update", "id": task["id"], "data": {"list_id": gone["id"]}},
        {"op": "update", "id": task["id"], "data": {"list_id": None}},
        {"op": "restore", "id": trashed["id"]},
        {"op": "restore", "id": lost["id"]},
    )

    assert statuses_of(results) == [201, 422, 200, 200, 200]
    places = [result["data"]["list_id"] for result in results if "error" not in result]
    assert places == [made["id"], None, made["id"], None]
    assert titles_in(client, made["id"]) == ["w", "y"]


@pytest.mark.requirement("FR-339")
def test_a_restored_task_goes_back_to_its_list_or_to_the_inbox(client: httpx.Client) -> None:
    made = make(client)
    first, second = create(client, "x", list_id=made["id"]), create(client, "y", list_id=made["id"])
    client.delete(path_of(first))
    assert task_of(client.post(f"{path_of(first)}/restore"))["list_id"] == made["id"]
    delete(client, made)

    back = task_of(client.post(f"{path_of(first)}/restore"))

    assert back["list_id"] is None
    assert task_of(client.post(f"{path_of(first)}/restore")) == back
    restore(client, made)
    assert titles_in(client, made["id"]) == ["y"]
    assert titles_in(client, "inbox") == ["x"]
    assert read(client, second)["list_id"] == made["id"]


@pytest.mark.requirement("FR-340")
def test_tasks_are_listed_by_their_list(client: httpx.Client, stranger: httpx.Client) -> None:
    first, second, theirs = make(client, "a"), make(client, "b"), make(stranger)
    for title, place in (("x", first), ("y", second), ("z", first)):
        create(client, title, list_id=place["id"])
    create(client, "w")
    create(stranger, "v", list_id=theirs["id"])

    assert titles_in(client, first["id"]) == titles_in(client, first["id"].upper(), limit="2") == ["z", "x"]
    assert titles_in(client, second["id"]) == ["y"]
    assert titles_in(client, "inbox") == ["w"]
    assert titles_in(client, "inbox", sort="title", include_total="true") == ["w"]
    assert titles_in(client, theirs["id"]) == titles_in(client, str(uuid.uuid4())) == []
    assert titles_in(client, first["id"], q="x") == ["x"]
    assert titles_in(client, first["id"], deleted="true") == []
    counts = client.get("/api/tasks", params={"list_id": first["id"], "include_counts": "true", "limit": 1}).json()
    assert counts["page"]["counts"]["todo"] == 2
    following = client.get(
        "/api/tasks", params={"list_id": first["id"], "limit": 1, "cursor": counts["page"]["next_cursor"]}
    )
    assert [task["title"] for task in following.json()["data"]] == ["x"]
    error_of(
        client.get("/api/tasks", params={"list_id": "inbox", "cursor": counts["page"]["next_cursor"]}),
        400,
        "BAD_REQUEST",
    )


@pytest.mark.requirement("FR-340")
def test_tasks_in_archived_lists_can_be_left_out(client: httpx.Client) -> None:
    def titles(is_in_archived: str) -> list[str]:
        answer = client.get("/api/tasks", params={"in_archived": is_in_archived, "sort": "title"})
        return [task["title"] for task in answer.json()["data"]]

    first, second = make(client, "a"), make(client, "b", archived=True)
    create(client, "w")
    assert (titles("false"), titles("true")) == (["w"], [])
    create(client, "x", list_id=first["id"])
    create(client, "y", list_id=second["id"])

    assert (titles("false"), titles("true")) == (["w", "x"], ["y"])
    edit(client, first, archived=True)
    assert (titles("false"), titles("true")) == (["w"], ["x", "y"])
    edit(client, second, archived=False)
    assert (titles("false"), titles("true")) == (["w", "y"], ["x"])


@pytest.mark.requirement("FR-342")
@pytest.mark.parametrize("kind", ["jsonl", "csv", "ics"])
def test_files_carry_the_list(client: httpx.Client, kind: str) -> None:
    content_type = {"jsonl": LINES, "csv": CSV, "ics": CALENDAR}[kind]
    made = make(client)
    inside, inbox = create(client, "x", list_id=made["id"]), create(client, "y")
    file = client.get(EXPORT, params={"format": kind}).text

    assert imported(client, file, content_type) == {"unchanged": 2}
    client.patch(path_of(inside), json={"list_id": None})
    assert imported(client, file, content_type) == {"updated": 1, "unchanged": 1}
    assert [read(client, each)["list_id"] for each in (inside, inbox)] == [made["id"], None]
    client.delete(path_of(inside))
    assert imported(client, file, content_type) == {"restored": 1, "unchanged": 1}
    assert read(client, inside)["list_id"] == made["id"]
    client.patch(path_of(inbox), json={"list_id": made["id"]}).raise_for_status()
    assert imported(client, file, content_type) == {"updated": 1, "unchanged": 1}
    assert read(client, inbox)["list_id"] is None
    delete(client, made, permanent="true")
    assert {problem[1:] for problem in problems(client, file, content_type)} == {UNKNOWN}


@pytest.mark.requirement("FR-342")
def test_a_file_without_lists_leaves_tasks_in_theirs(client: httpx.Client) -> None:
    made = make(client)
    task = create(client, "x", list_id=made["id"])
    assert imported(client, f"id,title\n{task['id']},y\n", CSV) == {"updated": 1}
    assert imported(client, lines_of([{"id": task["id"], "title": "z"}])) == {"updated": 1}
    assert read(client, task)["list_id"] == made["id"]
    assert imported(client, f"id,title,list_id\n{task['id']},z,\n", CSV) == {"updated": 1}
    assert read(client, task)["list_id"] is None
    client.patch(path_of(task), json={"list_id": made["id"]})
    client.delete(path_of(task))
    delete(client, made)

    assert imported(client, lines_of([{"id": task["id"], "title": "z"}])) == {"restored": 1}
    assert read(client, task)["list_id"] is None


@pytest.mark.requirement("FR-342")
@pytest.mark.parametrize("kind", ["jsonl", "csv", "ics"])
def test_an_export_can_be_of_one_list(client: httpx.Client, stranger: httpx.Client, kind: str) -> None:
    first, second, theirs = make(client), make(client), make(stranger)
    create(client, "in the first", list_id=first["id"])
    create(client, "in the second", list_id=second["id"])
    create(client, "in none")
    create(stranger, "somebody else's", list_id=theirs["id"])
    client.delete(path_of(create(client, "in the trash", list_id=first["id"]))).raise_for_status()
    names = ["in the first", "in the second", "in none", "somebody else's", "in the trash"]

    def exported(place: str) -> list[str]:
        file = client.get(EXPORT, params={"format": kind, "list_id": place})
        assert file.status_code == 200, file.text
        return [name for name in names if name in file.text]

    assert exported(first["id"]) == ["in the first"]
    assert exported(second["id"].upper()) == ["in the second"]
    assert exported("inbox") == ["in none"]
    assert exported(theirs["id"]) == exported(MISSING_ID) == []
    for bad in BAD_QUERIES["list_id"]:
        details = error_of(client.get(EXPORT, params={"list_id": bad}), 422, "VALIDATION_ERROR")["details"]
        assert {detail["field"] for detail in details} == {"query.list_id"}, bad


@pytest.mark.requirement("FR-342")
def test_the_later_pages_of_an_export_are_of_the_list_too(client: httpx.Client) -> None:
    made = make(client)
    operations = [
        {"op": "create", "data": {"title": f"{number} {place}", "list_id": place, "description": "x" * 9000}}
        for number in range(50)
        for place in (made["id"], None)
    ]
    for _ in range(4):
        client.post("/api/tasks/batch", json={"operations": operations}).raise_for_status()

    file = client.get(EXPORT, params={"list_id": made["id"]}).text

    assert [json.loads(line)["list_id"] for line in file.splitlines()] == [made["id"]] * 200
