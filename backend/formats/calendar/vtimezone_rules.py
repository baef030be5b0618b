"""The rules of the VTIMEZONEs in a file, and the zones of IANA that have these rules at present.

Some programs invent names for zones. Only the rules then say what a name means.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from operator import attrgetter
from typing import NamedTuple

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from backend.utils.zones import ZONES, rules_of

_DAYS = ("SU", "MO", "TU", "WE", "TH", "FR", "SA")
_LAST_WEEK = 5
_HOUR = 60  # minutes
_HALF_A_YEAR = 6  # months
_WHOLE_HOURS = range(-12, 15)  # that a zone has as its offset
# Of zones with the same rules, these are meant rather than others.
_USUAL = (
    *("Europe/London", "Europe/Berlin", "Europe/Kyiv", "America/New_York", "America/Chicago", "America/Denver"),
    *("America/Los_Angeles", "Australia/Sydney", "Asia/Kolkata", "Asia/Kathmandu", "Asia/Yangon", "America/Nuuk"),
)
# Standard time and its offset, perhaps daylight time and its, and the changes to either (RFC 9636, 3.3.1).
_NAME = "(?:<[^>]+>|[A-Za-z]+)"
_POSIX = re.compile(rf"^{_NAME}([0-9:+-]+)(?:{_NAME}([0-9:+-]*))?")
_POSIX_CHANGE = re.compile(r",M([0-9]+)\.([1-5])\.([0-6])(?:/(-?[0-9]+)(?::([0-9]+))?)?")
_CHANGE_AT = "2"  # hours, by default
_LINE = re.compile(rb"(TZOFFSETTO|DTSTART|RRULE)(?:;[^:]*)?:[ ]*([!-~]{1,200})", re.IGNORECASE)
_OFFSET = re.compile(r"([+-])([0-9]{2})([0-9]{2})(?:[0-9]{2})?")
_HAS_ENDED = re.compile("UNTIL=(?:19|20[0-2])")
_SMALL = re.compile("[+-]?[0-9]{1,2}")
_START = re.compile(r"([0-9]{4}(?:0[1-9]|1[0-2])[0-9]{2})T([0-9]{2})([0-9]{2})")
_BY_DAY = re.compile(r"([+-]?[0-9])?(SU|MO|TU|WE|TH|FR|SA)")


class Change(NamedTuple):
    """When clocks change each year: in which week of the month (5: the last), on which day of it, at which minute."""

    month: int
    week: int
    weekday: int
    minute: int


class Observance(NamedTuple):
    """How many minutes clocks are ahead of UTC, and when they change to that; None if they never change."""

    offset: int
    change: Change | None = None


Rules = tuple[Observance, ...]  # one, or two by their offsets


@dataclass(slots=True)
class RulesReader:
    """Reads the present rules of a VTIMEZONE: of each kind, it keeps only the latest rule."""

    _said: dict[str, str] = field(default_factory=dict)  # by the observance that is being read
    _latest: dict[bool, tuple[str, Observance]] = field(default_factory=dict)  # by whether it repeats in summer
    _fixed: tuple[str, int] = ("", 0)

    def begin(self) -> None:
        """Begin an observance."""
        self._said = {}

    def take(self, content: bytes) -> None:
        """Take a line of an observance."""
        if found := _LINE.match(content):
            self._said.setdefault(found[1].decode().upper(), found[2].decode().upper())

    def end(self, kind: bytes) -> None:
        """End an observance of this kind, and keep it if it is the latest."""
        said, self._said = self._said, {}
        offset, start = _OFFSET.match(said.get("TZOFFSETTO", "")), _START.match(said.get("DTSTART", ""))
        if offset is None or start is None:
            return
        minutes = int(f"{offset[1]}1") * (int(offset[2]) * _HOUR + int(offset[3]))
        if "RRULE" not in said:
            self._fixed = max(self._fixed, (start[1], minutes))
        elif _HAS_ENDED.search(said["RRULE"]) is None:
            is_daylight = kind == b"DAYLIGHT"
            latest = self._latest.get(is_daylight)
            if latest is None or start[1] >= latest[0]:
                self._latest[is_daylight] = start[1], Observance(minutes, _change(said["RRULE"], start))

    def zone(self) -> str | None:
        """Return a zone with these rules, or else a zone with the same offsets; None if no zone has them."""
        if len(self._latest) == len((False, True)):
            rules = _sorted(observance for _, observance in self._latest.values())
            return _zones().get(rules) or _zones().get(_roughly(rules))
        return fixed_zone(self._fixed[1]) if self._fixed[0] and not self._latest else None


def _change(rule: str, start: re.Match[str]) -> Change:
    """Return what a rule like FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU says, as far as changes of clocks are like that."""
    parts = dict(part.partition("=")[::2] for part in rule.split(";"))
    day = _BY_DAY.fullmatch(parts.get("BYDAY", ""))
    week = _number((day and day[1]) or parts.get("BYSETPOS", ""))
    first_day = _number(parts.get("BYMONTHDAY", "").partition(",")[0])  # 8,9,10,11,12,13,14: of the second week
    return Change(
        month=_number(parts.get("BYMONTH", "")) or int(start[1][4:6]),
        week=_LAST_WEEK if week == -1 else week or (first_day + 6) // 7,
        weekday=_DAYS.index(day[2]) if day else 0,
        minute=int(start[2]) * _HOUR + int(start[3]),
    )


def _number(text: str) -> int:
    return int(text) if _SMALL.fullmatch(text) else 0


def fixed_zone(minutes: int) -> str | None:
    """Return a zone that is always so many minutes ahead of UTC."""
    hours, rest = divmod(minutes, _HOUR)
    if rest or hours not in _WHOLE_HOURS:
        return _zones().get((Observance(minutes),))
    return f"Etc/GMT{-hours:+}" if hours else "UTC"


@lru_cache(maxsize=len(ZONES))
def standard_offset(zone: str) -> int:
    """Return how many minutes a zone's clocks are ahead of UTC in winter."""
    return _rules_of(zone)[0].offset


