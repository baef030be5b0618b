"""The pool of connections: SQLAlchemy's, which here never lets a request wait beside a connection that is idle."""

from __future__ import annotations

from typing import ClassVar, cast

from sqlalchemy import QueuePool
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.util.queue import Queue

from backend.database.connector import Connector


class _LiveFirst(Queue[ConnectionPoolEntry]):
    """What is idle: the newest connection is taken first, and an entry that has lost its own only when there is none.

    Such an entry needs a new connection. SQLAlchemy would put it on top, and let it hide those that are there.
    """

    def _put(self, item: ConnectionPoolEntry) -> None:
        if item.dbapi_connection is None:
            self.queue.appendleft(item)
        else:
            self.queue.append(item)

    def has_connection(self) -> bool:
        """Tell whether there is one, without taking a lock: whoever asks may hold one."""
        try:
            return self.queue[-1].dbapi_connection is not None
        except IndexError:
            return False


class ConnectionPool(QueuePool):
    """A pool whose connections are made by a connector, which hears of those that come back while somebody waits."""

    __module__ = QueuePool.__module__  # what it says is SQLAlchemy's, which is quiet about what goes well
    _queue_class: ClassVar[type[Queue[ConnectionPoolEntry]]] = _LiveFirst  # type: ignore[misc]

    def has_idle_connection(self) -> bool:
        """Tell whether somebody who asks now gets a connection without a new one, unless it turns out to be dead."""
        return cast(_LiveFirst, self._pool).has_connection()

    def recreate(self) -> ConnectionPool:
        """Make another one like this."""
        return cast(ConnectionPool, super().recreate())

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        super()._do_return_conn(record)
        connector = cast(Connector, self._creator)
        if connector.waiting and record.dbapi_connection is not None:
            connector.note_return()
