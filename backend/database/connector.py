"""Opens connections; waits out an outage of the database, and causes no storm when it comes back.

A connection is opened beside the request that waits for it: the request has a deadline, and a silent host takes long.
While all is well, each waiter opens its own connection. After an attempt fails or hangs, there is only one more attempt
at a time, for all waiters, with backoff. The first success lets the others try again. A waiter also takes a connection
that is returned to the pool.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import psycopg2
import structlog

from backend.database.bell import Bell
from backend.database.deadline import current_work
from backend.database.errors import DatabaseUnavailable, is_for_good, reason
from backend.utils.spreading import random_part

FIRST_PAUSE_SECONDS = 0.1
MAX_PAUSE_SECONDS = 2.0
RECOVERY_SECONDS = 0.5  # over which the waiters retry after the first success

logger = structlog.get_logger(__name__)


class ConnectionReturned(Exception):
    """The pool has an idle connection: ask it again instead of opening a new one."""


def in_thread(work: Callable[..., None], *arguments: object) -> None:
    """Begin work in a thread of its own."""
    threading.Thread(target=work, args=arguments, daemon=True).start()


class Connector:
    """Called by the pool for a new connection; raises DatabaseUnavailable when there is none in time.

    `connect` opens a driver connection with `parameters`, and `beside` runs that beside the waiters; `new_event` is the
    bell's. Work without a deadline waits for `patience_seconds`. Raises ConnectionReturned when the pool has a
    connection after all.
    """

    def __init__(
        self,
        parameters: Mapping[str, Any],
        patience_seconds: float,
        connect: Callable[[Mapping[str, Any]], Any],
        new_event: Callable[[], threading.Event] = threading.Event,
        beside: Callable[..., None] = in_thread,
    ) -> None:
        self.parameters = parameters
        self.waiting = 0  # how many callers need a connection
        self.is_one_idle: Callable[[], bool] = bool  # whether the pool has a connection after all
        self._open = connect
        self._patience_seconds = patience_seconds
        self._beside = beside
        self.chance = random_part
        self._changed = Bell(new_event)
        self._made: deque[Any] = deque()  # connections for the waiters
        self._under_way: set[object] = set()  # attempts, except those that may have hung since before the last outage
        self._failures = 0  # in a row
        self._failed_at = self._succeeded_at = 0.0
        self._next_attempt = 0.0
        self._recoveries = 0
        self._reason = ""  # of the last failure
        self._is_refused = False  # no connection is possible until an operator acts

    def __call__(self) -> Any:
        """Return a new connection."""
        now = time.monotonic()
        deadline = min(current_work().deadline, now + self._patience_seconds)
        with self._changed:
            self.waiting += 1
            try:
                has_attempted = self._wait(deadline)
                connection = self._made.popleft()
            finally:
                self.waiting -= 1
                self._close_surplus()
            if not has_attempted and self._is_attempt_missing():
                self._attempt(time.monotonic(), is_probe=False)  # this connection's opener still waits
            return connection

    def note_return(self) -> None:
        """Wake one waiter to check whether the pool has a connection."""
        with self._changed:
            self._changed.ring()

    def _close_surplus(self) -> None:
        """Close connections whose waiters were cancelled."""
        while len(self._made) > self.waiting:
            with suppress(psycopg2.Error):
                self._made.pop().close()

    @property
    def is_away(self) -> bool:
        """Return whether the last attempt failed."""
        return self._failures > 0

    def _wait(self, deadline: float) -> bool:
        """Wait for a connection, and make sure that somebody opens one; returns whether we have."""
        recoveries = self._recoveries
        own_attempt = math.inf if self._failures else 0.0
        while not self._made:
            if self.is_one_idle():
                raise ConnectionReturned
            now = time.monotonic()
            if now >= deadline:
                raise DatabaseUnavailable(self._reason if self._failures else "it does not answer")
            if recoveries != self._recoveries:
                recoveries, own_attempt = self._recoveries, now + RECOVERY_SECONDS * self.chance()
            if now >= own_attempt:
                own_attempt = math.inf
                if self._is_attempt_missing():
                    self._attempt(now, is_probe=False)
            elif now >= self._next_attempt:
                self._attempt(now, is_probe=True)
            elif self._is_refused:
                raise DatabaseUnavailable(self._reason)
            self._changed.wait(min(deadline, self._next_attempt, own_attempt) - now)
        return own_attempt == math.inf

    def _is_attempt_missing(self) -> bool:
        """Return whether waiters outnumber attempts: some attempts outlive waiters that got another connection."""
        return self.waiting > len(self._made) + len(self._under_way)

    def _attempt(self, now: float, *, is_probe: bool) -> None:
        self._next_attempt = now + MAX_PAUSE_SECONDS * self._spread()
        attempt = object()
        self._under_way.add(attempt)
        self._beside(self._connect, attempt, now, is_probe)

    def _spread(self) -> float:
        """Return a factor of at most 1, so that workers that lost their connections together do not retry together."""
        return 0.5 + self.chance() / 2

    def _connect(self, attempt: object, began: float, is_probe: bool) -> None:  # noqa: FBT001 - as `beside` calls it
        try:
            connection = self._open(self.parameters)
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait have to hear of it
            with self._changed:
                self._under_way.discard(attempt)
                self._note_failure(began, error)
                self._changed.ring_for_all()
            return
        with self._changed:
            self._under_way.discard(attempt)
            self._note_success(is_probe=is_probe)
            is_needed = len(self._made) < self.waiting
            if is_needed:
                self._made.append(connection)
            self._changed.ring_for_all()
        if not is_needed:
            with suppress(psycopg2.Error):
                connection.close()

    def _note_failure(self, began: float, error: Exception) -> None:
        if began < self._succeeded_at:
            return  # outdated: an attempt has succeeded since
        now = time.monotonic()
        if began >= self._failed_at:  # attempts that fail together count as one failure
            self._reason = reason(error)
            self._is_refused = is_for_good(error)
            if not self._failures:
                logger.warning("database_away", reason=self._reason)
            self._failures += 1
            self._failed_at = now
        pause = min(MAX_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** min(self._failures - 1, 10))
        self._next_attempt = now + pause * self._spread()

    def _note_success(self, *, is_probe: bool) -> None:
        if self._failures:
            logger.info("database_back", failures=self._failures)
        if self._failures or is_probe:
            self._recoveries += 1
            self._under_way.clear()
        self._failures, self._is_refused = 0, False
        self._succeeded_at = time.monotonic()
