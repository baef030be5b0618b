"""The systems under measurement: a Postgres with tasks in it, and contenders as processes on loopback."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from backend.database.embedded.postgres import EmbeddedPostgres
from backend.database.migrations import runner as migrations
from tests.benchmarks import data
from tests.fixtures.identity.tokens import SECRET
from tests.fixtures.postgres.database import execute
from tests.fixtures.processes.process import Service, environment, served

POOL_SIZE = 10  # the default of the service
# Postgres restarts with these. Contenders may open more connections than its default allows; an autovacuum during one
# contender's round would be unfair, so there is a vacuum after each round that writes; and the disk is not measured.
_SERVER_SETTINGS = {"max_connections": "300", "autovacuum": "off"}
_SYNC_SECONDS = 30
_LOOK_SECONDS = 0.1
_IDLE_CPU_SECONDS = 0.02  # between two checks


@dataclass(frozen=True)
class Running:
    """A running contender."""

    service: Service

    @property
    def address(self) -> str:
        """Return its address."""
        return self.service.address

    def cpu_seconds(self) -> float:
        """Return the CPU time of its processes, user and system."""
        times = [process.cpu_times() for process in self._processes()]
        return float(sum(each.user + each.system for each in times))

    def memory(self) -> int:
        """Return the resident memory of its processes in bytes."""
        return sum(process.memory_info().rss for process in self._processes())

    def peak_memory(self) -> int:
        """Return the sum of its processes' peak memory in bytes."""
        return sum(_peak(process) for process in self._processes())

    def sync(self) -> None:
        """Wait until it has finished the work for disconnected clients."""
        deadline = time.monotonic() + _SYNC_SECONDS
        before = self.cpu_seconds()
        while time.monotonic() < deadline:
            time.sleep(_LOOK_SECONDS)
            now = self.cpu_seconds()
            if now - before <= _IDLE_CPU_SECONDS:
                return
            before = now
        raise TimeoutError(f"{self.address} still works {_SYNC_SECONDS} s after the last request")

    def _processes(self) -> list[psutil.Process]:
        root = psutil.Process(self.service.process.pid)
        return [root, *root.children(recursive=True)]


def _peak(process: psutil.Process) -> int:
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii", errors="replace")
    match = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    return int(match[1]) * 1024 if match else 0  # an exiting process has none


@contextmanager
def database(folder: Path, *, fsync: bool = False, share: float = 1) -> Iterator[str]:
    """Run a Postgres in this folder, with migrations applied and `data`, or a share of it, loaded."""
    with EmbeddedPostgres(folder) as url:
        for name, value in {**_SERVER_SETTINGS, "fsync": "on" if fsync else "off"}.items():
            execute(url, f"ALTER SYSTEM SET {name} = {value}")
    with EmbeddedPostgres(folder) as url:
        migrations.apply(url)
        data.load(url, share=share)
        yield url


@contextmanager
def service(url: str, folder: Path, workers: int = 1, **settings: str) -> Iterator[Running]:
    """Run this service as it ships, in production; `settings` are environment variables.

    It counts requests, and refuses none.
    """
    chosen = {
        "ENVIRONMENT": "production",
        "DATABASE_URL": url,
        "DATABASE_POOL_SIZE": str(POOL_SIZE),
        "JWT_SECRET": SECRET,
        "RATE_LIMIT": "999999999/minute",
        "WORKERS": str(workers),
        **settings,
    }
    # Not in a Postgres' folder: that Postgres would be taken for a part of the service, and stopped with it.
    with served(env=environment(folder / "data", **chosen), cwd=folder) as process:
        yield Running(process)


@contextmanager
def contender(name: str, url: str, folder: Path, workers: int = 1) -> Iterator[Running]:
    """Run a module of `contenders` as uvicorn is usually run in production, including the access log."""
    command = [sys.executable, "-m", "tests.benchmarks.contenders", name, str(workers)]
    env = {**environment(folder / "data"), "DATABASE_URL": url, "JWT_SECRET": SECRET, "POOL_SIZE": str(POOL_SIZE)}
    with served(env=env, cwd=folder, command=command) as process:
        yield Running(process)
