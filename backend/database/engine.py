"""The engine: keeps live connections, on which a statement is a round trip."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from selectors import EVENT_READ
from typing import Any, ClassVar, cast

import psycopg2
from psycopg2 import BINARY
from psycopg2.extensions import new_type, register_type
from psycopg2.extras import register_uuid
from sqlalchemy import QueuePool, event
from sqlalchemy.exc import DisconnectionError, InvalidRequestError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection
from sqlalchemy.util.queue import Queue

from backend.database.connector import ConnectionReturned, Connector
from backend.database.deadline import Work, current_work
from backend.database.errors import DatabaseUnavailable, Interrupted, is_about_prepared, is_lost, reason
from backend.database.giving_way import give_way
from backend.database.instrumentation import record
from backend.database.long_arrays import PIECE, with_long_arrays_written
from backend.database.prepared import DriverConnection
from backend.database.statements import Compiled, Description
from backend.database.url import parameters_for_requests
from backend.database.waiting import Silence, beside, connect, finish, new_event
from backend.utils.descriptors import Selector

CONNECT_TRIES = 3  # for when an idle connection is dead, and its replacement too
SERVER_SHARE = 0.95  # of the remaining time goes to the server, so that it reports a timeout before we give up

_OPENED = "opened"  # when the connection was opened
_LISTENING = "listening"  # the selector that shows whether it is readable

# The driver itself returns a memoryview, which never equals bytes.
_BYTES = new_type(BINARY.values, "BYTES", lambda value, cursor: None if value is None else bytes(BINARY(value, cursor)))


class Engine:
    """Runs statements on a Postgres with a URL as Neon provides it; connects when the first statement runs.

    `timeout_seconds` limits each statement of work without a deadline, and the wait for a free connection. Round trips
    longer than `slow_seconds` are logged; 0 logs none.
    """

    def __init__(self, url: str, *, pool_size: int, timeout_seconds: float, slow_seconds: float = 0) -> None:
        parameters = parameters_for_requests(url, timeout_seconds)
        self.connector = Connector(parameters, timeout_seconds, connect, new_event, beside)
        self.pool = ConnectionPool(
            self.connector,
            pool_size=pool_size,
            max_overflow=0,
            timeout=timeout_seconds,
            use_lifo=True,  # idle surplus connections stay idle
            reset_on_return=None,  # the code that begins a transaction also ends it
        )
        event.listen(self.pool, "connect", _prepare)
        event.listen(self.pool, "checkout", self._refuse_dead_connection)
        self.timeout_seconds = timeout_seconds
        self.slow_seconds = slow_seconds
        self.trusted_since = 0.0  # connections opened earlier are dropped as soon as they are free
        self.doubted_at = 0.0  # what connections prepared earlier is prepared anew

    @property
    def is_away(self) -> bool:
        """Return whether the last attempt to connect failed."""
        return self.connector.is_away

    def connect(self) -> Connection:
        """Take a live connection within the remaining time.

        Raises DatabaseUnavailable, or its subclass Interrupted when several new connections are dead as well.
        """
        work = current_work()
        if work.remaining_seconds() <= 0:
            raise DatabaseUnavailable("the time of the request is over")
        tries_left = CONNECT_TRIES
        while True:
            try:
                return Connection(self, self.pool.connect(), work)
            except ConnectionReturned:
                continue
            except PoolTimeoutError as error:
                raise DatabaseUnavailable(reason(error)) from error
            except InvalidRequestError as error:  # a connection was dead, and so was its replacement
                tries_left -= 1
                if not tries_left:
                    raise Interrupted(str(error), may_be_done=False) from error

    def dispose(self) -> None:
        """Close all connections that are not in use. The engine stays usable."""
        self.pool.dispose()
        self.pool = self.pool.recreate()

    def _refuse_dead_connection(
        self, _connection: Any, entry: ConnectionPoolEntry, _proxy: PoolProxiedConnection
    ) -> None:
        """Detect without a round trip that a connection died while idle; the pool then opens another.

        A live idle connection is never readable. If it is readable, the server has closed it or is about to.
        """
        if entry.info[_OPENED] < self.trusted_since or entry.info[_LISTENING].select(timeout=0):
            raise DisconnectionError


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection that one piece of work has taken, and its deadline; closing it returns it to the pool."""

    engine: Engine
    pooled: PoolProxiedConnection
    work: Work

    @property
    def is_valid(self) -> bool:
        """Return whether the connection is still there."""
        return self.pooled.is_valid

    @property
    def driver(self) -> DriverConnection:
        """Return the driver's own connection."""
        return cast(DriverConnection, self.pooled.dbapi_connection)

    def prepared_sql(self, statement: Compiled) -> str:
        """Return the SQL of a statement, which a direct connection prepares when it is first used."""
        prepared = self.driver.prepared
        if prepared is None or not statement.prepared:
            return statement.sql
        if prepared.began <= self.engine.doubted_at:
            prepared.is_unsure = True
        return prepared.executing(statement.prepared)

    def server_milliseconds(self) -> int:
        """Return how long the server may work on what is sent now; 0 would mean without limit."""
        return max(1, round(self._remaining_seconds() * SERVER_SHARE * 1000))

    def send(self, sql: str, values: Mapping[str, Any] | None, description: Description) -> list[Any]:
        """Send SQL as it is, in one round trip, and return the rows of its last statement.

        Raises what the driver raises. If the connection is lost, it is not valid any more.
        """
        driver, began, failure = self.driver, time.perf_counter(), None
        try:
            cursor = driver.cursor()
            cursor.execute(sql, with_long_arrays_written(values, driver))
            finish(driver, self._remaining_seconds())
            self.work.turn_began = time.perf_counter()
            return [*_fetched(cursor)] if cursor.description else []
        except BaseException as error:
            failure = error
            self._doubt_prepared(error)
            if is_lost(driver, error):
                # A timeout or a cancellation says nothing about the other connections.
                if isinstance(error, psycopg2.Error) and not isinstance(error, Silence):
                    self.engine.trusted_since = time.monotonic()
                self.pooled.invalidate(error)
            raise
        finally:
            record(self.work, description, time.perf_counter() - began, self.engine.slow_seconds, failure)

    def _doubt_prepared(self, error: BaseException) -> None:
        """Prepare anew after an error, and on all connections if the error is about what was prepared."""
        if self.driver.prepared is not None:
            self.driver.prepared.is_unsure = True
            if is_about_prepared(error):
                self.engine.doubted_at = time.monotonic()

    def close(self) -> None:
        """Return the connection."""
        self.pooled.close()

    def _remaining_seconds(self) -> float:
        return min(self.engine.timeout_seconds, self.work.remaining_seconds())


