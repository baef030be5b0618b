"""The calls on labels: list, make, rename and delete, and what they do to tasks."""

from __future__ import annotations

import unicodedata
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from backend.services.labels.rules import LabelNotFound
from backend.services.labels.service import LabelService
from tests.fixtures.calls.api import API
from tests.fixtures.calls.batches import BATCH
from tests.fixtures.calls.exports import stored_of
from tests.fixtures.calls.labels import (
    LABELS,
    counts,
    give_labelled_tasks,
    label_of,
    label_path,
    labels_of,
    listed,
    put,
    rename,
)
from tests.fixtures.calls.tasks import create, error_of, path_of, read, revision_of
from tests.fixtures.http.connection import connection_to, head
from tests.fixtures.http.parallel import in_parallel
from tests.fixtures.http.wire import send
from tests.fixtures.postgres.database import execute
from tests.fixtures.postgres.rival import rival

REVISIONS = "SELECT labels, revision, updated_at FROM tasks WHERE user_id = %s ORDER BY title"


@pytest.mark.requirement("FR-296", "FR-295")
def test_a_label_is_made_and_listed(client: httpx.Client) -> None:
    made = put(client, "home", color="#1E90FF")

    assert made["updated_at"] == made["created_at"]
    assert (made["name"], made["color"], made["task_count"], made["revision"]) == ("home", "#1e90ff", 0, 1)
    assert put(client, "HOME", 200, color="#1e90ff") == made  # the same again changes nothing
    assert put(client, "home", 200) == made
    assert listed(client) == [made]
    changed = put(client, "home", 200, color=None)
    assert changed["updated_at"] > made["updated_at"]
    assert changed == {**made, "color": None, "revision": 2, "updated_at": changed["updated_at"]}
    assert put(client, "Plain")["color"] is None
    assert revision_of(client) == 3


@pytest.mark.requirement("FR-295")
def test_labels_are_listed_by_name_with_the_number_of_their_living_tasks(client: httpx.Client) -> None:
    for name in ("errand", "Home", "ärger", "Zoo", "apple"):
        put(client, name)
    create(client, "a", labels=["Home", "errand"])
    create(client, "b", labels=["Home"])
    client.delete(path_of(create(client, "c", labels=["Home"])))
    create(client, "d")

    assert counts(client) == {"apple": 0, "errand": 1, "Home": 2, "Zoo": 0, "ärger": 0}
    assert list(counts(client)) == ["apple", "errand", "Home", "Zoo", "ärger"]
    assert put(client, "Home", 200, color="#000000")["task_count"] == 2


@pytest.mark.requirement("FR-295")
def test_a_known_list_is_not_read(client: httpx.Client, api: API, user_id: str) -> None:
    put(client, "home")
    tag = client.get(LABELS).headers["ETag"]
    labels = LabelService(api.app.state.sessions, user_id)

    assert labels.list((tag.strip('"'),)).json is labels.list(None).json is None
    assert labels.list(("other",)).json is not None
    assert client.get("/api/tasks").headers["ETag"] == tag


@pytest.mark.requirement("FR-297")
def test_a_renamed_label_is_renamed_on_its_tasks(client: httpx.Client, database_url: str) -> None:
    home, errand = put(client, "home"), put(client, "errand")
    first = create(client, "a", labels=["errand", "home"])
    trashed = create(client, "b", labels=["home"])
    other = create(client, "c", labels=["errand"])
    last = create(client, "d", labels=["home"])
    client.delete(path_of(trashed))  # the sixth change: last is before it
    before = revision_of(client)

    renamed = rename(client, "HOME", "Household")

    assert (renamed["id"], renamed["name"], renamed["task_count"]) == (home["id"], "Household", 2)
    assert renamed["revision"] == before + 1
    assert [labels_of(database_url, task) for task in (first, trashed, other, last)] == [
        ["errand", "Household"], ["Household"], ["errand"], ["Household"],
    ]  # fmt: skip
    assert (read(client, first)["revision"], read(client, last)["revision"]) == (before + 2, before + 3)
    assert client.get("/api/tasks?deleted=true").json()["data"][0]["revision"] == before + 4
    assert read(client, other)["revision"] == other["revision"]
    assert revision_of(client) == before + 4
    assert read(client, first)["updated_at"] == renamed["updated_at"] > first["updated_at"]
    assert listed(client) == [{**errand, "task_count": 2}, renamed]
    error_of(client.patch(label_path("home"), json={}), 404, "NOT_FOUND")


