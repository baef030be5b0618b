"""File locks held by the kernel, which releases them when their process ends, in whatever way."""

from __future__ import annotations

from pathlib import Path
from typing import IO


def open_locked(path: Path, *, exclusive: bool) -> IO[str]:
    """Open a file and lock it until it is closed."""
    file = path.open("a")
    lock(file, exclusive=exclusive, wait=True)
    return file


def lock(file: IO[str], *, exclusive: bool, wait: bool) -> bool:
    """Lock an open file; returns False when others have locked it."""
    import fcntl  # noqa: PLC0415 - not on Windows, where this module must still import

    kind = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
    try:
        fcntl.flock(file, kind if wait else kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
