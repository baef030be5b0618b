"""*limit*: what Postgres achieves when pgbench sends it one statement per call, on as many connections as the pool."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import Any

from psycopg2.extensions import AsIs, adapt
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2

from backend.services.tasks import queries as task_queries
from backend.services.tasks.listing_queries import Shape, list_statement
from tests.benchmarks import data, workloads
from tests.benchmarks.contenders import one_statement
from tests.benchmarks.load import Measured
from tests.benchmarks.running import POOL_SIZE
from tests.benchmarks.workloads import LIST_LIMIT, Workload

_PATIENCE_SECONDS = 60
_OPTIONS = "-c TimeZone=UTC -c enable_bitmapscan=off"  # as in the service, so that the plans are the same

# Each transaction uses a different user, a different task of that user, and a unique number. From these, Postgres
# computes, once while it plans, the values that a client of the service would send.
_VARIABLES = f"""\
\\set owner random(1, {data.USERS})
\\set long_owner random(1, {data.LONG_USERS})
\\set number random(1, {data.TASKS})
\\set fresh random(100000000000, 200000000000)
"""
_USER = AsIs("('user-' || :owner)")
_TASK_OF = "CAST('00000000-0000-7000-8000-' || lpad(to_hex({}), 12, '0') AS uuid)"
_THE_TASK = {"principal": _USER, "task": AsIs(_TASK_OF.format(":owner * 10000 + :number")), "expected": None}
_PAGE = {"known": [], "principal": _USER, "max_rows": LIST_LIMIT}


@dataclass(frozen=True, slots=True)
class Script:
    """A statement with its values, and its relative frequency."""

    statement: Any
    values: dict[str, Any]
    weight: int = 1

    def text(self) -> str:
        """Format it as a pgbench script."""
        compiled = self.statement.compile(dialect=PGDialect_psycopg2())  # type: ignore[no-untyped-call]
        values = {name: _literal(value) for name, value in {**compiled.params, **self.values}.items()}
        return f"{_VARIABLES}{str(compiled) % values};\n"


def _literal(value: object) -> str:
    literal: bytes = adapt(value).getquoted()
    return literal.decode()


_GET = Script(task_queries.GET, _THE_TASK, 60)
_LIST = Script(list_statement(Shape(is_short=True)), _PAGE, 20)
_LONG_LIST = Script(list_statement(Shape()), {**_PAGE, "principal": AsIs("('long-' || :long_owner)"), "max_rows": 1000})
_CREATE = Script(
    one_statement.CREATE,
    {
        "principal": _USER,
        "task": AsIs(_TASK_OF.format(":fresh")),
        "max_tasks": 100_000,
        "new_request_hash": None,
        "new_title": data.TITLE,
        "new_description": data.DESCRIPTION,
        "new_completed": False,
    },
    5,
)
_PUT = Script(
    one_statement.UPDATE,
    {
        **_THE_TASK,
        "new_title": AsIs(f"('{data.TITLE} ' || :fresh)"),
        "has_new_description": False,
        "new_description": None,
        "new_completed": None,
    },
    10,
)
_TOGGLE = Script(one_statement.COMPLETE, {**_THE_TASK, "new_completed": None}, 5)
SCRIPTS = {
    workloads.GET: [_GET],
    workloads.LIST_50: [_LIST],
    workloads.LIST_1000: [_LONG_LIST],
    workloads.CREATE: [_CREATE],
    workloads.PUT: [_PUT],
    workloads.TOGGLE: [_TOGGLE],
    workloads.MIX: [_GET, _LIST, _PUT, _TOGGLE, _CREATE],
}


def pgbench() -> str:
    """Find pgbench; raises FileNotFoundError."""
    found = shutil.which("pgbench")
    if found is None:
        raise FileNotFoundError("pgbench is missing: install it (Debian: apt-get install postgresql)")
    return found


def run(url: str, workload: Workload, connections: int, seconds: int, workers: int = 1) -> Measured:
    """Run and measure a workload's statements on as many connections as it would have in the service."""
    clients = min(connections, workers * POOL_SIZE)
    with TemporaryDirectory(prefix="task-api-load-") as name:
        folder = Path(name)
        files = []
        for number, script in enumerate(SCRIPTS[workload]):
            path = folder / f"{number}.sql"
            path.write_text(script.text(), encoding="utf-8")
            files.append(f"--file={path}@{script.weight}")
        subprocess.run(  # noqa: S603 - our own command
            [pgbench(), "-n", f"-T{seconds}", f"-c{clients}", "-j1", "--log", f"--log-prefix={name}/log", *files, url],
            env={**os.environ, "PGOPTIONS": _OPTIONS},
            capture_output=True,
            check=True,
            timeout=seconds + _PATIENCE_SECONDS,
        )
        lines = [line for path in folder.glob("log.*") for line in path.read_text(encoding="ascii").splitlines()]
    return parse(lines, seconds)


def parse(lines: Iterable[str], seconds: int) -> Measured:
    """Parse pgbench's log, a line for each transaction: client, number, microseconds or the failure, and more."""
    times = [line.split()[2] for line in lines]
    good = [int(time) / 1000 for time in times if time.isdigit()]
    failures = len(times) - len(good)
    if not good:
        return Measured(0, float(seconds), 0, 0, failures)
    percentiles = quantiles(good if len(good) > 1 else good * 2, n=100, method="inclusive")
    return Measured(len(good), float(seconds), percentiles[49], percentiles[98], failures)
