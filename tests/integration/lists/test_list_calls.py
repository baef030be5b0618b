"""The calls on lists: make, read, edit, archive, delete and restore them."""

from __future__ import annotations

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from backend.config import Settings
from backend.models.list import MAX_LISTS, ListsQuery
from backend.services.lists.service import ListService
from tests.fixtures.calls.access_tokens import READ, WRITE, make_token, with_token
from tests.fixtures.calls.api import API, serve
from tests.fixtures.calls.keys import new_key
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
from tests.fixtures.calls.tasks import MISSING_ID, create, error_of, path_of, read, revision_of
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


@pytest.mark.requirement("FR-332")
def test_a_repeated_create_makes_one_list(client: httpx.Client, stranger: httpx.Client) -> None:
    body = {"id": str(uuid.uuid4()), "name": "a", "color": "#000000"}
    made = list_of(client.post(LISTS, json=body), 201)

    assert list_of(client.post(LISTS, json=body)) == made
    edited = edit(client, made, name="b")
    assert list_of(client.post(LISTS, json=body)) == edited
    error_of(client.post(LISTS, json={**body, "archived": True}), 409, "CONFLICT")
    delete(client, made)
    (detail,) = error_of(client.post(LISTS, json=body), 409, "CONFLICT")["details"]
    assert (detail["field"], detail["code"]) == ("id", "in_trash")
    assert list_of(stranger.post(LISTS, json=body), 201)["name"] == "a"

    key = new_key()
    first, second = (client.post(LISTS, json={"name": "c"}, headers=key) for _ in range(2))
    assert list_of(first, 201) == list_of(second, 201)
    assert second.headers["Idempotency-Replayed"] == "true"
    assert [found["name"] for found in listed(client)] == ["c"]


@pytest.mark.requirement("FR-332")
def test_a_user_has_at_most_500_lists(client: httpx.Client, database_url: str, user_id: str) -> None:
    first = make(client)
    many = (
        "INSERT INTO lists (user_id, id, name, revision, deleted_at)"
        " SELECT %s, gen_random_uuid(), 'a', 1, CASE number %% 2 WHEN 0 THEN now() END"
        " FROM generate_series(2, %s) AS number"
    )
    execute(database_url, many, user_id, MAX_LISTS)

    (detail,) = error_of(client.post(LISTS, json={"name": "b"}), 409, "CONFLICT")["details"]
    assert (detail["field"], detail["code"]) == ("body", "too_many_lists")
    assert f" {MAX_LISTS} lists" in detail["message"]
    delete(client, first, permanent="true")
    make(client)


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
def test_known_lists_are_not_sent_again(client: httpx.Client, api: API, user_id: str) -> None:
    assert client.get(LISTS, headers={"If-None-Match": "*"}).status_code == 304
    made = make(client)
    tag = client.get(LISTS).headers["ETag"]

    for known in (tag, f'"other", W/{tag}', "*"):
        answer = client.get(LISTS, headers={"If-None-Match": known})
        assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", tag)
    lists = ListService(api.app.state.sessions, user_id)
    assert lists.list(ListsQuery(), (tag.strip('"'),)).json is lists.list(ListsQuery(), None).json is None  # nor read
    assert client.get(list_path(made), headers={"If-None-Match": '"1"'}).status_code == 304
    edit(client, made, name="b")
    assert client.get(LISTS, headers={"If-None-Match": tag}).status_code == 200
    assert client.get(list_path(made), headers={"If-None-Match": '"1"'}).status_code == 200
    assert client.get("/api/tasks").headers["ETag"] == client.get(LISTS).headers["ETag"]


