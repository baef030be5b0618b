"""Files for calendars, read and written by ical.js: another reading of RFC 5545 than the library's that writes ours."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from itertools import product
from typing import Any

import httpx
import pytest

from tests.fixtures.calls.tasks import Task
from tests.fixtures.node.clients import NODE_TESTS
from tests.fixtures.running.needs import needing_node
from tests.fixtures.running.waiting import PATIENCE_SECONDS

PROGRAM = "icalendar.mjs"
# On both sides of the nights in which clocks change, and in the hour that they show twice.
TIMES = [
    "2026-03-29T00:30:00Z",
    "2026-03-29T01:30:00Z",
    "2026-10-25T00:30:00Z",
    "2026-10-25T01:30:00Z",
    "2027-01-01T00:00:00Z",
]
ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu"]
TEXT = "Milk; 2,5 l\\n \u725b\u5976\n\U0001f95b" + 80 * "\u00e9"

pytestmark = needing_node("ical.js")


def ical_js(given: str, *arguments: str) -> str:
    """Run the program with this input; returns its output."""
    return subprocess.run(  # noqa: S603 - a program that is installed for tests
        ["node", PROGRAM, *arguments],  # noqa: S607 - the one on the path
        cwd=NODE_TESTS,
        input=given,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=True,
    ).stdout


def instant(text: str | None) -> datetime | None:
    """Read a time, whatever zone it is written in."""
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def exported(client: httpx.Client) -> dict[str, Any]:
    """Export all tasks, and return what ical.js reads, by title."""
    file = client.get("/api/tasks/export", params={"format": "ics"})
    assert file.status_code == 200, file.text
    return {task["summary"]: task for task in json.loads(ical_js(file.text))}


def stored(client: httpx.Client) -> dict[str, Task]:
    """List all tasks by title."""
    return {task["title"]: task for task in client.get("/api/tasks").json()["data"]}


@pytest.mark.requirement("FR-276", "FR-283")
def test_what_is_exported_means_the_same_to_it(client: httpx.Client) -> None:
    tasks: list[dict[str, Any]] = [
        {"title": f"{moment} in {zone}", "due_at": moment, "start_at": "2026-01-31T12:00:00Z", "timezone": zone}
        for moment, zone in product(TIMES, ZONES)
    ]
    tasks += [{"title": status, "status": status} for status in ("todo", "in_progress", "done", "cancelled")]
    tasks += [
        {"title": "day", "due_date": "2026-10-25", "start_date": "2026-03-29"},
        {"title": TEXT, "description": TEXT},
    ]
    operations = [{"op": "create", "data": task} for task in tasks]
    assert client.post("/api/tasks/batch", json={"operations": operations}).status_code == 200

    found, shown = exported(client), stored(client)
    assert len(found) == len(shown) == len(tasks)
    for title, task in shown.items():
        read = found[title]
        assert (read["uid"], read["description"]) == (task["id"], task["description"] or "")
        assert (read["due_date"], read["start_date"]) == (task["due_date"], task["start_date"])
        assert (instant(read["due_at"]), instant(read["start_at"])) == (
            instant(task["due_at"]),
            instant(task["start_at"]),
        )
        assert read["start_zone"] == task["timezone"]
    words = {"todo": "NEEDS-ACTION", "in_progress": "IN-PROCESS", "done": "COMPLETED", "cancelled": "CANCELLED"}
    assert {title: found[title]["status"] for title in words} == words


@pytest.mark.requirement("FR-290")
def test_the_numbers_of_priorities_come_back_as_they_went(client: httpx.Client) -> None:
    file = ical_js(json.dumps([{"summary": f"{number}", "priority": number} for number in range(10)]), "write")
    answer = client.post("/api/tasks/import", content=file.encode(), headers={"Content-Type": "text/calendar"})
    assert answer.json()["data"]["created"] == 10

    words = [task["priority"] for _, task in sorted(stored(client).items())]
    assert words == [None, *4 * ["high"], "medium", *4 * ["low"]]
    found = exported(client)
    assert [found[f"{number}"]["priority"] for number in range(10)] == [*range(10)]


@pytest.mark.requirement("FR-276", "FR-283")
def test_what_it_writes_is_read_as_it_was_meant(client: httpx.Client) -> None:
    tasks: list[dict[str, Any]] = [
        {"summary": zone, "due_at": "2026-07-01T09:30:00", "due_zone": zone, "status": "IN-PROCESS"} for zone in ZONES
    ]
    tasks += [{"summary": "day", "due_date": "2026-10-25", "start_date": "2026-03-29"}]
    tasks += [{"summary": "utc", "due_at": "2026-07-01T09:30:00Z"}, {"summary": TEXT, "description": TEXT}]
    file = ical_js(json.dumps(tasks), "write")
    answer = client.post("/api/tasks/import", content=file.encode(), headers={"Content-Type": "text/calendar"})
    assert answer.status_code == 200, answer.text

    shown = stored(client)
    assert len(shown) == len(tasks)
    offsets = ["+02:00", "-04:00", "+10:30", "+13:00", "+05:45"]
    for zone, offset in zip(ZONES, offsets, strict=True):
        task = shown[zone]
        assert (instant(task["due_at"]), task["timezone"]) == (instant(f"2026-07-01T09:30:00{offset}"), zone)
        assert task["status"] == "in_progress"
    assert (shown["day"]["due_date"], shown["day"]["start_date"]) == ("2026-10-25", "2026-03-29")
    assert instant(shown["utc"]["due_at"]) == instant("2026-07-01T09:30:00Z")
    assert shown[TEXT]["description"] == TEXT
