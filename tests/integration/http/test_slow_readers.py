"""Clients that read slowly: those that keep reading get everything, those that stop are cut off."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import psutil
import pytest

from backend.config import Settings
from backend.services.tasks import listing, listing_queries
from tests.fixtures.calls.api import API, new_user, serve
from tests.fixtures.http.connection import PATIENT_SECONDS, connection_to, head
from tests.fixtures.postgres.database import execute
from tests.fixtures.postgres.statements import noted_statements
from tests.fixtures.running.waiting import until

pytestmark = pytest.mark.requirement("FR-098")

MIN_BYTES = 8_000_000  # more than the system buffers for a connection
RECEIVE_BYTES = 64 * 1024


@pytest.fixture(scope="module", autouse=True)
def _long_pages() -> Iterator[None]:
    """Raise the page size, because the system must not be able to buffer a whole page."""
    with pytest.MonkeyPatch.context() as patched:
        for module in (listing, listing_queries):
            patched.setattr(module, "MAX_BYTES", 10**9)
        listing_queries.compiled_list.cache_clear()  # cached statements contain the bound
        yield
    listing_queries.compiled_list.cache_clear()


@pytest.fixture
def writer(database_url: str, user_id: str) -> str:
    """A user with enough tasks for a listing of MIN_BYTES."""
    execute(
        database_url,
        """
        INSERT INTO users (id, revision, task_count) VALUES (%s, 1, 250);
        INSERT INTO tasks (user_id, id, title, description, revision)
        SELECT %s, gen_random_uuid(), 'long', repeat('😀', 10000), 1 FROM generate_series(1, 250)
        """,
        user_id, user_id,
    )  # fmt: skip
    return user_id


def test_a_client_that_does_not_read_is_cut_off(hasty: API, writer: str) -> None:
    with connection_to(hasty, RECEIVE_BYTES) as connection:
        connection.send(head(writer, "GET /api/tasks"))
        this = psutil.Process()  # the service runs in it
        until(lambda: any(other.raddr and other.raddr.port == connection.port for other in this.net_connections()))
        until(lambda: all(not other.raddr or other.raddr.port != connection.port for other in this.net_connections()))

        assert 0 < _read_all(connection.read_some) < MIN_BYTES

    with hasty.client(new_user()) as other:
        assert other.get("/api/tasks").status_code == 200


@pytest.mark.requirement("FR-260", "FR-263")
def test_a_client_that_does_not_read_holds_no_slot_and_its_next_request_does_not_begin(
    settings: Settings, writer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = {"database_pool_size": 1, "max_concurrent_requests": 1}
    monkeypatch.setattr("backend.api.main.SYNC_SECONDS", 3600)  # its statements would be recorded, too
    with (
        serve(settings.model_copy(update=few)) as narrow,
        narrow.client(new_user()) as other,
        connection_to(narrow, RECEIVE_BYTES) as connection,
    ):
        connection.send(head(writer, "GET /api/tasks"))
        until(lambda: narrow.app.state.connection_limiter.unread.taken)
        connection.send(3 * head(writer))
        with noted_statements(narrow.app.state.sessions.engine) as sent:
            assert {other.get("/api/tasks").status_code for _ in range(20)} == {200}
        assert [statement for statement in sent if writer in str(statement)] == []
        assert len(sent) == 20

        assert [connection.answer().status_code for _ in range(4)] == [200] * 4
        until(lambda: narrow.app.state.connection_limiter.unread.taken == {})


def test_a_client_that_does_not_read_does_not_hold_the_end_of_the_service(
    settings: Settings, writer: str, caplog: pytest.LogCaptureFixture
) -> None:
    with ExitStack() as service:
        patient = service.enter_context(serve(settings))
        with connection_to(patient, RECEIVE_BYTES) as connection:
            connection.send(2 * head(writer, "GET /api/tasks"))
            assert connection.read_some(1) == 1
            service.close()  # fails if it takes longer than the grace period

    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


def test_a_client_that_reads_slowly_gets_everything(patient: API, writer: str) -> None:
    def slowly(max_bytes: int) -> int:
        time.sleep(PATIENT_SECONDS / 100)
        return connection.read_some(max_bytes)

    with connection_to(patient, RECEIVE_BYTES) as connection:
        connection.send(head(writer, "GET /api/tasks"))
        started = time.monotonic()

        assert _read_all(slowly, MIN_BYTES) >= MIN_BYTES
        assert time.monotonic() - started > PATIENT_SECONDS  # else it was not slow


@pytest.mark.requirement("FR-097")
@pytest.mark.parametrize("waiting", ["GET /api/me", "GET /api/tasks?limit=1"])
def test_an_answer_that_nobody_reads_keeps_nobody_from_the_database(
    settings: Settings, writer: str, waiting: str
) -> None:
    small = settings.model_copy(update={"database_pool_size": 1})
    with serve(small) as running, connection_to(running, RECEIVE_BYTES) as connection:
        # The first response fills the system's buffer, so that not even the start of the second can be sent.
        connection.send(head(writer, "GET /api/tasks") + head(writer, waiting))
        assert connection.read_some(1) == 1

        with running.client(new_user()) as other:
            assert {other.get("/api/tasks").status_code for _ in range(5)} == {200}

        assert _read_all(connection.read_some, MIN_BYTES) >= MIN_BYTES


def _read_all(read: Callable[[int], int], max_bytes: int | None = None) -> int:
    total = 0
    while max_bytes is None or total < max_bytes:
        size = read(RECEIVE_BYTES)
        if size == 0:
            break
        total += size
    return total
