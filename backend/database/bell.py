"""Wakes waiters when something changes."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from threading import Event
from types import TracebackType


class Bell:
    """Wakes one waiter or all, in the order of their arrival.

    What they wait for changes only inside a `with` block, which admits one at a time; a waiter lets others in.
    `new_event` makes the event that one waiter waits for; the usual one blocks its thread.
    """

    def __init__(self, new_event: Callable[[], Event] = Event) -> None:
        self._new_event = new_event
        # Reentrant: the garbage collector may return a connection at any point.
        self._lock = threading.RLock()
        self._sleepers: deque[Event] = deque()

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
        sleeper = self._new_event()
        self._sleepers.append(sleeper)
        self._lock.release()
        is_cancelled = True
        try:
            sleeper.wait(seconds)
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
            self._sleepers.popleft().set()

    def ring_for_all(self) -> None:
        """Wake all waiters."""
        while self._sleepers:
            self.ring()
