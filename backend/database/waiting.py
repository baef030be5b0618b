"""Waits with a time limit, for the server or an event: on the event loop inside a request, otherwise in the thread.

The server enforces the statement timeout. If its host is frozen or the network is gone, only these limits do.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from contextvars import Context
from selectors import EVENT_READ, EVENT_WRITE
from socket import SOCK_STREAM, getaddrinfo
from threading import TIMEOUT_MAX, Event, get_ident
from typing import Any

import psycopg2
from psycopg2.extensions import POLL_OK, POLL_WRITE
from sqlalchemy.util.concurrency import await_, greenlet_spawn, in_greenlet

from backend.database.connector import in_thread
from backend.database.prepared import DriverConnection, PreparedStatements
from backend.database.url import each_host, is_direct_by_name
from backend.utils.descriptors import Selector

_SILENT = "the server does not answer in time"
_BESIDE = set[asyncio.Task[None]]()  # or nothing would keep them


class Silence(psycopg2.OperationalError):  # type: ignore[misc]
    """The server did not answer in time. The outcome of the work and the connection's state are unknown."""


def connect(parameters: Mapping[str, Any]) -> Any:
    """Open a connection to the first address that accepts one.

    An address gets `connect_timeout` seconds, as in libpq. If none accepts, raises the error of the last address.
    """
    failure: psycopg2.Error | None = None
    for host in each_host(parameters):
        try:
            for address in _addresses_of(host):
                try:
                    return _opened({**host, **address})
                except psycopg2.Error as error:
                    failure = error
        except OSError as error:  # libpq would say it so, but its own look-up would block
            failure = psycopg2.OperationalError(f'could not translate host name "{host["host"]}" to address: {error}')
    assert failure is not None  # noqa: S101 - there is at least one
    raise failure


def _addresses_of(host: Mapping[str, Any]) -> list[dict[str, str]]:
    """Look the name of a host up, and return what libpq needs to connect to each of its addresses.

    The event loop looks it up inside a request. Raises OSError.
    """
    name = host.get("host", "")
    if not name or name.startswith(("/", "@")) or "hostaddr" in host:  # a socket's folder, for instance
        return [{}]
    if in_greenlet():
        found = await_(asyncio.get_running_loop().getaddrinfo(name, None, type=SOCK_STREAM))
    else:
        found = getaddrinfo(name, None, type=SOCK_STREAM)
    return [{"hostaddr": address} for address in dict.fromkeys(str(place[0]) for *_, place in found)]


def _opened(address: Mapping[str, Any]) -> Any:
    """Open a connection. While it opens, libpq may change its socket: so each step watches it anew."""
    deadline = time.monotonic() + float(address["connect_timeout"])
    connection: Any = psycopg2.connect(**address, async_=True, connection_factory=DriverConnection)
    while (state := connection.poll()) != POLL_OK:
        left = deadline - time.monotonic()
        if left <= 0:
            raise Silence(_SILENT)
        (_look_on_loop if in_greenlet() else _look)(connection, state, left)
    if _is_direct(connection, address.get("host", ""), deadline - time.monotonic()):
        connection.prepared = PreparedStatements()
    return connection


def _is_direct(connection: Any, host: str, seconds: float) -> bool:
    """Return whether no pooler is between: that would give a number of its own, not that of the server's process.

    Neon's proxy gives each connection a session of its own, but also makes up its number: there, only the name tells.
    """
    is_direct = is_direct_by_name(host)
    if is_direct is not None:
        return is_direct
    cursor = connection.cursor()
    cursor.execute("SELECT pg_backend_pid()")
    finish(connection, seconds)
    return bool(cursor.fetchone() == (connection.get_backend_pid(),))


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
        return
    while state != POLL_OK:
        left = deadline - time.monotonic()
        if left <= 0:
            raise Silence(_SILENT)
        _look(connection, state, left)
        state = connection.poll()


def _look(connection: Any, state: int, seconds: float) -> None:
    """Wait in this thread until a connection is ready to be polled, or the time is over."""
    with Selector() as selector:
        selector.register(connection, EVENT_WRITE if state == POLL_WRITE else EVENT_READ)
        selector.select(seconds)


def _look_on_loop(connection: Any, state: int, seconds: float) -> None:
    """Do the same on the event loop."""
    loop, descriptor, ready = asyncio.get_running_loop(), connection.fileno(), asyncio.Event()
    timer = loop.call_later(seconds, ready.set)
    (loop.add_writer if state == POLL_WRITE else loop.add_reader)(descriptor, ready.set)
    try:
        await_(ready.wait())
    finally:
        timer.cancel()
        (loop.remove_writer if state == POLL_WRITE else loop.remove_reader)(descriptor)


def beside(work: Callable[..., None], *arguments: object) -> None:
    """Begin work beside this: as a task of the event loop inside a request, otherwise in a thread."""
    if not in_greenlet():
        in_thread(work, *arguments)
        return
    # In a context of its own: it does not end with the time of this request.
    task = asyncio.get_running_loop().create_task(greenlet_spawn(work, *arguments), context=Context())
    _BESIDE.add(task)
    task.add_done_callback(_BESIDE.discard)


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
