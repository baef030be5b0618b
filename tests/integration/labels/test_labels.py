"""Labels of tasks: what a change does with their names, and the listings that they filter."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator

import httpx
import pytest

from backend.config import Settings
from backend.models.values.label_names import MAX_LABELS
from backend.services.labels.rules import TooManyLabels
from tests.fixtures.calls.api import API, new_user, serve
from tests.fixtures.calls.batches import creation, rows_of, run_batch, run_each, send_batch, update
from tests.fixtures.calls.exports import export
from tests.fixtures.calls.keys import new_key
from tests.fixtures.calls.listing import pages, titles
from tests.fixtures.calls.task_files import CALENDAR, CSV, imported, lines_of, problems, tasks_of
from tests.fixtures.calls.tasks import Task, create, error_of, everything_of, path_of, read, revision_of, task_of
from tests.fixtures.postgres.database import execute

STORED = "SELECT name, name_key, revision, color FROM labels WHERE user_id = %s ORDER BY revision"


def stored(database_url: str, user_id: str) -> list[tuple[str, int]]:
    """Return the names and revisions of a user's labels, in the order in which they were made."""
    found = execute(database_url, STORED, user_id)
    assert all(key == name.casefold() and color is None for name, key, _, color in found)
    return [(name, revision) for name, _, revision, _ in found]


def labels_of(client: httpx.Client, task: Task, *labels: str) -> list[str]:
    """Give a task these labels; returns those that it has then, after checking that a read says the same."""
    answer = task_of(client.put(path_of(task), json={"labels": labels}))
    assert read(client, task) == answer
    return list(answer["labels"])


def make_labels(database_url: str, user_id: str, count: int) -> None:
    """Give a user this many labels."""
    sql = """
    INSERT INTO labels (user_id, id, name, name_key, revision)
    SELECT %s, gen_random_uuid(), 'label ' || n, 'label ' || n, 1 FROM generate_series(1, %s) AS n
    """
    execute(database_url, sql, user_id, count)


@pytest.mark.requirement("FR-291", "FR-292")
def test_a_create_makes_each_new_label_before_the_task(client: httpx.Client, user_id: str, database_url: str) -> None:
    first = create(client, labels=[" Home", "errand", "HOME"])
    second = create(client, labels=["Tax", "home"])

    assert (first["labels"], first["revision"]) == (["Home", "errand"], 3)
    assert (second["labels"], second["revision"]) == (["Tax", "Home"], 5)
    assert read(client, second) == second
    assert stored(database_url, user_id) == [("Home", 1), ("errand", 2), ("Tax", 4)]
    assert create(client)["labels"] == []
    assert revision_of(client) == 6


@pytest.mark.requirement("FR-291", "FR-292")
def test_an_edit_replaces_the_labels_and_one_that_changes_nothing_is_not_counted(
    client: httpx.Client, user_id: str, database_url: str
) -> None:
    task = create(client, labels=["Home", "errand"])

    assert task_of(client.patch(path_of(task), json={"labels": ["HOME", "Errand"]})) == task
    assert task_of(client.patch(path_of(task), json={"title": "b"}))["labels"] == ["Home", "errand"]
    assert labels_of(client, task, "Errand", "home") == ["errand", "Home"]  # their order counts
    assert labels_of(client, task, "work", "home") == ["work", "Home"]
    assert labels_of(client, task) == []
    assert stored(database_url, user_id) == [("Home", 1), ("errand", 2), ("work", 6)]
    assert revision_of(client) == 8


@pytest.mark.requirement("FR-292", "FR-038")
def test_a_change_that_is_refused_makes_no_label(client: httpx.Client, user_id: str, database_url: str) -> None:
    task, own = create(client), {"title": "a", "id": str(uuid.uuid4())}
    create(client, **own)
    before = rows_of(database_url, user_id)

    error_of(
        client.put(path_of(task), json={"labels": ["new"]}, headers={"If-Match": '"9"'}), 412, "PRECONDITION_FAILED"
    )
    error_of(
        client.put(path_of(task), json={"labels": ["new"], "due_date": "2026-11-21", "timezone": "UTC"}),
        422,
        "VALIDATION_ERROR",
    )
    error_of(client.post("/api/tasks", json={**own, "labels": ["new"]}), 409, "CONFLICT")
    error_of(client.put(f"/api/tasks/{uuid.uuid4()}", json={"labels": ["new"]}), 404, "NOT_FOUND")
    error_of(client.put(path_of(task), json={"labels": ["new", "a,b"]}), 422, "VALIDATION_ERROR")

    assert rows_of(database_url, user_id) == before


@pytest.mark.requirement("FR-291", "FR-049")
def test_a_retried_create_with_labels_finds_its_task(client: httpx.Client) -> None:
    body = {"title": "a", "id": str(uuid.uuid4()), "labels": ["Home", "errand"]}
    task = task_of(client.post("/api/tasks", json=body), 201)
    again = client.post("/api/tasks", json=body)

    assert (again.status_code, again.json()["data"]) == (200, task)
    error_of(client.post("/api/tasks", json={**body, "labels": ["Home"]}), 409, "CONFLICT")
    plain = {"title": "b", "id": str(uuid.uuid4())}
    made = task_of(client.post("/api/tasks", json=plain), 201)
    assert task_of(client.post("/api/tasks", json={**plain, "labels": []})) == made