@pytest.mark.requirement("FR-297")
def test_a_label_may_be_spelled_differently(client: httpx.Client, database_url: str) -> None:
    put(client, "home")
    task = create(client, "a", labels=["home"])

    assert rename(client, "home", " HOME ")["name"] == "HOME"
    assert labels_of(database_url, task) == ["HOME"]
    assert rename(client, "home", "HOME")["revision"] == 3
    composed, decomposed = (unicodedata.normalize(form, "é") for form in ("NFC", "NFD"))
    put(client, composed)
    assert label_of(client.patch(label_path(decomposed), json={"color": "#000000"}))["name"] == composed


@pytest.mark.requirement("FR-297")
def test_a_colour_alone_changes_no_task(client: httpx.Client) -> None:
    put(client, "home")
    task = create(client, "a", labels=["home"])

    assert label_of(client.patch(label_path("home"), json={"color": "#00ff00"}))["revision"] == 3
    assert read(client, task) == read(client, task) | {"revision": 2, "updated_at": task["updated_at"]}
    assert revision_of(client) == 3


@pytest.mark.requirement("FR-297")
def test_no_two_labels_get_one_name(client: httpx.Client, user_id: str, database_url: str) -> None:
    put(client, "home")
    put(client, "Errand")
    create(client, "a", labels=["home"])
    before = stored_of(database_url, user_id)

    error = error_of(client.patch(label_path("home"), json={"name": "ERRAND", "color": "#000000"}), 409, "CONFLICT")

    assert [(detail["field"], detail["code"]) for detail in error["details"]] == [("name", "label_exists")]
    assert stored_of(database_url, user_id) == before


@pytest.mark.requirement("FR-298")
def test_a_deleted_label_is_taken_off_its_tasks(client: httpx.Client, database_url: str) -> None:
    put(client, "home")
    put(client, "errand")
    task = create(client, "a", labels=["home", "errand"])
    trashed = create(client, "b", labels=["home"])
    client.delete(path_of(trashed))
    before = revision_of(client)

    assert client.delete(label_path("Home")).status_code == 204

    assert list(counts(client)) == ["errand"]
    assert [labels_of(database_url, each) for each in (task, trashed)] == [["errand"], []]
    assert read(client, task)["revision"] == before + 2
    assert revision_of(client) == before + 3
    error_of(client.delete(label_path("home")), 404, "NOT_FOUND")
    again = put(client, "home")
    assert (again["task_count"], again["revision"]) == (0, before + 4)


@pytest.mark.requirement("FR-297", "FR-298")
@pytest.mark.parametrize("is_renamed", [True, False], ids=["rename", "delete"])
def test_a_thousand_tasks_change_with_consecutive_revisions(
    client: httpx.Client, user_id: str, database_url: str, *, is_renamed: bool
) -> None:
    put(client, "home")
    put(client, "other")
    give_labelled_tasks(database_url, user_id, 1000)
    before = execute(database_url, REVISIONS, user_id)

    if is_renamed:
        rename(client, "home", "away")
    else:
        assert client.delete(label_path("home")).status_code == 204

    after = execute(database_url, REVISIONS, user_id)
    assert {tuple(labels) for labels, _, _ in after} == {("away", "other") if is_renamed else ("other",)}
    in_order = sorted(range(1000), key=lambda index: before[index][1])
    assert [after[index][1] for index in in_order] == list(range(10_002, 11_002))
    assert all(new > old for (_, _, old), (_, _, new) in zip(before, after, strict=True))
    assert revision_of(client) == 11_001
    assert create(client)["revision"] == 11_002


@pytest.mark.requirement("FR-300")
@pytest.mark.parametrize(
    "name", ["a/b", "a?b&c=d", "100 %", "%2F", "a#b", "+", "\U0001f3e0" * 60, "batch", "import", "a;b"]
)
def test_any_name_fits_into_an_address(client: httpx.Client, name: str) -> None:
    assert put(client, name)["name"] == name
    assert label_of(client.patch(label_path(name), json={"color": "#ffffff"}))["name"] == name
    assert client.delete(label_path(name)).status_code == 204
    assert listed(client) == []


NO_NAMES = {"two": "a,b", "long": "a" * 61, "NUL": "\x00", "control": "a\x1fb", "line break": "a\nb", "blank": " ",
            "zero width": "\u200b", "blank of Braille": "\u2800", "filler": "\u3164\ufe0f"}  # fmt: skip


