"""Due and start dates of tasks: set, refused, stored and answered."""

from __future__ import annotations

from typing import Any

import httpx
import psycopg2
import pytest

from backend.models.task_file import FileFormat
from backend.utils.zones import LONGEST_ZONE, ZONES
from tests.fixtures.calls.batches import BATCH
from tests.fixtures.calls.moments import MOMENTS
from tests.fixtures.calls.task_files import (
    CALENDAR,
    CSV,
    LINES,
    TYPES,
    exported,
    imported,
    lines_of,
    problems,
    tasks_of,
)
from tests.fixtures.calls.tasks import Task, create, error_of, path_of
from tests.fixtures.postgres.database import execute

NO_DATES = dict.fromkeys(("due_date", "due_at", "start_date", "start_at", "timezone"))
BOTH = {"due_date": "2026-11-21", "due_at": "2026-11-21T09:30:00Z"}
BERLIN = {"due_at": "2026-11-21T10:30:00+01:00", "timezone": "Europe/Berlin"}


def edit(client: httpx.Client, task: Task, **fields: Any) -> Task:
    """Change a task, and return it."""
    response = client.patch(path_of(task), json=fields)
    assert response.status_code == 200, response.text
    changed: Task = response.json()["data"]
    return changed


def dates(task: Task) -> dict[str, Any]:
    """Return the dates that a task has."""
    return {name: task[name] for name in NO_DATES if task[name] is not None}


def codes_of(response: httpx.Response) -> list[tuple[str, str]]:
    """Return the fields and codes of a refusal."""
    return [(detail["field"], detail["code"]) for detail in error_of(response, 422, "VALIDATION_ERROR")["details"]]


@pytest.mark.requirement("FR-278")
def test_a_task_is_due_on_a_day_or_at_a_time(client: httpx.Client) -> None:
    plain = create(client, "a")
    by_day = create(client, "b", due_date="2026-11-21", start_date="2026-11-20")
    by_time = create(client, "c", **BERLIN)

    assert dates(plain) == {}
    assert dates(by_day) == {"due_date": "2026-11-21", "start_date": "2026-11-20"}
    assert dates(by_time) == {"due_at": "2026-11-21T09:30:00+00:00", "timezone": "Europe/Berlin"}
    for task in (plain, by_day, by_time):
        assert client.get(path_of(task)).json()["data"] == task
    assert client.get("/api/tasks", params={"sort": "title"}).json()["data"] == [plain, by_day, by_time]


@pytest.mark.requirement("FR-278")
@pytest.mark.parametrize(
    "said",
    [
        {"due_date": "0001-01-01"},
        {"due_date": "9999-12-31"},
        {"due_at": "0001-01-01T00:00:00Z", "timezone": "Pacific/Honolulu"},
        {"due_at": "9999-12-31T23:59:59.999999Z", "timezone": "Pacific/Auckland"},
    ],
)
def test_the_ends_of_the_calendar_are_stored_and_exported(client: httpx.Client, said: dict[str, str]) -> None:
    task = create(client, "a", **said)

    assert edit(client, task, title="b")["title"] == "b"
    assert [dates(each) for each in client.get("/api/tasks").json()["data"]] == [dates(task)]
    for form in ("jsonl", "csv", "ics"):
        assert client.get("/api/tasks/export", params={"format": form}).status_code == 200


@pytest.mark.requirement("FR-374")
def test_times_as_other_languages_write_them_are_read(client: httpx.Client) -> None:
    task = create(client, "a")
    for written, answered in MOMENTS.items():
        response = client.patch(path_of(task), json={"due_at": written})
        assert response.json()["data"]["due_at"] == answered, written
        (made,) = client.post(
            BATCH, json={"operations": [{"op": "create", "data": {"title": "b", "start_at": written}}]}
        ).json()["data"]
        assert made["data"]["start_at"] == answered, written
        assert client.get(path_of(made["data"])).json()["data"]["start_at"] == answered, written


@pytest.mark.requirement("FR-374")
@pytest.mark.parametrize("kind", [LINES, CSV])
def test_times_as_other_languages_write_them_are_read_in_files(client: httpx.Client, kind: str) -> None:
    names = ("due_at", "start_at", "created_at", "completed_at")
    rows = [{"title": written, **dict.fromkeys(names, written)} for written in MOMENTS]
    table = [",".join(rows[0]), *(",".join(row.values()) for row in rows)]
    content = lines_of(rows) if kind == LINES else "\r\n".join(table)

    assert imported(client, content, kind) == {"created": len(MOMENTS)}

    for task in tasks_of(client):
        assert [task[name] for name in names] == [MOMENTS[task["title"]]] * len(names), task["title"]


