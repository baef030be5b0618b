"""With what a run is made: what is missing for it, and what there is, without anything that identifies its owner."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from importlib.metadata import version
from pathlib import Path

from backend.database.embedded import wheel
from backend.database.embedded.postgres import VERSION
from tests.benchmarks.running import NODE
from tests.fixtures.running.needs import NODE_PACKAGES
from tests.fixtures.running.programs import POSTGRES_15, find, packages_of

PROGRAMS = {"initdb", "node", "pgbouncer", "wrk"}
_LIBRARIES = ("fastapi", "starlette", "uvicorn", "sqlalchemy", "sqlmodel", "psycopg2-binary")
_NODE_LIBRARIES = ("fastify", "postgres")
_CPU_INFO = Path("/proc/cpuinfo")
_PATIENCE_SECONDS = 60


def missing() -> str | None:
    """Return what a run needs and is not there, with how to install it."""
    programs = {program for program in PROGRAMS if find(program) is None}
    if programs:
        return f"{', '.join(sorted(programs))} missing: install with apt-get install {' '.join(packages_of(programs))}"
    absent = [name for name in _NODE_LIBRARIES if not (NODE_PACKAGES / name).exists()]
    return f"{', '.join(absent)} missing in tests/node: make install" if absent else None


def describe() -> str:
    """Return the name of the processor."""
    text = _CPU_INFO.read_text(encoding="utf-8") if _CPU_INFO.exists() else ""
    model = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return f"{os.cpu_count()} processors, {model[1] if model else platform.machine()}"


def versions() -> str:
    """Return the versions of the software involved."""
    folders = (POSTGRES_15, wheel.helpers().POSTGRES_VERSIONS[VERSION])
    postgres = [_printed(folder / "postgres", "--version").split()[2] for folder in folders]
    node = _printed(NODE, "--version").strip("v\n")
    programs = [f"Python {platform.python_version()}", f"Node.js {node}", f"Postgres {' and '.join(postgres)}"]
    return ", ".join([*programs, *(f"{name} {version(name)}" for name in _LIBRARIES)])


def _printed(*command: str | Path) -> str:
    return subprocess.run(command, capture_output=True, check=True, text=True, timeout=_PATIENCE_SECONDS).stdout  # noqa: S603 - programs that are measured
