"""Calendars in which a task names its subtasks, rather than its parent."""

from __future__ import annotations

import httpx
import icalendar
import pytest

from backend.config import Settings
from backend.services.task_files import reader
from tests.fixtures.calls.api import serve
from tests.fixtures.calls.batches import creation, run_batch
from tests.fixtures.calls.lists import make
from tests.fixtures.calls.subtasks import chain
from tests.fixtures.calls.task_files import CALENDAR, Report, counts_of, exported, imported, report_of, send, tasks_of
from tests.fixtures.calls.tasks import create, path_of, revision_of
from tests.fixtures.postgres.database import execute

OWN = "0197c1f0-7a3b-7c4d-8e5f-6a7b8c9d0e1f"


def calendar(**subtasks: str) -> str:
    """Write a task for each UID, with the subtasks that it names."""
    file = icalendar.Calendar({"PRODID": "x", "VERSION": "2.0"})
    for uid, names in subtasks.items():
        todo = icalendar.Todo({"UID": uid, "SUMMARY": uid})
        for name in names.split():
            todo.add("RELATED-TO", name, parameters={"RELTYPE": "CHILD"})
        file.add_component(todo)
    return str(file.to_ical(), "utf-8")


def import_(client: httpx.Client, file: str) -> Report:
    return report_of(send(client, file.encode(), CALENDAR))


def warnings_of(report: Report) -> list[tuple[int, str]]:
    return [(warning["line"], warning["code"]) for warning in report["warnings"]]


def parents_of(client: httpx.Client) -> dict[str, str | None]:
    """Return the title of each task's parent."""
    tasks = tasks_of(client)
    titles = {task["id"]: task["title"] for task in tasks}
    return {task["title"]: titles.get(task["parent_id"]) for task in tasks}


@pytest.mark.requirement("FR-419")
@pytest.mark.parametrize("order", [("trip", "pack", "socks", "book"), ("socks", "book", "pack", "trip")])
def test_subtasks_that_their_parent_names_are_below_it(client: httpx.Client, order: tuple[str, ...]) -> None:
    named = {"trip": "pack book", "pack": "socks", "socks": "", "book": ""}
    file = calendar(**{uid: named[uid] for uid in order})

    assert import_(client, file)["warnings"] == []
    assert parents_of(client) == {"trip": None, "pack": "trip", "book": "trip", "socks": "pack"}
    listed = client.get("/api/tasks", params={"sort": "position", "list_id": "inbox"}).json()["data"]
    assert [task["title"] for task in listed] == [*order]

    before = revision_of(client)
    assert imported(client, file, CALENDAR) == {"unchanged": 4}
    assert imported(client, exported(client, "ics"), CALENDAR) == {"unchanged": 4}
    assert revision_of(client) == before


@pytest.mark.requirement("FR-419")
def test_the_parent_that_a_task_names_itself_counts(client: httpx.Client) -> None:
    own = "BEGIN:VTODO\r\nUID:b\r\nSUMMARY:b\r\nRELATED-TO:c\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"
    file = calendar(a="b d d", c="d", d="").removesuffix("END:VCALENDAR\r\n") + own

    assert warnings_of(import_(client, file)) == []
    assert parents_of(client) == {"a": None, "b": "c", "c": None, "d": "a"}


@pytest.mark.requirement("FR-419")
def test_circles_of_subtasks_end(client: httpx.Client) -> None:
    assert import_(client, calendar(a="b", b="c", c="a", d="d"))["created"] == 4
    assert parents_of(client) == {"a": None, "b": "a", "c": "b", "d": None}


@pytest.mark.requirement("FR-419")
def test_a_subtask_goes_to_the_list_of_its_parent(client: httpx.Client) -> None:
    home = make(client, "Home")
    parent = create(client, "parent", id=OWN, list_id=home["id"])
    assert import_(client, calendar(**{OWN: "child", "child": ""}))["created"] == 1

    assert {task["list_id"] for task in tasks_of(client)} == {home["id"]}
    assert [task["title"] for task in client.get(f"{path_of(parent)}/subtasks").json()["data"]] == ["child"]


@pytest.mark.requirement("FR-419")
def test_what_cannot_be_a_subtask_is_named(client: httpx.Client) -> None:
    tasks = chain(client, *"abcde")
    gone = create(client, "gone")
    client.delete(path_of(gone)).raise_for_status()
    lowest = tasks["e"]["id"]
    file = calendar(**{lowest: f"child {gone['id']} nowhere", "child": ""})

    report = import_(client, file)

    assert counts_of(report)["created"] == 1
    assert [code for _, code in warnings_of(report)] == ["too_deep", "subtask_missing", "subtask_missing"]
    assert parents_of(client)["child"] is None


