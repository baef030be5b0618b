"""nginx in front of several services: which requests it retries and which services it skips when one is gone."""

from __future__ import annotations

import signal
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import httpx
import pytest
from pydantic import SecretStr

from backend.config import Settings
from tests.fixtures.calls.api import new_user, serve
from tests.fixtures.calls.tasks import MISSING_ID, create
from tests.fixtures.http.connection import head
from tests.fixtures.processes.deployment import Installation
from tests.fixtures.processes.nginx import HOST, Front, fronted
from tests.fixtures.processes.process import served
from tests.fixtures.processes.servers import free_port

pytestmark = pytest.mark.requirement("FR-180")

READERS = 4
CUT = "the answer ended too early"


class Forgetful:
    """A service that closes the connection on every request."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.requests: Counter[str] = Counter()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                self.requests[connection.recv(65536).split(b" ")[0].decode()] += 1

    def close(self) -> None:
        """Stop listening."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.mark.parametrize(("method", "times"), [("GET", 2), ("POST", 1), ("PATCH", 1), ("PUT", 1), ("DELETE", 1)])
def test_only_what_may_be_done_twice_is_sent_twice(method: str, times: int) -> None:
    both = [Forgetful(), Forgetful()]
    try:
        with fronted(*(service.port for service in both)) as front, front.connection() as connection:
            body = b"" if method in {"GET", "DELETE"} else b"{}"
            request = head(new_user(), f"{method} /api/tasks/{MISSING_ID}", Host=HOST, Content_Length=str(len(body)))
            connection.send(request + body)  # in one piece, so that nginx could send all of it again
            answer = connection.answer()
    finally:
        for service in both:
            service.close()

    assert answer.status_code == 503
    assert sum((service.requests for service in both), Counter()) == {method: times}


def test_a_service_that_is_not_there_is_passed_over(settings: Settings) -> None:
    with (
        serve(settings) as api,
        fronted(free_port(), httpx.URL(api.base_url).port or 0) as front,
        front.client(new_user()) as client,
    ):
        assert [client.get("/api/tasks").status_code for _ in range(4)] == [200] * 4
        assert create(client)


class Readers:
    """Clients that keep reading through nginx."""

    def __init__(self, front: Front) -> None:
        self.statuses: list[int | str] = []
        self._front = front
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._read) for _ in range(READERS)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Let each client finish its request, and stop."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _read(self) -> None:
        with self._front.client(new_user()) as client:
            while not self._stop.is_set():
                try:
                    self.statuses.append(client.get("/api/tasks").status_code)
                except httpx.RemoteProtocolError as error:
                    self.statuses.append(CUT if "complete message body" in str(error) else repr(error))
                except httpx.HTTPError as error:
                    self.statuses.append(repr(error))

    def wait_for(self, more: int) -> None:
        """Wait until this many more requests have been answered."""
        wanted, waiting = len(self.statuses) + more, threading.Event()
        for _ in range(6000):
            if len(self.statuses) >= wanted:
                return
            waiting.wait(0.01)
        raise AssertionError(f"no more is answered: {Counter(self.statuses)}")


def test_no_read_fails_while_a_service_is_killed_and_restarted(
    installed: Installation, settings: Settings, tmp_path: Path
) -> None:
    port, env = free_port(), installed.production(RATE_LIMIT_ENABLED="false")
    own = settings.model_copy(update={"database_url": SecretStr(installed.service_url)})

    with (
        serve(own) as other,
        served("--port", str(port), env=env, cwd=tmp_path) as killed,
        _reading(port, httpx.URL(other.base_url).port or 0) as readers,
    ):
        readers.wait_for(100)
        killed.process.kill()
        readers.wait_for(100)
        with served("--port", str(port), env=env, cwd=tmp_path) as restarted:
            readers.wait_for(100)
            assert restarted.stop(signal.SIGTERM) == 0
            readers.wait_for(100)
            readers.stop()

    found = Counter(readers.statuses)
    assert found.keys() <= {200, CUT}
    assert found[CUT] <= READERS  # responses cut off when the service was killed


@contextmanager
def _reading(*ports: int) -> Iterator[Readers]:
    changes = {"limit_req": "zone=task_api_requests burst=100000 nodelay"}
    with fronted(*ports, **changes) as front, Readers(front) as readers:
        yield readers
