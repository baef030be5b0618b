"""The UIDs by which other programs know tasks again come back as they were."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import icalendar
import pytest

from backend.database.engine import Engine
from backend.models.task import TaskCreate, TaskUpdate
from backend.models.task_file import ImportedTask
from backend.services.task_files.import_rules import Placed
from backend.services.task_files.import_service import ImportService
from tests.fixtures.calls.access_tokens import READ, WRITE, make_token, with_token
from tests.fixtures.calls.api import API, new_user
from tests.fixtures.calls.exports import export
from tests.fixtures.calls.lists import make
from tests.fixtures.calls.task_files import (
    CALENDAR,
    counts_of,
    exported,
    imported,
    lines_of,
    report_of,
    said_of,
    send,
    tasks_of,
)
from tests.fixtures.calls.tasks import create, path_of, revision_of
from tests.fixtures.postgres.database import execute
from tests.fixtures.postgres.statements import noted_statements
from tests.fixtures.postgres.tenant_statements import tasks_of as tasks_service

OWN = "0197c1f0-7a3b-7c4d-8e5f-6a7b8c9d0e1f"
FORMS = [OWN, OWN.upper(), f"{{{OWN}}}", OWN.replace("-", ""), f"urn:uuid:{OWN}", "task-1@example.com", "a,b;c\\d Ω"]


def calendar(*uids: str, **parents: str) -> str:
    """Write a task for each UID, titled by its number."""
    file = icalendar.Calendar({"PRODID": "x", "VERSION": "2.0"})
    for number, uid in enumerate(uids):
        todo = icalendar.Todo({"UID": uid, "SUMMARY": f"{number}"})
        if uid in parents:
            todo.add("RELATED-TO", parents[uid])
        file.add_component(todo)
    return str(file.to_ical(), "utf-8")


def uids_of(client: httpx.Client) -> dict[str, str]:
    """Export a calendar; returns the UIDs by the titles."""
    return {title: uid for title, uid, _ in todos_of(client)}


def todos_of(client: httpx.Client) -> Iterator[tuple[str, str, str | None]]:
    file: Any = icalendar.Calendar.from_ical(exported(client, "ics"))
    for todo in file.walk("VTODO"):
        yield str(todo["SUMMARY"]), str(todo["UID"]), str(todo["RELATED-TO"]) if "RELATED-TO" in todo else None


def forget(url: str, user_id: str, *, is_former: bool = False) -> None:
    """Make the user's tasks what a release that kept no UIDs would have stored."""
    if is_former:
        execute(url, "UPDATE tasks SET id = %s WHERE user_id = %s AND title = '0'", OWN, user_id)
        execute(url, "UPDATE tasks SET parent_id = %s WHERE user_id = %s AND title = '1'", OWN, user_id)
    execute(url, "UPDATE tasks SET uid = NULL WHERE user_id = %s", user_id)


@pytest.mark.requirement("FR-417")
def test_each_uid_comes_back_as_it_was(client: httpx.Client, stranger: httpx.Client) -> None:
    file = calendar(*FORMS)
    assert imported(client, file, CALENDAR) == {"created": len(FORMS)}
    before = tasks_of(client)
    assert "uid" not in before[0]
    assert {task["title"]: task["id"] for task in before}["0"] == OWN

    assert uids_of(client) == {f"{number}": uid for number, uid in enumerate(FORMS)}
    for again in (file, exported(client, "ics")):
        assert imported(client, again, CALENDAR) == {"unchanged": len(FORMS)}
    assert tasks_of(client) == before
    assert imported(stranger, exported(client, "ics"), CALENDAR) == {"created": len(FORMS)}
    assert [task["id"] for task in tasks_of(stranger)] == [task["id"] for task in before]


