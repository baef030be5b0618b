"""The engine: one flight for each statement, on a live connection, with the second wall in front of it.

Every statement that this engine runs is preceded, in the same flight, by settings that are local to it: the role that
row-level security binds, the user whose rows are visible, the time that is left for it (and for which a transaction may
rest after it: a worker that is cut off must not keep a user's row locked), and UTC. Nothing outlives the statement, or
the transaction that it is part of, so it works the same through a transaction pooler.
"""

from __future__ import annotations

import selectors
from typing import Any

from psycopg2.errorcodes import READ_ONLY_SQL_TRANSACTION
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection, PoolResetState

from backend.database.connector import Connector
from backend.database.dialect import URL
from backend.database.url import read_url
from backend.database.watchdog import Watchdog
from backend.utils.budget import current_budget

ROLE = "task_api"  # the migrations make it
CONNECT_TIMEOUT_SECONDS = 10  # a suspended Neon compute needs a while to wake
SERVER_SHARE = 0.95  # of the time that is left is the server's; then it says so itself, before the watchdog does

# A network that forgot a connection must be found out: while it is idle, and in time for another connection.
_KEEP_ALIVE = {"keepalives": 1, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
_MOST_UNACKNOWLEDGED_SECONDS = 5.0

_GUARD = (
    f"SELECT set_config('role', '{ROLE}', true), set_config('app.user_id', %(guard_user_id)s, true), "
    "set_config('statement_timeout', %(guard_milliseconds)s, true), "
    "set_config('idle_in_transaction_session_timeout', %(guard_milliseconds)s, true), "
    "set_config('TimeZone', 'UTC', true); "
)


def build_engine(url: str, *, pool_size: int, timeout_seconds: float) -> Engine:
    """Build the engine for a Postgres URL as Neon hands it out; connects to nothing yet.

    `timeout_seconds` bounds each statement of work without a deadline, and the wait for a free connection.
    """
    unacknowledged_seconds = min(_MOST_UNACKNOWLEDGED_SECONDS, timeout_seconds / 2)
    parameters = {
        "connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "application_name": "task-api",
        "tcp_user_timeout": round(unacknowledged_seconds * 1000),
        **_KEEP_ALIVE,
        **read_url(url),
    }
    connector = Connector(parameters, timeout_seconds)
    engine = create_engine(
        URL,  # libpq reads the rest of the URL better
        creator=connector,
        execution_options={"connector": connector},
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
    event.listen(engine, "handle_error", _leave_former_primary)
    Watchdog(engine, timeout_seconds)

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
        seconds = min(timeout_seconds, current_budget().remaining_seconds()) * SERVER_SHARE
        milliseconds = max(1, round(seconds * 1000))  # 0 would be for ever
        return _GUARD + statement, {**parameters, "guard_user_id": user_id, "guard_milliseconds": str(milliseconds)}

    return engine


def _refuse_dead_connection(connection: Any, _entry: ConnectionPoolEntry, _proxy: PoolProxiedConnection) -> None:
    """Notice without a flight that a connection died while idle; the pool then opens another.

    A live idle connection has nothing to say. If it can be read, the server has closed it or is about to.
    """
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ)
        if selector.select(timeout=0):
            raise DisconnectionError


def _leave_former_primary(context: ExceptionContext) -> None:
    """Give up all connections when one leads to a server that takes no writes any more: there is another one now."""
    if getattr(context.original_exception, "pgcode", None) == READ_ONLY_SQL_TRANSACTION:
        context.is_disconnect = True


def is_away(engine: Engine) -> bool:
    """Tell whether the last attempt to connect has failed."""
    connector: Connector = engine.get_execution_options()["connector"]
    return connector.is_away


def _forget_isolation_level(connection: Any, _entry: ConnectionPoolEntry, _state: PoolResetState) -> None:
    """Forget that of a transaction which is over: psycopg2 would do so when the next one begins, with a flight."""
    if not connection.autocommit:
        connection.isolation_level = None
