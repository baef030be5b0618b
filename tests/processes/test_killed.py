"""A service was killed, with or without its embedded Postgres: a new one takes over at once."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psutil
import psycopg2
import pytest

from backend.database.embedded.postgres import EmbeddedPostgres
from backend.server import listener
from tests.fixtures.processes.embedded import another_process, ask, kill, said, server, socket_folder
from tests.fixtures.processes.process import TASK_API, environment, served
from tests.fixtures.processes.servers import free_port
from tests.fixtures.running.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.requirement("FR-246")


@pytest.mark.parametrize("with_postgres", [False, True], ids=["alone", "with its Postgres"])
def test_a_killed_service_is_started_again_at_once(made: Path, *, with_postgres: bool) -> None:
    env, command = environment(made), (*TASK_API, "serve", "--port", str(free_port()))
    with served(env=env, cwd=made.parent, command=command) as service:
        headers = {"Authorization": f"Bearer {service.token}"}
        with httpx.Client(
            base_url=service.address, headers=headers, trust_env=False, timeout=PATIENCE_SECONDS
        ) as client:
            acknowledged = [client.post("/api/tasks", json={"title": "a"}).json()["data"] for _ in range(10)]
            postgres = server(made)
            service.process.kill()
            if with_postgres:
                postgres.kill()
            service.process.wait(PATIENCE_SECONDS)
            with served(env=env, cwd=made.parent, command=command) as successor:
                assert successor.address == service.address
                assert client.get("/api/tasks").json()["data"] == acknowledged[::-1]
                assert (server(made) == postgres) is not with_postgres
            assert successor.left_over() == []
        assert service.left_over() == []


def test_a_port_is_waited_for_while_somebody_gives_it_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "TAKEN_SECONDS", PATIENCE_SECONDS)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        threading.Timer(0.3, taken.close).start()
        with listener.listen("127.0.0.1", port) as successor:
            assert taken.fileno() == -1
            assert successor.getsockname()[1] == port


@contextmanager
def working_session(url: str) -> Iterator[psutil.Process]:
    """Keep a server session so busy that it does not notice that its server is gone."""
    connection = psycopg2.connect(url)
    process = psutil.Process(connection.info.backend_pid)

    def work() -> None:
        with connection.cursor() as cursor, pytest.raises(psycopg2.OperationalError):
            cursor.execute("DO 'BEGIN LOOP END LOOP; END'")

    working = threading.Thread(target=work)
    working.start()
    until(lambda: ask(url, "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query ~ '^DO'") == "1")
    try:
        yield process
    finally:
        with suppress(psutil.NoSuchProcess):
            process.kill()
        working.join()
        connection.close()


def test_what_a_killed_postgres_leaves_behind_is_waited_for(made: Path) -> None:
    with another_process(made) as other, working_session(said(other)) as session:
        other.kill()
        server(made).kill()
        log = made / "postgres" / "log"

        def end_it_later() -> None:
            until(lambda: "pre-existing shared memory block" in log.read_text())  # the next server has tried to start
            session.kill()

        ending = threading.Thread(target=end_it_later)
        ending.start()
        with EmbeddedPostgres(made) as url:
            assert ask(url, "SELECT 1") == "1"
        ending.join()


def test_a_postgres_that_was_taken_over_comes_back_where_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "it's, a b"  # it listens in a separate folder
    with another_process(folder) as other:
        first = said(other)
        other.kill()
    with EmbeddedPostgres(folder) as url:
        assert url == first
        kill(folder)
        until(lambda: _answers(url))
        assert socket_folder(url).exists()


def _answers(url: str) -> bool:
    try:
        return ask(url, "SELECT 1") == "1"
    except psycopg2.OperationalError:
        return False