@pytest.mark.requirement("FR-417")
def test_a_task_keeps_its_uid_whatever_is_done_with_it(client: httpx.Client) -> None:
    imported(client, calendar("task-1", "task-2"), CALENDAR)
    first, _ = tasks_of(client)
    client.patch(path_of(first), json={"title": "new", "labels": ["a"], "priority": "high"}).raise_for_status()
    client.delete(path_of(first)).raise_for_status()
    client.post(f"{path_of(first)}/restore").raise_for_status()
    rows = lines_of({"id": task["id"], "title": task["title"], "completed": True} for task in tasks_of(client))
    assert imported(client, rows) == {"updated": 2}

    assert sorted(uids_of(client).values()) == ["task-1", "task-2"]
    assert sorted(task["uid"] for task in export(client)["task"]) == ["task-1", "task-2"]


@pytest.mark.requirement("FR-417")
def test_a_parent_is_named_by_the_uid_that_it_has(client: httpx.Client) -> None:
    own = create(client, "own")["id"]
    file = calendar(
        "child@example.com", "Grandchild", own, **{"child@example.com": own, "Grandchild": "child@example.com"}
    )
    assert imported(client, file, CALENDAR) == {"created": 2, "updated": 1}

    expected = {("0", "child@example.com", own), ("1", "Grandchild", "child@example.com"), ("2", own, None)}
    assert set(todos_of(client)) == expected
    assert imported(client, exported(client, "ics"), CALENDAR) == {"unchanged": 3}


@pytest.mark.requirement("FR-417")
@pytest.mark.parametrize("uid", ["x" * 1001, "a\\nb", "a\tb", "\u200b"], ids=["long", "line", "tab", "invisible"])
def test_a_uid_that_cannot_be_kept_is_named_and_still_finds_its_task(client: httpx.Client, uid: str) -> None:
    file = f"BEGIN:VCALENDAR\nBEGIN:VTODO\nUID:{uid}\nSUMMARY:a\nEND:VTODO\nEND:VCALENDAR\n"
    for fate in ("created", "unchanged"):
        report = report_of(send(client, file.encode(), CALENDAR))
        assert counts_of(report) == {fate: 1, "mended": 1}
        assert [(each["field"], each["code"]) for each in report["warnings"]] == [("UID", "uid_not_kept")]
    (task,) = tasks_of(client)
    assert uids_of(client) == {"a": task["id"]}


@pytest.mark.requirement("FR-417")
def test_the_longest_uid_is_kept(client: httpx.Client) -> None:
    imported(client, calendar("\U0001f95b" * 1000), CALENDAR)
    assert uids_of(client) == {"0": "\U0001f95b" * 1000}


@pytest.mark.requirement("FR-417")
def test_an_occurrence_has_no_uid_of_others(client: httpx.Client) -> None:
    imported(client, calendar("series").replace("SUMMARY", "RECURRENCE-ID:20260511T090000Z\r\nSUMMARY"), CALENDAR)
    (task,) = tasks_of(client)
    assert uids_of(client) == {"0": task["id"]}


@pytest.mark.requirement("FR-417")
def test_tasks_of_files_from_before_uids_were_kept_get_theirs(
    client: httpx.Client, user_id: str, database_url: str
) -> None:
    file = calendar("task-1", "task-2", **{"task-1": "task-2"})
    imported(client, file, CALENDAR)
    forget(database_url, user_id)
    before = tasks_of(client), revision_of(client)

    assert imported(client, file, CALENDAR) == {"unchanged": 2}
    assert uids_of(client) == {"0": "task-1", "1": "task-2"}
    assert (tasks_of(client), revision_of(client)) == before


@pytest.mark.requirement("FR-417")
@pytest.mark.parametrize("form", [OWN.upper(), f"{{{OWN.upper()}}}", OWN.upper().replace("-", "")])
def test_tasks_that_took_a_uid_in_another_form_for_their_id_are_found(
    client: httpx.Client, user_id: str, database_url: str, form: str
) -> None:
    file = calendar(form, "child", child=form)
    imported(client, file, CALENDAR)
    forget(database_url, user_id, is_former=True)

    for _ in range(2):
        imported(client, file, CALENDAR)
        parent, child = sorted(tasks_of(client), key=lambda task: str(task["title"]))
        assert (parent["id"], child["parent_id"]) == (OWN, OWN)
        assert uids_of(client) == {"0": form, "1": "child"}
    assert imported(client, exported(client, "ics"), CALENDAR) == {"unchanged": 2}

    other = f"{{{OWN}}}" if form != f"{{{OWN}}}" else OWN.upper()
    assert imported(client, calendar(other), CALENDAR) == {"created": 1}


