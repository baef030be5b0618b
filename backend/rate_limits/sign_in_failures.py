"""How many wrong passwords are allowed. Counts in memory; nobody can lock somebody else out.

A try is counted before its password is hashed, and given back if it was right. Else many at once would all pass.

Limited is who guesses: a network, and more strictly a network for one address. After a hundred failures in a row for an
address, wherever they came from, all networks share one try a minute for it. But a network that has not failed there
lately always has a try. Sessions are not touched.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256
from typing import NamedTuple

from backend.config import Rate
from backend.errors import RateLimited
from backend.rate_limits import counter
from backend.rate_limits.counter import NANOSECONDS, RateLimiter, network_of

FROM_A_NETWORK_FOR_AN_ADDRESS = Rate(10, 15 * 60)
FROM_A_NETWORK = Rate(30, 15 * 60)
MAX_IN_A_ROW = 100  # NIST SP 800-63B-4, section 3.2.2
PAUSE_SECONDS = 60


class _Row(NamedTuple):
    """The failures of an address since the last success, and when the last of them was, in nanoseconds."""

    failures: int
    last: int


class SignInFailures:
    """The wrong passwords that were sent to one worker."""

    def __init__(self, clock: Callable[[], int] = time.time_ns) -> None:
        self._clock = clock
        self._pairs = RateLimiter("sign-in of an address from a network", FROM_A_NETWORK_FOR_AN_ADDRESS, clock)
        self._networks = RateLimiter("sign-in from a network", FROM_A_NETWORK, clock)
        self._rows: OrderedDict[str, _Row] = OrderedDict()

    def admit(self, email_key: str, address: str) -> None:
        """Count a try as a failure, until it turns out to be none; raises RateLimited.

        `address` is the client's; its network is the /24 of IPv4, or the /64 of IPv6.
        """
        person, network = _hashed(email_key), network_of_people(address)
        pair = f"{person} {network}"
        of_pair = self._pairs.hit(pair)
        if not of_pair.allowed:
            raise RateLimited(of_pair.reset_seconds)
        of_network = self._networks.hit(network)
        if not of_network.allowed:
            self._pairs.take_back(pair)
            raise RateLimited(of_network.reset_seconds)
        is_first = of_pair.remaining == FROM_A_NETWORK_FOR_AN_ADDRESS.requests - 1
        wait = 0 if is_first else self._wait_seconds(person)
        if wait:
            self._pairs.take_back(pair)
            self._networks.take_back(network)
            raise RateLimited(wait)
        self._put(person, _Row(self._row(person).failures + 1, self._clock()))

    def succeeded(self, email_key: str, address: str) -> None:
        """Take back a try whose password was right."""
        self._rows.pop(_hashed(email_key), None)
        self._take_back(email_key, address)

    def withdrawn(self, email_key: str, address: str) -> None:
        """Take back a try whose password was not compared."""
        person = _hashed(email_key)
        row = self._row(person)
        if row.failures:
            self._put(person, row._replace(failures=row.failures - 1))
        self._take_back(email_key, address)

    def _take_back(self, email_key: str, address: str) -> None:
        network = network_of_people(address)
        self._pairs.take_back(f"{_hashed(email_key)} {network}")
        self._networks.take_back(network)

    def _wait_seconds(self, person: str) -> int:
        """Return how long an address that was guessed too often has to be left alone."""
        row = self._row(person)
        if row.failures < MAX_IN_A_ROW:
            return 0
        left = PAUSE_SECONDS * NANOSECONDS - abs(self._clock() - row.last)  # a clock may be set back
        return max(0, -(-left // NANOSECONDS))

    def _row(self, person: str) -> _Row:
        return self._rows.get(person, _Row(0, 0))

    def _put(self, person: str, row: _Row) -> None:
        self._rows[person] = row
        self._rows.move_to_end(person)
        if len(self._rows) > counter.MAX_KEYS:
            self._rows.popitem(last=False)


def network_of_people(address: str) -> str:
    """Return the network whose people share a limit: the /24 of IPv4, or the /64 of IPv6."""
    network = network_of(address)
    return network.rpartition(".")[0] or network


def _hashed(email_key: str) -> str:
    """Return a short key of an address, so that its length is bounded and none lies in memory."""
    return sha256(email_key.encode(errors="surrogatepass")).hexdigest()[:32]
