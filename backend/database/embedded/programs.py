"""Runs Postgres programs to their end, and reports only what went wrong."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from backend.errors import ConfigurationError

_NAMELESS = "could not look up effective user ID"


def run_program(program: Path, *arguments: str, folder: Path, user: int | None, group: int | None) -> None:
    """Run a program in a folder, as another user if one is given; raises ConfigurationError with its complaint.

    When asked to end, this process still waits for the program: a starting server can be stopped only afterwards.
    """
    with subprocess.Popen(  # noqa: S603 - Postgres' own programs
        [str(program), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd=folder,
        env={**os.environ, "LC_ALL": "C"},
        user=user,
        group=group,
        extra_groups=None if user is None else (),
    ) as process:
        try:
            _, errors = process.communicate()
        except BaseException:
            process.wait()
            raise
    if process.returncode:
        complaint = complaint_of(errors.decode(errors="replace"))
        advice = (
            "Run as a user that this machine knows by name"
            if _NAMELESS in complaint
            else "Set DATA_DIR to a folder of your own with room for it"
        )
        raise ConfigurationError(
            f"The embedded Postgres: {program.name} failed: {complaint.rstrip('.')}. {advice}, "
            "or set DATABASE_URL to a Postgres."
        )


def complaint_of(output: str) -> str:
    """Pick the newest line that says what is wrong."""
    lines = [line for line in reversed(output.splitlines()) if line.strip()] or ["it does not say why"]
    return next((line for line in lines if "FATAL" in line or "error:" in line), lines[0]).strip()
