"""Runs migrations/*.sql with yoyo, in one transaction and under a lock that ends with it.

yoyo by itself takes a lock row that survives a kill, runs a migration on a second connection and notes it on the first.
Here one transaction holds everything, yoyo's own tables included: a killed run leaves nothing behind.
"""

from __future__ import annotations

import glob
import logging
import math
import socket
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn, Self

import psycopg2
from psycopg2.errors import LockNotAvailable
from psycopg2.extensions import connection as PostgresConnection  # noqa: N812 - a class, whatever its name
from psycopg2.extensions import cursor as PostgresCursor  # noqa: N812
from yoyo import default_migration_table, internalmigrations, read_migrations
from yoyo.backends.core.postgresql import PostgresqlBackend
from yoyo.migrations import Migration as MigrationFile
from yoyo.migrations import MigrationList

from backend.database.connector import Connector, NoConnection
from backend.database.url import read_url
from backend.errors import ConfigurationError

MIGRATIONS = Path(__file__).parents[2] / "migrations"
CONNECT_SECONDS = 10.0
MIGRATION_LOCK = 7_251_935_640_212_977_107  # any number that other programs on the database do not use
MIGRATION_LOCK_SECONDS = 60
TABLE_LOCK_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Migration:
    """One migration, and whether the database has it."""

    id: str
    applied: bool


def apply(url: str, directory: Path = MIGRATIONS) -> list[str]:
    """Apply what is pending, all or nothing; returns the ids in order. Waits for another process that is doing so.

    Raises ConfigurationError when the database cannot be used or a migration fails.
    """
    files = _files(directory)
    with _transaction(url) as backend:
        pending = list(backend.to_apply(files))
        for file in pending:
            with _naming(file):
                backend.apply_one(file)
    return [file.id for file in pending]


def rollback(url: str, directory: Path = MIGRATIONS) -> str | None:
    """Take back the newest applied migration; returns its id, or None when none is applied.

    Raises ConfigurationError when the database cannot be used, or the migration's files are not here or fail.
    """
    files = _files(directory)
    with _transaction(url) as backend:
        applied = list(backend.to_rollback(files))
        unknown = _applied(backend.connection) - {file.id for file in files}
        if unknown:
            raise ConfigurationError(
                f"{max(unknown)} is applied, but not in {directory}: roll it back with the version that brought it."
            )
        if not applied:
            return None
        newest = applied[0]
        if not Path(newest.path).with_suffix(".rollback.sql").exists():
            raise ConfigurationError(f"{newest.id} cannot be taken back: it has no .rollback.sql beside it.")
        with _naming(newest):
            backend.rollback_one(newest)
    return str(newest.id)


def status(url: str, directory: Path = MIGRATIONS) -> list[Migration]:
    """List all migrations in order, with those that only the database knows last; changes nothing.

    Raises ConfigurationError when the database cannot be used.
    """
    ids = known(directory)
    with closing(_connect(url)) as connection, _explaining():
        # Not autocommit: psycopg2 would then make the whole session read-only, for whoever a pooler lends it to next.
        connection.set_session(readonly=True)
        applied = _applied(connection)
    return [Migration(id_, id_ in applied) for id_ in [*ids, *sorted(applied - set(ids))]]


def pending(url: str, directory: Path = MIGRATIONS) -> list[str]:
    """List the ids of the migrations that the database lacks; raises like `status`."""
    return [migration.id for migration in status(url, directory) if not migration.applied]


def known(directory: Path = MIGRATIONS) -> list[str]:
    """List the ids of all migration files in order; raises ConfigurationError when there are none."""
    return [file.id for file in _files(directory)]


class _SilentCursor(PostgresCursor):  # type: ignore[misc]  # psycopg2 has no types
    """Keeps yoyo from printing what a migration's statements return."""

    description = None


