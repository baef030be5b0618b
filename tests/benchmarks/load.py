"""wrk as the load generator: one thread, and connections that each send one request after the other."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from backend.identity.jwt import issue_token
from tests.benchmarks.workloads import ALWAYS_NEW, Request, Workload
from tests.fixtures.identity.tokens import SECRET
from tests.fixtures.running.programs import find

_SCRIPT = Path(__file__).with_name("load.lua")
_WRK = find("wrk") or "wrk"
_SEPARATOR = "\n====\n"  # of requests, the same in the script
_PATIENCE_SECONDS = 60  # for one response


@dataclass(frozen=True, slots=True)
class Measured:
    """The result of one round. `failures` counts status codes of 400 and above, and requests without a response."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    failures: int


@cache
def token_for(user_id: str) -> str:
    """Return a bearer token of this user, always the same one, as real clients reuse theirs."""
    return issue_token(SECRET, user_id, ttl_seconds=24 * 3600)


def run(address: str, workload: Workload, connections: int, seconds: int) -> Measured:
    """Send the requests of a workload repeatedly, and measure the responses."""
    with TemporaryDirectory(prefix="task-api-load-") as folder:
        file = Path(folder) / "requests"
        file.write_bytes(_script_input(workload.requests, urlsplit(address).netloc))
        command = [_WRK, f"-d{seconds}s", "-t1", f"-c{connections}", f"--timeout={_PATIENCE_SECONDS}s"]
        done = subprocess.run(  # noqa: S603 - our own command
            [*command, f"-s{_SCRIPT}", address, "--", str(file)],
            capture_output=True,
            text=True,
            check=True,
            timeout=seconds + 2 * _PATIENCE_SECONDS,
        )
    line = next(line for line in done.stdout.splitlines() if line.startswith("measured "))
    requests, microseconds, p50, p99, failures = map(int, line.split()[1:])
    return Measured(requests, microseconds / 1e6, p50 / 1000, p99 / 1000, failures)


def _script_input(requests: tuple[Request, ...], host: str) -> bytes:
    # A number larger than in any earlier run: there are fewer requests than microseconds.
    beginning = f"{ALWAYS_NEW}\n{time.time_ns() // 1000 % 10**12}\n"
    return (beginning + "".join(_http_text(request, host) + _SEPARATOR for request in requests)).encode()


def _http_text(request: Request, host: str) -> str:
    lines = [
        f"{request.method} {request.path} HTTP/1.1",
        f"Host: {host}",
        "Accept: application/json",
        f"Authorization: Bearer {token_for(request.user_id)}",
    ]
    if request.body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(request.body.encode())}"]
    return "\r\n".join([*lines, "", request.body or ""])