@pytest.mark.requirement("FR-300")
@pytest.mark.parametrize("name", NO_NAMES.values(), ids=NO_NAMES)
def test_a_name_that_no_label_can_have_is_not_found_and_not_made(client: httpx.Client, name: str) -> None:
    put(client, "home")
    missing = error_of(client.patch(label_path("missing"), json={"name": "b"}), 404, "NOT_FOUND")

    assert missing["message"] == LabelNotFound.message
    for refused in (client.patch(label_path(name), json={"name": "b"}), client.delete(label_path(name))):
        assert error_of(refused, 404, "NOT_FOUND")["message"] == missing["message"]
    (detail,) = error_of(client.put(label_path(name), json={}), 422, "VALIDATION_ERROR")["details"]
    assert detail["field"] == "path.name"
    (detail,) = error_of(client.patch(label_path("home"), json={"name": name}), 422, "VALIDATION_ERROR")["details"]
    assert detail["field"] == "name"
    assert list(counts(client)) == ["home"]


@pytest.mark.requirement("FR-401")
@pytest.mark.parametrize("name", [".", "..", " .. "])
def test_no_way_leads_to_a_label_that_no_address_can_name(client: httpx.Client, name: str) -> None:
    put(client, "home")
    task = create(client, "a")
    said = {"labels": ["errand", name]}
    operations = [
        {"op": "create", "data": {"title": "b", **said}},
        {"op": "update", "id": task["id"], "data": said},
    ]

    bodies: dict[str, list[tuple[str, str, Any]]] = {
        "labels.1": [
            ("POST", "/api/tasks", {"title": "b", **said}),
            ("PATCH", path_of(task), said),
            ("PUT", path_of(task), said),
        ],
        "name": [("PATCH", label_path("home"), {"name": name})],
    }
    for field, calls in bodies.items():
        for method, path, body in calls:
            (detail,) = error_of(client.request(method, path, json=body), 422, "VALIDATION_ERROR")["details"]
            assert (detail["field"], detail["code"]) == (field, "label_format")
    for operation in operations:
        (detail,) = error_of(client.post(BATCH, json={"operations": [operation]}), 422, "VALIDATION_ERROR")["details"]
        assert detail["code"] == "label_format"
    assert list(counts(client)) == ["home"]


@pytest.mark.requirement("FR-401")
@pytest.mark.parametrize("dots", [b".", b"..", b"%2E", b"%2e%2e"])
def test_dots_that_reach_the_service_make_no_label(client: httpx.Client, dots: bytes) -> None:
    json_type = {b"Content-Type": b"application/json"}
    refused = send(client, b"/api/labels/" + dots, "PUT", headers=json_type, body=b"{}")

    (detail,) = error_of(refused, 422, "VALIDATION_ERROR")["details"]
    assert (detail["field"], detail["code"]) == ("path.name", "label_format")
    assert listed(client) == []


@pytest.mark.requirement("FR-296", "FR-297")
@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"color": "red"}, "color", "color_format"),
        ({"color": "#12345"}, "color", "color_format"),
        ({"color": "#1234567"}, "color", "color_format"),
        ({"color": "#12345g"}, "color", "color_format"),
        ({"color": "#123456\n"}, "color", "color_format"),
        ({"color": "#\uff11\uff12\uff13456"}, "color", "color_format"),
        ({"color": 1}, "color", "string_type"),
        ({"owner": "somebody"}, "owner", "extra_forbidden"),
        ({"colour": None}, "colour", "extra_forbidden"),
    ],
)
def test_a_wrong_body_is_refused(client: httpx.Client, body: dict[str, object], field: str, code: str) -> None:
    before = put(client, "home")

    for method in ("PUT", "PATCH"):
        error = error_of(client.request(method, label_path("home"), json=body), 422, "VALIDATION_ERROR")
        assert [(detail["field"], detail["code"]) for detail in error["details"]] == [(field, code)]
    error_of(client.patch(label_path("home"), json={"name": None}), 422, "VALIDATION_ERROR")
    error_of(client.put(label_path("home"), json={"name": "b"}), 422, "VALIDATION_ERROR")
    assert listed(client) == [before]


