"""When a refresh token is good: each line of the table, and walks of honest clients and thieves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.services.sign_in.rules import (
    GRACE,
    IDLE,
    LATE_PERIOD,
    LONGEST,
    MAX_LATE,
    Outcome,
    Session,
    ended,
    refreshed,
)

pytestmark = pytest.mark.requirement("FR-532")

START = datetime(2026, 11, 26, tzinfo=UTC)
SECOND = timedelta(seconds=1)
NEW = Session(UUID(int=1), 0, START, [], START, START + IDLE, None)
USED = NEW._replace(counter=5, rotated_at=START)
LATER = START + GRACE + SECOND


def test_the_last_token_gets_the_next() -> None:
    outcome, after = refreshed(USED, 5, LATER)

    assert outcome is Outcome.ROTATED
    assert after == USED._replace(counter=6, rotated_at=LATER, expires_at=LATER + IDLE)


@pytest.mark.parametrize("seconds", [0, 1, 60])
def test_the_one_before_gets_the_same_at_first_and_nothing_changes(seconds: int) -> None:
    assert refreshed(USED, 4, START + seconds * SECOND) == (Outcome.REPEATED, USED)


def test_the_one_before_gets_the_same_later_and_it_is_noted() -> None:
    assert refreshed(USED, 4, LATER) == (Outcome.LATE, USED._replace(late=[LATER]))


def test_the_fourth_late_one_in_seven_days_ends_the_session() -> None:
    session, now = USED, LATER
    for number in range(MAX_LATE):
        outcome, session = refreshed(session, 4, now + number * SECOND)
        assert outcome is Outcome.LATE
    in_time = now + LATE_PERIOD - SECOND

    assert refreshed(session, 4, in_time) == (Outcome.TOO_LATE, ended(session, in_time))
    outcome, forgiven = refreshed(session, 4, now + LATE_PERIOD)  # the first of them is a week ago
    assert (outcome, len(forgiven.late)) == (Outcome.LATE, MAX_LATE)


@pytest.mark.parametrize("behind", [2, 3, 5])
def test_an_older_token_is_refused_and_ends_the_session_after_a_minute(behind: int) -> None:
    assert refreshed(USED, 5 - behind, START + GRACE) == (Outcome.STRAGGLER, USED)
    assert refreshed(USED, 5 - behind, LATER) == (Outcome.REUSED, ended(USED, LATER))


@pytest.mark.parametrize("ahead", [1, 7])
def test_a_database_that_was_restored_signs_nobody_out(ahead: int) -> None:
    outcome, after = refreshed(USED, 5 + ahead, LATER)

    assert (outcome, after.counter) == (Outcome.ROTATED, 6 + ahead)


@pytest.mark.parametrize("counter", [3, 4, 5, 6])
@pytest.mark.parametrize("session", [ended(USED, START), USED._replace(expires_at=LATER)])
def test_what_is_over_stays_over(session: Session, counter: int) -> None:
    assert refreshed(session, counter, LATER) == (Outcome.OVER, session)


@pytest.mark.requirement("FR-534")
def test_a_session_lasts_thirty_days_from_its_last_refresh_and_a_hundred_and_eighty_in_all() -> None:
    session, now = NEW, START
    while True:
        assert session.expires_at == min(now + IDLE, START + LONGEST)
        if refreshed(session, session.counter, session.expires_at)[0] is Outcome.OVER and now + IDLE > START + LONGEST:
            break
        now += IDLE - SECOND
        outcome, session = refreshed(session, session.counter, now)
        assert outcome is Outcome.ROTATED


def test_an_ended_session_is_kept_no_longer_than_others() -> None:
    assert ended(USED, LATER).expires_at == LATER
    assert ended(USED._replace(expires_at=START), LATER).expires_at == START


waits = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=20))


@given(st.lists(st.tuples(waits, st.booleans()), max_size=40))
def test_who_loses_an_answer_and_sends_the_same_again_soon_is_never_signed_out(
    walk: list[tuple[timedelta, bool]],
) -> None:
    session, token, now = NEW, 0, START
    for wait, is_lost in walk:
        now += wait
        if now >= START + LONGEST:
            break
        outcome, session = refreshed(session, token, now)
        assert outcome.is_good
        if is_lost:
            now += GRACE / 2
            outcome, session = refreshed(session, token, now)
            assert outcome is Outcome.REPEATED
        token = session.counter


@given(st.lists(st.timedeltas(min_value=2 * GRACE, max_value=timedelta(hours=20)), min_size=10, max_size=30))
def test_a_thief_who_follows_each_refresh_is_found_at_the_fourth(waits_of_walk: list[timedelta]) -> None:
    session, now, token = NEW, START, 0
    good = 0
    for wait in waits_of_walk:
        now += wait
        outcome, session = refreshed(session, token, now)  # the owner
        if not outcome.is_good:
            break
        outcome, session = refreshed(session, token, now + 2 * GRACE)  # the thief, with the same token
        if not outcome.is_good:
            break
        good += 1
        token, now = session.counter, now + 2 * GRACE

    assert good == MAX_LATE
    assert session.ended_at is not None


@given(st.integers(0, 9), st.integers(0, 9), waits)
def test_a_good_answer_is_always_one_ahead_of_the_token(counter: int, sent: int, wait: timedelta) -> None:
    outcome, after = refreshed(NEW._replace(counter=counter), sent, START + wait)

    assert not outcome.is_good or after.counter == sent + 1
    assert after.counter >= counter
