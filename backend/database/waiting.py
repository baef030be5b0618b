"""Waits for what a server says: on the event loop, where a request runs, or else in the thread; never too long.

The statement timeout is kept by the server. Behind a frozen host or a forgotten network connection, nobody keeps it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from selectors import EVENT_READ, EVENT_WRITE
from typing import Any

import psycopg2
from psycopg2.extensions import POLL_OK, POLL_WRITE

from backend.database.hosts import each_address
from backend.utils.descriptors import Selector
from backend.utils.greenlets import is_in_greenlet, wait_for

_SILENT = "the server does not answer in time"


class Silence(psycopg2.OperationalError):  # type: ignore[misc]
    """The server has not answered in time. What becomes of the work is not known, nor is the connection's state."""


def connect(parameters: Mapping[str, Any]) -> Any:
    """Open a connection that is waited for by `finish`: to the first address that takes one.

    Each has `connect_timeout` seconds, as libpq would give it. Raises what the last one has met.
    """
    failure: psycopg2.Error | None = None
    for address in each_address(parameters):
        try:
            connection = psycopg2.connect(**address, async_=True)
            finish(connection, float(parameters["connect_timeout"]))
        except psycopg2.Error as error:
            failure = error
        else:
            return connection
    assert failure is not None  # noqa: S101 - there is at least one
    raise failure


def finish(connection: Any, seconds: float) -> None:
    """Wait until what a connection does is done. Raises what the driver raises, and Silence when it takes longer."""
    deadline = time.monotonic() + seconds
    state = connection.poll()
    if state != POLL_OK and is_in_greenlet():
        wait_for(_finish_on_loop(connection, state, seconds))
        return
    while state != POLL_OK:
        left = deadline - time.monotonic()
        if left <= 0:
            raise Silence(_SILENT)
        with Selector() as selector:
            selector.register(connection, EVENT_WRITE if state == POLL_WRITE else EVENT_READ)
            selector.select(left)
        state = connection.poll()


async def _finish_on_loop(connection: Any, state: int, seconds: float) -> None:
    watch = _Watch(connection, state, seconds)
    try:
        await watch.done
    finally:
        watch.end()


class _Watch:
    """Looks at a connection whenever there is something to read, or room to write; whoever waits for it wakes once."""

    def __init__(self, connection: Any, state: int, seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._connection = connection
        self._descriptor = connection.fileno()
        self._is_on = True
        self.done: asyncio.Future[None] = self._loop.create_future()
        self._timer = self._loop.call_later(seconds, self._fail, Silence(_SILENT))
        self._look_for(state)

    def end(self) -> None:
        """Look no more."""
        if self._is_on:
            self._is_on = False
            self._timer.cancel()
            self._look_no_more()

    def _look(self) -> None:
        try:
            state = self._connection.poll()
        except Exception as error:  # noqa: BLE001 - it is raised where it is waited for
            self._fail(error)
            return
        if state != POLL_OK:
            # Both are registered again: where the server's last message came together with a reset, libuv has stopped
            # watching the descriptor, and uvloop does not start again while it believes that somebody is watching.
            self._look_no_more()
            self._look_for(state)
            return
        self.end()
        self.done.set_result(None)

    def _look_for(self, state: int) -> None:
        self._loop.add_reader(self._descriptor, self._look)
        if state == POLL_WRITE:
            self._loop.add_writer(self._descriptor, self._look)

    def _look_no_more(self) -> None:
        self._loop.remove_reader(self._descriptor)
        self._loop.remove_writer(self._descriptor)

    def _fail(self, error: Exception) -> None:
        # At once: the driver may have closed the descriptor, and its number is that of whoever is accepted next.
        self.end()
        self.done.set_exception(error)
