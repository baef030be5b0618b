"""Calendars that a token for one list imports, although tasks outside of the list have their UIDs."""

from __future__ import annotations

import httpx
import pytest

from tests.fixtures.calls.lists import List
from tests.fixtures.calls.task_files import CALENDAR, Report, counts_of, exported, imported, report_of, send, tasks_of
from tests.fixtures.calls.tasks import revision_of

pytestmark = pytest.mark.requirement("FR-473")


def calendar(*todos: str) -> str:
    return "\r\n".join(["BEGIN:VCALENDAR", *(f"BEGIN:VTODO\r\n{todo}\r\nEND:VTODO" for todo in todos), "END:VCALENDAR"])


BELOW = calendar("UID:a\r\nSUMMARY:a", "UID:b\r\nSUMMARY:b\r\nRELATED-TO:a")
ABOVE = calendar("UID:a\r\nSUMMARY:a\r\nRELATED-TO;RELTYPE=CHILD:b", "UID:b\r\nSUMMARY:b")


def import_(client: httpx.Client, file: str) -> Report:
    return report_of(send(client, file.encode(), CALENDAR))


@pytest.mark.parametrize("file", [BELOW, ABOVE])
def test_tasks_of_a_calendar_come_into_the_list_although_the_owner_has_them(
    client: httpx.Client, guest: httpx.Client, shared: List, file: str
) -> None:
    assert counts_of(import_(client, file)) == {"created": 2}
    owned = tasks_of(client)

    report = import_(guest, file)

    assert counts_of(report) == {"created": 2, "mended": 2}
    assert [warning["code"] for warning in report["warnings"]] == ["uid_not_kept"] * 2
    copies = {task["title"]: task for task in tasks_of(guest)}
    assert copies["b"]["parent_id"] == copies["a"]["id"]
    assert {task["list_id"] for task in copies.values()} == {shared["id"]}
    assert [task for task in tasks_of(client) if task["list_id"] is None] == owned
    before = revision_of(client)
    assert counts_of(import_(guest, file)) == {"unchanged": 2, "mended": 2}
    assert imported(client, file, CALENDAR) == {"unchanged": 2}
    assert imported(client, exported(client, "ics"), CALENDAR) == {"unchanged": 4}
    assert revision_of(client) == before


def test_a_parent_that_is_not_shown_is_one_that_has_not_come(client: httpx.Client, guest: httpx.Client) -> None:
    above, below = BELOW.split("END:VTODO\r\n", 1)
    assert counts_of(import_(client, f"{above}END:VTODO\r\nEND:VCALENDAR")) == {"created": 1}

    report = import_(guest, f"BEGIN:VCALENDAR\r\n{below}")
    assert [warning["code"] for warning in report["warnings"]] == ["parent_missing"]
    assert counts_of(import_(guest, BELOW)) == {"created": 1, "unchanged": 1, "mended": 1}
    a, b = sorted(tasks_of(guest), key=lambda task: str(task["title"]))
    assert b["parent_id"] == a["id"]


def test_a_copy_stays_when_the_other_task_is_gone(client: httpx.Client, guest: httpx.Client) -> None:
    assert counts_of(import_(client, BELOW)) == {"created": 2}
    assert import_(guest, BELOW)["created"] == 2
    for task in tasks_of(client):
        if task["list_id"] is None and task["parent_id"] is None:
            client.delete(f"/api/tasks/{task['id']}", params={"permanent": "true"}).raise_for_status()

    assert counts_of(import_(guest, BELOW)) == {"unchanged": 2, "mended": 2}
