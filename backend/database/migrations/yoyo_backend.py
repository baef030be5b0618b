"""yoyo, as `runner.py` uses it: it reads the files and runs them on our connection."""

from __future__ import annotations

import glob
import logging
import socket
import uuid
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn, Self

from psycopg2.extensions import connection as PostgresConnection  # noqa: N812 - a class, whatever its name
from yoyo import default_migration_table, internalmigrations, read_migrations
from yoyo.backends.core.postgresql import PostgresqlBackend
from yoyo.migrations import Migration as MigrationFile
from yoyo.migrations import MigrationList

from backend.errors import ConfigurationError


class OneTransaction(PostgresqlBackend):  # type: ignore[misc]  # yoyo has no types
    """yoyo's backend on a connection whose transaction begins and ends elsewhere; nested ones are savepoints."""

    _in_transaction = True

    def __init__(self, connection: PostgresConnection) -> None:
        logging.getLogger("yoyo.migrations").setLevel(logging.WARNING)
        self._given = connection
        super().__init__(SimpleNamespace(database=connection.info.dbname), default_migration_table)

    def files(self, directory: Path) -> MigrationList:
        """Read the migrations of a folder, in order."""
        return read_migrations(glob.escape(str(directory)))

    def connect(self, _uri: object) -> PostgresConnection:
        """Return the given connection."""
        return self._given

    def copy(self) -> AbstractContextManager[Self]:
        """Reuse the one connection."""
        return nullcontext(self)

    def disable_transactions(self) -> NoReturn:
        """Refuse a migration without a transaction."""
        raise ConfigurationError("A migration must be transactional, so that a killed one leaves nothing behind.")

    def ensure_internal_schema_updated(self) -> None:
        """Bring yoyo's own tables up to date in the same transaction."""
        if internalmigrations.needs_upgrading(self):
            internalmigrations.upgrade(self)

    def get_log_data(self, migration: MigrationFile | None = None, operation: str = "apply") -> dict[str, Any]:
        """Return who migrates what, and when."""
        # yoyo's own version needs a name for the system user, which a container may lack, and may wait for DNS.
        return {
            "id": str(uuid.uuid4()),
            "migration_id": migration and migration.id,
            "migration_hash": migration and migration.hash,
            "username": self.connection.info.user,
            "hostname": socket.gethostname(),
            "created_at_utc": datetime.now(UTC).replace(tzinfo=None),
            "operation": operation,
        }
