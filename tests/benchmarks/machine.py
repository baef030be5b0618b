"""The hardware and software of a run, without anything that identifies the machine's owner."""

from __future__ import annotations

import os
import platform
import re
from importlib.metadata import version
from pathlib import Path

from tests.fixtures.postgres.database import execute

_PACKAGES = ("fastapi", "starlette", "uvicorn", "sqlalchemy", "sqlmodel", "psycopg2-binary")
_CPU_INFO = Path("/proc/cpuinfo")


def describe_machine() -> str:
    """Return the name of the processor."""
    text = _CPU_INFO.read_text(encoding="utf-8") if _CPU_INFO.exists() else ""
    model = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return f"{os.cpu_count()} processors, {model[1] if model else platform.machine()}"


def describe_versions(url: str) -> str:
    """Return the versions of the software involved."""
    postgres = execute(url, "SHOW server_version")[0][0].split()[0]
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return f"Python {platform.python_version()}, Postgres {postgres}, {packages}"
