"""Exports: everything stored of a user and nothing else, page by page."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from operator import itemgetter
from typing import Any

import httpx
import pytest

from backend.config import Settings
from backend.models.export import ExportPage
from backend.services.account import export as export_service
from backend.services.account.export import ExportService
from backend.services.account.lines import PARTS
from tests.fixtures.calls.api import API, new_user, serve
from tests.fixtures.calls.exports import (
    EXPORT,
    export,
    give_large_tasks,
    leave_something_everywhere,
    read_lines,
    stored_of,
    tables_of_users,
)
from tests.fixtures.calls.listing import disturbed
from tests.fixtures.calls.sign_in import give_sign_in
from tests.fixtures.calls.tasks import create, error_of
from tests.fixtures.http.connection import connection_to, head
from tests.fixtures.http.deadlines import hurried, hurried_at
from tests.fixtures.postgres.proxy import Fault, Proxy
from tests.fixtures.running.waiting import PATIENCE_SECONDS, until
from tests.fixtures.telemetry.logs import events

pytestmark = pytest.mark.requirement("FR-184")

TABLES = {"users": "account", **{part.table.name: kind for kind, part in PARTS.items()}}
# Counts are stored under a hash of the id, and an address is in the line of the credentials.
UNNAMED = {"rate_limits", "email_keys"}


def sorted_rows(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sort rows, whatever the order of their columns."""
    return sorted(rows, key=lambda row: json.dumps(row, sort_keys=True))


