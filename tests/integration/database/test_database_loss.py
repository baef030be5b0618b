"""What clients see when connections die, the database is away or slow, and when the fault is in the service."""

from __future__ import annotations

import errno
import selectors
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, nullcontext
from typing import Any

import httpx
import psycopg2
import pytest
from fastapi import HTTPException
from pydantic import SecretStr
from sqlalchemy import event, make_url, text
from sqlalchemy.exc import DisconnectionError
from starlette.routing import compile_path

from backend.config import Settings
from backend.database.engine import CONNECT_TRIES, SERVER_SHARE, Engine
from backend.database.errors import Interrupted
from backend.database.migrations import runner as migrations
from backend.database.session import SessionFactory
from backend.errors import ServiceUnavailable
from tests.fixtures.calls.api import API, ORIGIN, new_user, serve
from tests.fixtures.calls.erasure import user_of
from tests.fixtures.calls.tasks import (
    REQUESTS,
    create,
    error_of,
    everything_of,
    path_of,
    read,
    revision_of,
    task_of,
)
from tests.fixtures.documents.contract import operations
from tests.fixtures.http.deadlines import SHORT_SECONDS, hurried
from tests.fixtures.inputs.examples import EXAMPLES
from tests.fixtures.postgres.database import execute
from tests.fixtures.postgres.proxy import counting_proxy
from tests.fixtures.running.waiting import PATIENCE_SECONDS, until
from tests.fixtures.telemetry.logs import events

OURS = "datname = current_database() AND application_name = 'task-api'"
KILL = f"SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE {OURS}"  # noqa: S608 - all of it is ours


def send(client: httpx.Client, method: str, path: str) -> httpx.Response:
    """Send a valid request as a browser does."""
    in_full_first = sorted(operations().values(), key=lambda operation: "{" in operation.path)
    documented = "PATCH" if (method, path.rpartition("/")[2]) == ("POST", "complete") else method
    fitting = (each for each in in_full_first if each.method == documented and compile_path(each.path)[0].match(path))
    request = EXAMPLES[next(fitting).id].request_of(user_of(client))
    return client.request(method, path, **{**request, "headers": {**request.get("headers", {}), "Origin": ORIGIN}})


@pytest.fixture
def own_api(settings: Settings, own_url: str) -> Iterator[API]:
    """The service on that database."""
    with serve(settings.model_copy(update={"database_url": SecretStr(own_url)})) as running:
        yield running


@pytest.fixture
def own_client(own_api: API) -> Iterator[httpx.Client]:
    with own_api.client(new_user()) as client:
        yield client


