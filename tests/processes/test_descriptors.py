"""A service whose clients keep more connections open than it has file descriptors."""

from __future__ import annotations

import re
import resource
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from backend.server.state import SPARE_DESCRIPTORS
from tests.fixtures.processes.embedded import kill
from tests.fixtures.processes.process import TASK_API, Service, environment, served
from tests.fixtures.running.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")

USUAL_SOFT_LIMIT = 1024
IDLE = 1100
FEW, MIN_DESCRIPTORS = 256, 10
WITH_LIMITS = (
    "import os, resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, {}); os.execv(sys.argv[1], sys.argv[1:])"
)
SERVE = (*TASK_API, "serve", "--port", "0")


@contextmanager
def limited(folder: Path, soft: int, hard: int, *arguments: str) -> Iterator[Service]:
    """Serve with these descriptor limits, on an embedded Postgres."""
    # Idle connections stay open; and an unreachable database is reported soon.
    env = environment(folder / "data", CLIENT_TIMEOUT_SECONDS="300", REQUEST_TIMEOUT_SECONDS="3")
    command = (sys.executable, "-c", WITH_LIMITS.format((soft, hard)), *SERVE)
    with served(*arguments, env=env, cwd=folder, command=command) as service:
        yield service


@contextmanager
def idle_connections(service: Service, number: int) -> Iterator[list[socket.socket]]:
    """Open this many connections, and send nothing."""
    url = httpx.URL(service.address)
    assert url.port
    with ExitStack() as stack:
        yield [stack.enter_context(socket.create_connection((url.host, url.port))) for _ in range(number)]


def client_of(service: Service) -> httpx.Client:
    headers = {"Authorization": f"Bearer {service.token}"}
    return httpx.Client(base_url=service.address, headers=headers, trust_env=False, timeout=PATIENCE_SECONDS)


def is_answered(service: Service) -> bool:
    """Return whether a new client gets a response, and not a refusal."""
    try:
        with client_of(service) as client:
            return client.get("/api/tasks").status_code == 200
    except httpx.TransportError:
        return False


def logged(folder: Path, event: str) -> int:
    (log,) = folder.glob("serve-*.log")
    return len(re.findall(rf"\] {event}\b", log.read_text(encoding="utf-8")))


@pytest.mark.requirement("FR-255")
@pytest.mark.parametrize("workers", ["1", "2"])
def test_more_idle_connections_than_the_usual_limit_keep_nobody_out(tmp_path: Path, workers: str) -> None:
    need_descriptors(2 * IDLE)
    with (
        limited(tmp_path, USUAL_SOFT_LIMIT, 4 * USUAL_SOFT_LIMIT, "--workers", workers) as service,
        idle_connections(service, int(workers) * IDLE),
    ):
        assert all(is_answered(service) for _ in range(20))
    assert logged(tmp_path, "connections_refused") == 0


def need_descriptors(number: int) -> None:
    """Raise the limit of descriptors for this test's own connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < number + USUAL_SOFT_LIMIT:
        resource.setrlimit(resource.RLIMIT_NOFILE, (number + USUAL_SOFT_LIMIT, hard))


@pytest.mark.requirement("FR-256", "FR-254")
def test_what_is_left_is_the_services_own(tmp_path: Path) -> None:
    """The database and existing clients keep working; new clients are refused, and may retry later."""
    with limited(tmp_path, FEW, FEW) as service, client_of(service) as client:
        assert client.get("/api/tasks").status_code == 200
        with idle_connections(service, 2 * FEW):
            until(lambda: logged(tmp_path, "connections_refused") == 1)
            assert not is_answered(service)
            assert psutil.Process(service.process.pid).num_fds() < FEW - SPARE_DESCRIPTORS // 2
            assert client.get("/api/tasks").status_code == 200

            kill(tmp_path / "data")
            until(lambda: client.get("/api/tasks").status_code == 200)
            until(lambda: logged(tmp_path, "postgres_restarted") == 1)
        until(lambda: is_answered(service))
        assert service.stop(signal.SIGTERM) == 0
        assert service.left_over() == []
    assert logged(tmp_path, "connections_refused") == 1


@pytest.mark.requirement("FR-256", "FR-254")
def test_without_any_descriptor_it_goes_on_as_soon_as_there_are_some(tmp_path: Path) -> None:
    """Whatever uses them up: here the limit falls below the current use."""
    with limited(tmp_path, FEW, FEW) as service, client_of(service) as client:
        assert client.post("/api/tasks", json={"title": "a"}).status_code == 201
        process = psutil.Process(service.process.pid)
        process.rlimit(psutil.RLIMIT_NOFILE, (MIN_DESCRIPTORS, FEW))
        until(lambda: logged(tmp_path, "postgres_not_restarted") == 1)  # it cannot even check whether Postgres runs
        assert client.get("/api/tasks").status_code == 200
        kill(tmp_path / "data")
        statuses = [client.get("/api/tasks").status_code for _ in range(3)]  # no connection can be opened

        process.rlimit(psutil.RLIMIT_NOFILE, (FEW, FEW))
        until(lambda: is_answered(service))
        assert client.get("/api/tasks").status_code == 200
        kill(tmp_path / "data")
        until(lambda: client.get("/api/tasks").status_code == 200)
        until(lambda: logged(tmp_path, "postgres_restarted") == 2)  # it may answer before its start is logged
    assert statuses == [503] * 3
    assert logged(tmp_path, "postgres_not_restarted") == 1
    assert logged(tmp_path, "request_failed") == 0
    assert logged(tmp_path, "database_away .* no descriptors left") == 1