def shown(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row as its export: without secrets, and with what clients see of a status, a due and a priority."""
    kept = {
        name: row[name]
        for name in row
        if name
        not in {"token_hash", "password_hash", "open_status", "due_key", "name_key", "match_key", "has_subtasks"}
    }
    if "open_status" in row:
        kept["status"] = "done" if row["completed"] else row["open_status"]
        kept["priority"] = (*["high"] * 4, "medium", *["low"] * 4, None)[row["priority"] - 1]
    return kept


def pages_of(service: ExportService) -> Iterator[ExportPage]:
    """Read page by page."""
    page = service.begin()
    yield page
    while page.next:
        page = service.read(page.next)
        yield page


def test_everything_that_is_stored_is_exported(client: httpx.Client, user_id: str, database_url: str) -> None:
    text = 'one line\nor two\u2028or "three" \\ \U0001f95b \t'
    leave_something_everywhere(client, text)
    give_sign_in(database_url, user_id, "Anna")
    create(client, text, id=str(uuid.uuid4()), completed=True)

    found = export(client)

    stored = stored_of(database_url, user_id)
    assert tables_of_users(database_url).keys() == TABLES.keys() | UNNAMED
    for table, kind in TABLES.items():
        assert stored[table], table
        kept = [shown(row) for row in stored[table]]
        assert sorted_rows(found[kind]) == sorted_rows(kept)
    assert {task["deleted_at"] is None for task in found["task"]} == {True, False}
    assert text in {task["description"] for task in found["task"]}


def test_nothing_of_others_is_exported(client: httpx.Client, stranger: httpx.Client) -> None:
    leave_something_everywhere(client, "a secret of mine")
    create(stranger, "Theirs")

    text = stranger.get(EXPORT).text

    assert "secret" not in text
    assert [task["title"] for task in read_lines(text)["task"]] == ["Theirs"]


def test_a_user_who_never_wrote_anything_has_an_account(client: httpx.Client, user_id: str, database_url: str) -> None:
    found = export(client)

    account = {
        "id": user_id,
        "revision": 0,
        "created_at": None,
        "timezone": None,
        "task_count": 0,
        "purged_revision": 0,
        "last_position": None,
    }
    assert found == {"account": [account]}
    assert not any(stored_of(database_url, user_id).values())


def test_it_is_a_file_for_a_browser_and_takes_no_parameters(client: httpx.Client) -> None:
    for method in ("GET", "HEAD"):
        response = client.request(method, EXPORT)
        assert response.status_code == 200
        assert response.headers["Content-Type"] == "application/jsonl"
        assert response.headers["Content-Disposition"] == 'attachment; filename="task-api-export.jsonl"'
        assert bool(response.content) is (method == "GET")
    assert error_of(client.get(EXPORT, params={"limit": "1"}), 422, "VALIDATION_ERROR")


def test_who_asks_only_for_the_headers_costs_one_round_trip(proxied: API, proxy: Proxy) -> None:
    with proxied.client(new_user()) as client:
        client.get("/api/me")
        before = proxy.round_trips

        assert client.head(EXPORT).status_code == 200

        until(lambda: not proxied.app.state.exports.slots.taken)
        assert proxy.round_trips == before + 1


@pytest.mark.parametrize(("max_rows", "max_bytes"), [(1, 10**9), (3, 10**9), (1000, 1), (1000, 300), (7, 500)])
def test_each_row_is_on_one_page(
    api: API, user_id: str, monkeypatch: pytest.MonkeyPatch, max_rows: int, max_bytes: int
) -> None:
    monkeypatch.setattr(export_service, "MAX_ROWS", max_rows)
    monkeypatch.setattr(export_service, "MAX_BYTES", max_bytes)
    ids = ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"]
    with api.client(user_id) as client:
        for _ in range(2):
            leave_something_everywhere(client, "x" * 50)
        ids += [create(client, "Task", id=id_)["id"] for id_ in [*ids, *(str(uuid.uuid4()) for _ in range(8))]][2:]
        found = export(client)
    service = ExportService(api.app.state.sessions, user_id)

    pages = list(pages_of(service))

    exported = [task["id"] for task in found["task"]]
    assert exported == sorted(set(exported))
    assert set(ids) < set(exported)
    kinds = ("task", "removed_task", "label", "list", "idempotency_key", "access_token", "event")
    assert [len(found[kind]) for kind in kinds] == [16, 2, 1, 2, 2, 2, 27]
    assert "".join(page.lines for page in pages).count("\n") == 53
    assert max(page.lines.count("\n") for page in pages) <= max_rows
    if max_bytes == 1:
        assert [page.lines.count("\n") for page in pages] == [1] * 26 + [0, 0] + [1] * 27  # who does not sign in here


def test_a_page_is_bounded_however_large_the_tasks_are(api: API, user_id: str, database_url: str) -> None:
    give_large_tasks(database_url, user_id, 50)

    pages = list(pages_of(ExportService(api.app.state.sessions, user_id)))

    sizes = [len(page.lines.encode()) for page in pages]
    assert sum(sizes) > 50 * 40_000
    assert max(sizes) < export_service.MAX_BYTES + 2 * 41_000
    assert len(pages) < 18  # pages are filled


def test_what_is_there_all_the_time_is_exported_once(
    client: httpx.Client, api: API, user_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_service, "MAX_ROWS", 4)
    kept = {create(client, f"Kept {number}")["id"] for number in range(30)}
    passing = [create(client, "Passing") for _ in range(30)]

    with api.client(user_id) as writer, disturbed(writer, passing, description="New"):
        found = [export(client) for _ in range(5)]
        while len(found[-1]["task"]) == len(found[0]["task"]):  # until a change has interfered
            found.append(export(client))

    for each in found:
        ids = [task["id"] for task in each["task"]]
        assert len(ids) == len(set(ids))
        assert kept <= set(ids)
    assert len(found[-1]["task"]) > len(found[0]["task"])


@pytest.fixture
def slow(settings: Settings) -> Iterator[API]:
    """A service with one connection and one request at a time."""
    small = {"database_pool_size": 1, "max_concurrent_requests": 1}
    with serve(settings.model_copy(update=small)) as running:
        yield running


def test_an_export_that_nobody_reads_holds_nothing_that_others_need(
    slow: API, user_id: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_large_tasks(database_url, user_id, 400)
    read = list[object]()
    monkeypatch.setattr(ExportService, "read", _noting(ExportService.read, read))
    with ExitStack() as clients:
        for _ in range(2):
            connection = clients.enter_context(connection_to(slow, receive_bytes=64 * 1024))
            connection.send(head(user_id, f"GET {EXPORT}"))
            assert connection.read_some(1) == 1
        with slow.client(new_user()) as other, slow.client(user_id) as third:
            assert {other.get("/api/tasks").status_code for _ in range(20)} == {200}
            until(lambda: slow.app.state.sessions.engine.pool.checkedout() == 0)
            refused = third.get(EXPORT)
            assert "exports" in error_of(refused, 429, "RATE_LIMITED")["message"]
            assert refused.headers["Retry-After"] == "30"
        assert len(read) < 80  # of twice 57 pages: a page is read only after the previous one was sent
    until(lambda: not slow.app.state.exports.slots.taken)
    with slow.client(user_id) as client:
        assert client.get(EXPORT).text.count("\n") == 402


def _noting(method: Callable[..., ExportPage], calls: list[object]) -> Callable[..., ExportPage]:
    def noting(self: ExportService, cursor: object) -> ExportPage:
        calls.append(cursor)
        return method(self, cursor)

    return noting


def test_a_worker_exports_for_so_many_at_once(slow: API, user_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow.app.state.exports.slots, "max_slots", 0)
    with slow.client(user_id) as client:
        refused = client.get(EXPORT)

        error_of(refused, 503, "SERVICE_UNAVAILABLE")
        assert refused.headers["Retry-After"] == "30"


def test_a_page_that_is_lost_on_its_way_is_read_again(
    weathered: tuple[API, Proxy], user_id: str, database_url: str
) -> None:
    (api, proxy), token = weathered, weathered[0].client(user_id).headers["Authorization"]
    give_large_tasks(database_url, user_id, 30)
    with httpx.Client(
        base_url=api.base_url, headers={"Authorization": token}, trust_env=False, timeout=PATIENCE_SECONDS
    ) as client:
        assert client.get("/api/me").status_code == 200
        for round_trip in (1, 2, 4):
            proxy.fail_at(round_trip, Fault.UNANSWERED)

            assert len(export(client)["task"]) == 30


def test_an_export_whose_database_goes_away_ends_without_its_last_line(
    weathered: tuple[API, Proxy], user_id: str, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    (api, proxy), token = weathered, weathered[0].client(user_id).headers["Authorization"]
    give_large_tasks(database_url, user_id, 30)
    pieces = list[str]()
    with httpx.Client(
        base_url=api.base_url, headers={"Authorization": token}, trust_env=False, timeout=PATIENCE_SECONDS
    ) as client:
        assert client.get("/api/me").status_code == 200
        proxy.fail_at(6, Fault.SILENT)
        with hurried_at(api, 6), client.stream("GET", EXPORT) as response:
            assert response.status_code == 200
            with pytest.raises(httpx.RemoteProtocolError):
                pieces.extend(response.iter_text())
        with hurried(api):
            error_of(client.get(EXPORT), 503, "SERVICE_UNAVAILABLE")
        proxy.silent = False
        proxy.cut()
        until(lambda: client.get("/api/me").status_code == 200)
        assert len(export(client)["task"]) == 30

    text = "".join(pieces)
    assert text.endswith("}}\n")
    assert '"type":"end"' not in text
    assert 1 < text.count("\n") < 31
    (event,) = events(caplog, "export_aborted")
    assert event["lines"] == text.count("\n")
    assert [record for record in caplog.records if record.exc_info] == []


def test_rows_are_listed_in_the_order_of_their_keys(client: httpx.Client) -> None:
    for number in range(5):
        leave_something_everywhere(client, str(number))

    found = export(client)

    for kind, key in (("task", "id"), ("removed_task", "id")):
        assert found[kind] == sorted(found[kind], key=itemgetter(key))
    assert len({row["key"] for row in found["idempotency_key"]}) == 5