@pytest.mark.requirement("FR-419")
def test_a_row_that_is_refused_has_no_subtasks(client: httpx.Client) -> None:
    refused = calendar(a="b", b="").replace("SUMMARY:a", f"X-TASK-API-LIST:{OWN}\r\nSUMMARY:a")
    report = import_(client, refused)
    assert (counts_of(report), warnings_of(report)) == ({"created": 1, "failed": 1}, [])
    assert parents_of(client) == {"b": None}


@pytest.mark.requirement("FR-419")
def test_of_very_many_subtasks_the_rest_is_left_out(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MAX_LINKS", 2)
    report = import_(client, calendar(a="b c d", b="", c="", d=""))
    assert warnings_of(report) == [(4, "subtasks_left_out")]
    assert parents_of(client) == {"a": None, "b": "a", "c": "a", "d": None}


@pytest.mark.requirement("FR-419")
def test_the_trees_of_subtasks_may_be_too_many_for_one_change(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.services.tasks.loaded.MAX_IN_TREES", 20)
    tops = [create(client, f"top {number}")["id"] for number in range(3)]
    for top in tops:
        run_batch(client, *(creation(parent_id=top) for _ in range(9)))

    assert counts_of(import_(client, calendar(a=tops[0], b=tops[1], c=tops[2]))) == {"created": 3}
    assert [parents_of(client)[f"top {number}"] for number in range(3)] == ["a", "b", "c"]

    monkeypatch.setattr("backend.services.tasks.loaded.MAX_IN_TREES", 5)
    other = create(client, "other")["id"]
    run_batch(client, *(creation(parent_id=other) for _ in range(9)))
    report = import_(client, calendar(d=other))
    assert (counts_of(report), [code for _, code in warnings_of(report)]) == ({"created": 1}, ["too_many_subtasks"])


@pytest.mark.requirement("FR-419")
def test_more_subtasks_than_a_task_can_have_are_named(client: httpx.Client) -> None:
    names = [f"c{number}" for number in range(1001)]
    report = import_(client, calendar(a=" ".join(names), **dict.fromkeys(names, "")))
    assert counts_of(report) == {"created": 1002}
    assert [code for _, code in warnings_of(report)] == ["too_many_subtasks"]


@pytest.mark.requirement("FR-419", "FR-417")
def test_subtasks_are_found_by_the_ids_that_they_had(client: httpx.Client, user_id: str, database_url: str) -> None:
    file = calendar(**{OWN.upper(): "child", "child": ""})
    imported(client, file.replace("RELTYPE=CHILD", "RELTYPE=SIBLING"), CALENDAR)
    execute(database_url, "UPDATE tasks SET id = %s, uid = NULL WHERE user_id = %s AND title <> 'child'", OWN, user_id)

    assert import_(client, file)["unchanged"] == 2
    assert parents_of(client)["child"] == OWN.upper()
    turned = calendar(child=OWN.upper())
    execute(database_url, "UPDATE tasks SET parent_id = NULL WHERE user_id = %s", user_id)
    imported(client, turned, CALENDAR)
    assert parents_of(client) == {OWN.upper(): "child", "child": None}


@pytest.mark.requirement("FR-419", "FR-252")
def test_where_changes_need_an_etag_no_task_becomes_a_subtask(settings: Settings, user_id: str) -> None:
    with serve(settings.model_copy(update={"require_if_match": True})) as api, api.client(user_id) as careful:
        report = import_(careful, calendar(a="b", b=""))
    assert warnings_of(report) == [(4, "precondition_required")]


@pytest.mark.requirement("FR-420")
def test_the_order_of_other_programs_is_the_order_here(client: httpx.Client) -> None:
    orders = {
        "c": "700000000",
        "b": "+5",
        "a": "-99999999999999",
        "d": "99999999999999",
        "x": "",
        "y": "1e9",
        "z": "9" * 15,
    }
    file = calendar(**dict.fromkeys(orders, ""))
    for uid, order in orders.items():
        file = file.replace(f"SUMMARY:{uid}\r\n", f"SUMMARY:{uid}\r\nX-APPLE-SORT-ORDER:{order}\r\n")
    create(client, "before")

    assert imported(client, file, CALENDAR) == {"created": 7}
    listed = client.get("/api/tasks", params={"sort": "position", "list_id": "inbox"}).json()["data"]
    assert [task["title"] for task in listed] == ["a", "b", "c", "d", "before", "x", "y", "z"]
    assert imported(client, file, CALENDAR) == {"unchanged": 7}
    move = {"after": listed[0]["id"]}
    assert client.post(f"{path_of(listed[2])}/move", json=move).json()["data"]["position"] < listed[1]["position"]
    assert imported(client, exported(client, "ics"), CALENDAR) == {"unchanged": 8}
