"""The engine: keeps live connections, and runs statements on them, each of them one round trip."""

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
from backend.database.deadline import current_budget
from backend.database.instrumentation import Description, RoundTrips
from backend.database.pool import ConnectionPool
from backend.database.statements import Compiled
from backend.database.url import read_url
from backend.database.waiting import Silence, connect, finish
from backend.utils.descriptors import Selector

CONNECT_TIMEOUT_SECONDS = 10  # a suspended Neon compute needs a while to wake
CONNECT_TRIES = 3  # where one that was idle is dead, and so is the one that was opened instead
SERVER_SHARE = 0.95  # of the time that is left is the server's; then it says so itself, before it is given up

# A network that forgot a connection must be found out: while it is idle, and in time for another connection.
_KEEP_ALIVE = {"keepalives": 1, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
_MAX_UNACKNOWLEDGED_SECONDS = 5.0
_CONNECTION_EXCEPTION = "08"  # the class of SQLSTATEs
_OPENED = "opened"  # when a connection was
_LISTENING = "listening"  # what tells whether it has something to say

# The driver's own are a memoryview, which equals no bytes.
_BYTES = new_type(BINARY.values, "BYTES", lambda value, cursor: None if value is None else bytes(BINARY(value, cursor)))


class Engine:
    """Runs statements on a Postgres whose URL is as Neon hands it out; connects to nothing before the first one.

    `timeout_seconds` bounds each statement of work without a deadline, and the wait for a free connection. A round trip
    that takes longer than `slow_seconds` is logged; with 0, none is.
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
            reset_on_return=None,  # a transaction is ended where it was begun
        )
        event.listen(self.pool, "connect", _prepare)
        event.listen(self.pool, "checkout", self._refuse_dead_connection)
        self._timeout_seconds = timeout_seconds
        self._round_trips = RoundTrips(slow_seconds)
        self._trusted_since = 0.0

    @property
    def is_away(self) -> bool:
        """Tell whether the last attempt to connect has failed."""
        return self.connector.is_away

    def connect(self) -> PoolProxiedConnection:
        """Take a live connection, which is to be closed: then it goes back to the pool.

        Raises what the pool and the connector do: InvalidRequestError when several new ones are dead, too.
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
        """Close all connections that are not in use. The engine can be used again."""
        self.pool.dispose()
        self.pool = self.pool.recreate()

    def run(
        self, connection: PoolProxiedConnection, statement: Compiled, params: Mapping[str, Any], user_id: str
    ) -> list[Any]:
        """Run a statement for a user in one round trip, and return its rows. Raises what the driver raises."""
        milliseconds = round(self._remaining_seconds() * SERVER_SHARE * 1000)
        values = statement.values(params, user_id, max(1, milliseconds))  # 0 would be for ever
        return self.send(connection, statement.sql, values, statement.description)

    def send(
        self, connection: PoolProxiedConnection, sql: str, values: Mapping[str, Any] | None, description: Description
    ) -> list[Any]:
        """Send SQL as it is, without row-level security, and return its rows. Raises what the driver raises."""
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
        """Give up a connection on which an error has left something under way; others too, if it may concern them."""
        is_of_driver = isinstance(error, psycopg2.Error)
        if is_of_driver and not is_lost(error, connection.dbapi_connection):
            return
        # Who runs out of time, or is cancelled, knows nothing of the other connections.
        if is_of_driver and not isinstance(error, Silence):
            self.distrust()
        connection.invalidate(error)

    def _has_idle_connection(self) -> bool:
        return self.pool.has_idle_connection()

    def distrust(self) -> None:
        """Give up all connections that are open by now, as soon as each is free."""
        self._trusted_since = time.monotonic()

    def _remaining_seconds(self) -> float:
        return min(self._timeout_seconds, current_budget().remaining_seconds())

    def _refuse_dead_connection(
        self, _connection: Any, entry: ConnectionPoolEntry, _proxy: PoolProxiedConnection
    ) -> None:
        """Notice without a round trip that a connection died while idle; the pool then opens another.

        A live idle connection has nothing to say. If it can be read, the server has closed it or is about to.
        """
        if entry.info[_OPENED] < self._trusted_since or entry.info[_LISTENING].select(timeout=0):
            raise DisconnectionError


def is_lost(error: psycopg2.Error, connection: Any) -> bool:
    """Tell whether the connection failed, rather than the statement.

    The driver leaves some open that are lost. What Postgres has refused has an SQLSTATE; with those of one class, a
    pooler says that its own connection was lost.
    """
    if error.pgcode is None:
        return bool(connection.closed) or not isinstance(error, psycopg2.ProgrammingError | psycopg2.DataError)
    return bool(connection.closed) or error.pgcode.startswith(_CONNECTION_EXCEPTION)


def _parameters(url: str, timeout_seconds: float) -> dict[str, Any]:
    """Return the parameters of psycopg2.connect; libpq reads the URL better than others."""
    parameters = {
        "connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "application_name": "task-api",
        "tcp_user_timeout": round(min(_MAX_UNACKNOWLEDGED_SECONDS, timeout_seconds / 2) * 1000),
        **_KEEP_ALIVE,
        **read_url(url),
    }
    return {**parameters, "connect_timeout": _seconds(parameters["connect_timeout"])}


def _seconds(value: object) -> int:
    """Read `connect_timeout`; where it is to be without a bound, it has ours."""
    seconds = int(str(value) or 0)  # an empty one is none
    return seconds if seconds > 0 else CONNECT_TIMEOUT_SECONDS


def _prepare(connection: Any, entry: ConnectionPoolEntry) -> None:
    register_uuid(conn_or_curs=connection)
    register_type(_BYTES, connection)
    entry.info[_OPENED] = time.monotonic()
    entry.info[_LISTENING] = Selector()
    entry.info[_LISTENING].register(connection, EVENT_READ)
