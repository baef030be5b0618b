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

LOOK_SECONDS = 0.1


class Watchdog:
    """Cuts the connection of every flight that outlives its deadline, which then fails as on any lost connection.

    A thread looks ten times a second, from the first flight on until `end`.
    """

    def __init__(self) -> None:
        self._deadlines: dict[Any, float] = {}
        self._cut: set[Any] = set()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def watch(self, connection: Any, deadline: float) -> None:
        """Watch over a connection of psycopg2, until a deadline of time.monotonic()."""
        with self._lock:
            self._deadlines[connection] = deadline
            if self._thread is None:
                self._ended.clear()
                self._thread = threading.Thread(target=self._watch, name="database watchdog", daemon=True)
                self._thread.start()

    def release(self, connection: Any) -> bool:
        """Watch over it no longer; returns whether it had to be cut."""
        with self._lock:
            self._deadlines.pop(connection, None)
            was_cut = connection in self._cut
            self._cut.discard(connection)
        return was_cut

    def end(self) -> None:
        """Let the thread end."""
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
