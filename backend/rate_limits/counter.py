"""How many requests a user or an address has left. Counts in memory; knows no database and no HTTP.

A sliding window counter: all requests of the current window, plus those of the previous window in proportion to its
overlap with the period that ends now. Windows are aligned to the clock, so they are the same for all workers and hosts.
Times are whole nanoseconds, so that nothing is rounded.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from backend.config import Rate

MAX_KEYS = 50_000  # in one window, so that made-up addresses cannot fill the memory
IPV6_NETWORK_BITS = 64  # what one subscriber has
NANOSECONDS = 1_000_000_000


class Usage(NamedTuple):
    """Whether a request is allowed, and how many its sender has left.

    `reset_seconds` is when the current window ends or, for a refused request, when the next one will be allowed.
    """

    allowed: bool
    remaining: int
    reset_seconds: int


class Count(NamedTuple):
    """Requests of a key in the window that began at this second since 1970."""

    key: str
    window_start: int
    requests: int


@dataclass(slots=True)
class _Window:
    """The counts of one window: all requests by key, and those among them that no rate-limit sync has taken yet."""

    totals: OrderedDict[str, int] = field(default_factory=OrderedDict)
    unsynced: dict[str, int] = field(default_factory=dict)

    def put(self, key: str, total: int) -> None:
        """Store the total of a key, and drop the oldest key if there are too many."""
        self.totals[key] = total
        if len(self.totals) > MAX_KEYS:
            oldest, _ = self.totals.popitem(last=False)
            self.unsynced.pop(oldest, None)


class RateLimiter:
    """Counts requests by key, and refuses those above the rate."""

    def __init__(self, name: str, rate: Rate, clock: Callable[[], int] = time.time_ns) -> None:
        self.name = name
        self.rate = rate
        self._clock = clock
        self._period = rate.seconds * NANOSECONDS
        self._windows: dict[int, _Window] = {}
        self._turn(clock() // self._period)

    def hit(self, key: str, cost: int = 1) -> Usage:
        """Count a request, unless the key has none left; a cost of 0 only checks, and is always allowed."""
        index, elapsed = divmod(self._clock(), self._period)
        if index != self._index:
            self._turn(index)
        left = self._period - elapsed
        current, previous = self._current.totals.get(key, 0), self._previous.totals.get(key, 0)
        used = current + previous * left // self._period
        if cost:
            if used + cost > self.rate.requests:
                return Usage(allowed=False, remaining=0, reset_seconds=self._wait_seconds(current, previous, left))
            self._count(key, current + cost, cost)
        return Usage(
            allowed=True,
            remaining=max(0, self.rate.requests - used - cost),
            reset_seconds=-(-left // NANOSECONDS),
        )

    def take_back(self, key: str) -> None:
        """Take back a request of this window that turned out not to count."""
        if total := self._current.totals.get(key):
            self._current.put(key, total - 1)

    def _count(self, key: str, total: int, _cost: int) -> None:
        self._current.put(key, total)

    def _turn(self, index: int) -> None:
        """Move to another window. The one after it is kept, too: a clock may be set back."""
        self._windows = {other: window for other, window in self._windows.items() if abs(other - index) <= 1}
        self._index = index
        self._current = self._windows.setdefault(index, _Window())
        self._previous = self._windows.setdefault(index - 1, _Window())

    def _wait_seconds(self, current: int, previous: int, left: int) -> int:
        """Return in how many seconds a key may send one more request, if nothing else is counted."""
        room = self.rate.requests - current
        if room > 0:  # once the overlap of the previous window is small enough
            wait = (previous * left - room * self._period) // previous
        else:  # once the current window is the previous one, and its overlap is small enough
            wait = left + -room * self._period // current
        return wait // NANOSECONDS + 1


class SharedRateLimiter(RateLimiter):
    """A limiter that shares its counts with other processes through rate-limit syncs.

    A rate-limit sync takes the counts since the last one, adds them up elsewhere, and stores the totals of all
    processes here. All methods run on the event loop, so there are no locks.
    """

    def __init__(self, name: str, rate: Rate, clock: Callable[[], int] = time.time_ns) -> None:
        super().__init__(name, rate, clock)
        self.due = asyncio.Event()  # set when a key has used a tenth of its limit since the last rate-limit sync
        self._tenth = max(1, rate.requests // 10)

    @property
    def window_starts(self) -> tuple[int, int]:
        """The seconds since 1970 at which the current window and the one before began."""
        return self._index * self.rate.seconds, (self._index - 1) * self.rate.seconds

    def take(self, max_counts: int) -> list[Count]:
        """Take up to `max_counts` unsynced counts, oldest first; those of older windows no longer matter."""
        self._turn(self._clock() // self._period)
        taken: list[Count] = []
        for index, window in sorted(self._windows.items()):
            keys = list(islice(window.unsynced, max_counts - len(taken)))
            taken += [Count(key, index * self.rate.seconds, window.unsynced.pop(key)) for key in keys]
        return taken

    def put_back(self, counts: Iterable[Count]) -> None:
        """Keep counts of a failed rate-limit sync for the next one."""
        for key, window_start, requests in counts:
            window = self._windows.get(window_start // self.rate.seconds)
            if window and key in window.totals:
                window.unsynced[key] = window.unsynced.get(key, 0) + requests

    def sync(self, totals: Iterable[Count]) -> None:
        """Store the totals of all processes, plus what was counted here in the meantime."""
        for key, window_start, requests in totals:
            window = self._windows.get(window_start // self.rate.seconds)
            if window:
                window.put(key, requests + window.unsynced.get(key, 0))

    def _count(self, key: str, total: int, cost: int) -> None:
        super()._count(key, total, cost)
        unsynced = self._current.unsynced.get(key, 0) + cost
        self._current.unsynced[key] = unsynced
        if unsynced >= self._tenth:
            self.due.set()


@dataclass(frozen=True, slots=True)
class RateLimits:
    """The two limits: for users, and for addresses that sent no valid token."""

    users: SharedRateLimiter
    addresses: RateLimiter


def network_of(address: str) -> str:
    """Return the key of an address: for IPv6, one subscriber's network; for all invalid ones, the same key."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"  # some proxies write this; a client may choose its length, so it must not become a key
    if isinstance(parsed, ipaddress.IPv4Address):
        return address
    if parsed.ipv4_mapped:  # else all of IPv4 would be in one network
        return str(parsed.ipv4_mapped)
    return parsed.packed[: IPV6_NETWORK_BITS // 8].hex(":", 2)