@pytest.mark.requirement("FR-417")
def test_a_row_that_is_refused_leaves_no_uid(client: httpx.Client) -> None:
    create(client, "mine", id=OWN)
    refused = calendar(OWN.upper()).replace("SUMMARY", f"X-TASK-API-LIST:{uuid.UUID(int=1)}\r\nSUMMARY")
    assert imported(client, refused, CALENDAR) == {"failed": 1}
    assert uids_of(client) == {"mine": OWN}


@pytest.mark.requirement("FR-417", "FR-355")
def test_a_token_for_one_list_keeps_uids_in_its_list(api: API, client: httpx.Client) -> None:
    home = make(client, "Home")
    imported(client, calendar("elsewhere"), CALENDAR)
    made = make_token(client, READ, WRITE, list_id=home["id"])
    with with_token(api, made["token"]) as script:
        assert imported(script, calendar("task-1", "task-2"), CALENDAR) == {"created": 2}
        assert uids_of(script) == {"0": "task-1", "1": "task-2"}
        assert imported(script, calendar("task-1", "task-2"), CALENDAR) == {"unchanged": 2}


@pytest.mark.requirement("FR-417")
def test_no_other_call_reads_or_writes_uids(engine: Engine) -> None:
    tasks = tasks_service(engine, new_user())
    with noted_statements(engine) as sent:
        task = tasks.create(TaskCreate(title="Milk"))
        tasks.update(task.id, TaskUpdate(title="Bread", priority="high"))
        tasks.get(task.id)
        rows = [Placed(uuid.uuid4(), ImportedTask(title=title)) for title in ("a", "b")]
        ImportService(tasks.sessions, tasks.user_id, 1000).store(rows)
        assert not [sql for sql, _ in sent if re.search(r"\buid\b|each_uid", sql)]
        ImportService(tasks.sessions, tasks.user_id, 1000).store([rows[0]._replace(uid="task-1")])
    assert [sql for sql, _ in sent if "each_uid" in sql]


@pytest.mark.requirement("FR-418")
def test_tasks_come_back_in_the_order_in_which_they_were_created(client: httpx.Client, stranger: httpx.Client) -> None:
    operations = [{"op": "create", "data": {"title": f"{number}", "completed": True}} for number in range(20)]
    for _ in range(5):
        client.post("/api/tasks/batch", json={"operations": operations}).raise_for_status()
    assert imported(stranger, exported(client, "ics"), CALENDAR) == {"created": 100}

    mine, other = (each.get("/api/tasks", params={"limit": 100}).json()["data"] for each in (client, stranger))
    assert said_of(mine) == said_of(other)


@pytest.mark.requirement("FR-418")
def test_a_time_that_another_program_has_changed_counts(client: httpx.Client, stranger: httpx.Client) -> None:
    task = create(client, "a", completed=True)
    second = task["created_at"][:19].replace("-", "").replace(":", "")
    file = exported(client, "ics").replace(f"CREATED:{second}Z", "CREATED:20260504T070000Z")
    assert imported(stranger, file, CALENDAR) == {"created": 1}
    assert [each["created_at"] for each in tasks_of(stranger)] == ["2026-05-04T07:00:00+00:00"]


@pytest.mark.requirement("FR-417")
def test_the_uid_in_a_row_of_an_account_is_ignored(client: httpx.Client) -> None:
    assert imported(client, lines_of([{"id": OWN, "title": "a", "uid": "task-1"}])) == {"created": 1}
    assert uids_of(client) == {"a": OWN}
