"""A listening socket from systemd: the test plays systemd's part, which keeps the socket open between two services."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from signal import SIGTERM

import psutil
import pytest

from tests.fixtures.calls.api import new_user
from tests.fixtures.http.connection import connection_to, head
from tests.fixtures.http.load import LATE, load_on
from tests.fixtures.identity.tokens import SECRET
from tests.fixtures.postgres.database import execute
from tests.fixtures.processes.process import TASK_API, Service, environment, served
from tests.fixtures.processes.workers import workers_of
from tests.fixtures.running.waiting import PATIENCE_SECONDS

WAITING = 50  # connections made while no service runs
# Passes this descriptor as the first one of so many, as systemd does; the process id must be that of the service.
_HAND_OVER = """
import os, sys
passed, os.environ["LISTEN_FDS"], *command = sys.argv[1:]
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDNAMES="task-api.socket")
os.dup2(int(passed), 3)
os.execv(command[0], command)
"""
# Neither is used: nobody could listen there.
ELSEWHERE = {"HOST": "192.0.2.1", "PORT": "1"}


def _passing(descriptor: int, number: str = "1") -> Sequence[str]:
    return (sys.executable, "-c", _HAND_OVER, str(descriptor), number, *TASK_API, "serve")


@contextmanager
def _served_on(listener: socket.socket, workers: int, folder: Path, database_url: str) -> Iterator[Service]:
    settings = {"DATABASE_URL": database_url, "JWT_SECRET": SECRET, "RATE_LIMIT": "1000000/minute", **ELSEWHERE}
    env = environment(folder / "data", ENVIRONMENT="production", WORKERS=str(workers), **settings)
    descriptor = listener.fileno()
    with served(env=env, cwd=folder, command=_passing(descriptor), pass_fds=(descriptor,)) as service:
        yield service


@pytest.mark.requirement("FR-266", "FR-165")
@pytest.mark.parametrize("workers", [1, 2])
def test_a_restart_refuses_nobody_and_loses_nothing(tmp_path: Path, database_url: str, workers: int) -> None:
    user = new_user()
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listener, ExitStack() as clients:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with _served_on(listener, workers, tmp_path, database_url) as service:
            assert service.address == address
            assert len(workers_of(service)) == workers
            load = clients.enter_context(load_on(address, user))
            assert service.stop(SIGTERM) == 0
        waiting = [clients.enter_context(connection_to(address)) for _ in range(WAITING)]
        for connection in waiting:
            connection.send(head(user))
        with _served_on(listener, workers, tmp_path, database_url):
            assert [connection.answer().status_code for connection in waiting] == [200] * WAITING
            load.wait_for(200)
            clients.close()

    assert set(load.counts()) - {LATE} == {200, 201}
    assert execute(database_url, "SELECT count(*) FROM tasks WHERE user_id = %s", user) == [(load.created(),)]


@pytest.mark.requirement("FR-266")
def test_it_says_the_address_that_it_really_has(tmp_path: Path, database_url: str) -> None:
    with (
        socket.create_server(("::1", 0), family=socket.AF_INET6) as listener,
        _served_on(listener, 1, tmp_path, database_url) as service,
    ):
        (line,) = (json.loads(line) for line in service.printed.splitlines() if '"serving"' in line)
        assert line["address"] == f"http://[::1]:{listener.getsockname()[1]}"


@pytest.mark.requirement("FR-267")
def test_what_it_starts_inherits_neither_the_socket_nor_the_variables(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port, descriptor = listener.getsockname()[1], listener.fileno()
        env = environment(tmp_path / "data")
        command = (*_passing(descriptor), "--workers", "2")
        with served(env=env, cwd=tmp_path, command=command, pass_fds=(descriptor,)) as service:
            listener.close()
            serving = {service.process.pid, *(worker.pid for worker in workers_of(service))}
            assert len(serving) == 1 + 2
            assert {process.pid for process in service.family if port in _ports_of(process)} == serving
            started = [process for process in service.family if process.pid != service.process.pid]
            assert "postgres" in {process.name() for process in started}
            assert [name for process in started for name in process.environ() if name.startswith("LISTEN_")] == []


def _ports_of(process: psutil.Process) -> set[int]:
    """List the ports that a process listens on."""
    connections = process.net_connections("tcp")
    return {connection.laddr.port for connection in connections if connection.status == psutil.CONN_LISTEN}


def _another_process(descriptor: int, folder: Path, number: str = "1") -> subprocess.CompletedProcess[str]:
    """Start a service that is passed this descriptor, and wait for it to refuse."""
    return subprocess.run(  # noqa: S603 - our own command
        _passing(descriptor, number),
        env=environment(folder / "data"),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
        pass_fds=(descriptor,),
    )


@pytest.mark.requirement("FR-267")
@pytest.mark.parametrize("kind", ["a file", "datagrams", "not listening", "a local socket"])
def test_another_kind_of_descriptor_is_refused(tmp_path: Path, kind: str) -> None:
    with ExitStack() as stack:
        if kind == "a file":
            descriptor = stack.enter_context((tmp_path / "file").open("w")).fileno()
        else:
            family = socket.AF_UNIX if kind == "a local socket" else socket.AF_INET
            made = socket.socket(family, socket.SOCK_DGRAM if kind == "datagrams" else socket.SOCK_STREAM)
            descriptor = stack.enter_context(made).fileno()
            if kind == "a local socket":
                made.bind(str(tmp_path / "socket"))
                made.listen()
        done = _another_process(descriptor, tmp_path)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "task-api: systemd passed a descriptor that is not a listening TCP socket. "
        "Give its socket unit one line like ListenStream=127.0.0.1:8000.\n"
    )
    assert not (tmp_path / "data" / "postgres").exists()


@pytest.mark.requirement("FR-267")
@pytest.mark.parametrize("number", ["0", "2", "many"])
def test_another_number_of_sockets_is_refused(tmp_path: Path, number: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        done = _another_process(listener.fileno(), tmp_path, number)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"task-api: systemd must pass one socket, but LISTEN_FDS is {number}. "
        "Give its socket unit one line like ListenStream=127.0.0.1:8000.\n"
    )


@pytest.mark.requirement("FR-266")
def test_a_socket_for_another_process_is_left_alone(tmp_path: Path) -> None:
    """A program that systemd has started may start this one without clearing its own variables."""
    env = environment(tmp_path / "data", LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
    with served(env=env, cwd=tmp_path) as service:
        assert service.address.startswith("http://127.0.0.1:")
