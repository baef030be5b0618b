"""What import and export share: they read and write files of one user's tasks."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager

from backend.commands.common import database, migration_url
from backend.commands.schema import require_schema
from backend.config import Settings
from backend.database.engine import Engine
from backend.database.session import SessionFactory
from backend.identity.claims import is_user_id
from backend.models.task_file import FileFormat
from backend.server.signals import EXIT_TERMINATED, leaving_in_order

STANDARD = "-"  # input or output


def check_user(options: argparse.Namespace) -> None:
    """Exit with 2 unless this is a valid user id."""
    if not is_user_id(options.user):
        options.parser.error("argument --user: write the id of a user, of 1 to 255 characters")


def format_of(options: argparse.Namespace, name: str) -> FileFormat:
    """Return a file's format from the option or else its name; exits with 2 when neither names one."""
    ending = options.format or name.rpartition(".")[2].lower()
    if ending not in list(FileFormat):
        options.parser.error(f"say with --format which format it is: {', '.join(FileFormat)}")
    return FileFormat(ending)


@contextmanager
def sessions_on_database(settings: Settings) -> Iterator[SessionFactory]:
    """Yield sessions on the database, whose schema must be current."""
    with leaving_in_order(EXIT_TERMINATED), database(settings, must_exist=True) as url:
        require_schema(migration_url(settings, url))
        engine = Engine(url, pool_size=1, timeout_seconds=settings.request_timeout_seconds)
        try:
            yield SessionFactory(engine)
        finally:
            engine.dispose()
