"""The calls on lists: make, read, edit, archive, delete and restore them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from pydantic import SecretStr

from backend.config import Settings
from backend.models.list import ListsQuery
from backend.services.lists.service import ListService
from tests.fixtures.calls.api import API, serve
from tests.fixtures.calls.lists import (
    LISTS,
    delete,
    edit,
    give_tasks,
    list_of,
    list_path,
    listed,
    make,
    restore,
    stored,
    titles_in,
)
from tests.fixtures.calls.tasks import create, error_of, path_of, read, revision_of
from tests.fixtures.postgres.database import execute
from tests.fixtures.postgres.expired import purge


@pytest.mark.requirement("FR-332", "FR-333")
def test_a_list_is_made_read_and_listed(client: httpx.Client) -> None:
    made = make(client, " Groceries\u2003", color="#1E90FF")

    assert (made["name"], made["color"], made["archived"], made["archived_at"]) == ("Groceries", "#1e90ff", False, None)
    assert (made["revision"], made["updated_at"]) == (1, made["created_at"])
    again = make(client)  # names may repeat
    assert again["id"] != made["id"]
    assert again["color"] is None
    assert list_of(client.get(list_path(made))) == made
    assert listed(client) == [made, again]
    location = client.post(LISTS, json={"name": "c"}).headers["Location"]
    assert client.get(location).json()["data"]["name"] == "c"
    assert revision_of(client) == 3


@pytest.mark.requirement("FR-332")
@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({}, "name", "missing"),
        ({"name": " "}, "name", "string_too_short"),
        ({"name": "x" * 201}, "name", "string_too_long"),
        ({"name": "a\0"}, "name", "nul_character"),
        ({"name": None}, "name", "string_type"),
        ({"name": "a", "color": "red"}, "color", "color_format"),
        ({"name": "a", "archived": "true"}, "archived", "bool_type"),
        ({"name": "a", "revision": 1}, "revision", "extra_forbidden"),
        ({"name": "a", "id": "1"}, "id", "uuid_format"),
    ],
)
def test_a_wrong_list_is_refused(client: httpx.Client, fields: dict[str, object], field: str, code: str) -> None:
    (detail,) = error_of(client.post(LISTS, json=fields), 422, "VALIDATION_ERROR")["details"]

    assert (detail["field"], detail["code"]) == (field, code)
    assert revision_of(client) == 0


@pytest.mark.requirement("FR-333")
def test_archived_and_deleted_lists_are_listed_apart(client: httpx.Client) -> None:
    assert listed(client) == listed(client, archived="true") == listed(client, deleted="true") == []
    first, old, gone, old_and_gone = (make(client, name) for name in "abcd")
    old = edit(client, old, archived=True)
    edit(client, old_and_gone, archived=True)
    for each in (gone, old_and_gone):
        delete(client, each)

    assert listed(client) == [first]
    assert listed(client, archived="true") == [old]
    trashed = listed(client, deleted="true", archived="true")
    assert [found["name"] for found in trashed] == ["c", "d"]
    assert all(found.pop("deleted_at") == found["updated_at"] for found in trashed)
    assert trashed[0] == {**gone, "revision": 7, "updated_at": trashed[0]["updated_at"]}


@pytest.mark.requirement("FR-333")
def test_the_tasks_of_each_status_are_counted(client: httpx.Client) -> None:
    first, second = make(client, "a"), make(client, "b")
    for status in ("todo", "todo", "in_progress", "done", "cancelled"):
        create(client, status=status, list_id=first["id"])
    client.delete(path_of(create(client, list_id=first["id"])))
    create(client)

    counted = listed(client, include_counts="true")

    none = dict.fromkeys(("todo", "in_progress", "done", "cancelled"), 0)
    assert [found.pop("counts") for found in counted] == [
        {**none, "todo": 2, "in_progress": 1, "done": 1, "cancelled": 1},
        none,
    ]
    assert counted == [first, second]
    delete(client, second)
    assert listed(client, deleted="true", include_counts="true")[0]["counts"] == none


@pytest.mark.requirement("FR-333")
def test_known_lists_are_not_read(client: httpx.Client, api: API, user_id: str) -> None:
    make(client)
    tag = client.get(LISTS).headers["ETag"]
    lists = ListService(api.app.state.sessions, user_id)

    assert lists.list(ListsQuery(), (tag.strip('"'),)).json is lists.list(ListsQuery(), None).json is None
    assert client.get("/api/tasks").headers["ETag"] == tag


@pytest.mark.requirement("FR-334")
def test_an_edit_changes_what_it_names(client: httpx.Client) -> None:
    made = make(client, "a", color="#000000")
    task = create(client, list_id=made["id"])

    renamed = edit(client, made, name="b")
    assert renamed == {**made, "name": "b", "revision": 3, "updated_at": renamed["updated_at"]}
    assert edit(client, made, name="b") == edit(client, made) == renamed
    cleared = edit(client, made, color=None)
    assert (cleared["name"], cleared["color"], cleared["revision"]) == ("b", None, 4)
    archived = edit(client, made, archived=True)
    assert archived["archived_at"] == archived["updated_at"]
    assert edit(client, made, archived=True) == archived
    back = edit(client, made, archived=False)
    assert (back["archived"], back["archived_at"], back["revision"]) == (False, None, 6)
    assert read(client, task) == task
    assert revision_of(client) == 6


@pytest.mark.requirement("FR-334")
def test_a_whole_list_may_be_sent_back(client: httpx.Client) -> None:
    made, other = make(client, "a"), make(client, "b")

    assert edit(client, made, **{**made, "name": "c"})["name"] == "c"
    assert edit(client, made, **{**made, "id": made["id"].upper(), "name": "d", "revision": 99})["name"] == "d"
    assert edit(client, made, id=None, name="e")["name"] == "e"
    for wrong in (other["id"], 7):
        answer = client.patch(list_path(made), json={"id": wrong, "name": "f"})
        (detail,) = error_of(answer, 422, "VALIDATION_ERROR")["details"]
        assert (detail["field"], detail["code"]) == ("id", "other_list")
        assert "not the id of this list" in detail["message"]  # which is also true of one that is no id
    assert client.get(list_path(made)).json()["data"]["name"] == "e"


@pytest.mark.requirement("FR-335")
def test_a_list_goes_to_the_trash_with_its_tasks_and_comes_back_with_them(
    client: httpx.Client, database_url: str
) -> None:
    made, other = make(client, "a"), make(client, "b")
    first, before, second = (create(client, name, list_id=made["id"]) for name in ("x", "y", "z"))
    elsewhere, inbox = create(client, "w", list_id=other["id"]), create(client, "v")
    client.delete(path_of(before))
    first = client.patch(path_of(first), json={"title": "changed"}).json()["data"]  # so it is after second
    revision = revision_of(client)

    delete(client, made)

    assert revision_of(client) == revision + 3
    assert stored(database_url, second) == (made["id"], True, revision + 2)
    assert stored(database_url, first) == (made["id"], True, revision + 3)
    assert titles_in(client, made["id"]) == []
    assert {read(client, each)["title"] for each in (elsewhere, inbox)} == {"w", "v"}
    error_of(client.delete(list_path(made)), 404, "NOT_FOUND")

    back = restore(client, made)

    assert back == {**made, "revision": revision + 4, "updated_at": back["updated_at"]}
    assert [read(client, each)["revision"] for each in (second, first)] == [revision + 5, revision + 6]
    assert titles_in(client, made["id"]) == ["z", "changed"]
    assert stored(database_url, before)[1] is True  # it went to the trash on its own
    assert restore(client, made) == back
    assert revision_of(client) == revision + 6


@pytest.mark.requirement("FR-335")
def test_or_its_tasks_go_to_the_inbox(client: httpx.Client, database_url: str) -> None:
    made = make(client)
    task, trashed = create(client, "x", list_id=made["id"]), create(client, "y", list_id=made["id"])
    client.delete(path_of(trashed))

    delete(client, made, tasks="inbox")

    assert read(client, task) == {
        **task,
        "list_id": None,
        "position": read(client, task)["position"],
        "revision": 6,
        "updated_at": read(client, task)["updated_at"],
    }
    assert read(client, task)["position"] > task["position"]
    assert stored(database_url, trashed) == (None, True, 7)
    restore(client, made)
    assert read(client, task)["list_id"] is None
    answer = client.delete(list_path(made), params={"tasks": "elsewhere"})
    assert error_of(answer, 422, "VALIDATION_ERROR")["details"][0]["code"] == "enum"


@pytest.mark.requirement("FR-335")
@pytest.mark.parametrize("is_in_trash", [False, True])
@pytest.mark.parametrize("place", ["trash", "inbox"])
def test_a_list_is_removed_for_good(client: httpx.Client, database_url: str, place: str, *, is_in_trash: bool) -> None:
    made = make(client)
    task, trashed = create(client, "x", list_id=made["id"]), create(client, "y", list_id=made["id"])
    client.delete(path_of(trashed))
    if is_in_trash:
        delete(client, made)
    revision = revision_of(client)

    delete(client, made, permanent="true", tasks=place)

    is_gone = is_in_trash or place == "trash"
    # In the order of their revisions before; the list itself comes after them.
    numbers = (revision + 2, revision + 1) if is_in_trash else (revision + 1, revision + 2)
    assert stored(database_url, task) == (None, is_gone, numbers[0])
    assert stored(database_url, trashed) == (None, True, numbers[1])
    assert revision_of(client) == revision + 3
    error_of(client.post(f"{list_path(made)}/restore"), 404, "NOT_FOUND")
    error_of(client.delete(list_path(made), params={"permanent": "true"}), 404, "NOT_FOUND")
    assert listed(client, deleted="true") == []
    assert client.post(f"{path_of(trashed)}/restore").json()["data"]["list_id"] is None
    make(client, id=made["id"])


@pytest.mark.requirement("FR-335")
def test_a_list_is_purged_after_its_tasks(own_url: str, settings: Settings, user_id: str) -> None:
    with serve(settings.model_copy(update={"database_url": SecretStr(own_url)})) as api, api.client(user_id) as client:
        made, kept = make(client, "a"), make(client, "b")
        give_tasks(own_url, user_id, made, 1500)  # more than one statement removes
        delete(client, made)
        delete(client, kept)
        execute(own_url, "UPDATE tasks SET deleted_at = deleted_at - interval '31 days' WHERE user_id = %s", user_id)
        execute(own_url, "UPDATE lists SET deleted_at = deleted_at - interval '31 days' WHERE id = %s", made["id"])

        removed = purge(api.app.state.sessions.engine)

        assert (removed.tasks, removed.lists) == (1500, 1)
        assert [found["name"] for found in listed(client, deleted="true")] == ["b"]


@pytest.mark.requirement("FR-336")
def test_changes_of_a_list_at_once_are_each_done(client: httpx.Client) -> None:
    made = make(client)
    with ThreadPoolExecutor(4) as threads:
        tasks = [*threads.map(lambda number: create(client, str(number), list_id=made["id"]), range(12))]
        [*threads.map(lambda place: client.delete(list_path(made), params={"tasks": place}), ("trash", "inbox"))]

    places = {client.get(path_of(task)).status_code for task in tasks}
    assert places in ({200}, {404})  # all went where the first call sent them
    assert revision_of(client) == 1 + 12 + 1 + 12
