"""Counting, with a test clock, compared with the `limits` library."""

from __future__ import annotations

import random
import time
import tracemalloc
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from backend.config import Rate, load_settings
from backend.errors import ConfigurationError
from backend.rate_limits import counter
from backend.rate_limits.counter import Count, RateLimiter, SharedRateLimiter, network_of

NANOSECONDS = 1_000_000_000
EIGHTH = NANOSECONDS // 8
START = 1_800_000_000 // 64 * 64  # where windows of any length up to 64 seconds begin


class Clock:
    """A clock that a test sets."""

    def __init__(self, seconds: float = START) -> None:
        self.now = int(seconds * NANOSECONDS)

    def __call__(self) -> int:
        return self.now

    def seconds(self) -> float:
        return self.now / NANOSECONDS

    def go_on(self, seconds: float) -> None:
        self.now += int(seconds * NANOSECONDS)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def hits(rate: Rate, clock: Clock) -> Iterator[str]:
    """Advance the clock at random, sometimes by whole windows, and give a key for each hit.

    Times are in eighths of a second, which are exact in floating point: the library must not round where we do not.
    """
    chance = random.Random(f"{rate}")  # noqa: S311 - the same each time
    eighths = [0, 1, 3, 8, rate.seconds, 8 * rate.seconds]
    for _ in range(3000):
        clock.now += EIGHTH * chance.choices(eighths, weights=[4 * rate.requests, 1, 1, 1, 1, 1])[0]
        yield chance.choice("ab")


@pytest.mark.requirement("FR-100")
@pytest.mark.parametrize("seconds", [1, 8, 64])
@pytest.mark.parametrize("requests", [1, 2, 7, 30])
def test_every_decision_is_that_of_the_library(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, requests: int, seconds: int
) -> None:
    # The library reads the clock itself.
    monkeypatch.setattr("limits.storage.memory.time", SimpleNamespace(time=clock.seconds))
    library = SlidingWindowCounterRateLimiter(MemoryStorage())
    item, rate = RateLimitItemPerSecond(requests, seconds), Rate(requests, seconds)
    limiter, seen = RateLimiter("user", rate, clock), set()

    for key in hits(rate, clock):
        looked, usage = limiter.hit(key, cost=0), limiter.hit(key)

        seen.add(usage.allowed)
        assert usage.allowed == library.hit(item, key)
        assert looked.allowed
        assert (looked.remaining > 0) == usage.allowed
    assert seen == {True, False}


@pytest.mark.requirement("FR-100")
@pytest.mark.parametrize("seconds", [1, 7, 60])
@pytest.mark.parametrize("requests", [1, 3, 10])
def test_who_waits_as_long_as_told_may_go_on_and_not_a_second_earlier(requests: int, seconds: int) -> None:
    clock, rate, waits = Clock(), Rate(requests, seconds), set()
    limiter = RateLimiter("user", rate, clock)

    for key in hits(rate, clock):
        usage = limiter.hit(key)
        if usage.allowed:
            continue
        waits.add(usage.reset_seconds)
        assert usage.remaining == 0
        assert 1 <= usage.reset_seconds <= 2 * seconds
        clock.go_on(usage.reset_seconds - 1)
        assert not limiter.hit(key).allowed
        clock.go_on(1)
        assert limiter.hit(key).allowed
    assert len(waits) > 1 or seconds == 1


@pytest.mark.requirement("FR-100")
def test_as_many_pass_as_are_said_to_remain(clock: Clock) -> None:
    limiter = RateLimiter("user", Rate(10, 60), clock)
    clock.go_on(20)
    assert limiter.hit("a") == (True, 9, 40)
    assert [limiter.hit("a").remaining for _ in range(4)] == [8, 7, 6, 5]
    clock.go_on(40 + 36.5)  # 1.96 of the five still count, rounded down to one

    assert limiter.hit("a", cost=0) == (True, 9, 24)
    assert [limiter.hit("a").remaining for _ in range(9)] == [8, 7, 6, 5, 4, 3, 2, 1, 0]
    assert not limiter.hit("a").allowed
    assert limiter.hit("b") == (True, 9, 24)


@pytest.mark.requirement("FR-100")
def test_a_refused_request_is_not_counted(clock: Clock) -> None:
    limiter = RateLimiter("user", Rate(1, 60), clock)
    assert limiter.hit("a").allowed
    waits = []
    for _ in range(50):
        waits.append(limiter.hit("a").reset_seconds)
        clock.go_on(1)

    assert waits == list(range(61, 11, -1))


@pytest.mark.requirement("FR-100")
def test_a_clock_that_is_set_back_gives_nothing_away(clock: Clock) -> None:
    limiter = RateLimiter("user", Rate(2, 60), clock)
    limiter.hit("a")
    clock.go_on(60)
    limiter.hit("a")
    clock.go_on(-1)
    assert limiter.hit("a", cost=0) == (True, 1, 1)
    clock.go_on(1)

    assert limiter.hit("a", cost=0) == (True, 0, 60)
    assert not limiter.hit("a").allowed


@pytest.mark.requirement("FR-105")
def test_the_key_that_was_met_first_is_forgotten_when_there_are_too_many(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counter, "MAX_KEYS", 3)
    limiter = SharedRateLimiter("user", Rate(5, 60), clock)
    for key in "aabcd":
        limiter.hit(key)
    taken = limiter.take(10)
    limiter.hit("a")
    limiter.put_back(taken)  # b has been forgotten

    assert [count.key for count in taken] == ["b", "c", "d"]
    assert [limiter.hit(key, cost=0).remaining for key in "abcd"] == [4, 5, 4, 4]
    assert sorted(count.key for count in limiter.take(10)) == ["a", "c", "d"]


