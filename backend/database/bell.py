"""Wakes waiters when something changes: requests on an event loop, and threads."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from contextlib import suppress
from types import TracebackType
from typing import Protocol

from sqlalchemy.util.concurrency import await_, in_greenlet


class _Sleeper(Protocol):
    def sleep(self, seconds: float) -> None:
        """Return when woken, or when the time is over."""
        ...

    def wake(self) -> None:
        """Wake the sleeper, from any thread."""
        ...


class _InThread:
    def __init__(self) -> None:
        self._woken = threading.Event()

    def sleep(self, seconds: float) -> None:
        self._woken.wait(seconds)

    def wake(self) -> None:
        self._woken.set()


class _OnLoop:
    """A request. When another request of its loop wakes it, no later one continues before it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._woken: asyncio.Future[None] = self._loop.create_future()

    def sleep(self, seconds: float) -> None:
        timer = self._loop.call_later(max(0.0, seconds), self._end)
        try:
            await_(self._woken)
        finally:
            timer.cancel()

    def wake(self) -> None:
        if threading.get_ident() == self._thread:
            self._end()
        else:
            with suppress(RuntimeError):  # the loop has ended, and the request with it
                self._loop.call_soon_threadsafe(self._end)

    def _end(self) -> None:
        if not self._woken.done():
            self._woken.set_result(None)


class Bell:
    """Wakes one waiter or all, in the order of their arrival.

    What they wait for changes only inside a `with` block, which admits one at a time; a waiter lets others in.
    """

    def __init__(self) -> None:
        # Reentrant: the garbage collector may return a connection at any point.
        self._lock = threading.RLock()
        self._sleepers: deque[_Sleeper] = deque()

    def __enter__(self) -> None:
        """Wait until the block is free."""
        self._lock.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Let the next one in."""
        self._lock.release()

    def wait(self, seconds: float) -> None:
        """Wait for the bell, at most this long. A cancelled waiter passes the wake-up on to the next one."""
        sleeper: _Sleeper = _OnLoop() if in_greenlet() else _InThread()
        self._sleepers.append(sleeper)
        self._lock.release()
        is_cancelled = True
        try:
            sleeper.sleep(seconds)
            is_cancelled = False
        finally:
            self._lock.acquire()
            if sleeper in self._sleepers:
                self._sleepers.remove(sleeper)
            elif is_cancelled:
                self.ring()

    def ring(self) -> None:
        """Wake the waiter that has waited longest."""
        if self._sleepers:
            self._sleepers.popleft().wake()

    def ring_for_all(self) -> None:
        """Wake all waiters."""
        while self._sleepers:
            self.ring()