def _fetched(cursor: Any) -> Iterator[Any]:
    """Read the rows in pieces, because the driver makes Python's values of all that it is asked for at once."""
    piece = cursor.fetchmany(PIECE)
    while piece:
        yield from piece
        give_way()
        piece = cursor.fetchmany(PIECE) if len(piece) == PIECE else ()


def _prepare(connection: Any, entry: ConnectionPoolEntry) -> None:
    register_uuid(conn_or_curs=connection)
    register_type(_BYTES, connection)
    entry.info[_OPENED] = time.monotonic()
    entry.info[_LISTENING] = Selector()
    entry.info[_LISTENING].register(connection, EVENT_READ)


class _LiveFirst(Queue[ConnectionPoolEntry]):
    """The idle entries: the newest connection is taken first; entries without a connection are taken last.

    Such an entry needs a new connection. SQLAlchemy would put it on top, where it hides the live ones.
    """

    def _put(self, item: ConnectionPoolEntry) -> None:
        if item.dbapi_connection is None:
            self.queue.appendleft(item)
        else:
            self.queue.append(item)

    def has_connection(self) -> bool:
        """Return whether there is a connection, without taking a lock: the caller may hold one."""
        try:
            return self.queue[-1].dbapi_connection is not None
        except IndexError:
            return False


class ConnectionPool(QueuePool):
    """SQLAlchemy's pool, changed so that nobody waits while a connection is idle.

    It gets connections from a connector, and tells it of each return while somebody waits.
    """

    __module__ = QueuePool.__module__  # it logs as SQLAlchemy's, which is quiet when all is well
    _queue_class: ClassVar[type[Queue[ConnectionPoolEntry]]] = _LiveFirst  # type: ignore[misc]

    def __init__(self, connector: Connector, **options: Any) -> None:
        super().__init__(connector, **options)
        connector.is_one_idle = self.has_idle_connection

    def has_idle_connection(self) -> bool:
        """Return whether the next caller would get an existing connection, unless that turns out to be dead."""
        return cast(_LiveFirst, self._pool).has_connection()

    def recreate(self) -> ConnectionPool:
        """Make another pool like this."""
        return cast(ConnectionPool, super().recreate())

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        super()._do_return_conn(record)
        connector = cast(Connector, self._creator)
        if connector.waiting and record.dbapi_connection is not None:
            connector.note_return()
