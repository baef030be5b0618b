"""Time zones in iCalendar: the VTIMEZONE of a zone's present rules (RFC 5545, 3.6.5).

It holds one rule for each half of the year, as calendars write it. A zone's history is left out: programs read long
lists of single changes differently. So a time at which other rules were in force is not written as local time.
"""

from __future__ import annotations

import re
import struct
from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from io import BytesIO
from typing import NamedTuple
from zoneinfo import ZoneInfo

from backend.utils.zones import ZONES, read_zone, rules_of

_FIRST_YEAR = 1970
_DAYS = ("SU", "MO", "TU", "WE", "TH", "FR", "SA")
_LAST_WEEK = 5  # of a month, however many it has
# A change of clocks: month, week, day of the week, and hours (perhaps negative, or more than 24) and minutes.
_CHANGE = re.compile(r",M([0-9]+)\.([1-5])\.([0-6])(?:/(-?[0-9]+)(?::([0-9]+))?)?")
_CHANGE_BY_DEFAULT_AT = "2"  # hours


class _Change(NamedTuple):
    """When clocks change each year: by local time before the change, in the first year, and as a rule."""

    first: datetime
    rule: str


class _Zone(NamedTuple):
    lines: tuple[str, ...]
    history: ZoneInfo
    rules: ZoneInfo


def zone_component(name: str) -> tuple[str, ...]:
    """Return the lines of a zone's VTIMEZONE; no lines if it cannot say the rules of the zone."""
    zone = _zone(name)
    return zone.lines if zone else ()


def local_time(moment: datetime, name: str) -> datetime | None:
    """Return the local time that stands for a moment in a zone's VTIMEZONE.

    None if there is no such time: clocks show it twice, other rules were in force, or a VTIMEZONE cannot say the rules.
    """
    zone = _zone(name)
    try:
        local = moment.astimezone(zone.history) if zone else None
        if zone is None or local is None or local.year <= _FIRST_YEAR:
            return None
        # Programs disagree about which of two equal times is meant.
        offsets = {local.replace(fold=fold).utcoffset() for fold in (0, 1)}
        return local if offsets == {moment.astimezone(zone.rules).utcoffset()} else None
    except OverflowError:  # at the ends of the calendar
        return None


@lru_cache(maxsize=len(ZONES))
def _zone(name: str) -> _Zone | None:
    text = rules_of(name)
    rules = _always(text)
    changes = [_change(*found) for found in _CHANGE.findall(text)]
    lines = ["BEGIN:VTIMEZONE", f"TZID:{name}"]
    if not changes:
        lines += _observance("STANDARD", _Change(datetime(_FIRST_YEAR, 1, 1), ""), rules)  # noqa: DTZ001 - local time
    for kind, change in zip(("DAYLIGHT", "STANDARD"), changes, strict=False):
        if change is None:
            return None
        lines += _observance(kind, change, rules)
    return _Zone((*lines, "END:VTIMEZONE"), read_zone(name), rules)


def _always(rules: str) -> ZoneInfo:
    """Return a zone that has had these rules forever: a file without any changes, but with rules (RFC 9636, 3)."""
    block = b"TZif2".ljust(20, b"\0") + struct.pack(">6l", 0, 0, 0, 0, 1, 1) + bytes(6 + 1)
    return ZoneInfo.from_file(BytesIO(2 * block + f"\n{rules}\n".encode()))


def _change(month: str, week: str, weekday: str, hours: str, minutes: str) -> _Change | None:
    """Return when clocks change; None if that is not always in the same month."""
    length = monthrange(_FIRST_YEAR, int(month))[1]  # clocks change in no February
    end = length if int(week) == _LAST_WEEK else 7 * int(week)
    shift, hour = divmod(int(hours or _CHANGE_BY_DEFAULT_AT), 24)
    days = [day + shift for day in range(end - 6, end + 1)]
    if days[0] < 1 or days[-1] > length:
        return None
    day_name = _DAYS[(int(weekday) + shift) % 7]
    which = "-1" if int(week) == _LAST_WEEK else week
    days_of_month = ",".join(map(str, days))
    by_day = f"BYMONTHDAY={days_of_month};BYDAY={day_name}" if shift else f"BYDAY={which}{day_name}"
    dates = (date(_FIRST_YEAR, int(month), day) for day in days)
    first = next(each for each in dates if _DAYS[each.isoweekday() % 7] == day_name)
    at = datetime(first.year, first.month, first.day, hour, int(minutes or "0"))  # noqa: DTZ001 - local time
    return _Change(at, f"RRULE:FREQ=YEARLY;BYMONTH={month};{by_day}")


def _observance(kind: str, change: _Change, rules: ZoneInfo) -> Iterator[str]:
    day = timedelta(days=1)
    before, after = ((change.first + step).replace(tzinfo=UTC).astimezone(rules) for step in (-day, day))
    yield from (f"BEGIN:{kind}", f"DTSTART:{change.first:%Y%m%dT%H%M%S}")
    if change.rule:
        yield change.rule
    yield from (f"TZOFFSETFROM:{before:%z}", f"TZOFFSETTO:{after:%z}", f"TZNAME:{after:%Z}", f"END:{kind}")
