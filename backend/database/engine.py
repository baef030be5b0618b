"""The engine: keeps live connections and runs statements on them, one round trip each."""

from __future__ import annotations

import time
from collections.abc import Mapping
from selectors import EVENT_READ
from typing import Any

import psycopg2
from psycopg2 import BINARY
from psycopg2.extensions import new_type, register_type
from psycopg2.extras import register_uuid
from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError, InvalidRequestError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from backend.database.connector import ConnectionReturned, Connector
from backend.database.deadline import current_work
from backend.database.instrumentation import Description, RoundTrips
from backend.database.pool import ConnectionPool
from backend.database.statements import Compiled
from backend.database.url import read_url
from backend.database.waiting import Silence, connect, finish
from backend.utils.descriptors import Selector

CONNECT_TIMEOUT_SECONDS = 10  # a suspended Neon compute needs a while to wake
CONNECT_TRIES = 3  # for when an idle connection is dead, and its replacement too
SERVER_SHARE = 0.95  # of the remaining time goes to the server, so that it reports a timeout before we give up

# Detect a connection that the network has dropped: while it is idle, and in time to open another.
_KEEP_ALIVE = {"keepalives": 1, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
_MAX_UNACKNOWLEDGED_SECONDS = 5.0
_CONNECTION_EXCEPTION = "08"  # the class of SQLSTATEs
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
        self.connector = Connector(
            _parameters(url, timeout_seconds),
            timeout_seconds,
            connect,
            is_one_idle=self._has_idle_connection,
        )
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
        self._timeout_seconds = timeout_seconds
        self._round_trips = RoundTrips(slow_seconds)
        self._trusted_since = 0.0

    @property
    def is_away(self) -> bool:
        """Return whether the last attempt to connect failed."""
        return self.connector.is_away

    def connect(self) -> PoolProxiedConnection:
        """Take a live connection; closing it returns it to the pool.

        Raises what the pool and the connector raise: InvalidRequestError when several new ones are dead too.
        """
        tries_left = CONNECT_TRIES
        while True:
            try:
                return self.pool.connect()
            except ConnectionReturned:
                continue
            except InvalidRequestError:
                tries_left -= 1
                if not tries_left:
                    raise

    def dispose(self) -> None:
        """Close all connections that are not in use. The engine stays usable."""
        self.pool.dispose()
        self.pool = self.pool.recreate()

    def run(
        self, connection: PoolProxiedConnection, statement: Compiled, params: Mapping[str, Any], user_id: str
    ) -> list[Any]:
        """Run a statement for a user in one round trip, and return its rows. Raises what the driver raises."""
        milliseconds = round(self._remaining_seconds() * SERVER_SHARE * 1000)
        values = statement.values(params, user_id, max(1, milliseconds))  # 0 would mean no timeout
        return self.send(connection, statement.sql, values, statement.description)

    def send(
        self, connection: PoolProxiedConnection, sql: str, values: Mapping[str, Any] | None, description: Description
    ) -> list[Any]:
        """Send SQL without adding row-level security, and return its rows. Raises what the driver raises."""
        driver: Any = connection.dbapi_connection
        round_trip = self._round_trips.begin(description)
        try:
            cursor = driver.cursor()
            cursor.execute(sql, values)
            finish(driver, self._remaining_seconds())
            rows: list[Any] = cursor.fetchall() if cursor.description else []
        except BaseException as error:
            self._round_trips.end(round_trip, error)
            self._give_up(connection, error)
            raise
        self._round_trips.end(round_trip)
        return rows

    def _give_up(self, connection: PoolProxiedConnection, error: BaseException) -> None:
        """Drop a connection that an error left with work in progress; others too, if they may be affected."""
        is_of_driver = isinstance(error, psycopg2.Error)
        if is_of_driver and not is_lost(error, connection.dbapi_connection):
            return
        # A timeout or a cancellation says nothing about the other connections.
        if is_of_driver and not isinstance(error, Silence):
            self.distrust()
        connection.invalidate(error)

    def _has_idle_connection(self) -> bool:
        return self.pool.has_idle_connection()

    def distrust(self) -> None:
        """Drop every connection opened before now, as soon as it is free."""
        self._trusted_since = time.monotonic()

    def _remaining_seconds(self) -> float:
        return min(self._timeout_seconds, current_work().remaining_seconds())

    def _refuse_dead_connection(
        self, _connection: Any, entry: ConnectionPoolEntry, _proxy: PoolProxiedConnection
    ) -> None:
        """Detect without a round trip that a connection died while idle; the pool then opens another.

        A live idle connection is never readable. If it is readable, the server has closed it or is about to.
        """
        if entry.info[_OPENED] < self._trusted_since or entry.info[_LISTENING].select(timeout=0):
            raise DisconnectionError


def is_lost(error: psycopg2.Error, connection: Any) -> bool:
    """Return whether the connection failed, rather than the statement.

    The driver does not close every lost connection. A refusal by Postgres has an SQLSTATE; with those of one class, a
    pooler reports that its own connection was lost.
    """
    if error.pgcode is None:
        return bool(connection.closed) or not isinstance(error, psycopg2.ProgrammingError | psycopg2.DataError)
    return bool(connection.closed) or error.pgcode.startswith(_CONNECTION_EXCEPTION)


def _parameters(url: str, timeout_seconds: float) -> dict[str, Any]:
    """Return the parameters of psycopg2.connect; libpq parses the URL better than others."""
    parameters = {
        "connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "application_name": "task-api",
        "tcp_user_timeout": round(min(_MAX_UNACKNOWLEDGED_SECONDS, timeout_seconds / 2) * 1000),
        **_KEEP_ALIVE,
        **read_url(url),
    }
    return {**parameters, "connect_timeout": _seconds(parameters["connect_timeout"])}


def _seconds(value: object) -> int:
    """Read `connect_timeout`; a value that means no limit is replaced by ours."""
    seconds = int(str(value) or 0)  # empty means not set
    return seconds if seconds > 0 else CONNECT_TIMEOUT_SECONDS


def _prepare(connection: Any, entry: ConnectionPoolEntry) -> None:
    register_uuid(conn_or_curs=connection)
    register_type(_BYTES, connection)
    entry.info[_OPENED] = time.monotonic()
    entry.info[_LISTENING] = Selector()
    entry.info[_LISTENING].register(connection, EVENT_READ)
