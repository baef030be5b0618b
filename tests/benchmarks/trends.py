"""Internal numbers that do not depend on the machine's speed, to be compared with those of the last run.

They change with each version of Python and of each library, so there are no targets for them.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks import inside
from tests.fixtures.postgres.proxy import counting_proxy
from tests.fixtures.processes.imports import bare_environment, modules_of, modules_of_a_command, modules_of_a_server
from tests.fixtures.processes.process import REPOSITORY

_PATIENCE_SECONDS = 120
_DELAY_SECONDS = 0.002  # to the database and back: applied once per response


@dataclass(frozen=True, slots=True)
class Trends:
    """When (UTC) and with what it was counted; calls by request, modules by process, and blocks after requests."""

    date: str
    versions: str
    requests: int  # of each kind, while blocks were counted
    calls: dict[str, int]
    modules: dict[str, int]
    blocks: dict[str, int]

    def lines(self) -> Iterator[str]:
        """Format them as Markdown."""
        yield f"Counted on {self.date} with {self.versions}. There is no bound and no verdict: compare runs."
        yield from _table("request", "Python functions that it calls", self.calls)
        yield from _table("process, until it answers or ends", "modules that it imports", self.modules)
        yield from _table(f"after {self.requests:,} more requests", "blocks of memory that stay", self.blocks)
        yield ""
        yield "Calls are those from the call of the application to the last message of its answer. Modules of Python's"
        yield "own library are left out. What is remembered of users and tokens was full before blocks were counted."


def _table(what: str, unit: str, counts: dict[str, int]) -> list[str]:
    return ["", f"| {what} | {unit} |", "|---|--:|", *(f"| {name} | {count:,} |" for name, count in counts.items())]


def measure(url: str, folder: Path, requests: int) -> tuple[dict[str, int], dict[str, int], dict[str, int]]:
    """Count calls, modules, and blocks after this many requests, in separate processes on this database."""
    with counting_proxy(url) as proxy:
        proxy.delay_seconds = _DELAY_SECONDS
        calls = _counted(inside.CALLS, proxy.url)
    return calls, _modules(url, folder), _counted(inside.BLOCKS, url, str(requests))


def _counted(*arguments: str) -> dict[str, int]:
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", inside.__name__, *arguments],
        cwd=REPOSITORY, capture_output=True, check=False, text=True, timeout=_PATIENCE_SECONDS,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stderr[-5000:])
    counts: dict[str, int] = json.loads(done.stdout)
    return counts


def _modules(url: str, folder: Path) -> dict[str, int]:
    env = bare_environment(folder / "data", url)
    found = {
        "task-api serve": modules_of_a_server(env={**env, "ENVIRONMENT": "production"}, folder=folder),
        "task-api token": modules_of_a_command("token", "alice", env=env, folder=folder),
        "import backend.api.main": modules_of("import backend.api.main", env=env, folder=folder),
    }
    return {name: len(modules) for name, modules in found.items()}
