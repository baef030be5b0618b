"""When tasks are due and when they start, in iCalendar: the properties DUE and DTSTART, and the zones they name.

A day is a DATE. A time is written as local time in the task's zone, whose VTIMEZONE stands in the same file, or in UTC
where that one does not say it.
It is to the second. A property of our own holds the exact time, if that differs: it counts as long as the other one is
unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from backend.errors import Detail
from backend.formats.vtimezone import local_time
from backend.utils.zones import ZONES, read_zone

ZONE = "X-TASK-API-TIMEZONE"  # of a time that is not written as local time
DATES = ("DUE", "DTSTART")
EXACT = {name: f"X-TASK-API-{name}" for name in DATES}
_FIELDS = {"DUE": "due", "DTSTART": "start"}
_WHEN = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(?:T([0-9]{2})([0-9]{2})([0-9]{2})(Z?))?", re.ASCII)
_EXACT = re.compile(r"[0-9T:-]{19}\.[0-9]{6}\+00:00", re.ASCII)
_NOT_A_DATE = "Must be a day, like 20261121, or a time, like 20261121T093000Z"
_UNKNOWN_ZONE = "TZID must be the name of a time zone of IANA or of Windows, like Europe/Berlin"


def written_dates(task: Mapping[str, Any]) -> Iterator[str]:
    """Write the dates of a task."""
    for name, field in _FIELDS.items():
        if task[f"{field}_date"] is not None:
            yield f"{name};VALUE=DATE:{task[f'{field}_date'].replace('-', '')}"
        elif task[f"{field}_at"] is not None:
            exact = datetime.fromisoformat(task[f"{field}_at"]).astimezone(UTC)
            moment = exact.replace(microsecond=0)
            if moment != exact:
                yield f"{EXACT[name]}:{exact.isoformat()}"
            local = local_time(moment, task["timezone"]) if task["timezone"] else None
            if local is None:
                yield f"{name}:{_basic(moment)}Z"
            else:
                yield f"{name};TZID={task['timezone']}:{_basic(local)}"
    if task["timezone"] is not None:
        yield f"{ZONE}:{task['timezone']}"


def _basic(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat().replace("-", "").replace(":", "")


def read_dates(
    texts: Mapping[str, str], parameters: Mapping[str, Mapping[str, Any]], own_zone: str
) -> dict[str, str | None] | Detail:
    """Read the dates of a task, all of them if it has any; returns a Detail for what is wrong.

    A time that names no zone is local time wherever its reader is (RFC 5545, 3.3.5), which is `own_zone`.

    A task without dates says nothing about them: files from before there were dates leave them alone.
    """
    if texts.keys().isdisjoint(DATES):
        return {}
    fields: dict[str, str | None] = dict.fromkeys(("due_date", "due_at", "start_date", "start_at", "timezone"))
    for name in texts.keys() & {*DATES}:
        zone = _zone_of(parameters.get(name, {}))
        if zone is not None and zone not in ZONES:
            return Detail(name, "timezone_unknown", _UNKNOWN_ZONE)
        when = _read(texts[name].strip(), zone or own_zone)
        if when is None:
            return Detail(name, "moment_format", _NOT_A_DATE)
        is_time = isinstance(when, datetime)
        exact = texts.get(EXACT[name], "").strip() if is_time else ""
        is_exact = exact.partition(".")[0] == when.isoformat().partition("+")[0] and _EXACT.fullmatch(exact)
        fields[f"{_FIELDS[name]}_{'at' if is_time else 'date'}"] = exact if is_exact else when.isoformat()
        if is_time and zone and (name == "DUE" or fields["timezone"] is None):
            fields["timezone"] = zone
    own = texts.get(ZONE, "").strip()
    has_time = fields["due_at"] is not None or fields["start_at"] is not None
    if own in ZONES and has_time and fields["timezone"] is None:
        fields["timezone"] = own
    return fields


def _zone_of(parameters: Mapping[str, Any]) -> str | None:
    """Return the zone that a property names, under its IANA name if it is known at all."""
    if "TZID" not in parameters:
        return None
    name = str(parameters["TZID"])
    return name if name in ZONES else WINDOWS_TO_OLSON.get(name, name)  # Windows calls Etc/UTC what IANA has as UTC


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
