"""Personal access tokens for one list: what they see and change, and what they follow."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from backend.config import Settings
from tests.fixtures.calls.access_tokens import READ, TOKENS, WRITE, listed, make_token, wanted, with_token
from tests.fixtures.calls.api import API, new_user, serve
from tests.fixtures.calls.batches import creation, operation, run_each, statuses_of, update
from tests.fixtures.calls.feed import sync_token
from tests.fixtures.calls.labels import put
from tests.fixtures.calls.listing import titles
from tests.fixtures.calls.lists import LISTS, List, delete, edit, list_path, make, restore, titles_in
from tests.fixtures.calls.task_files import CALENDAR, EXPORT, imported, lines_of, problems
from tests.fixtures.calls.tasks import Task, create, error_of, path_of, read, revision_of, task_of
from tests.fixtures.postgres.database import execute
from tests.fixtures.postgres.proxy import Proxy

FEED = "/api/changes"
OUTSIDE = ("list_id", "outside_list")


def details_of(response: httpx.Response, status: int, code: str) -> list[tuple[str, str]]:
    return [(each["field"], each["code"]) for each in error_of(response, status, code)["details"]]


def feed(client: httpx.Client, since: int, **params: str) -> list[dict[str, object]]:
    response = client.get(FEED, params={"since": sync_token(since), **params})
    assert response.status_code == 200, response.text
    changes: list[dict[str, object]] = response.json()["data"]
    return changes


def gone(task: Task, revision: int) -> dict[str, object]:
    return {"id": task["id"], "deleted": True, "revision": revision}


@pytest.mark.requirement("FR-353")
def test_a_token_is_for_a_list_that_is_there(client: httpx.Client, stranger: httpx.Client, shared: List) -> None:
    made = make_token(client, list_id=shared["id"].upper())
    everywhere = make_token(client)
    assert (made["list_id"], everywhere["list_id"]) == (shared["id"], None)
    assert [token["list_id"] for token in listed(client)] == [None, shared["id"]]

    trashed, theirs, task = make(client), make(stranger), create(client)
    delete(client, trashed)
    for unknown in (str(uuid.uuid4()), trashed["id"], theirs["id"], task["id"]):
        response = client.post(TOKENS, json=wanted(list_id=unknown))
        assert details_of(response, 422, "VALIDATION_ERROR") == [("list_id", "list_unknown")]
    assert len(listed(client)) == 2


@pytest.mark.requirement("FR-353")
def test_a_token_ends_with_its_list(api: API, client: httpx.Client, shared: List, guest: httpx.Client) -> None:
    task = create(client, list_id=shared["id"])
    delete(client, shared)
    assert guest.get(list_path(shared)).status_code == 404
    assert guest.get(path_of(task)).status_code == 404
    assert details_of(guest.post("/api/tasks", json={"title": "a"}), 422, "VALIDATION_ERROR")
    restore(client, shared)
    assert read(guest, task)["title"] == task["title"]

    delete(client, shared, permanent="true")
    assert listed(client) == []
    error_of(guest.get("/api/tasks"), 401, "UNAUTHORIZED")
    with with_token(api, make_token(client)["token"]) as other:
        assert other.get("/api/tasks").status_code == 200


@pytest.mark.requirement("FR-353", "FR-354")
def test_a_token_that_is_still_remembered_shows_nothing_of_a_list_that_is_gone(
    client: httpx.Client, settings: Settings, shared: List, guest: httpx.Client
) -> None:
    task, in_trash = create(guest), create(guest)
    guest.delete(path_of(in_trash))
    seen = revision_of(client)
    with serve(settings) as elsewhere, elsewhere.client(**client.headers) as same_user:
        delete(same_user, shared, tasks="inbox", permanent="true")

    for path in ("/api/tasks", "/api/tasks?deleted=true", LISTS, f"{FEED}?since={sync_token(seen)}"):
        assert guest.get(path).json()["data"] == []
    assert guest.get(EXPORT).text == ""
    for answer in (guest.get(path_of(task)), guest.get(list_path(shared)), guest.post(f"{path_of(in_trash)}/restore")):
        error_of(answer, 404, "NOT_FOUND")
    before = revision_of(client)
    refused = guest.post("/api/tasks", json={"title": "a"})
    assert details_of(refused, 422, "VALIDATION_ERROR") == [("list_id", "list_unknown")]
    assert problems(guest, lines_of([{"title": "a"}])) == [(1, "list_id", "list_unknown")]
    assert revision_of(client) == before


@pytest.mark.requirement("FR-354")
def test_its_list_is_all_that_is_seen(client: httpx.Client, shared: List, guest: httpx.Client) -> None:
    other = make(client, "Other")
    mine, elsewhere, inbox = (
        create(client, "a", list_id=shared["id"]),
        create(client, list_id=other["id"]),
        create(client),
    )
    in_trash = create(client, "b", list_id=shared["id"])
    for deleted in (in_trash, create(client, "c", list_id=other["id"])):
        client.delete(path_of(deleted))

    assert [found["id"] for found in guest.get(LISTS).json()["data"]] == [shared["id"]]
    assert guest.get(list_path(shared)).json()["data"] == shared
    assert [task["id"] for task in guest.get("/api/tasks").json()["data"]] == [mine["id"]]
    page = guest.get("/api/tasks", params={"include_total": "true", "include_counts": "true"}).json()["page"]
    assert (page["total"], page["counts"]["todo"]) == (1, 1)
    assert [task["id"] for task in guest.get("/api/tasks", params={"deleted": "true"}).json()["data"]] == [
        in_trash["id"]
    ]
    assert titles_in(guest, other["id"]) == titles_in(guest, "inbox") == []
    assert guest.get(EXPORT).text.count("\n") == 1
    for hidden in (elsewhere, inbox):
        assert guest.get(path_of(hidden)).status_code == 404
        assert guest.patch(path_of(hidden), json={"title": "b"}).status_code == 404
        assert guest.delete(path_of(hidden)).status_code == 404
    assert guest.get(list_path(other)).status_code == 404
    assert task_of(guest.post(f"{path_of(in_trash)}/restore"))["list_id"] == shared["id"]


@pytest.mark.requirement("FR-354")
def test_a_reader_changes_nothing(api: API, client: httpx.Client, shared: List) -> None:
    task = create(client, list_id=shared["id"])
    with with_token(api, make_token(client, READ, list_id=shared["id"])["token"]) as reader:
        assert read(reader, task) == task
        for response in (
            reader.post("/api/tasks", json={"title": "b"}),
            reader.patch(path_of(task), json={"title": "b"}),
            reader.delete(path_of(task)),
        ):
            assert WRITE in error_of(response, 403, "FORBIDDEN")["message"]
    assert read(client, task) == task


@pytest.mark.requirement("FR-354")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("GET", path) for path in ("/api/me", "/api/me/export", TOKENS, "/api/labels")),
        *(("POST", path) for path in (TOKENS, LISTS, "{list}/restore", "{list}/move")),
        *(("DELETE", path) for path in ("/api/me", "{list}", "/api/labels/home", f"{TOKENS}/{uuid.UUID(int=7)}")),
        *(("PATCH", path) for path in ("/api/me", "{list}", "/api/labels/home")),
        *(("PUT", path) for path in ("{list}", "/api/labels/home")),
    ],
)
def test_calls_about_more_than_its_list_are_refused(
    client: httpx.Client, shared: List, guest: httpx.Client, method: str, path: str
) -> None:
    put(client, "home")
    before = revision_of(client)
    response = guest.request(method, path.format(list=list_path(shared)), json={} if method != "GET" else None)
    error_of(response, 403, "FORBIDDEN")
    assert revision_of(client) == before
    assert client.get(list_path(shared)).json()["data"] == shared


@pytest.mark.requirement("FR-355")
def test_what_it_creates_is_in_its_list(client: httpx.Client, shared: List, guest: httpx.Client) -> None:
    named = [create(guest), create(guest, list_id=shared["id"]), create(guest, list_id=None, labels=["Home"])]
    named += [result["data"] for result in run_each(guest, creation("a"), creation("b", labels=["ho\u200bme"]))]
    assert {task["list_id"] for task in named} == {shared["id"]}
    assert named[4]["labels"] == ["Home"]
    assert titles(guest, labels="\uff28ome", sort="title") == ["b", named[2]["title"]]
    assert imported(guest, lines_of([{"title": "c"}, {"title": "d", "list_id": shared["id"]}]))["created"] == 2
    assert len(titles_in(client, shared["id"])) == 7
    keyed: dict[str, Any] = {"headers": {"Idempotency-Key": "k"}}
    first = task_of(guest.post("/api/tasks", json={"title": "e"}, **keyed), 201)
    assert task_of(guest.post("/api/tasks", json={"title": "e"}, **keyed), 201) == first
    put_back = task_of(guest.put(path_of(first), json={**first, "title": "f"}))
    assert (put_back["title"], put_back["list_id"]) == ("f", shared["id"])
    assert task_of(guest.patch(f"{path_of(first)}/complete"))["completed"]
    assert task_of(guest.post(f"{path_of(first)}/move", json={"before": named[0]["id"]}))["id"] == first["id"]
    assert guest.delete(path_of(first)).status_code == 204
    assert task_of(client.post(f"{path_of(first)}/restore"))["list_id"] == shared["id"]


@pytest.mark.requirement("FR-355")
def test_nothing_is_put_elsewhere(client: httpx.Client, shared: List, guest: httpx.Client) -> None:
    other, task = make(client), create(client, list_id=shared["id"])
    before = revision_of(client)
    for place in (other["id"], None, str(uuid.uuid4())):
        for response in (
            guest.patch(path_of(task), json={"list_id": place, "title": "b"}),
            guest.put(path_of(task), json={**task, "list_id": place}),
            guest.post(f"{path_of(task)}/move", json={"list_id": place}),
        ):
            assert details_of(response, 403, "FORBIDDEN") == [OUTSIDE]
        result, *_ = run_each(guest, update(task, list_id=place))
        assert (result["status"], result["error"]["details"][0]["code"]) == (403, "outside_list")
        assert problems(guest, lines_of([{"id": task["id"], "title": "b", "list_id": place}])) == [(1, *OUTSIDE)]
    for place in (other["id"], str(uuid.uuid4())):
        created = guest.post("/api/tasks", json={"title": "b", "list_id": place})
        assert details_of(created, 403, "FORBIDDEN") == [OUTSIDE]
        assert problems(guest, lines_of([{"title": "b", "list_id": place}])) == [(1, *OUTSIDE)]
    removal = guest.delete(path_of(task), params={"permanent": "true"})
    assert details_of(removal, 403, "FORBIDDEN") == [("query.permanent", "outside_list")]
    assert (read(client, task), revision_of(client)) == (task, before)


@pytest.mark.requirement("FR-355")
def test_no_new_task_gets_an_id_that_is_taken_elsewhere(
    client: httpx.Client, shared: List, guest: httpx.Client, stranger: httpx.Client
) -> None:
    hidden, mine = create(client), create(client, list_id=shared["id"])
    before = revision_of(client)
    created = guest.post("/api/tasks", json={"id": hidden["id"], "title": "b"})
    assert details_of(created, 409, "CONFLICT") == [("id", "id_taken")]
    assert details_of(guest.post("/api/tasks", json={"id": mine["id"], "title": "b"}), 409, "CONFLICT") == []
    results = run_each(guest, creation(id=hidden["id"]), operation("delete", hidden), creation(id=str(uuid.uuid4())))
    assert statuses_of(results) == [409, 404, 201]
    assert problems(guest, lines_of([{"id": hidden["id"], "title": "b"}])) == [(1, "id", "id_taken")]
    assert (read(client, hidden), revision_of(client)) == (hidden, before + 1)
    assert create(guest, id=create(stranger)["id"])["list_id"] == shared["id"]  # another user's is no hindrance


@pytest.mark.requirement("FR-355", "FR-360")
def test_no_subtask_is_in_another_list_than_its_parent(client: httpx.Client, shared: List, guest: httpx.Client) -> None:
    hidden, parent = create(client), str(uuid.uuid4())
    waiting = {"id": str(uuid.uuid4()), "title": "a", "parent_id": parent}
    assert imported(client, lines_of([waiting])) == {"created": 1, "mended": 1}
    before = revision_of(client)
    under_hidden = lines_of([{"title": "b", "parent_id": hidden["id"]}])
    assert problems(guest, under_hidden) == [(1, "parent_id", "parent_unknown")]
    created = guest.post("/api/tasks", json={"id": parent, "title": "b"})
    assert details_of(created, 409, "CONFLICT") == [("id", "id_taken")]
    assert problems(guest, lines_of([{"id": parent, "title": "b"}])) == [(1, "id", "id_taken")]
    assert revision_of(client) == before
    mine = {"id": str(uuid.uuid4()), "title": "c", "parent_id": str(uuid.uuid4())}
    assert imported(guest, lines_of([mine])) == {"created": 1, "mended": 1}
    assert create(guest, id=mine["parent_id"])["list_id"] == shared["id"]
    assert imported(guest, lines_of([mine])) == {"unchanged": 1}


@pytest.mark.requirement("FR-363", "FR-356")
def test_what_it_does_not_see_still_counts_as_a_subtask(
    client: httpx.Client, shared: List, guest: httpx.Client, user_id: str, database_url: str
) -> None:
    task = create(client, list_id=shared["id"])
    below = create(client, parent_id=task["id"])
    inbox = "UPDATE tasks SET list_id = NULL WHERE user_id = %s AND id = %s"
    execute(database_url, inbox, user_id, below["id"])  # as a service of the release before might leave it
    task_of(guest.patch(f"{path_of(task)}/complete"))
    assert not read(client, below)["completed"]
    client.patch(f"{path_of(task)}/complete")
    client.patch(f"{path_of(task)}/complete")
    assert read(client, below)["completed"]


@pytest.mark.requirement("FR-355")
def test_nothing_comes_back_while_its_list_is_in_the_trash(
    client: httpx.Client, shared: List, guest: httpx.Client
) -> None:
    task = create(guest)
    delete(client, shared)
    before = revision_of(client)
    restored = guest.post(f"{path_of(task)}/restore")
    assert details_of(restored, 403, "FORBIDDEN") == [OUTSIDE]
    assert problems(guest, lines_of([{"id": task["id"], "title": "a"}])) == [(1, *OUTSIDE)]
    assert revision_of(client) == before


@pytest.mark.requirement("FR-355")
def test_a_calendar_of_another_list_is_refused_and_a_plain_one_taken(
    client: httpx.Client, shared: List, guest: httpx.Client
) -> None:
    create(client, "elsewhere", list_id=make(client)["id"])
    calendar = client.get(EXPORT, params={"format": "ics"}).text
    assert [code for _, _, code in problems(guest, calendar, CALENDAR)] == ["outside_list"]
    plain = calendar.replace("UID:", "UID:a")
    assert [code for _, _, code in problems(guest, plain, CALENDAR)] == ["outside_list"]
    without = "\r\n".join(line for line in plain.split("\r\n") if "X-TASK-API-LIST" not in line)
    assert imported(guest, without, CALENDAR)["created"] == 1
    assert titles_in(client, shared["id"]) == ["elsewhere"]


@pytest.mark.requirement("FR-357")
def test_its_feed_has_its_list_and_its_tasks(client: httpx.Client, shared: List, guest: httpx.Client) -> None:
    other = make(client)
    create(client, list_id=other["id"])
    task = create(client, list_id=shared["id"])
    put(client, "home")
    assert feed(guest, 0) == [task]
    assert feed(guest, 0, types="task,list") == [{"type": "list", "data": shared}, {"type": "task", "data": task}]
    assert feed(guest, 0, types="list") == [{"type": "list", "data": shared}]
    for path in (FEED, f"{FEED}/stream"):
        refused = guest.get(path, params={"types": "task,label"})
        assert details_of(refused, 403, "FORBIDDEN") == [("query.types", "outside_list")]


@pytest.mark.requirement("FR-357")
def test_what_leaves_its_list_is_reported_as_deleted(client: httpx.Client, shared: List, guest: httpx.Client) -> None:
    other = make(client)
    ways: dict[str, Callable[[Task], object]] = {
        "PATCH": lambda task: client.patch(path_of(task), json={"list_id": other["id"]}),
        "move": lambda task: client.post(f"{path_of(task)}/move", json={"list_id": None}),
        "batch": lambda task: run_each(client, update(task, list_id=None), update(task, title="b")),
        "import": lambda task: imported(client, lines_of([{"id": task["id"], "title": "b", "list_id": other["id"]}])),
        "remove": lambda task: client.delete(path_of(task), params={"permanent": "true"}),
    }
    for way, leave in ways.items():
        task, seen = create(client, list_id=shared["id"]), revision_of(client)
        leave(task)
        (change,) = feed(guest, seen)
        assert change == gone(task, revision_of(client) if way != "batch" else seen + 2), way
        others = feed(client, seen)
        assert [each["revision"] for each in others] == [change["revision"]]
        assert ("deleted" in others[0]) == (way == "remove")


@pytest.mark.requirement("FR-357")
def test_what_comes_back_is_reported_as_it_is(client: httpx.Client, shared: List, guest: httpx.Client) -> None:
    other, task = make(client), create(client, list_id=shared["id"])
    seen = revision_of(client)
    away = task_of(client.patch(path_of(task), json={"list_id": other["id"]}))
    assert feed(guest, seen) == [gone(task, away["revision"])]
    back = task_of(client.patch(path_of(task), json={"list_id": shared["id"]}))
    assert feed(guest, seen) == [back]
    task_of(client.patch(path_of(task), json={"list_id": other["id"]}))
    client.patch(path_of(task), json={"list_id": None})
    assert feed(guest, seen) == [gone(task, revision_of(client))]
    client.delete(path_of(task), params={"permanent": "true"})
    assert feed(guest, seen) == [gone(task, revision_of(client))]


@pytest.mark.requirement("FR-357")
def test_tasks_that_a_deleted_list_frees_are_reported_each(
    client: httpx.Client, shared: List, guest: httpx.Client
) -> None:
    freed = [create(client, title, list_id=shared["id"]) for title in "abc"]
    seen = revision_of(client)
    delete(client, shared, tasks="inbox")
    assert feed(guest, seen) == [gone(task, seen + 2 + number) for number, task in enumerate(freed)]
    reported = feed(guest, seen, types="list,task")
    assert reported[0] == {"type": "list", "data": gone(shared, seen + 1)}
    pages = [guest.get(FEED, params={"since": sync_token(seen), "limit": "2"}).json()]
    pages.append(guest.get(FEED, params={"since": pages[0]["page"]["next_since"], "limit": "2"}).json())
    assert [len(page["data"]) for page in pages] == [2, 1]


@pytest.mark.requirement("FR-357")
def test_answers_of_others_are_not_replayed(client: httpx.Client, shared: List, guest: httpx.Client) -> None:
    keyed: dict[str, Any] = {"json": {"title": "b"}, "headers": {"Idempotency-Key": "k"}}
    outside = task_of(client.post("/api/tasks", **keyed), 201)
    inside = task_of(guest.post("/api/tasks", **keyed), 201)
    assert outside["list_id"] != inside["list_id"] == shared["id"]
    assert task_of(client.post("/api/tasks", **keyed), 201) == outside
    assert task_of(guest.post("/api/tasks", **keyed), 201) == inside


@pytest.mark.requirement("FR-357")
def test_its_listings_have_tags_of_their_own(client: httpx.Client, guest: httpx.Client) -> None:
    create(client)
    for path in ("/api/tasks", LISTS):
        tags = {each.get(path).headers["ETag"] for each in (client, guest)}
        assert len(tags) == 2
        for tag in tags:
            assert sorted(each.get(path, headers={"If-None-Match": tag}).status_code for each in (client, guest)) == [
                200,
                304,
            ]


@pytest.mark.requirement("FR-354", "FR-357")
def test_an_archived_list_stays_with_its_token(client: httpx.Client, shared: List, guest: httpx.Client) -> None:
    task, archived = create(guest), edit(client, shared, archived=True)
    assert guest.get(list_path(shared)).json()["data"] == archived
    assert guest.get("/api/tasks", params={"in_archived": "true"}).json()["data"] == [task]
    assert guest.get("/api/tasks", params={"in_archived": "false"}).json()["data"] == []


@pytest.mark.requirement("FR-038", "FR-356")
def test_its_calls_take_as_many_round_trips_as_others(proxied: API, proxy: Proxy) -> None:
    with proxied.client(new_user()) as client:
        shared = make(client)
        task, other = create(client, list_id=shared["id"]), create(client, list_id=shared["id"])
        token = make_token(client, READ, WRITE, list_id=shared["id"])["token"]
        with with_token(proxied, token) as guest:
            assert guest.get("/api/tasks").status_code == 200  # looks the token up
            batch = {"operations": [creation("a"), update(task, title="c"), operation("delete", other)]}
            keyed = {"Idempotency-Key": "k", "If-Match": "*"}
            for round_trips, method, path, body in (
                *((1, "GET", path, None) for path in ("/api/tasks", path_of(task), LISTS, list_path(shared))),
                *((1, "GET", path, None) for path in (FEED, EXPORT)),
                *((2, "POST", path, {"title": "a", "labels": ["b"]}) for path in ("/api/tasks", "/api/tasks")),
                (2, "PATCH", path_of(task), {"title": "b", "list_id": shared["id"]}),
                (2, "POST", "/api/tasks/batch", batch),
                (2, "DELETE", path_of(task), None),
            ):
                before = proxy.round_trips
                headers = keyed if method == "PATCH" else {}
                assert guest.request(method, path, json=body, headers=headers).is_success, path
                assert proxy.round_trips - before == round_trips, (method, path)
