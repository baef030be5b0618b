"""The connection pool: SQLAlchemy's, changed so that no request waits while a connection is idle."""

from __future__ import annotations

from typing import ClassVar, cast

from sqlalchemy import QueuePool
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.util.queue import Queue

from backend.database.connector import Connector


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
    """A pool that gets connections from a connector, and tells it of each return while somebody waits."""

    __module__ = QueuePool.__module__  # it logs as SQLAlchemy's, which is quiet when all is well
    _queue_class: ClassVar[type[Queue[ConnectionPoolEntry]]] = _LiveFirst  # type: ignore[misc]

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
