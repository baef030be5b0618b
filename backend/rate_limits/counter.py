"""How many requests a user or an address has left. Counts in memory; knows no database and no HTTP.

A sliding window counter: the requests of the current window, and of the window before so much as still overlaps the
period that ends now. Windows are aligned to the clock, so all workers and hosts mean the same ones. Whole nanoseconds,
so that nothing is rounded.
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
    """Whether a request may go on, and what its sender has left.

    `reset_seconds` is when the current window ends, or for a refused request when the next one will be allowed.
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
    """What is known of one window: all requests by key, and those among them that no rate-limit sync has seen."""

    totals: OrderedDict[str, int] = field(default_factory=OrderedDict)
    unsynced: dict[str, int] = field(default_factory=dict)

    def put(self, key: str, total: int) -> None:
        """Note the total of a key, and forget the key that was met first if they become too many."""
        self.totals[key] = total
        if len(self.totals) > MAX_KEYS:
            oldest, _ = self.totals.popitem(last=False)
            self.unsynced.pop(oldest, None)


class RateLimiter:
    """Counts requests by key, and refuses those that are more than the rate."""

    def __init__(self, name: str, rate: Rate, clock: Callable[[], int] = time.time_ns) -> None:
        self.name = name
        self.rate = rate
        self._clock = clock
        self._period = rate.seconds * NANOSECONDS
        self._windows: dict[int, _Window] = {}
        self._turn(clock() // self._period)

    def hit(self, key: str, cost: int = 1) -> Usage:
        """Count a request, unless the key has none left; a cost of 0 only looks, and is always allowed."""
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
        """Take a request of this window back: it turned out not to be one of those that are counted."""
        if total := self._current.totals.get(key):
            self._current.put(key, total - 1)

    def _count(self, key: str, total: int, _cost: int) -> None:
        self._current.put(key, total)

    def _turn(self, index: int) -> None:
        """Go to another window. The one after it is kept, too: a clock may be set back."""
        self._windows = {other: window for other, window in self._windows.items() if abs(other - index) <= 1}
        self._index = index
        self._current = self._windows.setdefault(index, _Window())
        self._previous = self._windows.setdefault(index - 1, _Window())

    def _wait_seconds(self, current: int, previous: int, left: int) -> int:
        """Return after how many seconds a key has room again for one request, if nothing else is counted."""
        room = self.rate.requests - current
        if room > 0:  # once the overlap of the window before is small enough
            wait = (previous * left - room * self._period) // previous
        else:  # once the current window has become the one before, and its overlap is small enough
            wait = left + -room * self._period // current
        return wait // NANOSECONDS + 1


class SharedRateLimiter(RateLimiter):
    """A limiter that shares its counts with those of other processes, by way of rate-limit syncs.

    A rate-limit sync takes what was counted since the last one, adds it up elsewhere, and notes the totals of
    everybody. All of it happens on the event loop, which is why there are no locks.
    """

    def __init__(self, name: str, rate: Rate, clock: Callable[[], int] = time.time_ns) -> None:
        super().__init__(name, rate, clock)
        self.due = asyncio.Event()  # set when a key has used a tenth of its limit since the last rate-limit sync
        self._tenth = max(1, rate.requests // 10)

    @property
    def window_starts(self) -> tuple[int, int]:
        """The seconds since 1970 at which the current window and the one before began."""
        return self._index * self.rate.seconds, (self._index - 1) * self.rate.seconds

    def take(self, most: int) -> list[Count]:
        """Take up to `most` counts that are not settled yet, oldest first; those of past windows matter to nobody."""
        self._turn(self._clock() // self._period)
        taken: list[Count] = []
        for index, window in sorted(self._windows.items()):
            keys = list(islice(window.unsynced, most - len(taken)))
            taken += [Count(key, index * self.rate.seconds, window.unsynced.pop(key)) for key in keys]
        return taken

    def put_back(self, counts: Iterable[Count]) -> None:
        """Keep counts that could not be settled for the next time."""
        for key, window_start, requests in counts:
            window = self._windows.get(window_start // self.rate.seconds)
            if window and key in window.totals:
                window.unsynced[key] = window.unsynced.get(key, 0) + requests

    def sync(self, totals: Iterable[Count]) -> None:
        """Note the totals of everybody, to which comes what was counted here in the meantime."""
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
    """The two limits: for users, and for addresses from which no good token came."""

    users: SharedRateLimiter
    addresses: RateLimiter


def network_of(address: str) -> str:
    """Return what counts as one address: of IPv6 the network that one subscriber has; of what is none, one for all."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"  # as some proxies write; its length is anybody's choice, so it must not become a key
    if isinstance(parsed, ipaddress.IPv4Address):
        return address
    if parsed.ipv4_mapped:  # else all of IPv4 would be in one network
        return str(parsed.ipv4_mapped)
    return parsed.packed[: IPV6_NETWORK_BITS // 8].hex(":", 2)
