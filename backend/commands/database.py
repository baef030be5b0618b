"""What commands on the database share: the settings, the logs, and the database with its schema."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backend.commands.program import program
from backend.config import Settings, load_settings
from backend.database.migrations import runner as migrations
from backend.errors import ConfigurationError
from backend.server.signals import EXIT_INTERRUPTED, interrupted_at_once
from backend.telemetry.logs import set_up_logs


def set_up(**chosen: object) -> Settings:
    """Read the settings, and set up logging accordingly."""
    settings = load_settings(**chosen)
    set_up_logs(settings.log_level, as_json=settings.environment == "production")
    return settings


@contextmanager
def database(settings: Settings, *, must_exist: bool = False) -> Iterator[str]:
    """Yield the database's URL; if none is set, run an embedded Postgres until the block ends.

    Raises ConfigurationError if the database `must_exist` but would be created: an empty one would not help.
    """
    if settings.database_url:
        yield settings.database_url.get_secret_value()
    else:
        # This also imports process supervision, which a service with its own database does not need.
        with interrupted_at_once(EXIT_INTERRUPTED):
            from backend.database.embedded.postgres import EmbeddedPostgres  # noqa: PLC0415

        if must_exist and not _is_made(settings.data_dir):
            raise ConfigurationError(
                f"there is no database in {settings.data_dir.absolute()}. Run this in the folder of the service, or "
                "set DATA_DIR or DATABASE_URL as for the service"
            )
        with EmbeddedPostgres(settings.data_dir) as url:
            yield url


def _is_made(data_dir: Path) -> bool:
    """Return whether EmbeddedPostgres has created a database in a folder."""
    return (data_dir / "postgres" / "PG_VERSION").exists()


def migration_url(settings: Settings, url: str) -> str:
    """Return the URL that bypasses the pooler, if one is set."""
    return settings.database_direct_url.get_secret_value() if settings.database_direct_url else url


def require_schema(migration_url: str) -> None:
    """Raise ConfigurationError, saying what to run, unless every migration is applied."""
    if pending := migrations.pending(migration_url):
        first = f"{pending[0]} is not applied (the first of {len(pending)})"
        raise ConfigurationError(f"the database schema is outdated: {first}. Run: {program()} migrate")


def bring_up_to_date(migration_url: str) -> None:
    """Apply all pending migrations: for development, where nobody has to be asked."""
    if migrations.pending(migration_url):
        migrations.apply(migration_url)
