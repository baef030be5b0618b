"""Waits for what a server says: on the event loop, where a request runs, or else in the thread; never too long.

The statement timeout is kept by the server. Behind a frozen host or a forgotten network connection, nobody keeps it.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Mapping
from typing import Any

import psycopg2
from psycopg2.extensions import POLL_OK, POLL_WRITE

from backend.utils.greenlets import is_in_greenlet, wait_for

_SILENT = "the server does not answer in time"


class Silence(psycopg2.OperationalError):  # type: ignore[misc]
    """The server has not answered in time. What becomes of the work is not known, nor is the connection's state."""


def connect(parameters: Mapping[str, Any]) -> Any:
    """Open a connection that is waited for by `finish`. Raises what the driver raises, and Silence."""
    connection = psycopg2.connect(**parameters, async_=True)
    finish(connection, float(parameters["connect_timeout"]))
    return connection


def finish(connection: Any, seconds: float) -> None:
    """Wait until what a connection does is done. Raises what the driver raises, and Silence when it takes longer."""
    deadline = time.monotonic() + seconds
    state = connection.poll()
    if state == POLL_OK:
        return
    if is_in_greenlet():
        wait_for(_is_done(connection, state, seconds))
        return
    while state != POLL_OK:
        left = deadline - time.monotonic()
        if left <= 0:
            raise Silence(_SILENT)
        with selectors.DefaultSelector() as selector:
            selector.register(connection, selectors.EVENT_WRITE if state == POLL_WRITE else selectors.EVENT_READ)
            selector.select(left)
        state = connection.poll()


async def _is_done(connection: Any, state: int, seconds: float) -> None:
    """Look whenever there is something to read, or room to write: whoever waits goes on once, when all is there."""
    loop, descriptor = asyncio.get_running_loop(), connection.fileno()
    done: asyncio.Future[None] = loop.create_future()

    def look() -> None:
        if done.done():
            return
        try:
            now = connection.poll()
        except psycopg2.Error as error:
            done.set_exception(error)
            return
        if now == POLL_OK:
            done.set_result(None)
        elif now != POLL_WRITE:
            loop.remove_writer(descriptor)

    def give_up() -> None:
        if not done.done():
            done.set_exception(Silence(_SILENT))

    timer = loop.call_later(seconds, give_up)
    loop.add_reader(descriptor, look)
    if state == POLL_WRITE:
        loop.add_writer(descriptor, look)
    try:
        await done
    finally:
        timer.cancel()
        loop.remove_reader(descriptor)
        loop.remove_writer(descriptor)
