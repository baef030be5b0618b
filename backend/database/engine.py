"""The engine: one flight for each statement, on a live connection, with the second wall in front of it.

Every statement that this engine runs is preceded, in the same flight, by settings that are local to it: the role that
row-level security binds, the user whose rows are visible, the longest time it may take (or a transaction may rest after
it: a worker that is cut off must not keep a user's row locked), and UTC. Nothing outlives the statement, or the
transaction that it is part of, so it works the same through a transaction pooler.
"""

from __future__ import annotations

import math
import selectors
from typing import Any

import psycopg2
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection, PoolResetState

from backend.database.url import read_url
from backend.database.watchdog import Watchdog

ROLE = "task_api"  # the migrations make it
CONNECT_TIMEOUT_SECONDS = 10  # a suspended Neon compute needs a while to wake
WATCHDOG_GRACE_SECONDS = 1  # how much longer than the server's own timeout to wait for its word

_GUARD = (
    f"SELECT set_config('role', '{ROLE}', true), set_config('app.user_id', %(guard_user_id)s, true), "
    "set_config('statement_timeout', '{milliseconds}', true), "
    "set_config('idle_in_transaction_session_timeout', '{milliseconds}', true), set_config('TimeZone', 'UTC', true); "
)


def build_engine(url: str, *, pool_size: int, timeout_seconds: float) -> Engine:
    """Build the engine for a Postgres URL as Neon hands it out; connects to nothing yet.

    `timeout_seconds` bounds each statement, and the wait for a free connection.
    """
    parameters = {
        "connect_timeout": min(CONNECT_TIMEOUT_SECONDS, math.ceil(timeout_seconds)),
        "application_name": "task-api",
        **read_url(url),
    }
    engine = create_engine(
        # Since SQLAlchemy 2.1 plain `postgresql://` means another driver. libpq reads the rest of the URL better.
        "postgresql+psycopg2://",
        creator=lambda: psycopg2.connect(**parameters),
        # A statement is a transaction of its own, without BEGIN and ROLLBACK flights round it.
        isolation_level="AUTOCOMMIT",
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=timeout_seconds,
        pool_use_lifo=True,  # idle surplus connections stay idle
        use_native_hstore=False,  # saves flights on the first connection
        hide_parameters=True,  # logged errors must not show what users wrote
    )
    event.listen(engine, "checkout", _refuse_dead_connection)
    event.listen(engine, "reset", _forget_isolation_level)
    Watchdog(engine, timeout_seconds + WATCHDOG_GRACE_SECONDS)
    guard = _GUARD.format(milliseconds=max(1, round(timeout_seconds * 1000)))

    @event.listens_for(engine, "before_cursor_execute", retval=True)
    def _put_guard_in_front(
        connection: Connection,
        _cursor: object,
        statement: str,
        parameters: dict[str, Any],
        _context: object,
        _executemany: bool,  # noqa: FBT001 - SQLAlchemy's signature
    ) -> tuple[str, dict[str, Any]]:
        # Without a user the id is '', which the policies take for nobody.
        user_id = connection.get_execution_options().get("user_id", "")
        return guard + statement, {**parameters, "guard_user_id": user_id}

    return engine


def _refuse_dead_connection(connection: Any, _entry: ConnectionPoolEntry, _proxy: PoolProxiedConnection) -> None:
    """Notice without a flight that a connection died while idle; the pool then opens another.

    A live idle connection has nothing to say. If it can be read, the server has closed it or is about to.
    """
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ)
        if selector.select(timeout=0):
            raise DisconnectionError


def _forget_isolation_level(connection: Any, _entry: ConnectionPoolEntry, _state: PoolResetState) -> None:
    """Forget that of a transaction which is over: psycopg2 would do so when the next one begins, with a flight."""
    if not connection.autocommit:
        connection.isolation_level = None