@pytest.mark.requirement("FR-292")
def test_an_answer_that_is_stored_under_a_key_shows_the_labels(client: httpx.Client) -> None:
    key = new_key()
    body = {"title": "a", "labels": ["Home"]}
    first = client.post("/api/tasks", json=body, headers=key)

    assert task_of(first, 201)["labels"] == ["Home"]
    assert client.post("/api/tasks", json=body, headers=key).content == first.content
    assert revision_of(client) == 2


@pytest.mark.requirement("FR-291", "FR-292")
def test_a_batch_makes_labels_as_single_calls_do(client: httpx.Client, user_id: str, database_url: str) -> None:
    task = create(client, labels=["Home"])

    made, edited, unchanged = run_batch(
        client,
        creation(labels=["Work", "HOME"]),
        update(task, labels=["WORK", "tax"]),
        update(task, labels=["Work", "Tax"]),
    )

    assert made["data"]["labels"] == ["Work", "Home"]
    assert edited["data"]["labels"] == unchanged["data"]["labels"] == ["Work", "tax"]
    assert stored(database_url, user_id) == [("Home", 1), ("Work", 3), ("tax", 5)]
    assert (made["data"]["revision"], edited["data"]["revision"]) == (4, 6)
    assert [read(client, each["data"])["labels"] for each in (made, edited)] == [["Work", "Home"], ["Work", "tax"]]


@pytest.mark.requirement("FR-292")
def test_an_operation_that_fails_makes_no_label(client: httpx.Client, user_id: str, database_url: str) -> None:
    task = create(client)
    create(client, labels=["Kept"])

    results = run_each(client, update(task, if_match=9, labels=["lost"]), update(task, labels=["kept"]))

    assert [result["status"] for result in results] == [412, 200]
    assert results[1]["data"]["labels"] == ["Kept"]
    assert stored(database_url, user_id) == [("Kept", 2)]
    before = rows_of(database_url, user_id)
    assert send_batch(client, update(task, labels=["lost"]), update(task, if_match=9, title="b")).status_code == 412
    assert rows_of(database_url, user_id) == before


@pytest.mark.requirement("FR-292")
def test_a_user_has_exactly_as_many_labels_as_allowed(client: httpx.Client, user_id: str, database_url: str) -> None:
    task = create(client)
    make_labels(database_url, user_id, MAX_LABELS - 2)
    assert labels_of(client, task, "first") == ["first"]
    before = everything_of(client)

    for refused in (
        client.put(path_of(task), json={"labels": ["second", "third"]}),
        client.patch(path_of(task), json={"labels": ["second", "third"]}),
        client.post("/api/tasks", json={"title": "a", "labels": ["second", "third"]}),
    ):
        error = error_of(refused, 409, "CONFLICT")
        assert error["message"] == TooManyLabels.message
        assert [(detail["field"], detail["code"]) for detail in error["details"]] == [("body", "too_many_labels")]
    row = {"title": "a", "labels": ["second", "third"]}
    assert problems(client, lines_of([row])) == [(1, "row", "too_many_labels")]
    assert everything_of(client) == before

    results = run_each(
        client, creation(labels=["second", "third"]), creation(labels=["Second"]), creation(labels=["x"])
    )
    assert [result["status"] for result in results] == [409, 201, 409]
    details = error_of(send_batch(client, creation(labels=["x"])), 409, "CONFLICT")["details"]
    assert [(detail["field"], detail["code"]) for detail in details] == [
        ("operations.0", "conflict"),
        ("operations.0.data", "too_many_labels"),
    ]
    assert labels_of(client, task, "SECOND", "First", "Label 1") == ["Second", "first", "label 1"]
    assert len(stored(database_url, user_id)) == MAX_LABELS


@pytest.mark.requirement("FR-293")
def test_filters_find_the_tasks_that_have_all_or_one_of_the_labels(client: httpx.Client) -> None:
    for title, labels in {"a": ["Home"], "b": ["Home", "errand"], "c": ["errand", "tax"], "d": []}.items():
        create(client, title, labels=labels)
    task = create(client, "e", labels=["tax"])
    labels_of(client, task)

    for query, expected in {
        "labels=home": "ab", "labels=HOME,Errand": "b", "labels=errand, ERRAND": "bc", "labels=home,tax": "",
        "labels=home,unknown": "", "labels=unknown": "", "labels_any=unknown": "", "labels_any=home,unknown": "ab",
        "labels_any=tax, home": "abc", "labels=errand&labels_any=tax,home": "bc", "labels=home&status=done": "",
        "labels=home&q=b": "b", "labels=tax": "c",
    }.items():  # fmt: skip
        for limit in (2, 1000):
            parameters = dict(part.split("=") for part in query.split("&"))
            found = [task["title"] for page in pages(client, **parameters, limit=limit, sort="title") for task in page]
            assert "".join(found) == expected, query
        answer = client.get("/api/tasks", params={**parameters, "include_total": True, "include_counts": True}).json()
        assert answer["page"]["total"] == len(expected), query
    client.delete(path_of(client.get("/api/tasks?labels=tax").json()["data"][0]))
    assert titles(client, labels="tax") == []
    assert titles(client, labels="tax", deleted=True) == ["c"]


