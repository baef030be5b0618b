"""Sessions for commands that use services. `migrate` needs none, and imports none of this."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from backend.commands.database import database, migration_url, require_schema
from backend.config import Settings
from backend.database.engine import Engine
from backend.database.session import SessionFactory
from backend.server.signals import EXIT_TERMINATED, leaving_in_order


@contextmanager
def sessions_on_database(settings: Settings) -> Iterator[SessionFactory]:
    """Yield sessions on the database, whose schema must be current; SIGTERM ends the block in order."""
    with leaving_in_order(EXIT_TERMINATED), database(settings, must_exist=True) as url:
        require_schema(migration_url(settings, url))
        with sessions_on(url, settings) as sessions:
            yield sessions


@contextmanager
def sessions_on(url: str, settings: Settings) -> Iterator[SessionFactory]:
    """Yield sessions on one connection."""
    engine = Engine(url, pool_size=1, timeout_seconds=settings.request_timeout_seconds)
    try:
        yield SessionFactory(engine)
    finally:
        engine.dispose()
