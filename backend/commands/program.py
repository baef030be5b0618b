"""How to type this program."""

from __future__ import annotations

import shutil
import sys

NAME = "task-api"


def program() -> str:
    """Return how this command was called, so that the next one can be called the same way.

    A shell that found it on PATH passes its whole path on; its name is then enough.
    """
    called = sys.argv[0]
    return called if called.endswith(f"/{NAME}") and shutil.which(NAME) != called else NAME