@pytest.mark.requirement("FR-297", "FR-296")
def test_a_key_makes_a_renaming_safe_to_repeat(client: httpx.Client) -> None:
    key = {"Idempotency-Key": "a key"}
    put(client, "home")
    create(client, "a", labels=["home"])

    first, second = (client.patch(label_path("home"), json={"name": "away"}, headers=key) for _ in range(2))

    assert (first.status_code, second.status_code) == (200, 200)
    assert first.content == second.content
    assert second.headers["Idempotency-Replayed"] == "true"
    assert revision_of(client) == 4
    made = [client.put(label_path("new"), json={}, headers={"Idempotency-Key": "another"}) for _ in range(2)]
    assert [each.status_code for each in made] == [201, 201]
    assert revision_of(client) == 5


@pytest.mark.requirement("FR-297")
def test_renaming_waits_for_a_change_that_gives_the_label_to_a_task(
    client: httpx.Client, user_id: str, database_url: str
) -> None:
    put(client, "home")
    task = create(client)

    with ThreadPoolExecutor(1) as threads, rival(database_url, user_id) as other:
        renaming = threads.submit(rename, client, "home", "away")
        other.execute("UPDATE tasks SET labels = '{home}', revision = 3 WHERE id = %s", task["id"])
        other.commit_when_awaited()
        renamed = renaming.result()

    assert (renamed["revision"], renamed["task_count"]) == (4, 1)
    assert (labels_of(database_url, task), read(client, task)["revision"]) == (["away"], 5)
    assert revision_of(client) == 5


@pytest.mark.requirement("FR-297", "FR-296")
def test_creates_and_renamings_at_once_leave_no_gap(
    api: API, client: httpx.Client, user_id: str, database_url: str
) -> None:
    put(client, "l0")
    put(client, "other")
    give_labelled_tasks(database_url, user_id, 20)
    execute(database_url, "UPDATE tasks SET labels = '{l0}' WHERE user_id = %s", user_id)

    def create_some(own: httpx.Client) -> None:
        for number in range(10):
            create(own, f"new {number}", labels=["l0"])  # once it is renamed, this makes another one

    def rename_often(own: httpx.Client) -> None:
        for number in range(5):
            rename(own, f"l{number}", f"l{number + 1}")

    in_parallel(api, user_id, create_some, rename_often, create_some)

    rows, numbers = execute(database_url, REVISIONS, user_id), counts(client)
    carried = Counter(label for labels, _, _ in rows for label in labels)
    assert carried.keys() <= numbers.keys() <= {"l0", "l5", "other"}
    assert (carried.total(), carried["l5"] >= 20) == (40, True)
    assert numbers["l5"] == carried["l5"] - 10  # half of the tasks that were there are in the trash
    revisions = [revision for _, revision, _ in rows] + [label["revision"] for label in listed(client)]
    assert len(set(revisions)) == len(revisions)
    assert max(revisions) == revision_of(client)


@pytest.mark.requirement("FR-300", "FR-011")
def test_another_users_label_of_the_same_name_is_untouched(
    client: httpx.Client, stranger: httpx.Client, user_id: str, database_url: str
) -> None:
    put(client, "home", color="#123456")
    create(client, "a", labels=["home"])
    before = stored_of(database_url, user_id)
    for request in (stranger.patch, stranger.put):
        request(label_path("home"), json={"color": "#000000"})
    create(stranger, "b", labels=["home"])

    rename(stranger, "home", "away")
    assert counts(stranger) == {"away": 1}
    assert client.get(LABELS).json()["data"][0]["task_count"] == 1
    assert stranger.delete(label_path("away")).status_code == 204
    error_of(stranger.delete(label_path("home")), 404, "NOT_FOUND")

    assert stored_of(database_url, user_id) == before


@pytest.mark.requirement("FR-401")
@pytest.mark.parametrize("address", ["%2E%2E", "%E2%80%8B"])
def test_a_label_from_before_some_names_were_refused_can_be_deleted(
    api: API, client: httpx.Client, user_id: str, database_url: str, address: str
) -> None:
    name = unquote(address)
    assert client.put("/api/labels/old", json={}).status_code == 201
    execute(database_url, "UPDATE labels SET name = %s, name_key = %s WHERE user_id = %s", name, name, user_id)

    with connection_to(api) as connection:  # most clients would take the dots for folders
        connection.send(head(user_id, f"DELETE /api/labels/{address}"))
        assert connection.answer().status_code == 204
    assert client.get("/api/labels").json()["data"] == []
