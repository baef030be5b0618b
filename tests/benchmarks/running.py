"""What is measured, as processes on loopback: Postgres as a default server runs it, and the contenders."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from backend.database.embedded.postgres import VERSION
from backend.database.migrations import runner as migrations
from tests.benchmarks import data
from tests.benchmarks.workloads import BEFORE, CONVENTIONAL, FASTIFY, SERVICE, Setting
from tests.fixtures.identity.tokens import SECRET
from tests.fixtures.postgres.database import execute
from tests.fixtures.postgres.pooler import running_pooler
from tests.fixtures.processes.certificates import Authority
from tests.fixtures.processes.process import REPOSITORY, TASK_API, Service, environment, served
from tests.fixtures.processes.servers import Server, embedded_server, tls_server
from tests.fixtures.running.programs import find

NODE = find("node") or "node"
POOL_SIZE = 10  # the default of the service
# As a default server has them, but for autovacuum: one during one contender's round would be unfair.
_SERVER_SETTINGS = {"fsync": "on", "shared_buffers": "128MB", "autovacuum": "off"}
_SERVE = (*TASK_API, "serve", "--port", "0")
_COMMANDS = {
    SERVICE: _SERVE,
    BEFORE: _SERVE,
    CONVENTIONAL: (sys.executable, "-m", "tests.benchmarks.contenders"),
    FASTIFY: (NODE, str(REPOSITORY / "tests" / "node" / "fastify.mjs")),
}
_SYNC_SECONDS = 30


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process and all below it, those that have ended included."""
    process = psutil.Process(pid)
    try:
        root, *others = [each.cpu_times() for each in (process, *process.children(recursive=True))]
    except psutil.NoSuchProcess:
        if process.is_running():  # one below it has just ended
            return cpu_seconds(pid)
        raise
    ended = root.children_user + root.children_system
    return float(root.user + root.system + ended + sum(each.user + each.system for each in others))


def wait_until_idle(pid: int) -> None:
    """Wait until a contender has finished the work for disconnected clients."""
    deadline = time.monotonic() + _SYNC_SECONDS
    before = cpu_seconds(pid)
    while time.monotonic() < deadline:
        time.sleep(0.1)
        now = cpu_seconds(pid)
        if now - before <= 0.02:  # seconds: noise
            return
        before = now
    raise TimeoutError(f"a contender still works {_SYNC_SECONDS} s after the last request")


@contextmanager
def postgres(version: int) -> Iterator[Server]:
    """Run a Postgres with migrations applied and `data` loaded: the embedded one, or Debian's, which allows TLS."""
    certificate = Authority().certify("localhost")
    with (
        embedded_server(**_SERVER_SETTINGS)
        if version == VERSION
        else tls_server(certificate, "host", **_SERVER_SETTINGS)
    ) as server:
        migrations.apply(server.url(sslmode="disable"))
        data.load(server.url(sslmode="disable"))
        execute(server.url(sslmode="disable"), "CHECKPOINT")
        yield server


@contextmanager
def reached(server: Server, setting: Setting) -> Iterator[str]:
    """Yield the URL by which contenders reach a server in this setting."""
    url = server.url(sslmode="require" if setting.way == "TLS" else "disable")
    if setting.way == "PgBouncer":
        with running_pooler(url, pool_size=POOL_SIZE) as pooler:
            yield pooler.url
    else:
        yield url


@contextmanager
def contender(name: str, url: str, folder: Path, workers: int = 1, before: Path | None = None) -> Iterator[Service]:
    """Run a contender as it usually is in production, with its access log; `before` is the other checkout."""
    settings = {
        "ENVIRONMENT": "production",
        "NODE_ENV": "production",
        "DATABASE_URL": url,
        "DATABASE_POOL_SIZE": str(POOL_SIZE),
        "JWT_SECRET": SECRET,
        "RATE_LIMIT": "999999999/minute",  # requests are counted, and none is refused
        "WORKERS": str(workers),
    }
    env = environment(folder / "data", **settings)
    if name == BEFORE:
        env["PYTHONPATH"] = str(before)
    with served(env=env, cwd=folder, command=_COMMANDS[name]) as service:
        yield service
