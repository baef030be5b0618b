"""Runs migrations/*.sql in one transaction and under a lock that ends with it: a killed run leaves nothing behind.

What is applied is recorded in the tables of yoyo, with which earlier releases migrated: they find what we leave.
"""

from __future__ import annotations

import hashlib
import math
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import psycopg2
import structlog
from psycopg2.errors import DeadlockDetected, InsufficientPrivilege, LockNotAvailable
from psycopg2.extensions import connection as PostgresConnection  # noqa: N812 - a class, whatever its name

from backend.database.connector import Connector
from backend.database.errors import DatabaseUnavailable, advice
from backend.database.url import read_url
from backend.errors import ConfigurationError

MIGRATIONS = Path(__file__).parents[3] / "migrations"
CONNECT_SECONDS = 10.0
MIGRATION_LOCK = 7_251_935_640_212_977_107  # any number that other programs on the database do not use
MIGRATION_LOCK_SECONDS = 60
TABLE_LOCK_SECONDS = 2  # requests queue behind a migration that waits for a table
PAUSE_SECONDS = 3  # for those requests, before the next attempt
MAX_ATTEMPTS = 12  # which takes about a minute

# Of a new database. The version is that of yoyo's own tables.
_TABLES = """
CREATE TABLE _yoyo_migration (
    migration_hash varchar(64) PRIMARY KEY, migration_id varchar(255), applied_at_utc timestamp
);
CREATE TABLE _yoyo_log (
    id varchar(36) PRIMARY KEY, migration_hash varchar(64), migration_id varchar(255), operation varchar(10),
    username varchar(255), hostname varchar(255), comment varchar(255), created_at_utc timestamp
);
CREATE TABLE _yoyo_version (version int PRIMARY KEY, installed_at_utc timestamp);
INSERT INTO _yoyo_version VALUES (2, now() AT TIME ZONE 'UTC');
"""
_NOTE = "INSERT INTO _yoyo_migration VALUES (%(hash)s, %(migration)s, clock_timestamp() AT TIME ZONE 'UTC')"
_FORGET = "DELETE FROM _yoyo_migration WHERE migration_hash = %(hash)s"
_LOG = """
INSERT INTO _yoyo_log (id, migration_hash, migration_id, operation, username, hostname, created_at_utc)
VALUES (
    %(log)s, %(hash)s, %(migration)s, %(operation)s, %(user)s, %(host)s, clock_timestamp() AT TIME ZONE 'UTC'
)
"""

_Result = TypeVar("_Result")
_AS_OWNER = ". Migrate as the owner of the tables: DATABASE_URL is that of another role, perhaps the service's"

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Migration:
    """A migration, and whether it is applied."""

    id: str
    applied: bool


def apply(url: str, directory: Path = MIGRATIONS) -> list[str]:
    """Apply all pending migrations or none; returns their ids in order. Waits for another process that migrates.

    Raises ConfigurationError when the database cannot be used or a migration fails.
    """
    return _patiently(url, directory, _apply)


def _apply(connection: PostgresConnection, directory: Path) -> list[str]:
    ids, applied = known(directory), _applied(connection)
    pending = [id_ for id_ in ids if id_ not in applied]
    if pending:
        _hold_changes_back(connection)
        _make_tables(connection)
    for id_ in pending:
        with _naming(id_):
            _run(connection, directory / f"{id_}.sql")
            _record(connection, id_, "apply", _NOTE)
    return pending


def rollback(url: str, directory: Path = MIGRATIONS) -> str | None:
    """Roll back the newest applied migration; returns its id, or None when none is applied.

    Raises ConfigurationError when the database cannot be used, or the migration's files are missing or fail.
    """
    return _patiently(url, directory, _rollback)


def _rollback(connection: PostgresConnection, directory: Path) -> str | None:
    applied = _applied(connection)
    if unknown := applied.difference(known(directory)):
        raise ConfigurationError(
            f"{max(unknown)} is applied, but not in {directory}: roll it back with the version that brought it."
        )
    if not applied:
        return None
    newest = max(applied)
    undoing = directory / f"{newest}.rollback.sql"
    if not undoing.exists():
        raise ConfigurationError(f"{newest} cannot be taken back: it has no .rollback.sql beside it.")
    _hold_changes_back(connection)
    with _naming(newest):
        _run(connection, undoing)
        _record(connection, newest, "rollback", _FORGET)
    return newest


def status(url: str, directory: Path = MIGRATIONS) -> list[Migration]:
    """List all migrations in order, then those that only the database knows; changes nothing.

    Raises ConfigurationError when the database cannot be used.
    """
    ids = known(directory)
    with closing(_connect(url)) as connection, _explaining():
        # Not autocommit: psycopg2 would then make the whole session read-only, also for a pooler's next client.
        connection.set_session(readonly=True)
        applied = _applied(connection)
    return [Migration(id_, id_ in applied) for id_ in [*ids, *sorted(applied - set(ids))]]


def pending(url: str, directory: Path = MIGRATIONS) -> list[str]:
    """List the ids of the migrations that the database lacks; raises like `status`."""
    return [migration.id for migration in status(url, directory) if not migration.applied]


