"""Imports and exports hold no shared resource while they wait, and are limited for each user and worker."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from backend.api.middleware import limits
from backend.config import Settings
from tests.fixtures.calls.api import API, new_user, serve
from tests.fixtures.calls.exports import give_large_tasks
from tests.fixtures.calls.task_files import EXPORT, IMPORT, LINES, counts_of, imported, report_of, send, tasks_of
from tests.fixtures.calls.tasks import error_of
from tests.fixtures.http.connection import PATIENT_SECONDS, Connection, connection_to, head
from tests.fixtures.running.waiting import until

pytestmark = pytest.mark.requirement("FR-228")

ROW = b'{"title": "a"}\n'


@pytest.fixture(scope="module")
def small(settings: Settings) -> Iterator[API]:
    """A service with one connection and one request at a time."""
    with serve(settings.model_copy(update={"database_pool_size": 1, "max_concurrent_requests": 1})) as running:
        yield running


def begin(connection: Connection, user_id: str, length: int = 10**6, body: bytes = ROW) -> None:
    """Start sending a file."""
    headers = {"Content_Type": LINES, "Content_Length": str(length)}
    connection.send(head(user_id, f"POST {IMPORT}", **headers) + body)


def test_an_import_that_waits_for_its_client_holds_nothing_that_others_need(small: API, user_id: str) -> None:
    slots = small.app.state.imports.slots
    with ExitStack() as clients:
        for number in range(2):
            rows = b"".join(b'{"title": "%d of file %d"}\n' % (row, number) for row in range(300))
            begin(clients.enter_context(connection_to(small)), user_id, body=rows)
            until(lambda expected=number + 1: slots.taken[user_id] == expected)  # type: ignore[misc]
        with small.client(user_id) as client, small.client(new_user()) as other:
            refused = send(client, ROW)
            assert "imports" in error_of(refused, 429, "RATE_LIMITED")["message"]
            assert refused.headers["Retry-After"] == "30"
            until(lambda: len(tasks_of(client)) == 500)  # the full parts of both
            until(lambda: small.app.state.sessions.engine.pool.checkedout() == 0)
            assert imported(other, ROW) == {"created": 1}
    until(lambda: not slots.taken)
    with small.client(user_id) as client:
        assert imported(client, ROW) == {"created": 1}
        assert len(tasks_of(client)) == 501  # the rest after the last full part never arrived completely


def test_a_worker_imports_for_so_many_at_once(small: API, user_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small.app.state.imports.slots, "max_slots", 0)
    with small.client(user_id) as client:
        refused = send(client, ROW)

        error_of(refused, 503, "SERVICE_UNAVAILABLE")
        assert refused.headers["Retry-After"] == "30"


def test_an_export_of_tasks_that_nobody_reads_holds_nothing_that_others_need(
    small: API, user_id: str, database_url: str
) -> None:
    give_large_tasks(database_url, user_id, 300)
    with ExitStack() as clients:
        for _ in range(2):
            connection = clients.enter_context(connection_to(small, receive_bytes=64 * 1024))
            connection.send(head(user_id, f"GET {EXPORT}?format=csv"))
            assert connection.read_some(1) == 1
        with small.client(user_id) as client, small.client(new_user()) as other:
            assert "exports" in error_of(client.get(EXPORT), 429, "RATE_LIMITED")["message"]
            assert {other.get("/api/tasks").status_code for _ in range(9)} == {200}
            until(lambda: small.app.state.sessions.engine.pool.checkedout() == 0)
    until(lambda: not small.app.state.exports.slots.taken)
    with small.client(user_id) as client:
        assert len(tasks_of(client)) == 300


def test_a_file_that_stops_is_timed_out_and_what_came_is_stored(hasty: API, user_id: str) -> None:
    with connection_to(hasty) as connection:
        begin(connection, user_id, body=ROW * 300)
        (answer,) = connection.answers_until_closed()

    error_of(answer, 408, "REQUEST_TIMEOUT")
    until(lambda: not hasty.app.state.imports.slots.taken)
    with hasty.client(user_id) as client:
        assert len(tasks_of(client)) == 250


def test_a_file_that_dribbles_is_timed_out(hasty: API, user_id: str) -> None:
    with connection_to(hasty) as connection:
        begin(connection, user_id)

        def is_answered() -> bool:
            connection.send(b"\n")
            return not connection.is_silent()

        until(is_answered, "it went on for ever")
        (answer,) = connection.answers_until_closed()

    error_of(answer, 408, "REQUEST_TIMEOUT")


def test_a_file_that_goes_on_has_its_time_for_each_part(
    patient: API, user_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MIN_PART_BYTES", 100)

    def slowly() -> Iterator[bytes]:
        for _ in range(12):
            time.sleep(PATIENT_SECONDS / 10)
            yield ROW * 10

    with patient.client(user_id) as client:
        assert counts_of(report_of(send(client, slowly()))) == {"created": 120}


def test_who_leaves_has_imported_what_came_before(api: API, user_id: str) -> None:
    with connection_to(api) as connection:
        begin(connection, user_id, body=ROW * 250)
        with api.client(user_id) as client:
            until(lambda: len(tasks_of(client)) == 250)
    until(lambda: not api.app.state.imports.slots.taken)