@pytest.mark.requirement("FR-375")
def test_a_time_has_0_to_6_decimals_and_no_zeros_at_their_end(client: httpx.Client) -> None:
    for decimals in ("", ".5", ".123", ".12345", ".123456"):
        answered = f"2026-11-21T09:30:00{decimals}+00:00"
        task = create(client, "a", due_at=answered)
        assert task["due_at"] == answered
        (deleted, *_) = (path_of(task), client.delete(path_of(task)))
        assert client.post(f"{deleted}/restore").json()["data"]["due_at"] == answered


@pytest.mark.requirement("FR-279")
def test_the_kind_of_a_due_can_be_changed(client: httpx.Client) -> None:
    task = create(client, "a", due_date="2026-11-21")

    assert dates(edit(client, task, **BERLIN)) == {"due_at": "2026-11-21T09:30:00+00:00", "timezone": "Europe/Berlin"}
    by_day = edit(client, task, due_date="2026-11-22")
    assert dates(by_day) == {"due_date": "2026-11-22"}
    assert edit(client, task, due_at=None) == by_day  # clears what it names, and that is not set
    assert dates(edit(client, task, due_date=None)) == {}


@pytest.mark.requirement("FR-279", "FR-280", "FR-281", "FR-282")
@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        (BOTH, ("due_at", "due_both")),
        ({"start_date": "2026-11-21", "start_at": "2026-11-21T09:30:00Z"}, ("start_at", "start_both")),
        ({"start_date": "2026-11-21", **BERLIN}, ("start_date", "start_and_due_differ")),
        ({"start_date": "2026-11-22", "due_date": "2026-11-21"}, ("start_date", "start_after_due")),
        ({"timezone": "Europe/Berlin"}, ("timezone", "timezone_without_time")),
        ({**BERLIN, "timezone": "europe/berlin"}, ("timezone", "timezone_unknown")),
        ({"due_date": "2026-02-29"}, ("due_date", "day_format")),
        ({"due_date": "tomorrow"}, ("due_date", "day_format")),
    ],
)
def test_every_kind_of_call_refuses_the_same_and_changes_nothing(
    client: httpx.Client, said: dict[str, str], refusal: tuple[str, str]
) -> None:
    task = create(client, "a")
    operations = [{"op": "create", "data": {"title": "b", **said}}, {"op": "update", "id": task["id"], "data": said}]
    for operation in operations:
        refused = client.post("/api/tasks/batch", json={"operations": [operation]})
        assert (f"operations.0.data.{refusal[0]}", refusal[1]) in codes_of(refused)

    assert codes_of(client.post("/api/tasks", json={"title": "b", **said})) == [refusal]
    assert codes_of(client.patch(path_of(task), json=said)) == [refusal]
    assert problems(client, lines_of([{"title": "b", **said}])) == [(1, *refusal)]
    assert problems(client, lines_of([{"id": task["id"], "title": "a", **said}])) == [(1, *refusal)]
    assert client.get("/api/tasks").json()["data"] == [task]


@pytest.mark.requirement("FR-282")
def test_a_create_under_an_id_in_use_is_judged_first(client: httpx.Client) -> None:
    task = create(client, "a")

    refused = client.post("/api/tasks", json={"id": task["id"], "title": "b", **BOTH})
    assert codes_of(refused) == [("due_at", "due_both")]


@pytest.mark.requirement("FR-279")
def test_a_whole_task_can_be_sent_back(client: httpx.Client) -> None:
    for said in ({"due_date": "2026-11-21", "start_date": "2026-11-21"}, {**BERLIN, "start_at": BERLIN["due_at"]}):
        task = create(client, "a", **said)
        sent = {name: task[name] for name in ("title", "description", "completed", "status", *NO_DATES)}

        changed = client.put(path_of(task), json={**sent, "title": "b"}).json()["data"]
        assert dates(changed) == dates(task)


@pytest.mark.requirement("FR-282")
def test_changes_of_the_state_keep_the_dates(client: httpx.Client) -> None:
    task = create(client, "a", **BERLIN)

    assert dates(client.patch(f"{path_of(task)}/complete").json()["data"]) == dates(task)
    assert client.delete(path_of(task)).status_code == 204
    assert dates(client.post(f"{path_of(task)}/restore").json()["data"]) == dates(task)
    assert dates(client.get(path_of(task)).json()["data"]) == dates(task)


@pytest.mark.requirement("FR-278", "FR-282")
def test_the_key_is_stored_with_each_change(client: httpx.Client, user_id: str, database_url: str) -> None:
    def keys() -> dict[str, str]:
        found = execute(database_url, "SELECT title, due_key::text FROM tasks WHERE user_id = %s", user_id)
        return dict(found)

    first = create(client, "a", due_date="2026-11-21")
    rows = [{"title": "b"}, {"title": "c", **BERLIN}, {"title": "d", "due_date": "2026-12-31"}]
    assert imported(client, lines_of(rows)) == {"created": 3}

    end_of_day = "2026-11-21 23:59:59.999999+00"
    everywhere = {"a": end_of_day, "b": "infinity", "c": "2026-11-21 09:30:00+00", "d": "2026-12-31 23:59:59.999999+00"}
    assert keys() == everywhere
    edit(client, first, due_at="2026-11-21T09:30:00Z")
    assert keys()["a"] == "2026-11-21 09:30:00+00"
    edit(client, first, due_at=None)
    assert keys()["a"] == "infinity"


