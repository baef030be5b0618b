"""The VTIMEZONE of each zone: another library reads the same local times from it as Python's own time zones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from dateutil.tz import tzical  # type: ignore[import-untyped]

from backend.formats.calendar.vtimezone import local_time, zone_component
from backend.formats.calendar.vtimezone_rules import RulesReader, standard_offset
from backend.utils.zones import ZONES, read_zone, rules_of

# Clocks there go back at the end of the last Thursday of October, which is often in November.
WITHOUT = {"Africa/Cairo", "Egypt"}
# One zone for each set of rules.
DIFFERENT = sorted({rules_of(name): name for name in sorted(ZONES - WITHOUT)}.values())
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


def changes_of(name: str, year: int) -> list[datetime]:
    """Return the instants of a year, to the minute, at which clocks have just changed."""
    zone = read_zone(name)
    found: list[datetime] = []
    for number in range(366):
        before, after = (datetime(year, 1, 1, tzinfo=UTC) + step * DAY for step in (number, number + 1))
        if before.astimezone(zone).utcoffset() != after.astimezone(zone).utcoffset():
            while after - before > MINUTE:
                middle = before + ((after - before) / 2 // MINUTE) * MINUTE
                is_same = middle.astimezone(zone).utcoffset() == before.astimezone(zone).utcoffset()
                before, after = (middle, after) if is_same else (before, middle)
            found.append(after)
    return found


def is_shown_twice(moment: datetime, name: str) -> bool:
    """Return whether a moment is in one of two hours that clocks show alike."""
    local = moment.astimezone(read_zone(name))
    return local.utcoffset() != local.replace(fold=not local.fold).utcoffset()


@pytest.mark.requirement("FR-283")
@pytest.mark.parametrize("name", DIFFERENT)
def test_another_library_reads_the_same_local_times(name: str) -> None:
    """Around each change of clocks, and in years of former rules."""
    lines = ["BEGIN:VCALENDAR", *zone_component(name), "END:VCALENDAR", ""]
    read = tzical(StringIO("\r\n".join(lines))).get(name)
    years = [datetime(year, month, 15, 12, tzinfo=UTC) for year in (1975, 1999, 2027, 2050, 2090) for month in (1, 7)]
    around = [at + step * MINUTE for at in changes_of(name, 2050) for step in (-121, -61, -31, -1, 0, 1, 31, 61, 121)]

    for moment in (*years, *around):
        local = moment.astimezone(read_zone(name))
        is_same = local.replace(tzinfo=read).utcoffset() == local.utcoffset()
        if local_time(moment, name) is None:
            assert not is_same or is_shown_twice(moment, name), (name, moment)
        else:
            assert (is_same, local_time(moment, name)) == (True, local), (name, moment)


@pytest.mark.requirement("FR-283")
def test_every_zone_is_written_unless_its_rules_cannot_be_said() -> None:
    assert {name for name in ZONES if not zone_component(name)} == WITHOUT
    moment = datetime(2027, 7, 1, tzinfo=UTC)
    for name in ZONES - WITHOUT:
        lines = zone_component(name)
        assert lines[:2] == ("BEGIN:VTIMEZONE", f"TZID:{name}")
        assert lines[-1] == "END:VTIMEZONE"
        assert local_time(moment, name) == moment
    assert local_time(moment, "Egypt") is None


@pytest.mark.requirement("FR-283")
@pytest.mark.parametrize(
    ("moment", "zone", "hour"),
    [
        ("2026-10-25T00:30:00Z", "Europe/Berlin", None),  # the clocks show 02:30 twice
        ("2026-10-25T01:30:00Z", "Europe/Berlin", None),
        ("2026-10-25T02:00:00Z", "Europe/Berlin", 3),
        ("1995-10-10T12:00:00Z", "Europe/Berlin", None),  # summer time ended in September
        ("1970-06-01T12:00:00Z", "Europe/Berlin", None),
        ("1985-07-01T12:00:00Z", "Asia/Kathmandu", None),  # 15 minutes less
        ("9999-12-31T23:59:59Z", "Asia/Kathmandu", None),
        ("0001-01-01T00:00:00Z", "America/New_York", None),
    ],
)
def test_a_time_is_local_only_if_the_present_rules_say_it(moment: str, zone: str, hour: int | None) -> None:
    local = local_time(datetime.fromisoformat(moment), zone)

    assert (local and local.hour) == hour


def test_no_path_is_a_zone() -> None:
    with pytest.raises(KeyError):
        read_zone("../zones")


@pytest.mark.requirement("FR-421")
@pytest.mark.parametrize("name", DIFFERENT)
def test_the_rules_of_each_zone_are_those_of_a_zone_like_it(name: str) -> None:
    reader = RulesReader()
    for line in zone_component(name):
        word, _, kind = line.partition(":")
        if word == "BEGIN":
            reader.begin()
        elif word == "END":
            reader.end(kind.encode())
        else:
            reader.take(line.encode())
    found = reader.zone()
    if found is None:
        assert name == "Antarctica/Troll" or not zone_component(name)
        return
    assert standard_offset(found) == standard_offset(name)
    assert ("," in rules_of(found)) == ("," in rules_of(name))  # whether clocks change