def known(directory: Path = MIGRATIONS) -> list[str]:
    """List the ids of all migration files in order; raises ConfigurationError when there are none."""
    ids = sorted(path.stem for path in directory.glob("*.sql") if not path.stem.endswith(".rollback"))
    if not ids:
        raise ConfigurationError(f"There are no migrations in {directory}.")
    return ids


def _patiently(url: str, directory: Path, work: Callable[[PostgresConnection, Path], _Result]) -> _Result:
    """Do the work in a transaction; begin again, up to MAX_ATTEMPTS times, when another transaction is in its way."""
    attempt = 1
    while True:
        try:
            with _transaction(url) as connection:
                return work(connection, directory)
        except ConfigurationError as error:
            if not isinstance(error.__cause__, DeadlockDetected | LockNotAvailable):
                raise
            if attempt == MAX_ATTEMPTS:
                raise ConfigurationError(
                    f"{error}, in each of {attempt} attempts. Another transaction, perhaps a backup, holds a table: "
                    "try again when it has ended"
                ) from error
            logger.warning("migration_postponed", reason=str(error), attempt=attempt, pause_seconds=PAUSE_SECONDS)
        attempt += 1
        time.sleep(PAUSE_SECONDS)


def _hold_changes_back(connection: PostgresConnection) -> None:
    """Let changes wait until the transaction ends, but not reads.

    Each change locks its user's row first. So a change that has begun can end. Later changes hold no table yet that the
    migration needs.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('users') IS NOT NULL")
        if cursor.fetchone() == (True,):
            cursor.execute("LOCK TABLE users IN EXCLUSIVE MODE")


@contextmanager
def _transaction(url: str) -> Iterator[PostgresConnection]:
    """Open the one transaction in which this process migrates, under the lock."""
    with closing(_connect(url)) as connection, _explaining(), connection:
        # Override the login's defaults: we must see what another process did while we waited for the lock.
        connection.set_session(isolation_level="READ COMMITTED", readonly=False)
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '{MIGRATION_LOCK_SECONDS}s'")
            # Without this, the server runs a killed process's long statement to its end, and holds its locks.
            cursor.execute("SET LOCAL client_connection_check_interval = '1s'")
            try:
                # Released when the transaction ends, in whatever way; works through a transaction pooler.
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
            except LockNotAvailable:
                raise ConfigurationError(
                    f"Another process has been migrating for {MIGRATION_LOCK_SECONDS} s. Try again when it is done."
                ) from None
            cursor.execute(f"SET LOCAL lock_timeout = '{TABLE_LOCK_SECONDS}s'")
        yield connection


def _connect(url: str) -> PostgresConnection:
    """Connect to a URL as Neon, libpq or SQLAlchemy write it; waits a while for a database that is not up yet.

    An error never repeats a part of the URL.
    """
    ours = {"connect_timeout": math.ceil(CONNECT_SECONDS), "application_name": "task-api migrate"}
    try:
        return Connector(
            {**ours, **read_url(url)}, CONNECT_SECONDS, lambda parameters: psycopg2.connect(**parameters)
        )()
    except DatabaseUnavailable as error:
        raise ConfigurationError(f"The database cannot be reached ({error.reason}). {advice(error.reason)}") from None


def _applied(connection: PostgresConnection) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('_yoyo_migration') IS NOT NULL")
        if cursor.fetchone() == (False,):
            return set()
        cursor.execute("SELECT migration_id FROM _yoyo_migration")
        return {id_ for (id_,) in cursor}


def _make_tables(connection: PostgresConnection) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('_yoyo_migration') IS NULL")
        if cursor.fetchone() == (True,):
            cursor.execute(_TABLES)


def _run(connection: PostgresConnection, file: Path) -> None:
    with connection.cursor() as cursor:
        cursor.execute(file.read_text(encoding="utf-8"))


def _record(connection: PostgresConnection, id_: str, operation: str, change: str) -> None:
    """Note that a migration is applied, or is not any more, and who did that where."""
    values = {
        "hash": hashlib.sha256(id_.encode()).hexdigest(),
        "migration": id_,
        "operation": operation,
        "log": str(uuid.uuid4()),
        "user": connection.info.user,
        "host": socket.gethostname(),
    }
    with connection.cursor() as cursor:
        cursor.execute(f"{change}; {_LOG}", values)


@contextmanager
def _naming(id_: str) -> Iterator[None]:
    """Name the migration in its error."""
    try:
        yield
    except psycopg2.Error as error:
        raise ConfigurationError(f"Migration {id_} failed, nothing was changed: {_reason(error)}") from error


@contextmanager
def _explaining() -> Iterator[None]:
    try:
        yield
    except psycopg2.Error as error:
        hint = _AS_OWNER if isinstance(error, InsufficientPrivilege) else ""
        raise ConfigurationError(f"The database refused: {_reason(error)}{hint}") from error


def _reason(error: psycopg2.Error) -> str:
    return error.diag.message_primary or str(error).partition("\n")[0]