@pytest.mark.requirement("FR-105")
def test_windows_of_the_past_take_no_memory(clock: Clock) -> None:
    limiter = SharedRateLimiter("user", Rate(5, 60), clock)
    sizes = []
    tracemalloc.start()
    try:
        for window in range(12):
            for number in range(1000):
                limiter.hit(f"{window}-{number}")
            clock.go_on(60)
            sizes.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()

    assert max(sizes) < 3 * sizes[0]


@pytest.fixture
def limiter(clock: Clock) -> SharedRateLimiter:
    """A limit of 20 a minute; a tenth of that is two."""
    return SharedRateLimiter("user", Rate(20, 60), clock)


@pytest.mark.requirement("FR-103")
def test_the_totals_of_everybody_count_with_what_came_in_the_meantime(limiter: SharedRateLimiter, clock: Clock) -> None:
    assert limiter.hit("a").remaining == 19
    assert limiter.take(10) == [Count("a", START, 1)]
    assert limiter.hit("a").remaining == 18
    limiter.sync([Count("a", START, 16), Count("a", START - 60, 40), Count("a", START - 120, 40)])
    clock.go_on(59.5)

    assert limiter.hit("a").remaining == 2  # 16 and two of ours; less than half a request remains of the 40 before
    assert limiter.window_starts == (START, START - 60)
    assert limiter.take(10) == [Count("a", START, 2)]
    assert limiter.take(10) == []


@pytest.mark.requirement("FR-103")
def test_more_than_the_limit_from_elsewhere_is_waited_for_until_it_has_faded(
    limiter: SharedRateLimiter, clock: Clock
) -> None:
    limiter.sync([Count("a", START, 40)])

    refused = limiter.hit("a")
    assert refused == (False, 0, 60 + 31)
    clock.go_on(refused.reset_seconds - 1)
    assert not limiter.hit("a").allowed
    clock.go_on(1)
    assert limiter.hit("a").allowed


@pytest.mark.requirement("FR-103")
def test_counts_that_could_not_be_synced_are_kept_until_they_are_past(limiter: SharedRateLimiter, clock: Clock) -> None:
    for key in "aab":
        limiter.hit(key)
    taken = limiter.take(10)
    limiter.hit("a")
    limiter.put_back(taken)
    clock.go_on(60)
    limiter.hit("b")

    kept = limiter.take(2)
    assert sorted(kept) == [Count("a", START, 3), Count("b", START, 1)]
    assert limiter.take(2) == [Count("b", START + 60, 1)]
    clock.go_on(60)
    limiter.put_back(kept)
    assert limiter.take(10) == []


@pytest.mark.requirement("FR-103")
@pytest.mark.parametrize(("requests", "tenth"), [(1, 1), (9, 1), (20, 2), (600, 60)])
def test_a_sync_is_due_when_a_tenth_is_used(clock: Clock, requests: int, tenth: int) -> None:
    limiter = SharedRateLimiter("user", Rate(requests, 60), clock)
    for _ in range(3):
        limiter.hit(f"other-{_}") if tenth > 1 else None
    for number in range(1, tenth + 1):
        assert not limiter.due.is_set()
        limiter.hit("a")
        assert limiter.due.is_set() == (number == tenth)


@pytest.mark.requirement("FR-101")
@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:0db8:0000:0000"),
        ("2001:db8::ffff:ffff:ffff:ffff", "2001:0db8:0000:0000"),
        ("2001:db8:0:1::1", "2001:0db8:0000:0001"),
        ("fe80::1%eth0", "fe80:0000:0000:0000"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("unknown", "unknown"),
        ("", "unknown"),
        ("x" * 1000, "unknown"),
    ],
)
def test_a_network_of_ipv6_counts_as_one_address(address: str, network: str) -> None:
    assert network_of(address) == network


def test_windows_are_those_of_the_wall_clock() -> None:
    before = int(time.time())
    current, previous = SharedRateLimiter("user", Rate(1, 1)).window_starts

    assert before <= current <= time.time()
    assert previous == current - 1


@pytest.mark.requirement("FR-100")
@pytest.mark.parametrize(("unit", "seconds"), [("second", 1), ("minute", 60), ("hour", 3600), ("day", 86400)])
def test_a_rate_is_read(unit: str, seconds: int) -> None:
    assert Rate.parse(f"600/{unit}") == Rate(600, seconds)


@pytest.mark.requirement("FR-100", "FR-106")
@pytest.mark.parametrize(
    ("setting", "value"),
    [
        *(
            ("rate_limit", value)
            for value in ("600", "0/minute", "-1/minute", "600/week", "1_0/minute", "٣/minute", "")
        ),
        ("rate_limit_anonymous", "1e3/minute"),
        *(
            ("trusted_proxies", value)
            for value in ("*", "proxy.example.com", "10.0.0.1/8", "127.0.0.1,", "10.0.0.0/33", "127.0.0.1;::1", "1.2.3")
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_at_start(setting: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{setting.upper()}: (must look|each must be) [^\n]+$"):
        load_settings(**{setting: value})


@pytest.mark.requirement("FR-106")
@pytest.mark.parametrize("value", ["127.0.0.1", "10.0.0.0/8, ::1 ,fd00::/8", "0.0.0.0/0,::/0"])
def test_proxies_are_addresses_and_networks(value: str) -> None:
    assert load_settings(trusted_proxies=value).trusted_proxies == value


@pytest.mark.requirement("FR-216")
def test_a_request_can_be_taken_back() -> None:
    limiter = RateLimiter("address", Rate(2, 60), lambda: 0)
    limiter.take_back("a")  # it has no requests
    assert [limiter.hit("a").allowed for _ in range(3)] == [True, True, False]

    limiter.take_back("a")

    assert [limiter.hit("a").allowed for _ in range(2)] == [True, False]
