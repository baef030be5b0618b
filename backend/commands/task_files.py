"""What the commands share that read and write files of one user's tasks."""

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
    """Exit with 2 unless a user can have this id."""
    if not is_user_id(options.user):
        options.parser.error("argument --user: write the id of a user, of 1 to 255 characters")


def format_of(options: argparse.Namespace, name: str) -> FileFormat:
    """Tell the format of a file by the option, or by its name; exits with 2 when neither says it."""
    ending = options.format or name.rpartition(".")[2].lower()
    if ending not in list(FileFormat):
        options.parser.error(f"say with --format which format it is: {', '.join(FileFormat)}")
    return FileFormat(ending)


@contextmanager
def sessions_on_database(settings: Settings) -> Iterator[SessionFactory]:
    """Give sessions on the database, whose schema has to be there."""
    with leaving_in_order(EXIT_TERMINATED), database(settings, must_exist=True) as url:
        require_schema(migration_url(settings, url))
        engine = Engine(url, pool_size=1, timeout_seconds=settings.request_timeout_seconds)
        try:
            yield SessionFactory(engine)
        finally:
            engine.dispose()
