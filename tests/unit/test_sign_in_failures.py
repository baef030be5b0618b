"""Wrong passwords are limited by who guesses, so that nobody locks somebody else out."""

from __future__ import annotations

import tracemalloc

import pytest

from backend.errors import RateLimited
from backend.rate_limits import counter
from backend.rate_limits.sign_in_failures import MAX_IN_A_ROW, SignInFailures, network_of_people

SECOND = 1_000_000_000
QUARTER = 15 * 60
START = 1_800_000_000 // QUARTER * QUARTER * SECOND
ANNA = "anna@example.org"


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        return self.now

    def go_on(self, seconds: float) -> None:
        self.now += int(seconds * SECOND)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def failures(clock: Clock) -> SignInFailures:
    return SignInFailures(clock)


def admitted(failures: SignInFailures, email_key: str, address: str, tries: int = 1) -> int:
    """Try several times at once; returns how many tries were admitted."""
    number = 0
    for _ in range(tries):
        try:
            failures.admit(email_key, address)
        except RateLimited:
            continue
        number += 1
    return number


def guessed_from_everywhere(failures: SignInFailures, times: int) -> None:
    """Guess one address from a new network each time."""
    for number in range(times):
        failures.admit(ANNA, f"10.{number >> 8}.{number & 255}.1")


@pytest.mark.requirement("FR-552")
def test_a_network_may_fail_ten_times_in_a_quarter_of_an_hour_for_an_address(
    failures: SignInFailures, clock: Clock
) -> None:
    assert admitted(failures, ANNA, "192.0.2.1", 30) == 10
    assert admitted(failures, ANNA, "192.0.2.254") == 0  # the same network
    assert admitted(failures, "ben@example.org", "192.0.2.1") == 1
    assert admitted(failures, ANNA, "192.0.3.1") == 1

    clock.go_on(2 * QUARTER)
    assert admitted(failures, ANNA, "192.0.2.1", 30) == 10


@pytest.mark.requirement("FR-552")
def test_a_network_may_fail_thirty_times_for_all_addresses(failures: SignInFailures, clock: Clock) -> None:
    assert sum(admitted(failures, f"{number}@example.org", f"192.0.2.{number}") for number in range(40)) == 30
    assert admitted(failures, ANNA, "192.0.3.1") == 1

    clock.go_on(2 * QUARTER)
    assert sum(admitted(failures, f"{number}@example.org", "192.0.2.1") for number in range(40)) == 30


@pytest.mark.requirement("FR-552")
def test_refused_tries_count_for_nothing(failures: SignInFailures) -> None:
    admitted(failures, ANNA, "192.0.2.1", 1000)

    assert sum(admitted(failures, f"{number}@example.org", "192.0.2.1") for number in range(40)) == 20
    assert admitted(failures, "30@example.org", "192.0.3.1", 30) == 10


@pytest.mark.requirement("FR-552")
def test_what_a_network_is_refused_does_not_count_for_the_address(failures: SignInFailures) -> None:
    for number in range(30):
        failures.admit(f"{number}@example.org", "192.0.2.1")
    admitted(failures, ANNA, "192.0.2.1", 30)
    failures.succeeded("0@example.org", "192.0.2.1")

    assert admitted(failures, ANNA, "192.0.2.1") == 1


@pytest.mark.requirement("FR-553")
def test_a_right_password_is_given_back(failures: SignInFailures) -> None:
    for _ in range(200):
        failures.admit(ANNA, "192.0.2.1")
        failures.succeeded(ANNA, "192.0.2.1")

    assert admitted(failures, ANNA, "192.0.2.1", 30) == 10


@pytest.mark.requirement("FR-553")
def test_what_was_not_compared_is_given_back(failures: SignInFailures) -> None:
    for number in range(200):
        failures.admit(ANNA, f"10.0.{number}.1")
        failures.withdrawn(ANNA, f"10.0.{number}.1")
    failures.withdrawn("nobody@example.org", "10.0.0.1")

    admitted(failures, ANNA, "192.0.2.1")
    assert admitted(failures, ANNA, "192.0.2.1", 30) == 9


