"""A series: a rule, the slot that is current, and the wall time at which its days begin. Pure.

A wall time keeps its hour across daylight saving. One that a spring night skips is read with the offset from before,
so 02:30 happens at 03:30; of an hour that comes twice, the first is taken (RFC 5545, section 3.3.5).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from itertools import islice
from zoneinfo import ZoneInfo

from backend.utils.recurrence.days import LAST_DAY, days_after, occurs
from backend.utils.recurrence.rule import InvalidRule, Rule, read_rule, written_out

FIRST_YEAR = 1900  # a COUNT is counted from the slot: not for two thousand years
_LAST_SECOND = time(23, 59, 59)


@dataclass(frozen=True, slots=True)
class WallTime:
    """A time of day in a zone."""

    time: time
    zone: ZoneInfo

    def on(self, day: date) -> datetime:
        """Return the instant of this time on a day, in UTC."""
        return datetime.combine(day, self.time, self.zone).astimezone(UTC)

    def last_second_of(self, day: date) -> datetime:
        """Return the end of a day in the zone, in UTC."""
        return datetime.combine(min(day, LAST_DAY), _LAST_SECOND, self.zone).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Series:
    """What a task repeats by. Without a wall time, it is due on days."""

    rule: Rule
    slot: date
    wall_time: WallTime | None = None

    @classmethod
    def starting(cls, text: str, slot: date, wall_time: WallTime | None = None) -> Series:
        """Read a rule for a series that begins with this slot; raises InvalidRule."""
        if slot.year < FIRST_YEAR:
            raise InvalidRule(f"A task that repeats is due in {FIRST_YEAR} or later")
        rule = written_out(read_rule(text), slot)
        if not occurs(rule, slot):
            raise InvalidRule("The recurrence has no occurrence after the due: change one of them")
        return cls(replace(rule, until=_end(rule.until, wall_time)), slot, wall_time)

    def upcoming(self, number: int) -> list[date]:
        """Return the current slot and those that follow, this many at most."""
        return [self.slot, *islice(self._following(), number - 1)]

    def next_after(self, beyond: date) -> Series | None:
        """Return the series at its first slot after the current and after this day; None if it ends before.

        A COUNT goes down by the slots that are passed, as a calendar counts them.
        """
        count = self.rule.count
        for passed, slot in enumerate(self._following(beyond if count is None else None), 1):
            if slot > beyond:
                return replace(self, rule=replace(self.rule, count=count and count - passed), slot=slot)
        return None

    def _following(self, beyond: date | None = None) -> Iterator[date]:
        """Yield the slots after the current, until the rule ends."""
        left = None if self.rule.count is None else self.rule.count - 1
        for slot in islice(days_after(self.rule, self.slot, beyond), left):
            if self._is_over(slot):
                return
            yield slot

    def _is_over(self, slot: date) -> bool:
        until = self.rule.until
        if until is None:
            return False
        if not isinstance(until, datetime):
            return slot > until
        return self.wall_time is None or self.wall_time.on(slot) > until


def _end(until: date | datetime | None, wall_time: WallTime | None) -> date | datetime | None:
    """Return UNTIL as RFC 5545 has it: a day for days, an instant for times."""
    if isinstance(until, datetime):
        return until if wall_time else until.date()
    return wall_time.last_second_of(until) if wall_time and until else until
