"""SIGTERM: requests that have arrived are answered, no new ones are accepted, and nothing is left running."""

from __future__ import annotations

import os
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from backend.api.main import create_app
from backend.config import Settings
from backend.server.server import Server, max_seconds_to_end, server_config
from tests.fixtures.calls.api import new_user, serve
from tests.fixtures.calls.events import events_of, stream
from tests.fixtures.calls.tasks import error_of
from tests.fixtures.http.connection import connection_to, head
from tests.fixtures.http.load import REFUSED, RESET, load_on
from tests.fixtures.postgres.database import execute
from tests.fixtures.postgres.locks import row_locked
from tests.fixtures.processes.workers import processes_in, served_by, workers_of
from tests.fixtures.running.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.requirement("FR-165")

CLIENTS = 12
NOT_ACCEPTED = 200  # connections: far more than a worker accepts at once
CREATE = {"line": "POST /api/tasks", "Content_Type": "application/json", "Content_Length": "14"}
BODY = b'{"title": "a"}'


@pytest.mark.parametrize(
    ("workers", "everyone"), [(1, False), (3, False), (2, True)], ids=["one", "several", "several, each told by itself"]
)
def test_whoever_has_come_is_answered(tmp_path: Path, database_url: str, workers: int, *, everyone: bool) -> None:
    user, slow = new_user(), new_user()
    execute(database_url, "INSERT INTO users (id, revision) VALUES (%s, 0)", slow)
    patience = {"REQUEST_TIMEOUT_SECONDS": str(PATIENCE_SECONDS)}  # the request in hand waits for all others
    with served_by(workers, tmp_path, database_url, **patience) as service, ExitStack() as stack:
        in_hand = stack.enter_context(connection_to(service.address))
        load = stack.enter_context(load_on(service.address, user, kept=CLIENTS - 4, new=4))
        with row_locked(database_url, slow) as wait_for:
            in_hand.send(head(slow, **CREATE) + BODY)
            wait_for(1)
            serving = [worker.pid for worker in workers_of(service)]
            assert len(serving) == workers
            _send(signal.SIGSTOP, *serving)
            queued = [stack.enter_context(connection_to(service.address)) for _ in range(NOT_ACCEPTED)]
            for connection in queued:
                connection.send(head(user))
            _send(signal.SIGTERM, service.process.pid, *(serving if everyone and workers > 1 else ()))
            _send(signal.SIGCONT, *serving)
            assert [connection.answer().status_code for connection in queued] == [200] * NOT_ACCEPTED
            until(lambda: _refuses(service.address))  # although a request is still in hand
        answer = in_hand.answer()
        assert (answer.status_code, answer.headers["Connection"]) == (201, "close")
        assert service.process.wait(PATIENCE_SECONDS) == 0
        until(lambda: processes_in(tmp_path) == [])

    assert load.lost(but_for=RESET) == []
    assert load.counts()[RESET] <= CLIENTS  # when the port closed, at once for all
    assert load.counts()[REFUSED] > 0
    assert execute(database_url, "SELECT count(*) FROM tasks WHERE user_id = %s", user) == [(load.created(),)]


def _refuses(address: str) -> bool:
    url = urlsplit(address)
    try:
        socket.create_connection((url.hostname, url.port), timeout=PATIENCE_SECONDS).close()
    except OSError as error:
        return isinstance(error, ConnectionRefusedError)
    return False


def _send(number: signal.Signals, *processes: int) -> None:
    for process in processes:
        os.kill(process, number)


def test_a_request_that_is_on_its_way_is_the_last_one_of_its_connection(
    settings: Settings, user_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A busy machine takes a while to send.
    monkeypatch.setattr("backend.server.server.LAME_DUCK_SECONDS", 15)
    with ExitStack() as service, ExitStack() as stack, ThreadPoolExecutor(1) as thread:
        running = service.enter_context(serve(settings, timeout_keep_alive=int(PATIENCE_SECONDS)))
        kept, fresh, several, last, refused, silent = (
            stack.enter_context(connection_to(running.base_url)) for _ in range(6)
        )
        kept.send(head(user_id))
        assert "Connection" not in kept.answer().headers
        client = stack.enter_context(running.client(user_id))
        events = events_of(stack.enter_context(stream(client)))
        next(events)

        ended = thread.submit(service.close)
        assert [event for event in events if event.change] == []  # the stream ends after all changes
        kept.send(head(user_id))
        fresh.send(head(user_id))
        several.send(head(user_id) * 3)
        last.send(head(user_id, Connection="close"))
        refused.send(head(None, **CREATE))

        for connection in (kept, fresh):
            (answer,) = connection.answers_until_closed()
            assert (answer.status_code, answer.headers["Connection"]) == (200, "close")
        answers = several.answers_until_closed()
        assert [answer.headers.get("Connection") for answer in answers] == [None, None, "close"]
        assert [answer.status_code for answer in last.answers_until_closed()] == [200]
        error_of(refused.answer(), 401, "UNAUTHORIZED")
        refused.send(BODY)
        assert refused.answers_until_closed() == silent.answers_until_closed() == []
        ended.result()


def test_one_of_several_workers_accepts_until_their_parent_could_close_its_port(
    settings: Settings, user_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All may have been told at once. Whoever came to the parent's copy of the port alone would be reset."""
    monkeypatch.setattr("backend.server.server.NOTICE_SECONDS", PATIENCE_SECONDS)
    server = Server(server_config(create_app(settings), settings, workers=2))
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as thread:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        ended = thread.submit(server.run, sockets=[listener])
        until(lambda: server.started)
        server.should_exit = True
        until(lambda: server.server_state.is_ending)
        try:
            with connection_to(address) as connection:
                connection.send(head(user_id))
                (answer,) = connection.answers_until_closed()
                assert (answer.status_code, answer.headers["Connection"]) == (200, "close")
        finally:
            server.force_exit = True
        ended.result()


@pytest.mark.parametrize("seconds", [0.1, 10, 300])
def test_a_service_is_given_more_time_to_end_than_a_request_may_take(settings: Settings, seconds: float) -> None:
    config = server_config("", settings.model_copy(update={"request_timeout_seconds": seconds}))

    assert config.timeout_graceful_shutdown is not None
    assert max_seconds_to_end(config) > config.timeout_graceful_shutdown > seconds + 1
