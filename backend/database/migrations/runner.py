"""Runs migrations/*.sql with yoyo, in one transaction and under a lock that ends with it.

Alone, yoyo takes a lock row that survives a kill, and runs a migration on one connection but records it on another.
Here one transaction contains everything, including yoyo's own tables: a killed run leaves nothing behind.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import psycopg2
import structlog
from psycopg2.errors import DeadlockDetected, InsufficientPrivilege, LockNotAvailable
from psycopg2.extensions import connection as PostgresConnection  # noqa: N812 - a class, whatever its name
from psycopg2.extensions import cursor as PostgresCursor  # noqa: N812

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


def _apply(backend: Any, directory: Path) -> list[str]:
    pending = list(backend.to_apply(backend.files(directory)))
    if pending:
        _hold_changes_back(backend.connection)
    for file in pending:
        with _naming(file.id):
            backend.apply_one(file)
    return [file.id for file in pending]


def rollback(url: str, directory: Path = MIGRATIONS) -> str | None:
    """Roll back the newest applied migration; returns its id, or None when none is applied.

    Raises ConfigurationError when the database cannot be used, or the migration's files are missing or fail.
    """
    return _patiently(url, directory, _rollback)


def _rollback(backend: Any, directory: Path) -> str | None:
    applied = list(backend.to_rollback(backend.files(directory)))
    unknown = _applied(backend.connection) - set(known(directory))
    if unknown:
        raise ConfigurationError(
            f"{max(unknown)} is applied, but not in {directory}: roll it back with the version that brought it."
        )
    if not applied:
        return None
    newest = applied[0]
    if not Path(newest.path).with_suffix(".rollback.sql").exists():
        raise ConfigurationError(f"{newest.id} cannot be taken back: it has no .rollback.sql beside it.")
    _hold_changes_back(backend.connection)
    with _naming(newest.id):
        backend.rollback_one(newest)
    return str(newest.id)


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


class _SilentCursor(PostgresCursor):  # type: ignore[misc]  # psycopg2 has no types
    """Keeps yoyo from printing what a migration's statements return."""

    description = None


def _patiently(url: str, directory: Path, work: Callable[[Any, Path], _Result]) -> _Result:
    """Do the work in a transaction; begin again, up to MAX_ATTEMPTS times, when another transaction is in its way."""
    attempt = 1
    while True:
        try:
            with _transaction(url, directory) as backend:
                return work(backend, directory)
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

    Each change locks its user's row first. So those that have begun can end, and none can hold a table that the
    migration needs while it waits for one that the migration holds.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('users') IS NOT NULL")
        if cursor.fetchone() == (True,):
            cursor.execute("LOCK TABLE users IN EXCLUSIVE MODE")


@contextmanager
def _transaction(url: str, directory: Path) -> Iterator[Any]:
    """Open the one transaction in which this process migrates, under the lock; gives yoyo on its connection."""
    # Imported late: only schema changes need it, and a usual start makes none.
    from backend.database.migrations.yoyo_backend import OneTransaction  # noqa: PLC0415

    known(directory)  # raises if there are none
    with closing(_connect(url)) as connection, _explaining(), connection:
        # Override the login's defaults: we must see what another process did while we waited for the lock.
        connection.set_session(isolation_level="READ COMMITTED", readonly=False)
        connection.cursor_factory = _SilentCursor
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
        yield OneTransaction(connection)


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