def _roughly(rules: Rules) -> Rules:
    """Return the offsets of rules, and in which half of the year clocks change to summer."""
    return tuple(Observance(each.offset, _half(each.change)) for each in rules)


def _half(change: Change | None) -> Change | None:
    return None if change is None else Change((change.month - 1) // _HALF_A_YEAR, 0, 0, 0)


def _sorted(observances: Iterable[Observance]) -> Rules:
    return tuple(sorted(observances, key=attrgetter("offset")))


@lru_cache(maxsize=1)
def _zones() -> dict[Rules, str]:
    """Return a zone for each kind of rules, and for what they are roughly."""
    names = [*_USUAL, *sorted(set(WINDOWS_TO_OLSON.values()) & ZONES - {*_USUAL})]
    found: dict[Rules, str] = {}
    for name in names:
        rules = _rules_of(name)
        found.setdefault(rules, name)
        found.setdefault(_roughly(rules), name)
    return found


def _rules_of(zone: str) -> Rules:
    text = rules_of(zone)
    ((standard, daylight),) = _POSIX.findall(text)
    changes = [_posix_change(*found) for found in _POSIX_CHANGE.findall(text)]
    offset = _minutes(standard)
    if not changes:
        return (Observance(offset),)
    to_daylight, to_standard = changes
    summer = _minutes(daylight) if daylight else offset + _HOUR
    return _sorted((Observance(offset, to_standard), Observance(summer, to_daylight)))


def _posix_change(month: str, week: str, weekday: str, hours: str, minutes: str) -> Change:
    return Change(int(month), int(week), int(weekday), int(hours or _CHANGE_AT) * _HOUR + int(minutes or 0))


def _minutes(text: str) -> int:
    """Read an offset, which POSIX counts westwards."""
    hours, _, minutes = text.partition(":")
    total = abs(int(hours)) * _HOUR + int(minutes or 0)
    return total if hours.startswith("-") else -total