@pytest.mark.requirement("FR-283")
def test_a_file_sets_the_dates_that_it_names_and_leaves_the_others_alone(client: httpx.Client) -> None:
    task = create(client, "a", **BERLIN)
    todo = f"BEGIN:VCALENDAR\nBEGIN:VTODO\nUID:{task['id']}\nSUMMARY:b\n%sEND:VTODO\nEND:VCALENDAR"

    def after(content: str, kind: str) -> dict[str, Any]:
        assert imported(client, content.encode(), kind) == {"updated": 1}
        return dates(client.get(path_of(task)).json()["data"])

    assert after(todo % "", CALENDAR) == dates(task)
    assert after(f"id,title\n{task['id']},c\n", CSV) == dates(task)
    assert after(todo % "DTSTART;VALUE=DATE:20261120\nX-TASK-API-DUE:\n", CALENDAR) == {"start_date": "2026-11-20"}
    assert after(f"id,title,due_date\n{task['id']},d,2026-11-20\n", CSV) == {
        "start_date": "2026-11-20",
        "due_date": "2026-11-20",
    }
    assert after(f"id,title,due_date,start_date\n{task['id']},d,,\n", CSV) == {}


@pytest.mark.requirement("FR-283")
@pytest.mark.parametrize("form", FileFormat)
def test_exported_dates_import_again_and_change_nothing(
    client: httpx.Client, stranger: httpx.Client, form: FileFormat
) -> None:
    create(client, "a")
    create(client, "b", due_date="2026-11-21", start_date="2026-11-20")
    create(client, "c", **{**BERLIN, "start_at": "2026-10-25T01:30:00.25Z"})  # clocks show this twice
    create(client, "d", due_at="9999-12-31T23:59:59.999999Z", timezone="Pacific/Auckland")
    file = exported(client, form).encode()

    assert imported(client, file, TYPES[form]) == {"unchanged": 4}
    assert imported(stranger, file, TYPES[form]) == {"created": 4}
    mine, theirs = ({task["title"]: dates(task) for task in tasks_of(each)} for each in (client, stranger))
    assert mine == theirs


@pytest.mark.requirement("FR-281")
def test_postgres_knows_every_accepted_zone(database_url: str) -> None:
    known = {name for (name,) in execute(database_url, "SELECT name FROM pg_timezone_names")}

    assert known >= ZONES
    assert len(ZONES) > 500
    assert max(map(len, ZONES)) <= LONGEST_ZONE


@pytest.mark.requirement("FR-029", "FR-280")
@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ("due_date = '2026-11-21', due_at = now()", "ck_tasks_due_is_day_or_time"),
        ("start_date = '2026-11-21', start_at = now()", "ck_tasks_start_is_day_or_time"),
        ("start_date = '2026-11-21', due_at = now()", "ck_tasks_start_is_of_the_kind_of_due"),
        ("start_at = now(), due_date = '2026-11-21'", "ck_tasks_start_is_of_the_kind_of_due"),
        ("start_date = '2026-11-22', due_date = '2026-11-21'", "ck_tasks_start_is_not_after_due"),
        ("start_at = now(), due_at = now() - interval '1 microsecond'", "ck_tasks_start_is_not_after_due"),
        ("timezone = 'Europe/Berlin'", "ck_tasks_timezone_has_time"),
        ("timezone = repeat('z', 65), due_at = now()", "ck_tasks_timezone_length"),
    ],
)
def test_the_table_repeats_the_rules(
    client: httpx.Client, user_id: str, database_url: str, values: str, constraint: str
) -> None:
    create(client, "a")

    with pytest.raises(psycopg2.IntegrityError, match=constraint):
        execute(database_url, f"UPDATE tasks SET {values} WHERE user_id = %s", user_id)  # noqa: S608 - from this file


@pytest.mark.requirement("FR-283")
@pytest.mark.parametrize(
    ("zone", "due_at"), [("Pacific/Auckland", "2026-07-20T21:30:00"), (None, "2026-07-21T09:30:00")]
)
def test_a_calendar_time_that_names_no_zone_is_in_that_of_the_account(
    client: httpx.Client, zone: str | None, due_at: str
) -> None:
    assert client.patch("/api/me", json={"timezone": zone}).status_code == 200
    file = "BEGIN:VCALENDAR\nBEGIN:VTODO\nSUMMARY:a\nDUE:20260721T093000\nEND:VTODO\nEND:VCALENDAR\n"
    answer = client.post("/api/tasks/import", content=file, headers={"Content-Type": "text/calendar"})
    assert answer.json()["data"]["created"] == 1

    (task,) = client.get("/api/tasks").json()["data"]
    assert dates(task) == {"due_at": f"{due_at}+00:00"}
