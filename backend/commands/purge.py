"""task-api purge: removes expired rows."""

from __future__ import annotations

import argparse

from backend.commands.common import database, migration_url, set_up
from backend.commands.schema import require_schema
from backend.database.engine import Engine
from backend.database.session import SessionFactory
from backend.server.signals import EXIT_TERMINATED, leaving_in_order
from backend.services.purge import Purged, PurgeService


def run(_options: argparse.Namespace) -> None:
    """Remove all expired rows, and print how many."""
    settings = set_up()
    with leaving_in_order(EXIT_TERMINATED), database(settings, must_exist=True) as url:
        require_schema(migration_url(settings, url))
        engine = Engine(url, pool_size=1, timeout_seconds=settings.request_timeout_seconds)
        try:
            removed = sum(PurgeService(SessionFactory(engine)).steps(), Purged())
        finally:
            engine.dispose()
        print("removed", removed)