@contextmanager
def all_users_locked(url: str) -> Iterator[None]:
    """Lock every user's row, as another long transaction might."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with closing(psycopg2.connect(plain)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT FROM users FOR UPDATE")
        yield


@pytest.mark.requirement("FR-071")
def test_connections_that_died_while_idle_are_replaced(api: API, user_id: str, database_url: str) -> None:
    with api.client(user_id) as client, ThreadPoolExecutor(5) as threads:
        for _ in range(3):
            warm = list(threads.map(lambda _: create(client), range(20)))
            assert len(execute(database_url, KILL)) >= 1

            assert client.get("/api/tasks").status_code == 200
            again = list(threads.map(lambda task: read(client, task), warm))
            assert again == warm


@pytest.mark.requirement("FR-071")
def test_a_cut_connection_is_noticed_before_it_is_used(settings: Settings, database_url: str) -> None:
    with counting_proxy(database_url) as proxy:
        changes = {"database_url": SecretStr(proxy.url)}
        with serve(settings.model_copy(update=changes)) as running, running.client(new_user()) as client:
            for number in range(1, 4):
                assert create(client)["revision"] == number
                proxy.cut()


@pytest.mark.requirement("FR-051", "FR-052")
def test_a_connection_that_dies_in_use_is_service_unavailable(own_client: httpx.Client, own_url: str) -> None:
    task = create(own_client)
    with all_users_locked(own_url), ThreadPoolExecutor(1) as thread:
        answer = thread.submit(own_client.put, path_of(task), json={"title": "b"})
        # It is retried on another connection.
        until(lambda: [execute(own_url, f"{KILL} AND wait_event_type = 'Lock'"), answer.done()][-1])
        error_of(answer.result(), 503, "SERVICE_UNAVAILABLE")
    assert read(own_client, task) == task


@pytest.mark.requirement("FR-051", "FR-050", "FR-053")
def test_a_database_that_is_gone_is_service_unavailable_until_it_is_back(
    own_client: httpx.Client, own_url: str
) -> None:
    create(own_client)
    name, server = make_url(own_url).database, make_url(own_url).set(database="postgres")
    maintenance = server.render_as_string(hide_password=False)
    execute(maintenance, f"DROP DATABASE {name} WITH (FORCE)")
    try:
        for method, path in REQUESTS:
            response = send(own_client, method, path)
            error = error_of(response, 503, "SERVICE_UNAVAILABLE")
            assert int(response.headers["Retry-After"]) >= 1
            assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
            assert error["details"] == []
            assert str(name) not in response.text
        assert own_client.get("/health/live").status_code == 200
    finally:
        execute(maintenance, f"CREATE DATABASE {name}")
    migrations.apply(own_url)

    until(lambda: own_client.get("/api/me").status_code != 503)  # until the next connection attempt
    assert create(own_client)["revision"] == 1


@pytest.mark.requirement("FR-051", "FR-052")
def test_a_statement_that_takes_too_long_is_service_unavailable_and_changes_nothing(
    own_api: API, own_client: httpx.Client, own_url: str
) -> None:
    client, task = own_client, create(own_client)
    with all_users_locked(own_url):
        started = time.monotonic()
        with hurried(own_api):
            for method, path in [("PUT", path_of(task)), ("DELETE", path_of(task)), ("DELETE", "/api/me")]:
                response = send(client, method, path)
                error_of(response, 503, "SERVICE_UNAVAILABLE")
                assert response.headers["Retry-After"] == "1"
        assert 3 * SHORT_SECONDS * SERVER_SHARE <= time.monotonic() - started < PATIENCE_SECONDS
        assert read(client, task) == task

    assert (read(client, task), revision_of(client)) == (task, 1)
    assert task_of(client.put(path_of(task), json={"title": "b"}))["revision"] == 2


@pytest.mark.requirement("FR-051")
def test_a_lost_connection_that_the_driver_reports_under_another_name_is_service_unavailable(
    own_client: httpx.Client, own_url: str
) -> None:
    """A pooler may report it with its own error code (PgBouncer: 08P01); here a trigger does."""
    execute(
        own_url,
        """
        CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql
            AS $$ BEGIN RAISE 'server closed the connection' USING ERRCODE = '08P01'; END $$;
        CREATE TRIGGER lose BEFORE INSERT ON tasks EXECUTE FUNCTION lose();
        """,
    )

    error_of(send(own_client, "POST", "/api/tasks"), 503, "SERVICE_UNAVAILABLE")
    assert everything_of(own_client)[1]["data"]["revision"] == 0


@pytest.mark.requirement("FR-107", "FR-051", "FR-041", "FR-050", "FR-052")
def test_a_defect_is_an_internal_error_that_says_nothing_of_its_cause(
    own_client: httpx.Client, own_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    task = create(own_client)
    execute(own_url, "ALTER TABLE tasks RENAME TO secret_place")

    for method, path in REQUESTS:
        if not path.startswith("/api/me"):
            response = send(own_client, method, path)
            error = error_of(response, 500, "INTERNAL_ERROR")
            assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
            assert error["details"] == []
            assert not any(
                word in response.text.lower() for word in ("psycopg", "sql", "relation", "traceback", "select")
            )
            assert error["request_id"] in {failed["request_id"] for failed in events(caplog, "request_failed")}
    execute(own_url, "ALTER TABLE secret_place RENAME TO tasks")
    assert read(own_client, task) == task


@pytest.mark.requirement("FR-051")
def test_a_connection_that_cannot_be_made_is_service_unavailable(settings: Settings) -> None:
    with counting_proxy("postgresql://nobody@127.0.0.1:1/nothing") as proxy:
        changes = {"database_url": SecretStr(proxy.url), "request_timeout_seconds": SHORT_SECONDS}
    with serve(settings.model_copy(update=changes)) as running, running.client(new_user()) as client:
        error_of(client.get("/api/tasks"), 503, "SERVICE_UNAVAILABLE")
        error_of(client.get("/health/ready"), 503, "SERVICE_UNAVAILABLE")


@pytest.mark.requirement("FR-051", "FR-072")
def test_a_database_that_goes_silent_holds_no_request(settings: Settings, database_url: str) -> None:
    with counting_proxy(database_url) as proxy:
        changes = {"database_url": SecretStr(proxy.url)}
        with serve(settings.model_copy(update=changes)) as api, api.client(new_user()) as client:
            task = create(client)
            proxy.silent = True
            with hurried(api):
                for _ in range(2):  # a warm connection, then one that cannot be opened
                    error_of(client.patch(path_of(task) + "/complete"), 503, "SERVICE_UNAVAILABLE")
            proxy.silent = False
            assert read(client, task) == task
            proxy.cut()  # work still waiting for a silent connection would delay the shutdown


@pytest.mark.requirement("FR-258")
@pytest.mark.parametrize(("dead", "is_served"), [(2 * CONNECT_TRIES - 1, True), (2 * CONNECT_TRIES, False)])
def test_another_connection_is_taken_as_long_as_new_ones_are_dead(
    database_url: str, caplog: pytest.LogCaptureFixture, dead: int, *, is_served: bool
) -> None:
    """No work is lost then, so this does not count as a retry; but it has a limit."""
    engine = Engine(database_url, pool_size=1, timeout_seconds=60)
    sessions, taken = SessionFactory(engine), 0

    @event.listens_for(engine.pool, "checkout")
    def _dead(*_connection: object) -> None:
        nonlocal taken
        taken += 1
        if taken <= dead:
            raise DisconnectionError

    with nullcontext() if is_served else pytest.raises(Interrupted), sessions(new_user()) as session:
        assert session.exec(text("SELECT 1")) == [(1,)]
    engine.dispose()
    assert taken == 2 * CONNECT_TRIES
    assert len(events(caplog, "database_interrupted")) == (not is_served)


@pytest.mark.requirement("FR-051")
def test_connections_that_die_as_soon_as_they_are_made_are_service_unavailable(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    dying = threading.Event()
    looked_at = Engine._refuse_dead_connection  # noqa: SLF001 - a listener must not be added to a pool in use

    def _dead(*engine_and_connection: Any) -> None:
        if dying.is_set():
            raise DisconnectionError
        looked_at(*engine_and_connection)

    monkeypatch.setattr(Engine, "_refuse_dead_connection", _dead)
    with serve(settings) as api, api.client(new_user()) as client:
        dying.set()
        error_of(client.get("/api/tasks"), 503, "SERVICE_UNAVAILABLE")


@pytest.mark.requirement("FR-256")
def test_looking_at_connections_takes_no_descriptor(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(selectors.DefaultSelector, "__init__", refuse)
    engine = Engine(database_url, pool_size=1, timeout_seconds=60)
    sessions = SessionFactory(engine)
    for _ in range(2):  # a new connection, and one that was idle
        with sessions(new_user()) as session:
            assert session.exec(text("SELECT 1")) == [(1,)]
    engine.dispose()


@pytest.mark.requirement("FR-051", "FR-097")
def test_waiting_for_a_connection_ends(database_url: str, caplog: pytest.LogCaptureFixture) -> None:
    engine = Engine(database_url, pool_size=1, timeout_seconds=2)  # in which the first connection is opened, too
    sessions = SessionFactory(engine)
    with sessions(new_user()), pytest.raises(ServiceUnavailable), sessions(new_user()):
        pass
    (unavailable,) = events(caplog, "database_unavailable")
    assert unavailable["reason"].startswith("QueuePool limit of size 1")
    engine.dispose()


@pytest.mark.requirement("FR-041", "FR-051")
def test_a_status_that_nobody_has_thought_of_is_a_defect_in_the_envelope(settings: Settings) -> None:
    def refuse() -> None:
        raise HTTPException(418, detail="a teapot")

    with serve(settings) as api, api.client() as client:
        api.app.add_api_route("/teapot", refuse)

        assert "teapot" not in str(error_of(client.get("/teapot"), 500, "INTERNAL_ERROR"))