@pytest.mark.requirement("FR-333", "FR-334")
@pytest.mark.parametrize("name", ['a "quoted" \\ name', "\u00fc\U0001f3e0\u2028", "a\t\u200db"])
def test_the_answer_of_a_change_is_what_is_read(client: httpx.Client, name: str) -> None:
    made = client.post(LISTS, json={"name": name})
    found = made.json()["data"]
    assert client.get(list_path(found)).text == made.text

    changed = client.patch(list_path(found), json={"archived": True, "color": "#abcdef"})
    assert client.get(list_path(found)).text == changed.text
    text = json.dumps(changed.json()["data"], ensure_ascii=False, separators=(",", ":"))
    assert client.get(LISTS, params={"archived": "true"}).text == f'{{"data":[{text}]}}'


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
def test_a_change_is_made_only_to_the_list_that_the_client_knows(client: httpx.Client) -> None:
    made = make(client)
    now = edit(client, made, name="b")
    calls: list[tuple[str, str, dict[str, Any]]] = [
        ("PATCH", list_path(made), {"json": {"name": "c"}}),
        ("DELETE", list_path(made), {}),
        ("DELETE", list_path(made), {"params": {"permanent": "true"}}),
        ("POST", f"{list_path(made)}/restore", {}),
    ]
    for method, path, said in calls:
        answer = client.request(method, path, headers={"If-Match": '"1"'}, **said)
        error_of(answer, 412, "PRECONDITION_FAILED")
        assert answer.json()["data"] == now
        assert answer.headers["ETag"] == f'"{now["revision"]}"'
        error_of(client.request(method, path, headers={"If-Match": "2"}, **said), 400, "BAD_REQUEST")
    assert listed(client) == [now]

    for tag in ('"2"', '"7", "3"', "*"):
        answer = client.patch(list_path(made), json={"name": tag}, headers={"If-Match": tag})
        assert list_of(answer)["name"] == tag


@pytest.mark.requirement("FR-336")
def test_where_tags_are_required_lists_need_them_too(settings: Settings, user_id: str) -> None:
    strict = settings.model_copy(update={"require_if_match": True})
    with serve(strict) as api, api.client(user_id) as client:
        made = make(client)
        for change in (client.patch, client.put):
            error_of(change(list_path(made), json={"name": "b"}), 428, "PRECONDITION_REQUIRED")
        error_of(client.delete(list_path(made)), 428, "PRECONDITION_REQUIRED")
        error_of(client.post(f"{list_path(made)}/restore"), 428, "PRECONDITION_REQUIRED")
        assert client.delete(list_path(made), headers={"If-Match": '"1"'}).status_code == 204


@pytest.mark.requirement("FR-336")
def test_a_restore_with_a_key_is_done_once(client: httpx.Client) -> None:
    made, key = make(client), new_key()
    delete(client, made)
    first = client.post(f"{list_path(made)}/restore", headers=key)
    delete(client, made)

    second = client.post(f"{list_path(made)}/restore", headers=key)

    assert list_of(first) == list_of(second)
    assert second.headers["Idempotency-Replayed"] == "true"
    assert listed(client) == []


@pytest.mark.requirement("FR-337")
def test_a_missing_a_deleted_and_another_users_list_are_the_same(client: httpx.Client, stranger: httpx.Client) -> None:
    gone, theirs = make(client), make(stranger)
    delete(client, gone)
    said = {"X-Request-Id": "same"}
    for method, rest in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/restore")):
        ids = [MISSING_ID, theirs["id"], "nonsense", theirs["id"].replace("-", "")]
        ids += [gone["id"]] if rest == "" else []
        answers = [
            client.request(method, f"{LISTS}/{each}{rest}", headers=said, json={} if method == "PATCH" else None)
            for each in ids
        ]
        assert {(answer.status_code, answer.content) for answer in answers} == {(404, answers[0].content)}
    assert listed(stranger) == [theirs]


@pytest.mark.requirement("FR-337")
def test_tokens_need_the_scope(client: httpx.Client, api: API) -> None:
    made = make(client)
    reading, writing = (make_token(client, scope)["token"] for scope in (READ, WRITE))

    with with_token(api, reading) as reader, with_token(api, writing) as writer:
        assert reader.get(LISTS).status_code == reader.get(list_path(made)).status_code == 200
        for method, path in (("POST", LISTS), ("PATCH", list_path(made)), ("DELETE", list_path(made))):
            error_of(reader.request(method, path, json=None if method == "DELETE" else {}), 403, "FORBIDDEN")
        error_of(reader.post(f"{list_path(made)}/restore"), 403, "FORBIDDEN")
        error_of(writer.get(LISTS), 403, "FORBIDDEN")
        assert edit(writer, made, name="b")["name"] == "b"


@pytest.mark.requirement("FR-336")
def test_changes_of_a_list_at_once_are_each_done(client: httpx.Client) -> None:
    made = make(client)
    with ThreadPoolExecutor(4) as threads:
        tasks = [*threads.map(lambda number: create(client, str(number), list_id=made["id"]), range(12))]
        [*threads.map(lambda place: client.delete(list_path(made), params={"tasks": place}), ("trash", "inbox"))]

    places = {client.get(path_of(task)).status_code for task in tasks}
    assert places in ({200}, {404})  # all went where the first call sent them
    assert revision_of(client) == 1 + 12 + 1 + 12
