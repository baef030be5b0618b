"""The days of recurrence rules, beside those of python-dateutil; and the bounds that no rule exceeds."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from itertools import count, islice, pairwise

import pytest
from dateutil.rrule import rrulestr  # type: ignore[import-untyped]

from backend.utils.recurrence import days
from backend.utils.recurrence.days import LAST_DAY, days_after
from backend.utils.recurrence.rule import FREQUENCIES, WEEKDAYS, InvalidRule, Rule, read_rule, written_out
from backend.utils.recurrence.series import FIRST_YEAR, Series, WallTime
from backend.utils.zones import read_zone

MONDAY = date(2026, 11, 23)
HOSTILE = [
    "FREQ=DAILY;INTERVAL=7;BYDAY=MO",
    "FREQ=MONTHLY;BYSETPOS=6;BYDAY=MO",
    "FREQ=MONTHLY;BYDAY=5MO;BYMONTHDAY=1",
    "FREQ=MONTHLY;INTERVAL=12;BYMONTH=3;BYMONTHDAY=1",
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=YEARLY;BYDAY=MO;BYSETPOS=366",
]
EXTREME = [
    "FREQ=DAILY;BYMONTH=2;BYDAY=MO;COUNT=999",
    "FREQ=WEEKLY;INTERVAL=999;BYMONTH=2;BYDAY=MO;COUNT=999",
    "FREQ=MONTHLY;INTERVAL=11;BYMONTH=2;BYDAY=5SU;COUNT=999",
    "FREQ=YEARLY;BYMONTH=1,2,3,4,5,6,7,8,9,10,11,12;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYSETPOS=366;COUNT=999",
]
SEEDS = range(20)
RULES = 40  # for each seed


def any_rule(chance: random.Random) -> str:
    """Make up a rule. Many are refused."""
    parts = [f"FREQ={chance.choice(FREQUENCIES)}"]
    if chance.random() < 0.5:
        parts.append(f"INTERVAL={chance.choice([2, 3, 4, 5, 7, 12, 13, 52, chance.randint(1, 60)])}")
    if chance.random() < 0.3:
        parts.append("BYMONTH=" + chosen(chance, range(1, 13), 3))
    if chance.random() < 0.3:
        parts.append("BYMONTHDAY=" + chosen(chance, [*range(1, 32), *range(-31, 0)], 3))
    if chance.random() < 0.3:
        parts.append("BYDAY=" + chosen(chance, WEEKDAYS, 4))
    elif chance.random() < 0.4:
        numbers = [1, 2, 3, 4, 5, -1, -2, -5]
        parts.append("BYDAY=" + chosen(chance, [f"{chance.choice(numbers)}{day}" for day in WEEKDAYS], 3))
    if chance.random() < 0.2:
        parts.append("BYSETPOS=" + chosen(chance, [1, 2, 3, -1, -2, 5], 2))
    if chance.random() < 0.2:
        parts.append(f"WKST={chance.choice(WEEKDAYS)}")
    return ";".join(parts)


def chosen(chance: random.Random, values: Sequence[object], most: int) -> str:
    """Choose some values, with commas between them."""
    return ",".join(map(str, chance.sample(values, chance.randint(1, most))))


def series_of(chance: random.Random) -> Iterator[Series]:
    """Yield random series that are not refused."""
    for _ in count():
        start = MONDAY + timedelta(days=chance.randint(0, 3_000))
        try:
            yield Series.starting(any_rule(chance), start)
        except InvalidRule:
            continue


def theirs(rule: Rule, start: date, number: int) -> list[date]:
    """Return the days after the start as python-dateutil has them, of three hundred years."""
    end = start.replace(year=start.year + 300, day=1)
    moments = rrulestr(str(rule), dtstart=datetime.combine(start, time()))
    later = (moment.date() for moment in moments if moment.date() > start)
    return [day for day in islice(later, number) if day < end]


@pytest.mark.requirement("FR-599")
@pytest.mark.parametrize("seed", SEEDS)
def test_the_days_are_those_of_dateutil(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    for series in islice(series_of(chance), RULES):
        try:
            expected = theirs(series.rule, series.slot, 8)
        except IndexError:  # dateutil 4.0.0 cannot compute some numbered weekdays
            continue
        found = series.upcoming(9)[1:]

        assert found[: len(expected)] == expected, (str(series.rule), series.slot)


@pytest.mark.requirement("FR-599")
@pytest.mark.parametrize("seed", SEEDS)
def test_a_series_goes_on_from_each_of_its_slots(seed: int) -> None:
    chance = random.Random(1_000 + seed)  # noqa: S311
    for series in islice(series_of(chance), RULES):
        after = series.upcoming(7)[1:]  # the first slot may be none of the rule
        for place, slot in enumerate(after):
            assert list(islice(days_after(series.rule, slot), len(after) - place - 1)) == after[place + 1 :]
        for earlier, later in pairwise(after):
            moved = series.next_after(later - timedelta(days=1))

            assert moved is not None
            assert moved.slot == later > earlier


@pytest.mark.requirement("FR-600")
@pytest.mark.parametrize("text", HOSTILE)
def test_a_rule_without_an_occurrence_is_refused(text: str) -> None:
    with pytest.raises(InvalidRule, match="no occurrence after the due"):
        Series.starting(text, date(2026, 11, 24))


@pytest.mark.requirement("FR-600")
@pytest.mark.parametrize("text", [*HOSTILE, *EXTREME])
@pytest.mark.parametrize("start", [date(FIRST_YEAR, 1, 1), date(2026, 11, 24), date(9999, 11, 1)], ids=str)
def test_no_rule_looks_at_more_than_some_thousand_periods(
    monkeypatch: pytest.MonkeyPatch, text: str, start: date
) -> None:
    seen = 0
    periods_of = days.PERIODS

    def counted(rule: Rule, slot: date, after: int) -> Iterator[list[int]]:
        nonlocal seen
        for period in periods_of[rule.frequency](rule, slot, after):
            seen += 1
            yield period

    monkeypatch.setattr(days, "PERIODS", dict.fromkeys(periods_of, counted))
    with suppress(InvalidRule):
        Series.starting(text, start).next_after(date(2026, 11, 26))
    assert 0 < seen < 5_000


@pytest.mark.requirement("FR-600")
def test_a_series_of_long_ago_is_no_more_work() -> None:
    for frequency in FREQUENCIES:
        rule = written_out(read_rule(f"FREQ={frequency};INTERVAL=3"), date(FIRST_YEAR, 1, 15))
        seen = list(islice(days.PERIODS[frequency](rule, date(FIRST_YEAR, 1, 15), MONDAY.toordinal()), 3))

        assert seen[-1][0] > MONDAY.toordinal(), frequency


@pytest.mark.requirement("FR-600")
def test_a_series_ends_with_the_year_9999() -> None:
    start = date(9999, 12, 1)
    for frequency in FREQUENCIES:
        series = Series.starting(f"FREQ={frequency};INTERVAL=20", start)

        assert all(start <= day <= LAST_DAY for day in series.upcoming(100))
    assert len(Series.starting("weekly", start).upcoming(100)) == 5
    with pytest.raises(InvalidRule, match="is due in 1900 or later"):
        Series.starting("daily", date(1899, 12, 31))


@pytest.mark.requirement("FR-599")
def test_count_and_until_end_a_series() -> None:
    assert Series.starting("FREQ=DAILY;COUNT=3", MONDAY).upcoming(9) == [MONDAY + timedelta(days=n) for n in range(3)]
    assert Series.starting("FREQ=DAILY;COUNT=1", MONDAY).upcoming(9) == [MONDAY]
    assert Series.starting("FREQ=DAILY;UNTIL=20261125", MONDAY).upcoming(9)[-1] == date(2026, 11, 25)
    assert Series.starting("FREQ=DAILY;UNTIL=20261125T000000Z", MONDAY).upcoming(9)[-1] == date(2026, 11, 25)
    assert Series.starting("FREQ=DAILY;UNTIL=20261101", MONDAY).upcoming(9) == [MONDAY]


@pytest.mark.requirement("FR-603")
def test_moving_on_passes_what_is_over_and_counts_it() -> None:
    series = Series.starting("FREQ=DAILY;COUNT=5", MONDAY)
    moved = series.next_after(MONDAY + timedelta(days=2))
    last = series.next_after(MONDAY + timedelta(days=3))

    assert moved is not None
    assert (str(moved.rule), moved.slot) == ("FREQ=DAILY;COUNT=2", date(2026, 11, 26))
    assert last is not None
    assert last.next_after(MONDAY) is None
    assert series.next_after(MONDAY + timedelta(days=4)) is None
    early = series.next_after(MONDAY - timedelta(days=9))
    assert early is not None
    assert early.slot == date(2026, 11, 24)


@pytest.mark.requirement("FR-601")
def test_a_time_keeps_its_hour_over_daylight_saving() -> None:
    berlin = read_zone("Europe/Berlin")
    half_past_two = WallTime(time(2, 30), berlin)
    nights = Series.starting("daily", date(2026, 3, 28), half_past_two).upcoming(3)

    assert [half_past_two.on(night).isoformat() for night in nights] == [
        "2026-03-28T01:30:00+00:00",
        "2026-03-29T01:30:00+00:00",  # 03:30 in summer: there is no 02:30
        "2026-03-30T00:30:00+00:00",
    ]
    assert half_past_two.on(date(2026, 10, 25)) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # the first of two


@pytest.mark.requirement("FR-601")
def test_until_as_a_day_ends_with_that_day_in_the_zone() -> None:
    evening = WallTime(time(23, 30), read_zone("America/New_York"))
    by_day = Series.starting("FREQ=DAILY;UNTIL=20261125", MONDAY, evening)
    by_time = Series.starting("FREQ=DAILY;UNTIL=20261125T043000Z", MONDAY, evening)

    assert by_day.upcoming(9)[-1] == date(2026, 11, 25)
    assert by_time.upcoming(9)[-1] == date(2026, 11, 24)
    assert str(by_day.rule) == "FREQ=DAILY;UNTIL=20261126T045959Z"
    assert str(Series.starting("FREQ=DAILY;UNTIL=99991231", MONDAY, evening).rule).endswith("UNTIL=99991231T045959Z")
