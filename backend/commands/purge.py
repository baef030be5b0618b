"""task-api purge: removes expired rows."""

from __future__ import annotations

import argparse

from backend.commands.database import set_up
from backend.commands.sessions import sessions_on_database
from backend.services.purge import Purged, PurgeService


def run(_options: argparse.Namespace) -> None:
    """Remove all expired rows, and print how many."""
    with sessions_on_database(set_up()) as sessions:
        print("removed", sum(PurgeService(sessions).steps(), Purged()))
