"""task-api migrate: applies migrations, lists them, or rolls the newest back."""

from __future__ import annotations

import argparse

from backend.commands.database import database, migration_url, set_up
from backend.database.migrations import runner as migrations
from backend.server.signals import EXIT_TERMINATED, leaving_in_order


def run(options: argparse.Namespace) -> None:
    """Run the chosen action, and print its result."""
    settings = set_up()
    with leaving_in_order(EXIT_TERMINATED), database(settings, must_exist=options.action != "apply") as url:
        direct_url = migration_url(settings, url)
        if options.action == "status":
            for migration in migrations.status(direct_url):
                print("applied" if migration.applied else "pending", migration.id)
        elif options.action == "rollback":
            newest = migrations.rollback(direct_url)
            print(f"rolled back {newest}" if newest else "nothing to roll back: no migration is applied")
        else:
            applied = migrations.apply(direct_url)
            print(f"applied {', '.join(applied)}" if applied else "nothing to apply: the schema is up to date")
