"""Subtasks in files whose parent does not come: they are stored, shown at the top, and told of."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest

from backend.config import Settings
from tests.fixtures.calls.access_tokens import READ, make_token, with_token
from tests.fixtures.calls.api import API, serve
from tests.fixtures.calls.lists import make
from tests.fixtures.calls.subtasks import subtasks
from tests.fixtures.calls.task_files import CALENDAR, CSV, LINES, imported, lines_of, report_of, send
from tests.fixtures.calls.tasks import create, path_of, read

pytestmark = pytest.mark.requirement("FR-405")

PARENT, CHILD, BELOW = (str(uuid.UUID(int=6 * 2**80 + number)) for number in (1, 2, 3))
CALENDAR_FILE = """\
BEGIN:VCALENDAR
BEGIN:VEVENT
UID:meeting@example.com
SUMMARY:Meeting
END:VEVENT
BEGIN:VTODO
UID:{child}
SUMMARY:child
RELATED-TO:meeting@example.com
END:VTODO
END:VCALENDAR
"""
FILES: dict[str, tuple[str, int]] = {  # each with the line of its child
    LINES: (lines_of([{"title": "other"}, {"title": "child", "id": CHILD, "parent_id": PARENT}]), 2),
    CSV: (f"title,id,parent_id\nother,,\nchild,{CHILD},{PARENT}\n", 3),
    CALENDAR: (CALENDAR_FILE.format(child=CHILD), 6),
}


def tops(client: httpx.Client, **params: str) -> set[str]:
    """Return the titles of the tasks without a parent, and check that their number agrees."""
    answer = client.get("/api/tasks", params={"parent_id": "none", "include_total": "true", **params}).json()
    titles = {task["title"] for task in answer["data"]}
    assert answer["page"]["total"] == len(answer["data"]) == len(titles)
    return titles


def waiting(client: httpx.Client, content: Any, kind: str = LINES) -> list[int]:
    """Import a file, and return the lines of the rows whose parent has not come."""
    report = report_of(send(client, content, kind))
    assert {(warning["field"], warning["code"]) for warning in report["warnings"]} <= {("parent_id", "parent_missing")}
    assert report["mended"] == len(report["warnings"])
    return [warning["line"] for warning in report["warnings"]]


@pytest.mark.parametrize("kind", FILES)
def test_a_task_whose_parent_never_comes_is_at_the_top_and_told_of(client: httpx.Client, kind: str) -> None:
    file, line = FILES[kind]
    assert waiting(client, file, kind) == [line]
    assert "child" in tops(client)
    assert waiting(client, file, kind) == [line]
    parent_id = read(client, {"id": CHILD})["parent_id"]

    assert imported(client, lines_of([{"title": "parent", "id": parent_id}])) == {"created": 1}
    assert [task["id"] for task in subtasks(client, {"id": parent_id})] == [CHILD]
    assert "child" not in tops(client)
    assert waiting(client, file, kind) == []


def test_a_parent_that_comes_later_in_the_file_is_none_that_is_missing(client: httpx.Client) -> None:
    child, parent = {"title": "child", "id": CHILD, "parent_id": PARENT}, {"title": "parent", "id": PARENT}
    others = [{"title": str(number)} for number in range(600)]  # so that they are in different parts
    assert waiting(client, lines_of([child, *others, parent])) == []
    assert "child" not in tops(client, limit="1000")


def test_a_parent_that_is_refused_does_not_come(client: httpx.Client) -> None:
    rows = [{"title": "child", "id": CHILD, "parent_id": PARENT}, {"title": 1, "id": PARENT}]
    report = report_of(send(client, lines_of([*rows, {"title": "below", "id": BELOW, "parent_id": CHILD}])))
    assert [report[name] for name in ("created", "failed", "mended")] == [2, 1, 1]
    assert [(each["line"], each["code"]) for each in report["warnings"]] == [(1, "parent_missing")]
    assert tops(client) == {"child"}


def test_a_row_that_does_not_name_the_parent_is_not_told_of(client: httpx.Client) -> None:
    assert waiting(client, FILES[LINES][0]) == [2]
    assert waiting(client, lines_of([{"title": "child", "id": CHILD}])) == []
    assert tops(client) == {"child", "other"}


def test_in_the_trash_it_is_at_the_top_too(client: httpx.Client) -> None:
    assert waiting(client, FILES[LINES][0]) == [2]
    assert client.delete(f"/api/tasks/{CHILD}").status_code == 204
    assert tops(client, deleted="true") == {"child"}
    assert tops(client) == {"other"}
    parent = create(client, "parent", id=PARENT)
    create(client, "below", parent_id=PARENT)
    assert client.delete(path_of(parent)).status_code == 204
    assert tops(client, deleted="true") == {"parent"}


def test_it_is_at_the_top_of_its_list_alone(api: API, client: httpx.Client, stranger: httpx.Client) -> None:
    home = make(client, "Home")
    row = {"title": "child", "id": CHILD, "parent_id": PARENT, "list_id": home["id"]}
    assert waiting(client, lines_of([row])) == [1]
    create(stranger, "parent", id=PARENT)  # that of somebody else is none
    assert tops(client, list_id=home["id"]) == {"child"}
    assert tops(client, list_id=home["id"], sort="position") == {"child"}
    assert tops(client, list_id="inbox") == set()
    made = make_token(client, READ, list_id=home["id"])
    with with_token(api, made["token"]) as script:
        assert tops(script) == {"child"}


def test_where_changes_need_an_etag_it_is_the_same(settings: Settings, user_id: str) -> None:
    with serve(settings.model_copy(update={"require_if_match": True})) as api, api.client(user_id) as careful:
        assert waiting(careful, FILES[LINES][0]) == [2]
        assert tops(careful) == {"child", "other"}


@pytest.mark.requirement("FR-362")
@pytest.mark.parametrize("restored", [CHILD, BELOW])
def test_what_comes_back_from_the_trash_waits_no_longer(client: httpx.Client, restored: str) -> None:
    assert waiting(client, FILES[LINES][0]) == [2]
    create(client, "below", id=BELOW, parent_id=CHILD)
    assert client.delete(f"/api/tasks/{CHILD}").status_code == 204

    assert client.post(f"/api/tasks/{restored}/restore").status_code == 200

    assert read(client, {"id": CHILD})["parent_id"] is None
    assert read(client, {"id": BELOW})["parent_id"] == CHILD
    create(client, "parent", id=PARENT)
    assert tops(client) == {"child", "other", "parent"}
