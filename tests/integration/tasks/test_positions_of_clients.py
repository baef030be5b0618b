"""The order of tasks and lists whatever positions clients write, also in the trash, and after the clock went back."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.fixtures.calls.access_tokens import READ, WRITE, make_token, with_token
from tests.fixtures.calls.api import API
from tests.fixtures.calls.batches import run_each
from tests.fixtures.calls.lists import delete, list_of, list_path, listed, make
from tests.fixtures.calls.task_files import CALENDAR, CSV, EXPORT, LINES, imported, lines_of
from tests.fixtures.calls.tasks import create, error_of, path_of, read, revision_of, task_of
from tests.fixtures.postgres.database import execute

Json = dict[str, Any]
INBOX = "inbox"
FIRST = "A" + 25 * "0" + "1"
# Hostile ones at both ends, late ones as from a clock that was ahead, and usual ones, some of them equal.
WRITTEN = [
    200 * "z",
    "zz" + 25 * "z",
    "q" + 17 * "z",
    "p" + 16 * "z",
    "p99" + 14 * "1",
    FIRST,
    FIRST,
    "a0",
    "a0",
    "a0V",
    "Zz",
]


def tasks_in_order(client: httpx.Client, place: str = INBOX) -> list[Json]:
    """Return the tasks of a list in the order of their positions."""
    response = client.get("/api/tasks", params={"list_id": place, "sort": "position"})
    assert response.status_code == 200, response.text
    tasks: list[Json] = response.json()["data"]
    assert tasks == sorted(tasks, key=lambda task: (task["position"], task["id"]))
    return tasks


def titles(client: httpx.Client, place: str = INBOX) -> list[str]:
    """Return the titles of a list's tasks in the order of their positions."""
    return [task["title"] for task in tasks_in_order(client, place)]


def move(client: httpx.Client, task: Json, **to: str | None) -> Json:
    """Move a task; returns it as it is then."""
    return task_of(client.post(f"{path_of(task)}/move", json=to))


