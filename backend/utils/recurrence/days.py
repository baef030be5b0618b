"""The days of a recurrence rule, after a day of its series. Pure, and bounded whatever the rule.

A series is followed from the slot that is current, never from its first day, so its age costs nothing; periods are
counted from that slot, which keeps the phase of an INTERVAL. A rule that has no day in very many periods has none.
Days are counted as Python's ordinals: 1 is the first of January of the year 1.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import date

from backend.utils.recurrence.rule import Rule, RuleDay

# So many periods without a day: no rule of this frequency that has days at all skips more.
MAX_EMPTY = {"DAILY": 1_500, "WEEKLY": 600, "MONTHLY": 500, "YEARLY": 60}

# The day after it may begin in the year 10000 in UTC, which no program can write.
LAST_DAY = date(9999, 12, 30)

_LAST = LAST_DAY.toordinal()
_MONTHS = 12
_WEEK = 7


def days_after(rule: Rule, slot: date, beyond: date | None = None) -> Iterator[date]:
    """Yield the days of the rule after the slot, in order, without regard to COUNT and UNTIL.

    The rule says what it takes from its first day (`written_out`). With `beyond`, only the days after it are computed,
    which takes no longer for a slot of long ago.
    """
    after = max(slot, beyond or slot).toordinal()
    empty = 0
    for days in PERIODS[rule.frequency](rule, slot, after):
        empty = 0 if days else empty + 1
        if empty > MAX_EMPTY[rule.frequency]:
            return
        for day in days:
            if day > after:
                yield date.fromordinal(day)


def occurs(rule: Rule, slot: date) -> bool:
    """Return whether the rule has a day after the slot, or could have one if there were a year 10000."""
    return slot.year > LAST_DAY.year - 1_000 or next(days_after(rule, slot), None) is not None


def _days(rule: Rule, slot: date, after: int) -> Iterator[list[int]]:
    first, step = slot.toordinal(), rule.interval
    weekdays = {day.weekday for day in rule.weekdays}
    day = first + (after - first) // step * step
    while day <= _LAST:
        is_in_month = True
        if rule.months:
            seen = date.fromordinal(day)
            is_in_month = seen.month in rule.months
            if not is_in_month:  # go to the last day of the month that is in the series
                ahead = monthrange(seen.year, seen.month)[1] - seen.day
                day += ahead // step * step
        yield [day] if is_in_month and (not weekdays or _weekday(day) in weekdays) else []
        day += step


def _weeks(rule: Rule, slot: date, after: int) -> Iterator[list[int]]:
    first = slot.toordinal()
    first -= (_weekday(first) - rule.week_start) % _WEEK
    step = _WEEK * rule.interval
    inside = sorted((day.weekday - rule.week_start) % _WEEK for day in rule.weekdays)
    for week in range(first + (after - first) // step * step, _LAST + 1, step):
        days = [week + offset for offset in inside if 0 < week + offset <= _LAST]
        if rule.months:
            days = [day for day in days if date.fromordinal(day).month in rule.months]
        yield days


def _months(rule: Rule, slot: date, after: int) -> Iterator[list[int]]:
    seen = date.fromordinal(after)
    first = slot.year * _MONTHS + slot.month - 1
    passed = (seen.year * _MONTHS + seen.month - 1 - first) // rule.interval
    for number in range(first + passed * rule.interval, (LAST_DAY.year + 1) * _MONTHS, rule.interval):
        year, month = divmod(number, _MONTHS)
        is_in = not rule.months or month + 1 in rule.months
        yield _chosen(rule, _days_of_month(rule, year, month + 1)) if is_in else []


def _years(rule: Rule, slot: date, after: int) -> Iterator[list[int]]:
    passed = (date.fromordinal(after).year - slot.year) // rule.interval
    for year in range(slot.year + passed * rule.interval, LAST_DAY.year + 1, rule.interval):
        if rule.months:
            days = [day for month in sorted(rule.months) for day in _days_of_month(rule, year, month)]
        else:
            first = date(year, 1, 1).toordinal()
            days = _of_weekdays(rule.weekdays, first, date(year, 12, 31).toordinal())
        yield _chosen(rule, days)


def _days_of_month(rule: Rule, year: int, month: int) -> list[int]:
    first = date(year, month, 1).toordinal()
    length = monthrange(year, month)[1]
    last = first + length - 1
    by_number = {first + (day - 1 if day > 0 else length + day) for day in rule.month_days}
    fitting = sorted(day for day in by_number if first <= day <= last)
    if not rule.weekdays:
        return fitting
    by_weekday = _of_weekdays(rule.weekdays, first, last)
    return [day for day in by_weekday if day in by_number] if rule.month_days else by_weekday


def _of_weekdays(weekdays: tuple[RuleDay, ...], first: int, last: int) -> list[int]:
    """Return the days from first to last that are one of these weekdays: by its number, or all."""
    found: set[int] = set()
    for number, weekday in weekdays:
        days = range(first + (weekday - _weekday(first)) % _WEEK, last + 1, _WEEK)
        if not number:
            found.update(days)
        elif abs(number) <= len(days):
            found.add(days[number - 1 if number > 0 else number])
    return sorted(found)


def _chosen(rule: Rule, days: list[int]) -> list[int]:
    """Return the days at the positions of BYSETPOS, or all."""
    if not rule.positions:
        return days
    places = {place - 1 if place > 0 else len(days) + place for place in rule.positions}
    return [days[place] for place in sorted(places) if 0 <= place < len(days)]


def _weekday(day: int) -> int:
    return (day + 6) % _WEEK  # of an ordinal; Monday is 0


PERIODS = {"DAILY": _days, "WEEKLY": _weeks, "MONTHLY": _months, "YEARLY": _years}