class _OneTransaction(PostgresqlBackend):  # type: ignore[misc]  # nor has yoyo
    """yoyo's backend on a connection whose transaction is begun and ended elsewhere; what it nests are savepoints."""

    _in_transaction = True

    def __init__(self, connection: PostgresConnection) -> None:
        self._given = connection
        super().__init__(SimpleNamespace(database=connection.info.dbname), default_migration_table)

    def connect(self, _uri: object) -> PostgresConnection:
        return self._given

    def copy(self) -> AbstractContextManager[Self]:
        return nullcontext(self)

    def disable_transactions(self) -> NoReturn:
        raise ConfigurationError("A migration must be transactional, so that a killed one leaves nothing behind.")

    def ensure_internal_schema_updated(self) -> None:
        if internalmigrations.needs_upgrading(self):
            internalmigrations.upgrade(self)

    def get_log_data(self, migration: MigrationFile | None = None, operation: str = "apply") -> dict[str, Any]:
        # yoyo's own needs a name for the system user, which a container may lack, and may wait for DNS.
        return {
            "id": str(uuid.uuid4()),
            "migration_id": migration and migration.id,
            "migration_hash": migration and migration.hash,
            "username": self.connection.info.user,
            "hostname": socket.gethostname(),
            "created_at_utc": datetime.now(UTC).replace(tzinfo=None),
            "operation": operation,
        }


def _files(directory: Path) -> MigrationList:
    files = read_migrations(glob.escape(str(directory)))
    if not files:
        raise ConfigurationError(f"There are no migrations in {directory}.")
    return files


@contextmanager
def _transaction(url: str) -> Iterator[_OneTransaction]:
    """Hold the one transaction in which a process migrates, alone."""
    logging.getLogger("yoyo.migrations").setLevel(logging.WARNING)
    with closing(_connect(url)) as connection, _explaining(), connection:
        # Whatever the login's defaults: what another process did while we waited for the lock must be seen.
        connection.set_session(isolation_level="READ COMMITTED", readonly=False)
        connection.cursor_factory = _SilentCursor
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '{MIGRATION_LOCK_SECONDS}s'")
            # Without this a server finishes the long statement of a killed process before it notices, locks held.
            cursor.execute("SET LOCAL client_connection_check_interval = '1s'")
            try:
                # Ends with the transaction, however that ends, and passes a transaction pooler.
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
            except LockNotAvailable:
                raise ConfigurationError(
                    f"Another process has been migrating for {MIGRATION_LOCK_SECONDS} s. Try again when it is done."
                ) from None
            # Requests queue behind a migration that itself queues for a table: better give up and be run again.
            cursor.execute(f"SET LOCAL lock_timeout = '{TABLE_LOCK_SECONDS}s'")
        yield _OneTransaction(connection)


def _connect(url: str) -> PostgresConnection:
    """Connect to a URL as Neon, libpq or SQLAlchemy write it, and wait a while for a database that is about to come.

    An error never repeats a part of the URL.
    """
    ours = {"connect_timeout": math.ceil(CONNECT_SECONDS), "application_name": "task-api migrate"}
    try:
        return Connector({**ours, **read_url(url)}, CONNECT_SECONDS)()
    except NoConnection as error:
        raise ConfigurationError(
            f"The database cannot be reached ({error.reason}). Check DATABASE_URL and that the server runs."
        ) from None


def _applied(connection: PostgresConnection) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('_yoyo_migration') IS NOT NULL")
        if cursor.fetchone() == (False,):
            return set()
        cursor.execute("SELECT migration_id FROM _yoyo_migration")
        return {id_ for (id_,) in cursor}


@contextmanager
def _naming(file: MigrationFile) -> Iterator[None]:
    """Say which migration failed."""
    try:
        yield
    except psycopg2.Error as error:
        raise ConfigurationError(f"Migration {file.id} failed, nothing was changed: {_reason(error)}") from error


@contextmanager
def _explaining() -> Iterator[None]:
    try:
        yield
    except psycopg2.Error as error:
        raise ConfigurationError(f"The database refused: {_reason(error)}") from error


def _reason(error: psycopg2.Error) -> str:
    return error.diag.message_primary or str(error).partition("\n")[0]