def ways_to_write(client: httpx.Client, position: str) -> Iterator[None]:
    """Create a task at a position, in each of the ways that there are."""
    create(client, "post", position=position)
    yield
    task_of(client.put(path_of(create(client, "put")), json={"position": position}))
    yield
    task_of(client.patch(path_of(create(client, "patch")), json={"position": position}))
    yield
    run_each(client, {"op": "create", "data": {"title": "batch", "position": position}})
    yield
    imported(client, lines_of([{"title": "lines", "position": position}]))
    yield
    imported(client, f"title,position\ncsv,{position}\n".encode(), CSV)
    yield
    todo = f"BEGIN:VTODO\r\nUID:a\r\nSUMMARY:ics\r\nX-TASK-API-POSITION:{position}\r\nEND:VTODO"
    imported(client, f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{todo}\r\nEND:VCALENDAR\r\n".encode(), CALENDAR)
    yield
    client.delete(path_of(create(client, "trash", position=position))).raise_for_status()
    yield


@pytest.mark.requirement("FR-406")
@pytest.mark.parametrize("position", WRITTEN)
def test_what_comes_last_is_last_whatever_positions_were_written(client: httpx.Client, position: str) -> None:
    moving = create(client, "moving")
    for number, _ in enumerate(ways_to_write(client, position)):
        create(client, str(number))
        assert titles(client)[-1] == str(number)
        moving = move(client, moving)
        assert titles(client)[-1] == "moving"


@pytest.mark.requirement("FR-406")
def test_a_position_that_leaves_no_room_means_the_end(client: httpx.Client) -> None:
    late = [create(client, title, position=200 * "z") for title in "abc"]
    assert titles(client) == [*"abc"]
    assert all(task["position"].startswith("p") for task in late)
    whole = read(client, late[0])
    assert task_of(client.put(path_of(whole), json=whole)) == whole

    latest = create(client, "d", position="p" + 16 * "z")
    after = create(client, "e")
    assert (latest["position"], after["position"]) == ("p" + 16 * "z", "q" + 17 * "0")
    assert task_of(client.put(path_of(after), json={**after, "title": "f"}))["position"] == after["position"]
    # What a page that works offline appends to that.
    assert create(client, "g", position="q" + 16 * "0" + "1")["position"] == "q" + 16 * "0" + "1"
    assert titles(client) == [*"abcdfg"]


@pytest.mark.requirement("FR-406")
def test_a_token_for_one_list_cannot_take_its_end_away(api: API, client: httpx.Client) -> None:
    shared = make(client, "Shared")
    with with_token(api, make_token(client, READ, WRITE, list_id=shared["id"])["token"]) as guest:
        for position in WRITTEN:
            create(guest, "theirs", position=position)
            create(guest, "guest")
            assert titles(client, shared["id"])[-1] == "guest"
    task = create(client, "own")
    assert move(client, task, list_id=shared["id"])["list_id"] == shared["id"]
    assert titles(client, shared["id"])[-1] == "own"
    create(client, "last")
    assert titles(client)[-1] == "last"


@pytest.mark.requirement("FR-406")
def test_what_comes_last_is_last_after_the_clock_has_gone_back(
    client: httpx.Client, user_id: str, database_url: str
) -> None:
    home = make(client, "Home")
    create(client, "a")
    create(client, "b", list_id=home["id"])
    # As they are if the clock was a century ahead.
    execute(
        database_url, "UPDATE tasks SET position = overlay(position placing '5' from 2) WHERE user_id = %s", user_id
    )
    execute(
        database_url, "UPDATE lists SET position = overlay(position placing '5' from 2) WHERE user_id = %s", user_id
    )
    greatest = "UPDATE users SET last_position = overlay(last_position placing '5' from 2) WHERE id = %s"
    execute(database_url, greatest, user_id)

    create(client, "c")
    run_each(client, *({"op": "create", "data": {"title": title}} for title in "de"))
    imported(client, lines_of([{"title": "f"}, {"title": "g"}]))
    assert titles(client) == [*"acdefg"]
    make(client, "Work")
    assert [found["name"] for found in listed(client)] == ["Home", "Work"]
    delete(client, home, tasks="inbox")
    assert titles(client) == [*"acdefgb"]


@pytest.mark.requirement("FR-407")
def test_the_trash_does_not_take_part_in_moves(client: httpx.Client) -> None:
    a, b = (create(client, title) for title in "ab")
    for position in WRITTEN:
        trashed = create(client, "trashed", position=position)
        client.delete(path_of(trashed)).raise_for_status()
    before = revision_of(client)

    assert move(client, b) == b
    assert move(client, b, after=a["id"]) == b
    assert move(client, a) != a
    assert titles(client) == [*"ba"]
    assert move(client, a, before=b["id"])["position"] < b["position"]
    assert titles(client) == [*"ab"]
    assert revision_of(client) == before + 2


@pytest.mark.requirement("FR-408")
@pytest.mark.parametrize("position", ["a0", FIRST, "p" + 16 * "z", "a0" + 197 * "0" + "1"])
def test_a_task_comes_between_tasks_with_equal_positions(client: httpx.Client, position: str) -> None:
    create(client, "first", position="Z1")
    equal = sorted((create(client, title, position=position) for title in "abcd"), key=lambda task: str(task["id"]))
    names = [task["title"] for task in equal]
    task = create(client, "x", position="a5")
    before = revision_of(client)
    others = {each["id"]: each for each in tasks_in_order(client)}

    move(client, task, after=equal[1]["id"])
    found = tasks_in_order(client)
    assert [each["title"] for each in found if each["title"] != "first"] == [*names[:2], "x", *names[2:]]
    changed = [each for each in found if each != others[each["id"]]]
    assert len(changed) == revision_of(client) - before == 3
    assert sorted(each["revision"] for each in changed) == [before + 1, before + 2, before + 3]
    feed = client.get("/api/changes").json()["data"]
    assert {each["id"]: each["position"] for each in feed} == {each["id"]: each["position"] for each in found}

    move(client, task, before=equal[0]["id"])
    assert [each["title"] for each in tasks_in_order(client) if each["title"] != "first"] == ["x", *names]
    assert move(client, task, before=equal[0]["id"]) == read(client, task)


@pytest.mark.requirement("FR-408")
def test_a_task_among_equal_ones_that_stands_there_already_does_not_change(client: httpx.Client) -> None:
    low, between, high = sorted((create(client, position="a0") for _ in range(3)), key=lambda task: str(task["id"]))
    before = revision_of(client)

    assert move(client, between, after=low["id"]) == move(client, between, before=high["id"]) == between
    assert move(client, high) == move(client, high, after=between["id"]) == high
    assert revision_of(client) == before


@pytest.mark.requirement("FR-408")
def test_a_token_for_one_list_makes_room_in_it(api: API, client: httpx.Client) -> None:
    shared = make(client, "Shared")
    elsewhere = [create(client, title, position="a0") for title in "ab"]
    with with_token(api, make_token(client, READ, WRITE, list_id=shared["id"])["token"]) as guest:
        equal = sorted((create(guest, position="a0") for _ in range(3)), key=lambda task: str(task["id"]))
        task = create(guest)
        move(guest, task, after=equal[0]["id"])
        found = [each["id"] for each in tasks_in_order(guest, shared["id"])]
    assert found == [equal[0]["id"], task["id"], equal[1]["id"], equal[2]["id"]]
    assert [read(client, each) for each in elsewhere] == elsewhere


@pytest.mark.requirement("FR-409")
def test_what_goes_along_to_another_list_is_last_there_in_its_order(client: httpx.Client) -> None:
    home, work = make(client, "Home"), make(client, "Work")
    first = create(client, "first", list_id=work["id"])
    top = create(client, "top", list_id=home["id"])
    below = [create(client, title, parent_id=top["id"]) for title in "abc"]
    create(client, "d", parent_id=below[1]["id"])
    move(client, below[2], before=below[0]["id"])
    create(client, "last", list_id=work["id"])
    assert titles(client, home["id"]) == ["top", "c", "a", "b", "d"]

    move(client, top, list_id=work["id"], after=first["id"])
    assert titles(client, work["id"]) == ["first", "top", "last", "c", "a", "b", "d"]
    task_of(client.patch(path_of(top), json={"list_id": home["id"]}))
    assert titles(client, home["id"]) == ["top", "c", "a", "b", "d"]
    create(client, "newest")
    delete(client, home, tasks="inbox")
    assert titles(client) == ["newest", "top", "c", "a", "b", "d"]


@pytest.mark.requirement("FR-410")
def test_lists_keep_to_the_same_rules(client: httpx.Client) -> None:
    def names() -> list[str]:
        return [found["name"] for found in listed(client)]

    def to(found: Json, **body: str) -> Json:
        return list_of(client.post(f"{list_path(found)}/move", json=body))

    for position in WRITTEN:
        late = make(client, "late", position=position)
        delete(client, make(client, "gone", position=position))
        last = make(client, "last")
        assert names()[-1] == "last"
        to(late)
        assert names()[-1] == "late"
        for found in (late, last):
            client.delete(list_path(found), params={"permanent": "true"}).raise_for_status()

    equal = sorted((make(client, name, position="a0") for name in "abcd"), key=lambda found: str(found["id"]))
    moved, before = make(client, "x"), revision_of(client)
    to(moved, after=equal[1]["id"])
    assert names() == [equal[0]["name"], equal[1]["name"], "x", equal[2]["name"], equal[3]["name"]]
    assert revision_of(client) == before + 3
    assert sorted(found["revision"] for found in listed(client))[-3:] == [before + 1, before + 2, before + 3]
    to(moved, before=equal[0]["id"])
    assert names()[:2] == ["x", equal[0]["name"]]
    assert to(moved, before=equal[0]["id"]) == to(moved, before=equal[0]["id"])


@pytest.mark.requirement("FR-406", "FR-407", "FR-408", "FR-409")
@pytest.mark.parametrize("seed", range(8))
def test_any_order_of_calls_leaves_each_task_where_the_answer_says(client: httpx.Client, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    places = [INBOX, make(client, "Home")["id"]]
    for step in range(60):
        place = chance.choice(places)
        inside = tasks_in_order(client, place)
        list_id = None if place == INBOX else place
        kind = chance.choice(["create", "last", "write", "trash", "restore", "end", "beside", "beside", "go"])
        if kind == "create" or len(inside) < 3:
            create(client, str(step), list_id=list_id, position=chance.choice(WRITTEN))
        elif kind == "last":
            create(client, str(step), list_id=list_id)
            assert titles(client, place)[-1] == str(step)
        elif kind == "write":
            task_of(client.patch(path_of(chance.choice(inside)), json={"position": chance.choice(WRITTEN)}))
        elif kind == "trash":
            client.delete(path_of(chance.choice(inside))).raise_for_status()
        elif kind == "restore":
            for task in client.get("/api/tasks?deleted=true&limit=1").json()["data"]:
                task_of(client.post(f"{path_of(task)}/restore"))
        elif kind == "end":
            task = move(client, chance.choice(inside))
            assert tasks_in_order(client, place)[-1] == task
        elif kind == "go":
            (other,) = {*places} - {place}
            task = task_of(client.patch(path_of(inside[0]), json={"list_id": None if other == INBOX else other}))
            assert tasks_in_order(client, other)[-1] == task
        else:
            _moves_beside(client, chance, inside, place)


def _moves_beside(client: httpx.Client, chance: random.Random, inside: list[Json], place: str) -> None:
    """Move a task beside another one, and see it there, and all others in the order that they had."""
    task, other = chance.sample(inside, 2)
    side = chance.choice(["after", "before"])
    response = client.post(f"{path_of(task)}/move", json={side: other["id"]})
    if response.status_code != 200:
        assert error_of(response, 409, "CONFLICT")["details"][0]["code"] == "no_room"
        assert tasks_in_order(client, place) == inside
        return
    expected = [each["id"] for each in inside if each["id"] != task["id"]]
    expected.insert(expected.index(other["id"]) + (side == "after"), task["id"])
    assert [each["id"] for each in tasks_in_order(client, place)] == expected


@pytest.mark.requirement("FR-406")
@pytest.mark.parametrize("kind", [LINES, CSV, CALENDAR])
def test_files_keep_their_order_whatever_their_positions(client: httpx.Client, kind: str) -> None:
    user = create(client, "a")["user_id"]
    for title, position in zip("bcde", ["p" + 16 * "z", "a0", FIRST, "p99" + 14 * "1"], strict=True):
        create(client, title, position=position)
    order = titles(client)
    assert order == [*"dcaeb"]
    file = client.get(EXPORT, params={"format": {LINES: "jsonl", CSV: "csv", CALENDAR: "ics"}[kind]}).content
    client.delete("/api/me", params={"confirm": user}).raise_for_status()
    create(client, "before")

    assert imported(client, file, kind) == {"created": 5}
    assert [title for title in titles(client) if title != "before"] == order
    create(client, "last")
    assert titles(client)[-1] == "last"
