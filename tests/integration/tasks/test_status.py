"""The status of tasks: set, listed and counted."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.fixtures.calls.listing import pages
from tests.fixtures.calls.task_files import imported, lines_of, problems
from tests.fixtures.calls.tasks import Task, create, error_of, path_of

STATUSES = ("todo", "in_progress", "done", "cancelled")


def edit(client: httpx.Client, task: Task, **fields: Any) -> Task:
    """Change a task, and return it."""
    response = client.patch(path_of(task), json=fields)
    assert response.status_code == 200, response.text
    changed: Task = response.json()["data"]
    return changed


def codes_of(response: httpx.Response) -> list[tuple[str, str]]:
    """Return the fields and codes of a refusal."""
    return [(detail["field"], detail["code"]) for detail in error_of(response, 422, "VALIDATION_ERROR")["details"]]


def titles(client: httpx.Client, **query: Any) -> list[str]:
    """List all pages of two, and return the titles."""
    return [task["title"] for page in pages(client, limit=2, **query) for task in page]


@pytest.fixture
def board(client: httpx.Client) -> dict[str, Task]:
    """Two tasks of each status, the newest last."""
    return {
        f"{status} {number}": create(client, f"{status} {number}", status=status)
        for number in range(2)
        for status in STATUSES
    }


@pytest.mark.requirement("FR-270")
def test_a_new_task_has_the_status_that_was_sent_or_todo(client: httpx.Client) -> None:
    assert create(client, "a")["status"] == "todo"
    assert create(client, "a", completed=True)["status"] == "done"
    for status in STATUSES:
        task = create(client, "a", status=status)
        assert (task["status"], task["completed"]) == (status, status == "done")
        assert (task["completed_at"] is not None) is (status == "done")
        assert client.get(path_of(task)).json()["data"] == task


@pytest.mark.requirement("FR-271")
def test_a_new_task_with_two_answers_to_one_question_is_refused(client: httpx.Client) -> None:
    refused = client.post("/api/tasks", json={"title": "a", "status": "todo", "completed": True})
    of_batch = client.post(
        "/api/tasks/batch",
        json={"operations": [{"op": "create", "data": {"title": "a", "status": "done", "completed": False}}]},
    )

    assert codes_of(refused) == [("status", "status_and_completed")]
    assert ("operations.0.data.status", "status_and_completed") in codes_of(of_batch)
    assert client.get("/api/tasks").json()["data"] == []
    assert create(client, "a", status="cancelled", completed=False)["status"] == "cancelled"


@pytest.mark.requirement("FR-271")
def test_a_whole_task_can_be_sent_back_with_one_of_them_changed(client: httpx.Client) -> None:
    task = create(client, "a", status="in_progress")
    sent = {name: task[name] for name in ("title", "description", "completed", "status")}

    done = client.put(path_of(task), json={**sent, "completed": True}).json()["data"]
    assert (done["status"], done["completed"]) == ("done", True)
    cancelled = client.put(path_of(task), json={**sent, "completed": True, "status": "cancelled"}).json()["data"]
    assert (cancelled["status"], cancelled["completed"], cancelled["completed_at"]) == ("cancelled", False, None)
    refused = client.put(path_of(task), json={**sent, "completed": True, "status": "todo"})
    assert codes_of(refused) == [("status", "status_and_completed")]
    assert client.get(path_of(task)).json()["data"] == cancelled


@pytest.mark.requirement("FR-272")
def test_completing_and_reopening_lead_to_done_and_todo(client: httpx.Client) -> None:
    task = create(client, "a", status="cancelled")
    completing = f"{path_of(task)}/complete"

    assert edit(client, task, completed=False) == task  # as a form does that knows only this
    assert client.patch(completing, json={"completed": False}).json()["data"] == task
    assert [client.patch(completing).json()["data"]["status"] for _ in range(3)] == ["done", "todo", "done"]
    assert edit(client, task, completed=False)["status"] == "todo"
    operation = {"op": "complete", "id": task["id"]}
    (outcome,) = client.post("/api/tasks/batch", json={"operations": [operation]}).json()["data"]
    assert outcome["data"]["status"] == "done"


@pytest.mark.requirement("FR-273")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("todo", {"todo"}),
        ("in_progress", {"in_progress"}),
        ("cancelled", {"cancelled"}),
        ("done", {"done"}),
        ("completed", {"done"}),
        ("pending", {"todo", "in_progress"}),
        ("pending,cancelled", {"todo", "in_progress", "cancelled"}),
        ("done,cancelled", {"done", "cancelled"}),
        ("done,todo,done", {"todo", "done"}),
        ("all", {*STATUSES}),
    ],
)
def test_statuses_are_listed(client: httpx.Client, board: dict[str, Task], words: str, expected: set[str]) -> None:
    newest_first = [title for title in reversed(board) if board[title]["status"] in expected]

    assert titles(client, status=words) == newest_first
    assert titles(client, status=words, sort="title") == sorted(newest_first)
    completed = [title for title in newest_first if title.startswith("done")]
    assert titles(client, status=words, completed="true") == completed


@pytest.mark.requirement("FR-273")
@pytest.mark.parametrize("words", ["open", "todo,", "TODO", "todo, done", ","])
def test_an_unknown_word_is_refused(client: httpx.Client, words: str) -> None:
    assert codes_of(client.get("/api/tasks", params={"status": words})) == [("query.status", "enum")]


@pytest.mark.requirement("FR-482")
def test_a_program_may_repeat_a_parameter_for_each_word(client: httpx.Client, board: dict[str, Task]) -> None:
    words = [("status", "todo"), ("limit", "1000"), ("status", "done,cancelled")]

    page = client.get("/api/tasks", params=tuple(words))

    assert [task["title"] for task in page.json()["data"]] == titles(client, status="todo,done,cancelled")
    assert "status=todo%2Cdone%2Ccancelled" in page.headers["Link"]
    assert client.get("/api/tasks", params=[("priority", "high"), ("priority", "none")]).status_code == 200
    assert client.get("/api/changes", params=[("types", "task"), ("types", "list")]).status_code == 200
    assert board


@pytest.mark.requirement("FR-482")
def test_repeated_words_are_judged_as_one_list_and_other_parameters_may_not_be_repeated(client: httpx.Client) -> None:
    for words, code in [
        ([("status", "todo"), ("status", "open")], ("query.status", "enum")),
        ([("status", ",".join(["todo"] * 20)), ("status", "todo")], ("query.status", "enum")),
        ([("types", "task"), ("types", "tasks")], ("query.types", "enum")),
        ([("status", "todo"), ("status", "done"), ("limit", "1"), ("limit", "2")], ("query.limit", "repeated")),
    ]:
        path = "/api/changes" if words[0][0] == "types" else "/api/tasks"
        assert codes_of(client.get(path, params=tuple(words))) == [code]


@pytest.mark.requirement("FR-273")
def test_a_cursor_belongs_to_statuses_and_not_to_their_spelling(client: httpx.Client, board: dict[str, Task]) -> None:
    page = client.get("/api/tasks", params={"status": "pending", "limit": 1}).json()["page"]

    again = {"limit": 1, "cursor": page["next_cursor"]}
    assert client.get("/api/tasks", params={**again, "status": "in_progress,todo"}).status_code == 200
    assert client.get("/api/tasks", params={**again, "status": "todo"}).status_code == 400
    assert board


@pytest.mark.requirement("FR-274")
@pytest.mark.parametrize("limit", [1, 1000])
def test_each_status_is_counted_whatever_is_listed(
    client: httpx.Client, stranger: httpx.Client, board: dict[str, Task], limit: int
) -> None:
    def counts(**query: Any) -> dict[str, int]:
        found: dict[str, int] = client.get(
            "/api/tasks", params={"include_counts": "true", "limit": limit, **query}
        ).json()["page"]["counts"]
        return found

    two = dict.fromkeys(STATUSES, 2)
    assert counts() == counts(status="done") == counts(completed="false") == two
    assert client.delete(path_of(board["todo 0"])).status_code == 204
    assert counts() == two | {"todo": 1}
    assert counts(deleted="true") == dict.fromkeys(STATUSES, 0) | {"todo": 1}
    assert counts(q='"done 1"') == dict.fromkeys(STATUSES, 0) | {"done": 1}
    of_nobody = stranger.get("/api/tasks", params={"include_counts": "true", "limit": limit}).json()["page"]
    assert of_nobody["counts"] == dict.fromkeys(STATUSES, 0)
    assert "counts" not in client.get("/api/tasks").json()["page"]


@pytest.mark.requirement("FR-276")
def test_a_file_sets_the_status_or_leaves_it_alone(client: httpx.Client) -> None:
    task = create(client, "a", status="in_progress")
    old = {"id": task["id"], "title": "a", "description": None, "completed": False, "completed_at": None}

    assert imported(client, lines_of([old])) == {"unchanged": 1}
    assert imported(client, lines_of([old | {"status": "cancelled"}, {"title": "b", "status": "done"}])) == {
        "updated": 1,
        "created": 1,
    }
    assert sorted(task["status"] for task in client.get("/api/tasks").json()["data"]) == ["cancelled", "done"]
    rows = [{"title": "c", "status": "todo", "completed": True}, old | {"status": "done", "completed": False}]
    assert problems(client, lines_of(rows)) == [
        (1, "status", "status_and_completed"),
        (2, "status", "status_and_completed"),
    ]
