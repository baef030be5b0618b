"""Ends statements whose server has gone silent.

The statement timeout is kept by the server, and libpq waits for the server for ever: behind a frozen host or a
forgotten network connection, neither would end a request.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import suppress
from typing import Any

import psycopg2
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import ExceptionContext

from backend.utils.budget import current_budget

LOOK_SECONDS = 0.1


class Watchdog:
    """Cuts the connection of every statement of an engine that outlives its budget, or takes longer than `seconds`.

    The statement then fails as on any lost connection. A thread looks ten times a second, and ends with the engine.
    """

    def __init__(self, engine: Engine, seconds: float) -> None:
        self._seconds = seconds
        self._deadlines: dict[Any, float] = {}
        self._cut: set[Any] = set()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        event.listen(engine, "before_cursor_execute", self._started)
        event.listen(engine, "after_cursor_execute", self._finished)
        event.listen(engine, "handle_error", self._failed)
        # The end of a transaction is a flight, too. It is over when the connection is back in its place.
        event.listen(engine, "commit", self._ending)
        event.listen(engine, "rollback", self._ending)
        event.listen(engine, "checkin", self._returned)
        event.listen(engine, "engine_disposed", self._dismissed)

    def _started(self, _connection: object, cursor: Any, *_statement: object) -> None:
        self._watch_over(cursor.connection)

    def _ending(self, connection: Connection) -> None:
        if not connection.invalidated:  # else there is nothing left to end
            self._watch_over(connection.connection.driver_connection)

    def _watch_over(self, connection: Any) -> None:
        deadline = min(current_budget().deadline, time.monotonic() + self._seconds)
        with self._lock:
            self._deadlines[connection] = deadline
            if self._thread is None:
                self._ended.clear()
                self._thread = threading.Thread(target=self._watch, name="database watchdog", daemon=True)
                self._thread.start()

    def _finished(self, _connection: object, cursor: Any, *_statement: object) -> None:
        with self._lock:
            self._deadlines.pop(cursor.connection, None)

    def _returned(self, connection: Any, _entry: object) -> None:
        with self._lock:
            self._deadlines.pop(connection, None)
            self._cut.discard(connection)

    def _failed(self, context: ExceptionContext) -> None:
        if context.execution_context is None:
            return
        cursor = context.execution_context.cursor
        self._finished(None, cursor)
        if cursor.connection in self._cut:
            # It was our doing, and says nothing of the other connections.
            self._cut.discard(cursor.connection)
            context.invalidate_pool_on_disconnect = False

    def _dismissed(self, _engine: object) -> None:
        self._ended.set()
        self._thread = None

    def _watch(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            now = time.monotonic()
            with self._lock:
                late = [connection for connection, deadline in self._deadlines.items() if deadline < now]
                for connection in late:
                    del self._deadlines[connection]
                    self._cut.add(connection)
                    _cut(connection)


def _cut(connection: Any) -> None:
    """Shut the socket down under libpq, which wakes at once; closing the connection itself would have to wait."""
    # It may be gone already.
    with suppress(OSError, psycopg2.Error), socket.socket(fileno=os.dup(connection.fileno())) as duplicate:
        duplicate.shutdown(socket.SHUT_RDWR)