@pytest.mark.requirement("FR-553", "FR-554")
def test_a_withdrawn_try_ends_no_row_of_failures(failures: SignInFailures) -> None:
    guessed_from_everywhere(failures, MAX_IN_A_ROW - 1)
    failures.admit(ANNA, "192.0.2.1")
    failures.withdrawn(ANNA, "192.0.2.1")

    assert admitted(failures, ANNA, "192.0.2.1", 10) == 1  # the hundredth, which is the first of its network


@pytest.mark.requirement("FR-554")
def test_an_address_that_was_guessed_a_hundred_times_in_a_row_has_one_try_a_minute(
    failures: SignInFailures, clock: Clock
) -> None:
    guessed_from_everywhere(failures, MAX_IN_A_ROW)

    known = "10.0.0.1"
    assert admitted(failures, ANNA, known, 5) == 0
    with pytest.raises(RateLimited) as refused:
        failures.admit(ANNA, known)
    assert refused.value.headers["Retry-After"] == "60"
    clock.go_on(59.5)
    with pytest.raises(RateLimited, match="1 second"):
        failures.admit(ANNA, known)
    clock.go_on(0.5)
    assert admitted(failures, ANNA, known, 5) == 1
    assert admitted(failures, "ben@example.org", known, 5) == 5


@pytest.mark.requirement("FR-554")
def test_a_clock_that_is_set_back_blocks_nobody(failures: SignInFailures, clock: Clock) -> None:
    clock.go_on(600)
    guessed_from_everywhere(failures, MAX_IN_A_ROW)

    clock.go_on(-300)
    assert admitted(failures, ANNA, "10.0.0.1") == 1


@pytest.mark.requirement("FR-554")
def test_refusals_of_a_guessed_address_use_up_no_other_limit(failures: SignInFailures) -> None:
    guessed_from_everywhere(failures, MAX_IN_A_ROW)
    admitted(failures, ANNA, "10.0.0.1", 1000)

    assert sum(admitted(failures, f"{number}@example.org", "10.0.0.1") for number in range(40)) == 29


@pytest.mark.requirement("FR-555")
def test_a_victim_signs_in_from_another_network_during_an_attack(failures: SignInFailures, clock: Clock) -> None:
    for minute in range(60):
        for number in range(50):  # from each of 50 networks, as often as it may, all day long
            admitted(failures, ANNA, f"10.0.{number}.1", 20)
        assert admitted(failures, ANNA, f"192.0.{minute}.2") == 1  # never from where she signed in before
        clock.go_on(60)


@pytest.mark.requirement("FR-554")
def test_a_success_ends_the_row(failures: SignInFailures) -> None:
    guessed_from_everywhere(failures, MAX_IN_A_ROW)
    failures.admit(ANNA, "192.0.2.1")
    failures.succeeded(ANNA, "192.0.2.1")

    assert admitted(failures, ANNA, "10.0.0.1", 5) == 5


@pytest.mark.requirement("FR-552")
@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("192.0.2.1", "192.0.2.254", True),
        ("192.0.2.1", "192.0.3.1", False),
        ("::ffff:192.0.2.1", "192.0.2.7", True),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("unknown", "x" * 10_000, True),
        ("", "unknown", True),
    ],
)
def test_networks(one: str, other: str, is_same: bool) -> None:  # noqa: FBT001
    assert (network_of_people(one) == network_of_people(other)) is is_same


@pytest.mark.requirement("FR-552")
def test_any_address_can_be_counted(failures: SignInFailures) -> None:
    assert admitted(failures, "\ud800", "192.0.2.1", 20) == 10
    assert admitted(failures, "x" * 1_000_000, "192.0.2.1", 20) == 10


@pytest.mark.requirement("FR-556")
def test_made_up_addresses_use_a_bounded_amount_of_memory(
    monkeypatch: pytest.MonkeyPatch, failures: SignInFailures
) -> None:
    monkeypatch.setattr(counter, "MAX_KEYS", 100)

    def guess(begin: int) -> int:
        for number in range(begin, begin + 1000):
            failures.admit(f"{number}@example.org", f"10.{number >> 8 & 255}.{number & 255}.1")
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        first, last = guess(0), guess(1000)
    finally:
        tracemalloc.stop()
    assert last - first < 20_000  # a thousand more would take ten times as much
