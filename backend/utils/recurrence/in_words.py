"""A recurrence rule as one English sentence, for people who choose it in a form."""

from __future__ import annotations

from calendar import day_name, month_name
from collections.abc import Iterable

from backend.utils.recurrence.rule import Rule, RuleDay

_UNITS = {"DAILY": "day", "WEEKLY": "week", "MONTHLY": "month", "YEARLY": "year"}
_WORKING_DAYS = tuple(RuleDay(0, weekday) for weekday in range(5))
_WORKING_WEEK = "Monday to Friday"
_TEENS = {11, 12, 13}
_ENDINGS = {1: "st", 2: "nd", 3: "rd"}


def in_words(rule: Rule) -> str:
    """Return what a rule that is written out means, such as "Every 2 weeks on Monday and Friday, 5 times"."""
    unit = _UNITS[rule.frequency]
    often = f"Every {unit}" if rule.interval == 1 else f"Every {rule.interval} {unit}s"
    return " ".join([often, *_which(rule)]) + _end(rule)


def _which(rule: Rule) -> Iterable[str]:
    """Yield the days of the period."""
    months = _all(month_name[month] for month in rule.months)
    if rule.frequency in {"DAILY", "WEEKLY"}:
        if rule.weekdays:
            yield f"on {_weekdays(rule.weekdays)}" if rule.weekdays != _WORKING_DAYS else f"from {_WORKING_WEEK}"
    elif rule.month_days and not rule.weekdays and months and all(day > 0 for day in rule.month_days):
        yield f"on {_all(str(day) for day in rule.month_days)} {months}"
        return
    elif rule.month_days:
        yield f"on the {_all(_place(day, 'day') for day in rule.month_days)}"
        if rule.weekdays:
            yield f"if it is {_weekdays(rule.weekdays, ' or ')}"
    elif rule.positions:
        places = _all(_place(place) for place in rule.positions)
        yield f"on the {places} of all days that are {_weekdays(rule.weekdays, ' or ')}"
    else:
        yield f"on {_weekdays(rule.weekdays)}"
    if months:
        yield f"in {months}"


def _weekdays(days: tuple[RuleDay, ...], last: str = " and ") -> str:
    if days == _WORKING_DAYS:
        return _WORKING_WEEK
    return _all(
        (f"the {_place(day.number, day_name[day.weekday])}" if day.number else day_name[day.weekday] for day in days),
        last,
    )


def _place(number: int, thing: str = "") -> str:
    """Return a place from the beginning or the end: "2nd", "last", "3rd last"; with a thing, "2nd Monday"."""
    from_here = abs(number)
    ending = "th" if from_here % 100 in _TEENS else _ENDINGS.get(from_here % 10, "th")
    ordinal = f"{from_here}{ending}"
    place = ordinal if number > 0 else "last" if number == -1 else f"{ordinal} last"
    return f"{place} {thing}" if thing and (thing != "day" or number < 0) else place


def _all(words: Iterable[str], last: str = " and ") -> str:
    *first, final = [*words] or [""]
    return f"{', '.join(first)}{last}{final}" if first else final


def _end(rule: Rule) -> str:
    if rule.count is not None:
        return ", once" if rule.count == 1 else f", {rule.count} times"
    if rule.until is not None:
        return f", until {rule.until.day} {month_name[rule.until.month]} {rule.until.year}"
    return ""
