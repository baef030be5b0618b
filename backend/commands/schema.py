"""Whether the database has the schema that this version needs."""

from __future__ import annotations

from backend.database.migrations import runner as migrations
from backend.errors import ConfigurationError


def require_schema(migration_url: str) -> None:
    """Raise ConfigurationError, saying what to run, unless every migration is applied."""
    if pending := migrations.pending(migration_url):
        raise ConfigurationError(
            f"the database schema is outdated: {', '.join(pending)} not applied. Run: task-api migrate"
        )


def bring_up_to_date(migration_url: str) -> None:
    """Apply all pending migrations: for development, where nobody has to be asked."""
    if migrations.pending(migration_url):
        migrations.apply(migration_url)
