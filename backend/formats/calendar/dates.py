"""When tasks are due and when they start, in iCalendar: the properties DUE and DTSTART, and the zones they name.

A day is a DATE. A time is local time in the task's zone, whose VTIMEZONE stands in the same file. If the VTIMEZONE
cannot say the time, it is in UTC. Times are to the second. If the exact time differs, a property of our own holds it,
and counts while the time to the second is unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from backend.errors import Detail
from backend.formats.calendar.properties import Said
from backend.formats.calendar.vtimezone import local_time
from backend.utils.zones import ZONES, read_zone

ZONE = "X-TASK-API-TIMEZONE"  # of a time that is not written as local time
DATES = ("DUE", "DTSTART")
MOMENTS = ("CREATED", "COMPLETED")
EXACT = {name: f"X-TASK-API-{name}" for name in (*DATES, *MOMENTS)}
DATE_PROPERTIES = (*DATES, *(EXACT[name] for name in DATES), ZONE, "DURATION")
_FIELDS = {"DUE": "due", "DTSTART": "start"}
# Some programs write hyphens and colons between the parts.
_WHEN = re.compile(
    r"([0-9]{4})-?([0-9]{2})-?([0-9]{2})(?:T([0-9]{2}):?([0-9]{2}):?([0-9]{2})(Z?))?", re.ASCII | re.IGNORECASE
)
_EXACT = re.compile(r"[0-9T:-]{19}\.[0-9]{6}\+00:00", re.ASCII)
_MIDNIGHT = re.compile("T000000Z?$")
_IN_UTC = re.compile("Z[ ]*$")
_DURATION = re.compile(
    r"\+?P(?:([0-9]{1,6})W)?(?:([0-9]{1,6})D)?(?:T(?:([0-9]{1,6})H)?(?:([0-9]{1,6})M)?(?:([0-9]{1,9})S)?)?", re.ASCII
)
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_NO_MOMENT = "This is no time, and was left out"
_TOO_EARLY = "This is before 1970, and was left out"
_MADE_A_MOMENT = "This is no time in UTC: it was read as local time, and a day as its beginning"
_NO_DURATION = Detail("DURATION", "duration_dropped", "This adds no time to the start, and was left out")
_OTHER_KIND = Detail(
    "DTSTART", "start_respelled", "The start is a day and the due date a time, or reversed: the start became like that"
)
_LATE_START = Detail("DTSTART", "start_dropped", "The start is after the due date, and was left out")
_NOT_A_DATE = "This is no day and no time, and was left out"


def written_dates(task: Mapping[str, Any]) -> Iterator[str]:
    """Write the dates of a task."""
    for name, field_name in _FIELDS.items():
        if task[f"{field_name}_date"] is not None:
            yield f"{name};VALUE=DATE:{task[f'{field_name}_date'].replace('-', '')}"
        elif task[f"{field_name}_at"] is not None:
            moment, exact = _to_the_second(name, task[f"{field_name}_at"])
            yield from exact
            local = local_time(moment, task["timezone"]) if task["timezone"] else None
            if local is None:
                yield f"{name}:{_basic(moment)}Z"
            else:
                yield f"{name};TZID={task['timezone']}:{_basic(local)}"
        else:
            yield f"{EXACT[name]}:"  # other programs do not understand an empty DUE or DTSTART
    yield f"{ZONE}:{task['timezone'] or ''}"


def written_moment(name: str, text: str) -> Iterator[str]:
    """Write when something happened."""
    moment, exact = _to_the_second(name, text)
    yield from (*exact, f"{name}:{_basic(moment)}Z")


def _to_the_second(name: str, text: str) -> tuple[datetime, tuple[str, ...]]:
    """Return a time to the second, and a property with the exact time if that differs."""
    exact = datetime.fromisoformat(text).astimezone(UTC)
    moment = exact.replace(microsecond=0)
    return moment, () if moment == exact else (f"{EXACT[name]}:{exact.isoformat()}",)


def _basic(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat().replace("-", "").replace(":", "")


def read_dates(said: Said) -> dict[str, str | None]:
    """Read the dates that properties name, and clear those that they leave empty.

    A time that names no zone is local time wherever its reader is (RFC 5545, 3.3.5), which is `zones.own`.
    """
    texts, zones, mends = said.texts, said.zones, said.mends
    found: dict[str, date] = {}
    named: dict[str, str | None] = {}
    for name in DATES:
        value = texts.get(name, "").strip()
        if not value:
            continue
        parameters = said.parameters.get(name, {})
        zone = zones.named(parameters, mends)
        is_day = str(parameters.get("VALUE", "")).upper() == "DATE"
        when = _read(_MIDNIGHT.sub("", value) if is_day else value, zone or zones.own)
        if when is None:
            mends.append(Detail(name, "date_dropped", _NOT_A_DATE))
            continue
        found[name] = _exact(when, texts.get(EXACT[name], "").strip())
        named[name] = zone if isinstance(when, datetime) else None
    _add_duration(texts, found, named.get("DTSTART") or zones.own, mends)
    _mend_start(found, named.get("DUE") or named.get("DTSTART") or zones.own, mends)
    return _fields(texts, found, named.get("DUE") or named.get("DTSTART"))


def _fields(texts: Mapping[str, str], found: Mapping[str, date], zone: str | None) -> dict[str, str | None]:
    """Return the fields of the dates that were found, and of the dates that the component clears."""
    fields: dict[str, str | None] = {}
    for name, field_name in _FIELDS.items():
        is_empty = "" in (texts.get(name, "?").strip(), texts.get(EXACT[name], "?").strip())
        if name in found or is_empty:
            fields |= {f"{field_name}_date": None, f"{field_name}_at": None}
        if name in found:
            kind = "at" if isinstance(found[name], datetime) else "date"
            fields[f"{field_name}_{kind}"] = found[name].isoformat()
    own, has_time = texts.get(ZONE, "?").strip(), any(isinstance(when, datetime) for when in found.values())
    if not own or (has_time and (zone or ZONE in texts)):
        fields["timezone"] = zone or (own if own in ZONES else None)
    return fields


def read_moment(name: str, said: Said) -> str | None:
    """Return when a task was created or completed; None if that cannot be known, or is before 1970."""
    texts, zones, mends = said.texts, said.zones, said.mends
    zone = zones.named(said.parameters.get(name, {}), mends)
    when = _read(texts[name].strip(), zone or zones.own)
    if when is None:
        mends.append(Detail(name, "moment_dropped", _NO_MOMENT))
        return None
    if not isinstance(when, datetime):
        when = datetime(when.year, when.month, when.day, tzinfo=read_zone(zones.own))
    if when < _EARLIEST:
        mends.append(Detail(name, "moment_dropped", _TOO_EARLY))
        return None
    if _IN_UTC.search(texts[name]) is None:
        mends.append(Detail(name, "moment_local", _MADE_A_MOMENT))
    return _exact(when, texts.get(EXACT[name], "").strip()).isoformat()


def _exact(when: date, exact: str) -> date:
    is_time = isinstance(when, datetime) and _EXACT.fullmatch(exact)
    is_exact = is_time and exact.partition(".")[0] == when.isoformat().partition("+")[0]
    return datetime.fromisoformat(exact) if is_exact else when


def _add_duration(texts: Mapping[str, str], found: dict[str, date], zone: str, mends: list[Detail]) -> None:
    """Turn a DURATION into a due date, if there is no DUE."""
    start, length = found.get("DTSTART"), _DURATION.fullmatch(texts.get("DURATION", "").strip().upper())
    if start is None or "DUE" in found or "DURATION" not in texts:
        return
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in (length.groups() if length else [0] * 5))
    if length is None or (not isinstance(start, datetime) and (hours or minutes or seconds)):
        mends.append(_NO_DURATION)
        return
    try:
        if not isinstance(start, datetime):
            found["DUE"] = start + timedelta(weeks=weeks, days=days)
            return
        local = start.astimezone(read_zone(zone)) + timedelta(weeks=weeks, days=days)  # the same time of another day
        found["DUE"] = local.astimezone(UTC) + timedelta(hours=hours, minutes=minutes, seconds=seconds)
    except OverflowError:
        mends.append(_NO_DURATION)


def _mend_start(found: dict[str, date], zone: str, mends: list[Detail]) -> None:
    """Make the start a day or a time, as the due date is. Leave it out if it is after the due date."""
    start, due = found.get("DTSTART"), found.get("DUE")
    if start is None or due is None:
        return
    if isinstance(start, datetime) != isinstance(due, datetime):
        try:
            if isinstance(start, datetime):
                start = start.astimezone(read_zone(zone)).date()
            else:
                start = datetime(start.year, start.month, start.day, tzinfo=read_zone(zone)).astimezone(UTC)
        except OverflowError:
            start = datetime.max.replace(tzinfo=UTC) if isinstance(due, datetime) else date.max
        mends.append(_OTHER_KIND)
    found["DTSTART"] = start
    if start > due:
        del found["DTSTART"]
        mends.append(_LATE_START)


def _read(value: str, zone: str) -> date | datetime | None:
    """Read a day or a time; a time that is not in UTC is in this zone."""
    found = _WHEN.fullmatch(value)
    if found is None:
        return None
    year, month, day, hour, minute, second, is_utc = found.groups()
    try:
        if hour is None:
            return date(int(year), int(month), int(day))
        parts = (int(part) for part in (year, month, day, hour, minute, second))
        return datetime(*parts, tzinfo=UTC if is_utc else read_zone(zone)).astimezone(UTC)  # type: ignore[arg-type, misc]
    except (ValueError, OverflowError):
        return None
