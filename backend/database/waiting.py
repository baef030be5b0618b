"""Waits with a time limit, for the server or an event: on the event loop inside a request, otherwise in the thread.

The server enforces the statement timeout. If its host is frozen or the network is gone, only these limits do.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from selectors import EVENT_READ, EVENT_WRITE
from threading import TIMEOUT_MAX, Event, get_ident
from typing import Any

import psycopg2
from psycopg2.extensions import POLL_OK, POLL_WRITE
from sqlalchemy.util.concurrency import await_, in_greenlet

from backend.database.deadline import current_work
from backend.database.url import each_address
from backend.utils.descriptors import Selector

_SILENT = "the server does not answer in time"


class Silence(psycopg2.OperationalError):  # type: ignore[misc]
    """The server did not answer in time. The outcome of the work and the connection's state are unknown."""


def connect(parameters: Mapping[str, Any]) -> Any:
    """Open a connection to the first address that accepts one, waiting with `finish`.

    An address gets `connect_timeout` seconds, as in libpq. If none accepts, raises the error of the last address.
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
    """Wait until a connection has finished its work. Raises what the driver raises, and Silence after `seconds`."""
    deadline = time.monotonic() + seconds
    state = connection.poll()
    if state != POLL_OK and in_greenlet():
        watch = _Watch(connection, state, seconds)
        try:
            await_(watch.done)
        finally:
            watch.stop()
        current_work().turn_began = time.perf_counter()
        return
    while state != POLL_OK:
        left = deadline - time.monotonic()
        if left <= 0:
            raise Silence(_SILENT)
        with Selector() as selector:
            selector.register(connection, EVENT_WRITE if state == POLL_WRITE else EVENT_READ)
            selector.select(left)
        state = connection.poll()


class _Watch:
    """Polls a connection whenever it is readable or writable; wakes its waiter only once, at the end."""

    def __init__(self, connection: Any, state: int, seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._connection = connection
        self._descriptor = connection.fileno()
        self._is_on = True
        self._looks_for_room = False  # to write
        self.done: asyncio.Future[None] = self._loop.create_future()
        self._timer = self._loop.call_later(seconds, self._end, Silence(_SILENT))
        self._look_for(state)

    def stop(self) -> None:
        """Stop watching."""
        if self._is_on:
            self._is_on = False
            self._timer.cancel()
            self._look_no_more()

    def _look(self) -> None:
        try:
            state = self._connection.poll()
        except Exception as error:  # noqa: BLE001 - it is raised where it is waited for
            self._end(error)
            return
        if state == POLL_OK:
            self._end()
            return
        # Register both again: if the server's last message came together with a reset, libuv has stopped watching
        # the descriptor, and uvloop does not restart while it believes that the descriptor is watched.
        self._look_no_more()
        self._look_for(state)

    def _look_for(self, state: int) -> None:
        self._loop.add_reader(self._descriptor, self._look)
        self._looks_for_room = state == POLL_WRITE
        if self._looks_for_room:
            self._loop.add_writer(self._descriptor, self._look)

    def _look_no_more(self) -> None:
        self._loop.remove_reader(self._descriptor)
        if self._looks_for_room:
            self._loop.remove_writer(self._descriptor)

    def _end(self, error: Exception | None = None) -> None:
        # Stop at once: the driver may have closed the descriptor, and the next accepted connection gets its number.
        self.stop()
        if self.done.done():  # the waiter was cancelled, but has not run since
            return
        if error is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(error)


def new_event() -> Event:
    """Return an event to wait for here: on the event loop inside a request, otherwise in the thread."""
    return _EventOnLoop() if in_greenlet() else Event()


class _EventOnLoop(Event):
    """Wakes a request. When another request of its loop sets the event, no later request continues before it."""

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._thread = get_ident()
        self._woken: asyncio.Future[bool] = self._loop.create_future()

    def wait(self, timeout: float | None = None) -> bool:
        """Return whether it was set in this time."""
        seconds = TIMEOUT_MAX if timeout is None else max(0.0, timeout)
        timer = self._loop.call_later(seconds, self._end, False)
        try:
            return await_(self._woken)
        finally:
            timer.cancel()

    def set(self) -> None:
        """Wake the waiter, from any thread."""
        if get_ident() == self._thread:
            self._end(True)
        else:
            with suppress(RuntimeError):  # the loop has ended, and the request with it
                self._loop.call_soon_threadsafe(self._end, True)

    def _end(self, result: bool) -> None:  # noqa: FBT001
        if not self._woken.done():
            self._woken.set_result(result)
