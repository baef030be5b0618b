"""Filters about dues, compared with Python's own time zones: overdue, before and after, with a due or without."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from backend.utils.zones import ZONES
from tests.fixtures.calls.listing import store_tasks, titles
from tests.fixtures.calls.tasks import Task, create, error_of, path_of
from tests.fixtures.postgres.database import execute

# Among them: skipped and repeated midnights, half an hour of daylight saving, and a day that an island never had.
SOME_ZONES = [
    *("UTC", "Europe/Berlin", "America/New_York", "America/Havana", "America/St_Johns", "America/Sao_Paulo"),
    *("Australia/Lord_Howe", "Pacific/Auckland", "Pacific/Honolulu", "Pacific/Apia", "Pacific/Kiritimati"),
    *("Pacific/Niue", "Asia/Kathmandu", "Asia/Tehran", "Asia/Beirut", "Atlantic/Azores", "Africa/Cairo"),
]
# Of past years: releases of the time zone database may disagree about later ones.
NIGHTS = [date(2024, 3, 31), date(2024, 11, 3), date(2018, 11, 4), date(2011, 12, 30), date(2010, 11, 7)]


def zone_of(name: str) -> ZoneInfo:
    """Read a zone from the pinned package, and not from this machine."""
    with files("tzdata.zoneinfo").joinpath(name).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def due_of(task: Task) -> date | datetime | None:
    """Return when a task is due: a day or a time."""
    if task["due_date"]:
        return date.fromisoformat(task["due_date"])
    return datetime.fromisoformat(task["due_at"]) if task["due_at"] else None


def compare(due: date | datetime, place: date | datetime, zone: ZoneInfo) -> int:
    """Return whether a due is before a place (-1), at it (0) or after it (1): as times, or else as days in the zone."""
    if isinstance(due, datetime) and isinstance(place, datetime):
        first, second = due, place
    else:
        days = [each.astimezone(zone).date() if isinstance(each, datetime) else each for each in (due, place)]
        first, second = (datetime.combine(day, time(), UTC) for day in days)
    return (first > second) - (first < second)


def is_overdue(task: Task, now: datetime, zone: ZoneInfo) -> bool:
    """Return whether a task should be done by now."""
    due = due_of(task)
    return due is not None and task["status"] in {"todo", "in_progress"} and compare(due, now, zone) < 0


def listed(client: httpx.Client, **query: Any) -> set[str]:
    """List the ids of the tasks on a page."""
    response = client.get("/api/tasks", params=query)
    assert response.status_code == 200, response.text
    assert not response.json()["page"]["has_more"]
    return {task["id"] for task in response.json()["data"]}


@pytest.mark.requirement("FR-285")
@pytest.mark.parametrize("night", NIGHTS, ids=str)
def test_before_and_after_are_what_python_says(
    client: httpx.Client, user_id: str, database_url: str, night: date
) -> None:
    middle = datetime.combine(night, time(), UTC)
    times = [{"due_at": (middle + timedelta(minutes=30 * step)).isoformat()} for step in range(-70, 100)]
    days = [{"due_date": (night + timedelta(step)).isoformat()} for step in range(-3, 4)]
    store_tasks(database_url, user_id, [*times, *days, {}])
    tasks = client.get("/api/tasks").json()["data"]
    assert len(tasks) == len(times) + len(days) + 1

    for name in SOME_ZONES:
        zone = zone_of(name)
        for place in (night, night + timedelta(1), middle, middle + timedelta(hours=10, minutes=30)):
            for filter_name, sign in (("due_before", -1), ("due_after", 1)):
                found = listed(client, **{filter_name: place.isoformat(), "timezone": name})

                expected = {task["id"] for task in tasks if (due := due_of(task)) and compare(due, place, zone) == sign}
                assert found == expected, (name, place, filter_name)
                assert 0 < len(found) < len(tasks)


@pytest.mark.requirement("FR-284")
def test_what_is_overdue_in_each_zone_is_what_python_says(
    client: httpx.Client, user_id: str, database_url: str
) -> None:
    now = datetime.now(UTC)
    dues: list[dict[str, Any]] = [{"due_date": (now.date() + timedelta(step)).isoformat()} for step in range(-3, 4)]
    dues += [{"due_at": (now + timedelta(hours=step)).isoformat()} for step in (-30, -1, 1, 30)]
    states: list[dict[str, Any]] = [
        {},
        {"open_status": "in_progress"},
        {"open_status": "cancelled"},
        {"completed_at": now.isoformat()},
    ]
    store_tasks(database_url, user_id, [due | state for due in [*dues, {}] for state in states])
    tasks = client.get("/api/tasks").json()["data"]
    everything = {task["id"] for task in tasks}

    offsets = execute(database_url, "SELECT name, utc_offset FROM pg_timezone_names")
    agreed = [name for name, offset in offsets if name in ZONES and now.astimezone(zone_of(name)).utcoffset() == offset]
    assert len(agreed) > 500
    for name in agreed:
        before, zone = datetime.now(UTC), zone_of(name)
        found = listed(client, overdue="true", timezone=name)

        possible = [{task["id"] for task in tasks if is_overdue(task, at, zone)} for at in (before, datetime.now(UTC))]
        assert found in possible, name
        if name in SOME_ZONES:
            assert listed(client, overdue="false", timezone=name) in [everything - each for each in possible]


@pytest.mark.requirement("FR-284")
def test_two_users_see_other_tasks_overdue_at_the_same_time(client: httpx.Client, stranger: httpx.Client) -> None:
    """It is never the same day in Kiritimati and on Niue, so one of these days has ended in one of them only."""
    today = datetime.now(UTC).date()
    found = []
    for each, zone in ((client, "Pacific/Kiritimati"), (stranger, "Pacific/Niue")):
        for step in range(-3, 4):
            create(each, f"{step:+}", due_date=(today + timedelta(step)).isoformat())
        assert each.patch("/api/me", json={"timezone": zone}).status_code == 200
        found.append(set(titles(each, overdue="true")))

    kiritimati, niue = found
    assert kiritimati > niue > set()
    assert set(titles(client, overdue="true", timezone="Pacific/Niue")) == niue
    assert client.patch("/api/me", json={"timezone": None}).status_code == 200
    assert niue <= set(titles(client, overdue="true")) <= kiritimati


@pytest.mark.requirement("FR-284")
def test_done_and_cancelled_tasks_are_not_overdue(client: httpx.Client) -> None:
    tasks = {status: create(client, status, due_date="2001-01-01", status=status) for status in ("todo", "in_progress")}
    for status in ("done", "cancelled"):
        create(client, status, due_at="2001-01-01T00:00:00Z", status=status)

    assert set(titles(client, overdue="true")) == {*tasks}
    assert set(titles(client, overdue="false")) == {"done", "cancelled"}
    assert client.patch(f"{path_of(tasks['todo'])}/complete").status_code == 200
    assert titles(client, overdue="true", sort="due") == ["in_progress"]


@pytest.mark.requirement("FR-284")
@pytest.mark.parametrize("overdue", ["true", "false"])
@pytest.mark.parametrize("limit", [10, 1000])
def test_a_listing_that_changes_with_time_is_answered_in_full(client: httpx.Client, overdue: str, limit: int) -> None:
    create(client, "late", due_date="2001-01-01")
    create(client, "early")
    query: dict[str, str | int] = {"overdue": overdue, "limit": limit}
    first = client.get("/api/tasks", params=query)

    for known in (first.headers["ETag"], "*"):
        again = client.get("/api/tasks", params=query, headers={"If-None-Match": known})
        assert (again.status_code, again.json()) == (200, first.json())
        by_day = client.get("/api/tasks", params={"due_before": "2026-01-01"}, headers={"If-None-Match": known})
        assert by_day.status_code == 304


@pytest.mark.requirement("FR-285", "FR-286")
def test_tasks_with_a_due_and_without_are_listed_and_sorted(client: httpx.Client) -> None:
    create(client, "without", start_date="2026-11-20")
    create(client, "day", due_date="2026-11-21")
    create(client, "in the evening", due_at="2026-11-21T20:00:00Z")
    create(client, "next day", due_at="2026-11-22T00:00:00Z")

    assert titles(client, sort="due") == ["in the evening", "day", "next day", "without"]
    assert titles(client, sort="-due", has_due="true") == ["next day", "day", "in the evening"]
    assert titles(client, has_due="false") == ["without"]
    answer = client.get("/api/tasks", params={"has_due": "true", "include_total": "true", "limit": 1}).json()
    assert answer["page"]["total"] == 3


@pytest.mark.requirement("FR-286")
def test_the_last_day_is_no_task_without_a_due(client: httpx.Client) -> None:
    for title, due in (("a", "9999-12-31"), ("b", None), ("c", "9999-12-31"), ("d", None)):
        create(client, title, due_date=due)

    found, cursor = [], None
    for _ in range(4):
        page = client.get("/api/tasks", params={"sort": "due", "limit": 1, **({"cursor": cursor} if cursor else {})})
        found += [task["title"] for task in page.json()["data"]]
        cursor = page.json()["page"]["next_cursor"]
    assert (found[:2], sorted(found)) == (["a", "c"], ["a", "b", "c", "d"])
    assert titles(client, has_due="false", sort="title") == ["b", "d"]


@pytest.mark.requirement("FR-285")
@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"due_before": "2026-02-29"}, "day_format"),
        ({"due_before": "2026-02-28T00:00:00"}, "moment_format"),
        ({"due_after": "tomorrow"}, "moment_format"),
        ({"timezone": "Atlantis"}, "timezone_unknown"),
        ({"has_due": "no"}, "bool_parsing"),
    ],
)
def test_a_wrong_filter_is_refused(client: httpx.Client, query: dict[str, str], code: str) -> None:
    (detail,) = error_of(client.get("/api/tasks", params=query), 422, "VALIDATION_ERROR")["details"]

    assert (detail["field"], detail["code"]) == (f"query.{next(iter(query))}", code)
