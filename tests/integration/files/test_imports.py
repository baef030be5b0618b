"""Imports: what rows do to tasks, how bad rows are reported, and what remains of an interrupted import."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from backend.config import Settings
from backend.models.task_file import MAX_ERRORS, FileFormat
from backend.services.task_files.reader import PART_BYTES, PART_ROWS, TaskImport
from tests.fixtures.calls.api import API, new_user, serve
from tests.fixtures.calls.feed import sync_token
from tests.fixtures.calls.task_files import (
    DESCRIPTIONS,
    LARGEST,
    TITLES,
    TYPES,
    counts_of,
    exported,
    imported,
    lines_of,
    problems,
    report_of,
    said_of,
    send,
    tasks_of,
)
from tests.fixtures.calls.tasks import Task, create, error_of, path_of, read, revision_of
from tests.fixtures.http.deadlines import hurried_at
from tests.fixtures.postgres.proxy import Fault, Proxy
from tests.fixtures.running.waiting import PATIENCE_SECONDS

EARLIER = "2020-01-02T03:04:05.678901+00:00"


def row(**fields: object) -> bytes:
    return lines_of([fields]).encode()


def unchecked(api: API, user_id: str) -> httpx.Client:
    """Return a client of a service without rate limits, and so without their headers."""
    with api.client(user_id) as client:
        return httpx.Client(base_url=api.base_url, headers=client.headers, trust_env=False, timeout=PATIENCE_SECONDS)


def in_trash(client: httpx.Client, **fields: Any) -> Task:
    task = create(client, **fields)
    assert client.delete(path_of(task)).status_code == 204
    return task


@pytest.mark.requirement("FR-226")
def test_a_row_makes_its_task_be_as_it_says(client: httpx.Client) -> None:
    edited, restored, same = create(client, "a", description="a"), in_trash(client, title="b"), create(client, "c")
    new = str(uuid.uuid4())
    rows = [
        {"id": edited["id"], "title": "A", "description": None},
        {"id": restored["id"], "title": "b"},
        {"id": same["id"], "title": " c ", "completed": False},
        {"id": new, "title": "d", "completed": True, "completed_at": EARLIER, "created_at": EARLIER},
        {"title": "e"},
    ]
    before = revision_of(client)

    assert imported(client, lines_of(rows)) == {"created": 2, "updated": 1, "restored": 1, "unchanged": 1}

    tasks = {task["title"]: task for task in tasks_of(client)}
    assert tasks.keys() == {"A", "b", "c", "d", "e"}
    assert tasks["A"]["description"] is None
    assert tasks["c"] == read(client, same) == same
    assert [tasks["d"][name] for name in ("id", "completed_at", "created_at")] == [new, EARLIER, EARLIER]
    assert sorted(task["revision"] for task in tasks.values())[1:] == [before + number for number in range(1, 5)]
    assert client.get("/api/me").json()["data"]["revision"] == before + 4


@pytest.mark.requirement("FR-226")
def test_importing_the_same_file_again_changes_nothing(client: httpx.Client) -> None:
    rows = lines_of(
        {"id": str(uuid.uuid4()), "title": str(number), "completed": number % 2 == 0} for number in range(9)
    )
    assert imported(client, rows) == {"created": 9}
    before = tasks_of(client)

    assert imported(client, rows) == {"unchanged": 9}

    assert tasks_of(client) == before
    assert revision_of(client) == 9


@pytest.mark.requirement("FR-226")
def test_what_is_left_out_stays_and_times_stay_with_what_they_are_of(client: httpx.Client) -> None:
    task = create(client, "a", description="kept", completed=True)
    times = {"completed_at": EARLIER, "created_at": EARLIER}

    assert imported(client, row(id=task["id"], title="b")) == {"updated": 1}
    assert imported(client, row(id=task["id"], title="b", completed=True, **times)) == {"unchanged": 1}

    edited = read(client, task)
    assert edited["updated_at"] > task["updated_at"]
    for name in ("description", "completed", "completed_at", "created_at"):
        assert edited[name] == task[name]
    assert imported(client, row(id=task["id"], title="b", completed=False, completed_at=EARLIER)) == {"updated": 1}
    assert read(client, task)["completed_at"] is None
    assert imported(client, row(id=task["id"], title="b", completed_at=EARLIER)) == {"updated": 1}
    assert read(client, task)["completed_at"] == EARLIER
    assert imported(client, row(id=task["id"], title="b", completed_at=None)) == {"updated": 1}
    assert imported(client, row(id=task["id"], title="b", completed=True)) == {"updated": 1}
    assert read(client, task)["completed_at"] > task["completed_at"]
    assert imported(client, row(id=task["id"], title="b", description="")) == {"updated": 1}
    assert read(client, task)["description"] == ""


@pytest.mark.requirement("FR-226")
def test_later_rows_win(client: httpx.Client) -> None:
    id_ = str(uuid.uuid4())

    assert imported(client, lines_of({"id": id_, "title": title} for title in "abb")) == {
        "created": 1,
        "updated": 1,
        "unchanged": 1,
    }

    assert [(task["title"], task["revision"]) for task in tasks_of(client)] == [("b", 2)]


@pytest.mark.requirement("FR-226")
def test_what_is_the_accounts_own_is_ignored(client: httpx.Client, user_id: str) -> None:
    foreign = {"user_id": "somebody", "revision": -1, "updated_at": "x", "deleted_at": EARLIER}

    assert imported(client, row(title="a", **foreign)) == {"created": 1}

    (task,) = tasks_of(client)
    assert (task["user_id"], task["revision"]) == (user_id, 1)
    assert task["created_at"] == task["updated_at"]


@pytest.mark.requirement("FR-225")
def test_each_bad_row_is_reported_and_all_others_are_stored(client: httpx.Client) -> None:
    coming = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    bad = [
        ({}, "title", "missing"),
        ({"title": 1}, "title", "string_type"),
        ({"title": "a\0"}, "title", "nul_character"),
        ({"title": "a", "description": "x" * 10_001}, "description", "string_too_long"),
        ({"title": "\ud800"}, "title", "string_unicode"),
        ({"title": "a", "id": "1"}, "id", "uuid_format"),
        ({"title": "a", "completed": 1}, "completed", "bool_type"),
        ({"title": "a", "created_at": "2020-01-01"}, "created_at", "moment_format"),
        ({"title": "a", "created_at": 1}, "created_at", "moment_format"),
        ({"title": "a", "created_at": coming}, "created_at", "moment_out_of_range"),
        ({"title": "a", "completed_at": "1969-12-31T23:59:59Z"}, "completed_at", "moment_out_of_range"),
        ({"title": "a", "tilte": "b"}, "tilte", "extra_forbidden"),
        ({"title": "a", "x" * 200: "b"}, "x" * 100, "extra_forbidden"),
        ({"title": "a", "\ud800": "b"}, "?", "extra_forbidden"),
    ]
    lines = [line for said, _, _ in bad for line in (said, {"title": "good"})]

    assert problems(client, lines_of(lines)) == [
        (2 * number + 1, field, code) for number, (_, field, code) in enumerate(bad)
    ]

    assert [task["title"] for task in tasks_of(client)] == ["good"] * len(bad)


@pytest.mark.requirement("FR-225")
def test_not_all_of_very_many_bad_rows_are_listed(client: httpx.Client) -> None:
    report = report_of(send(client, b"{}\n" * (MAX_ERRORS + 5) + row(title="a")))

    assert counts_of(report) == {"created": 1, "failed": MAX_ERRORS + 5}
    assert [error["line"] for error in report["errors"]] == list(range(1, MAX_ERRORS + 1))
    assert report["errors"][0] == {
        "line": 1,
        "field": "title",
        "code": "missing",
        "message": "This row says nothing about a new task: give it a title",
    }


@pytest.mark.requirement("FR-225")
def test_a_full_account_takes_what_makes_no_new_task(settings: Settings, user_id: str) -> None:
    with serve(settings.model_copy(update={"max_tasks_per_user": 2})) as api, api.client(user_id) as client:
        task = create(client, "a")
        rows = [{"title": "b"}, {"title": "c"}, {"id": task["id"], "title": "A"}]

        assert problems(client, lines_of(rows)) == [(2, "row", "too_many_tasks")]

        assert sorted(task["title"] for task in tasks_of(client)) == ["A", "b"]


@pytest.mark.requirement("FR-227")
@pytest.mark.parametrize("file_format", FileFormat)
@hypothesis_settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.tuples(TITLES, DESCRIPTIONS, st.booleans()), min_size=1, max_size=8))
def test_what_was_exported_imports_again(
    api: API, file_format: FileFormat, texts: list[tuple[str, str | None, bool]]
) -> None:
    with api.client(new_user()) as mine, api.client(new_user()) as other:
        names = ("title", "description", "completed")
        assert imported(mine, lines_of(dict(zip(names, said, strict=True)) for said in texts)) == {
            "created": len(texts)
        }
        create(mine, LARGEST[0], description=LARGEST[1])
        file, kind, count = exported(mine, file_format), TYPES[file_format], len(texts) + 1

        assert imported(mine, file.encode(), kind) == {"unchanged": count}
        assert imported(other, file.encode(), kind) == {"created": count}
        assert imported(other, file.encode(), kind) == {"unchanged": count}

        before, after = (said_of(tasks_of(client)) for client in (mine, other))
        assert after == before
        assert {said[1:4] for said in before} == {*texts, (*LARGEST[:2], False)}


@pytest.mark.requirement("FR-224")
def test_a_large_file_is_stored_part_by_part_and_no_more_of_it_is_held(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts, held = [], []
    store = TaskImport.store

    def noting(self: TaskImport, part: Any) -> None:
        parts.append([len(task.title) + len(task.description or "") for task in (row.placed.task for row in part)])
        held.append(len(self._part))
        store(self, part)

    def rows() -> Iterator[bytes]:
        for number in range(5000):
            yield row(title=str(number)) * 4
        for _ in range(100):
            yield row(title="long", description="x" * 10_000)

    monkeypatch.setattr(TaskImport, "store", noting)
    assert imported(client, rows()) == {"created": 20_100}

    assert max(map(len, parts)) == PART_ROWS
    assert max(map(sum, parts)) < PART_BYTES + 10_001
    assert held == [0] * len(parts)
    assert len(parts) == 20_000 / PART_ROWS + 4
    assert len(tasks_of(client)) == 20_100


@pytest.mark.requirement("FR-224")
def test_a_file_may_be_as_large_as_the_setting_says(settings: Settings, user_id: str) -> None:
    small = settings.model_copy(update={"max_import_bytes": 300_000, "max_body_bytes": 2000})
    with serve(small) as api, api.client(user_id) as client:
        assert imported(client, b"\n" * 300_000) == {}
        error_of(send(client, b"\n" * 300_001), 413, "PAYLOAD_TOO_LARGE")
        error_of(send(client, iter([row(title="a"), b"\n" * 300_000])), 413, "PAYLOAD_TOO_LARGE")
        error_of(client.post("/api/tasks", json={"title": "x" * 2000}), 413, "PAYLOAD_TOO_LARGE")
        assert imported(client, row(title="b")) == {"created": 1}


@pytest.mark.requirement("FR-226")
@pytest.mark.parametrize(("round_trip", "fault"), [(1, Fault.LOST), (3, Fault.UNANSWERED), (4, Fault.UNANSWERED)])
def test_a_part_that_is_lost_on_its_way_is_stored_once(
    weathered: tuple[API, Proxy], user_id: str, round_trip: int, fault: Fault
) -> None:
    api, proxy = weathered
    with unchecked(api, user_id) as client:
        assert client.get("/api/me").status_code == 200
        proxy.fail_at(round_trip, fault)

        assert imported(client, row(title="a") * 3) == {"created": 3}

        assert len(tasks_of(client)) == 3
        assert revision_of(client) == 3


@pytest.mark.requirement("FR-226")
def test_what_came_before_an_outage_is_stored(weathered: tuple[API, Proxy], user_id: str) -> None:
    api, proxy = weathered
    rows = lines_of({"id": str(uuid.UUID(int=number)), "title": "a"} for number in range(PART_ROWS + 10))
    with unchecked(api, user_id) as client:
        assert client.get("/api/me").status_code == 200
        proxy.fail_at(3, Fault.SILENT)

        with hurried_at(api, 3):
            error = error_of(send(client, rows), 503, "SERVICE_UNAVAILABLE")

        assert "What came before is stored" in error["message"]
        proxy.silent = False
        proxy.cut()
        answer = send(client, rows)
        assert counts_of(report_of(answer)) == {"created": 10, "unchanged": PART_ROWS}


@pytest.mark.requirement("FR-226")
def test_followers_see_at_once_what_is_imported(settings: Settings, user_id: str) -> None:
    with serve(settings) as api, api.client(user_id) as client:
        api.app.state.feed.poll_seconds = 3600
        with client.stream("GET", "/api/changes/stream") as stream:
            lines = stream.iter_lines()
            assert next(lines) == f"id: {sync_token(0)}"
            assert imported(client, row(title="hello")) == {"created": 1}
            assert "hello" in next(line for line in lines if line.startswith("data: {"))
