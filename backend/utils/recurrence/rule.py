"""A recurrence rule: read from an RRULE or a word, judged, and written in one spelling."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
WORDS = {
    "daily": "FREQ=DAILY",
    "weekly": "FREQ=WEEKLY",
    "monthly": "FREQ=MONTHLY",
    "yearly": "FREQ=YEARLY",
    "weekdays": "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",
}
MAX_RULE_LENGTH = 500
MAX_TIMES = 999  # of INTERVAL and COUNT

_MAX_MONTH_DAY = 31
_MAX_POSITION = 366
_WEEKS_OF_A_MONTH = 5
_WEEKS_OF_A_YEAR = 53

_WEEKDAY = re.compile(rf"([+-]?(?:0?[1-9]|[1-9][0-9]))?({'|'.join(WEEKDAYS)})", re.ASCII)
_DAY = re.compile(r"[0-9]{8}", re.ASCII)
_TIME = re.compile(r"[0-9]{8}T[0-9]{6}Z", re.ASCII)


class InvalidRule(ValueError):
    """A rule that a task cannot have. The message is for its author."""


class RuleDay(NamedTuple):
    """A weekday of a rule: the first Monday of a month (1), the last (-1), or all Mondays (0)."""

    number: int
    weekday: int

    def __str__(self) -> str:
        return f"{self.number or ''}{WEEKDAYS[self.weekday]}"


@dataclass(frozen=True, slots=True)
class Rule:
    """The parts of an RRULE. `until` is a day, or an instant in UTC."""

    frequency: str
    interval: int = 1
    count: int | None = None
    until: date | datetime | None = None
    months: tuple[int, ...] = ()
    month_days: tuple[int, ...] = ()
    weekdays: tuple[RuleDay, ...] = ()
    positions: tuple[int, ...] = ()
    week_start: int = 0

    def __str__(self) -> str:
        parts = {
            "FREQ": self.frequency,
            "INTERVAL": "" if self.interval == 1 else self.interval,
            "COUNT": self.count or "",
            "UNTIL": _written_end(self.until),
            "BYMONTH": _joined(self.months),
            "BYMONTHDAY": _joined(self.month_days),
            "BYDAY": _joined(self.weekdays),
            "BYSETPOS": _joined(self.positions),
            "WKST": WEEKDAYS[self.week_start] if self.week_start else "",
        }
        return ";".join(f"{name}={value}" for name, value in parts.items() if value)


def read_rule(text: str) -> Rule:
    """Read an RRULE, with or without its name in front, or one of the words of forms; raises InvalidRule."""
    if len(text) > MAX_RULE_LENGTH:
        raise InvalidRule(f"A recurrence has at most {MAX_RULE_LENGTH} characters")
    said = WORDS.get(text.strip().lower(), text.strip().upper().removeprefix("RRULE:"))
    values: dict[str, str] = {}
    for part in said.removesuffix(";").split(";"):
        name, _, value = part.partition("=")
        if name not in _READERS and name != "FREQ":
            raise InvalidRule(
                f"A recurrence is an RRULE of {', '.join(['FREQ', *_READERS])}, or one of {', '.join(WORDS)}"
            )
        if name in values:
            raise InvalidRule(f"{name} is there twice: send it once")
        values[name] = value
    if values.get("FREQ") not in FREQUENCIES:
        raise InvalidRule(f"FREQ must be one of {', '.join(FREQUENCIES)}")
    rule = _rule_of(values)
    _judge(rule)
    return rule


def written_out(rule: Rule, day: date) -> Rule:
    """Return the rule with what it takes from its first day: programs differ in what a bare FREQ=YEARLY means."""
    if rule.frequency == "WEEKLY" and not rule.weekdays:
        return replace(rule, weekdays=(RuleDay(0, day.weekday()),))
    if rule.weekdays or rule.month_days or rule.frequency in {"DAILY", "WEEKLY"}:
        return rule
    months = rule.months or ((day.month,) if rule.frequency == "YEARLY" else ())
    return replace(rule, months=months, month_days=(day.day,))


def _rule_of(values: Mapping[str, str]) -> Rule:
    read: dict[str, Any] = {name: reader(name, values[name]) for name, reader in _READERS.items() if name in values}
    return Rule(
        frequency=values["FREQ"],
        interval=read.get("INTERVAL", 1),
        count=read.get("COUNT"),
        until=read.get("UNTIL"),
        months=read.get("BYMONTH", ()),
        month_days=read.get("BYMONTHDAY", ()),
        weekdays=read.get("BYDAY", ()),
        positions=read.get("BYSETPOS", ()),
        week_start=read.get("WKST", 0),
    )


def _judge(rule: Rule) -> None:
    """Refuse what RFC 5545 does not allow, and what programs read differently; raises InvalidRule."""
    of_days = rule.frequency in {"DAILY", "WEEKLY"}
    limit = _WEEKS_OF_A_YEAR if rule.frequency == "YEARLY" and not rule.months else _WEEKS_OF_A_MONTH
    numbers = {abs(day.number) for day in rule.weekdays}
    refusals = {
        "Send COUNT or UNTIL, not both": rule.count is not None and rule.until is not None,
        "BYMONTHDAY needs FREQ=MONTHLY or YEARLY": bool(rule.month_days) and of_days,
        "BYMONTHDAY with FREQ=YEARLY needs BYMONTH": (
            bool(rule.month_days) and rule.frequency == "YEARLY" and not rule.months
        ),
        "BYSETPOS needs FREQ=MONTHLY or YEARLY, and BYDAY": bool(rule.positions) and (of_days or not rule.weekdays),
        "A number in BYDAY needs FREQ=MONTHLY or YEARLY": max(numbers, default=0) > 0 and of_days,
        "BYDAY has numbers before all of its days, or before none": 0 in numbers and len(numbers) > 1,
        f"A number in BYDAY is from 1 to {limit} here, or from -1 to -{limit}": max(numbers, default=0) > limit,
    }
    for message, applies in refusals.items():
        if applies:
            raise InvalidRule(message)


def _times(name: str, value: str) -> int:
    if not value.isascii() or not value.isdecimal() or not 1 <= int(value[:4]) <= MAX_TIMES:
        raise InvalidRule(f"{name} must be a whole number from 1 to {MAX_TIMES}")
    return int(value)


def _end(name: str, value: str) -> date | datetime:
    try:
        if _DAY.fullmatch(value):
            return datetime.strptime(value, "%Y%m%d").replace(tzinfo=UTC).date()
        if _TIME.fullmatch(value):
            return datetime.strptime(value, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:  # the thirtieth of February
        pass
    raise InvalidRule(f"{name} must be a day like 20261231, or a time in UTC like 20261231T170000Z")


def _numbers(limit: int, *, may_be_negative: bool) -> Callable[[str, str], tuple[int, ...]]:
    span = f"from 1 to {limit}" + (f", or from -1 to -{limit}" if may_be_negative else "")
    pattern = re.compile(r"[+-]?[0-9]{1,3}" if may_be_negative else r"\+?[0-9]{1,3}", re.ASCII)

    def read(name: str, value: str) -> tuple[int, ...]:
        said = value.split(",")
        numbers = {int(number) for number in said if pattern.fullmatch(number)}
        if not all(pattern.fullmatch(number) for number in said) or not all(0 < abs(n) <= limit for n in numbers):
            raise InvalidRule(f"{name} must be numbers {span}, with commas between them")
        return tuple(sorted(numbers, key=lambda number: (number < 0, abs(number))))

    return read


def _weekdays(name: str, value: str) -> tuple[RuleDay, ...]:
    said = [_WEEKDAY.fullmatch(day) for day in value.split(",")]
    if not all(said):
        raise InvalidRule(f"{name} must be weekdays like MO,TU or numbered ones like 1MO,-1FR")
    days = {RuleDay(int(day[1] or 0), WEEKDAYS.index(day[2])) for day in said if day}
    return tuple(sorted(days, key=lambda day: (day.number < 0, abs(day.number), day.weekday)))


def _week_start(name: str, value: str) -> int:
    if value not in WEEKDAYS:
        raise InvalidRule(f"{name} must be one of {', '.join(WEEKDAYS)}")
    return WEEKDAYS.index(value)


def _joined(values: tuple[object, ...]) -> str:
    return ",".join(str(value) for value in values)


def _written_end(end: date | datetime | None) -> str:
    if end is None:
        return ""
    written = f"{end.replace(tzinfo=None).isoformat()}Z" if isinstance(end, datetime) else end.isoformat()
    return written.replace("-", "").replace(":", "")


_READERS: dict[str, Callable[[str, str], object]] = {
    "INTERVAL": _times,
    "COUNT": _times,
    "UNTIL": _end,
    "BYMONTH": _numbers(12, may_be_negative=False),
    "BYMONTHDAY": _numbers(_MAX_MONTH_DAY, may_be_negative=True),
    "BYDAY": _weekdays,
    "BYSETPOS": _numbers(_MAX_POSITION, may_be_negative=True),
    "WKST": _week_start,
}