@pytest.mark.requirement("FR-293")
def test_a_filter_knows_only_the_labels_of_its_user(client: httpx.Client, stranger: httpx.Client) -> None:
    create(client, "a", labels=["home"])
    create(stranger, "b", labels=["HOME"])

    assert titles(client, labels="Home") == ["a"]
    assert titles(stranger, labels_any="Home") == ["b"]
    for bad in (",", "home,", "a\x01"):
        for name in ("labels", "labels_any"):
            (detail,) = error_of(client.get("/api/tasks", params={name: bad}), 422, "VALIDATION_ERROR")["details"]
            assert (detail["field"], detail["code"]) == (f"query.{name}", "label_format")


@pytest.mark.requirement("FR-291", "FR-294")
def test_an_import_sets_labels_and_files_without_them_leave_them_alone(
    client: httpx.Client, user_id: str, database_url: str
) -> None:
    task = create(client, "a", labels=["Home"])
    own = {"id": task["id"], "title": "a"}

    assert imported(client, lines_of([own, {**own, "labels": ["home"]}])) == {"unchanged": 2}
    assert imported(client, f"BEGIN:VCALENDAR\nBEGIN:VTODO\nUID:{task['id']}\nSUMMARY:a\nEND:VTODO\nEND:VCALENDAR",
                    CALENDAR) == {"unchanged": 1}  # fmt: skip
    assert imported(client, f"id,title\n{task['id']},a\n", CSV) == {"unchanged": 1}
    assert read(client, task) == task

    rows = [
        {"title": "b", "labels": ["Work", "HOME"]},
        {**own, "labels": ["WORK"]},
        {"title": "c", "labels": ["x"] * 51},
    ]
    assert imported(client, lines_of(rows)) == {"created": 1, "updated": 1, "failed": 1}
    assert read(client, task)["labels"] == ["Work"]
    assert stored(database_url, user_id) == [("Home", 1), ("Work", 3)]
    assert imported(client, f"id,title,labels\n{task['id']},a,\n", CSV) == {"updated": 1}
    assert read(client, task)["labels"] == []


@pytest.mark.requirement("FR-294")
def test_a_row_with_an_invalid_label_is_refused(client: httpx.Client) -> None:
    assert problems(client, f"title,labels\na,{'x' * 61}\n", CSV) == [(2, "labels", "string_too_long")]
    assert problems(client, lines_of([{"title": "a", "labels": "x"}])) == [(1, "labels", "list_type")]
    assert tasks_of(client) == []


@pytest.fixture(scope="module")
def strict(settings: Settings) -> Iterator[API]:
    """The service configured to require a precondition for every change."""
    with serve(settings.model_copy(update={"require_if_match": True})) as running:
        yield running


@pytest.mark.requirement("FR-294", "FR-118")
def test_where_a_condition_is_required_an_import_makes_no_labels_for_a_task_that_exists(
    strict: API, user_id: str, database_url: str
) -> None:
    with strict.client(user_id) as client:
        task = create(client, "a", labels=["Home"])
        row = {"id": task["id"], "title": "a"}

        assert imported(client, lines_of([{**row, "labels": ["HOME"]}])) == {"unchanged": 1}
        assert problems(client, lines_of([{**row, "labels": ["new"]}])) == [(1, "id", "precondition_required")]
    assert stored(database_url, user_id) == [("Home", 1)]


@pytest.mark.requirement("FR-291", "FR-294")
def test_the_feed_the_trash_and_the_export_show_labels(client: httpx.Client) -> None:
    task = create(client, labels=["Home", "errand"])

    (change,) = client.get("/api/changes").json()["data"]
    assert change == task
    assert client.delete(path_of(task)).status_code == 204
    assert client.get("/api/tasks?deleted=true").json()["data"][0]["labels"] == ["Home", "errand"]
    found = export(client)
    assert found["task"][0]["labels"] == ["Home", "errand"]
    assert [(label["name"], label["color"], label["revision"]) for label in found["label"]] == [
        ("Home", None, 1),
        ("errand", None, 2),
    ]
    assert task_of(client.post(f"{path_of(task)}/restore"))["labels"] == ["Home", "errand"]
    with_another = json.loads(client.get("/api/tasks/export").text)
    assert with_another["labels"] == ["Home", "errand"]


@pytest.mark.requirement("FR-292")
def test_labels_go_with_their_user(client: httpx.Client, user_id: str, database_url: str) -> None:
    create(client, labels=["Home"])
    assert client.delete("/api/me", params={"confirm": user_id}).status_code == 204

    assert stored(database_url, user_id) == []
    assert create(client, labels=["HOME"])["labels"] == ["HOME"]
    assert new_user() != user_id
