"""Field types of days, moments and time zones."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, PlainValidator, Strict, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from backend.utils.zones import LONGEST_ZONE, ZONES

TIME_EXAMPLE = "2026-11-21T09:30:00.123456+00:00"
DAY_EXAMPLE = "2026-11-21"
ZONE_EXAMPLE = "Europe/Berlin"

# RFC 3339 with the offsets that Postgres knows, and what else programs write when they are asked for no format: a space
# in place of the T (Python), no seconds (Java), up to 9 decimals (.NET, Go, Java), +0200 (Python, C) or +02 (Postgres).
_MOMENT = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,9})?)?"
    r"([Zz]|[+-](0[0-9]|1[0-5])(:?[0-5][0-9])?)"
)
_A_MOMENT = re.compile(_MOMENT)
_A_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_OFFSET_WITHOUT_SIGN = re.compile(r".*:.* [0-9]{2}(:?[0-9]{2})?")


def _moment(value: object) -> datetime:
    """Read a moment to the microsecond; pydantic would also accept numbers, and times without an offset."""
    text = str(value)
    if _OFFSET_WITHOUT_SIGN.fullmatch(text):
        raise PydanticCustomError("moment_format", "In a URL, + means a space: send %2B instead, or Z for UTC")
    try:
        if _A_MOMENT.fullmatch(text):
            return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):  # no such day, or outside the years 1 to 9999
        pass
    raise PydanticCustomError(
        "moment_format", "Must be a time with an offset like Z or +02:00, as in 2026-11-21T09:30:00Z"
    )


def _day(value: object) -> date:
    """Read a calendar day; pydantic would also accept numbers, and times at midnight."""
    text = str(value)
    try:
        if _A_DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:  # no such day
        pass
    if _A_DAY.match(text) and not _A_DAY.fullmatch(text):
        raise PydanticCustomError(
            "day_format", f"Must be a calendar day, like {DAY_EXAMPLE}; a time belongs into due_at or start_at"
        )
    raise PydanticCustomError("day_format", f"Must be a calendar day, like {DAY_EXAMPLE}")


def _day_or_moment(value: object) -> date:
    """Read a calendar day, or a moment."""
    text = str(value)
    if not _A_DAY.match(text):
        raise PydanticCustomError("moment_format", f"Must be a day, like {DAY_EXAMPLE}, or a time, like {TIME_EXAMPLE}")
    return _day(text) if _A_DAY.fullmatch(text) else _moment(text)


def _zone(text: str) -> str:
    """Refuse anything but the exact name of a time zone: clients compare names, and Postgres gets them."""
    if text.replace(" ", "+") in ZONES - {text}:
        raise PydanticCustomError("timezone_unknown", "In a URL, + means a space: send %2B instead")
    if text not in ZONES:
        raise PydanticCustomError("timezone_unknown", f"Must be the IANA name of a time zone, like {ZONE_EXAMPLE}")
    return text


Moment = Annotated[datetime, BeforeValidator(_moment)]
Day = Annotated[date, BeforeValidator(_day)]
# A datetime is a date, too. Our own format tells programs that not every text is valid.
DayOrMoment = Annotated[
    date,
    PlainValidator(_day_or_moment),
    WithJsonSchema(
        {
            "type": "string",
            "maxLength": 40,
            "format": "day-or-time",
            "examples": [DAY_EXAMPLE],
        }
    ),
]
_A_ZONE = "^[A-Za-z0-9_+/-]+$"
ZoneName = Annotated[
    str,
    Strict(),
    AfterValidator(_zone),
    # Our own format: it tells programs that not every text is valid.
    WithJsonSchema(
        {
            "type": "string",
            "maxLength": LONGEST_ZONE,
            "format": "time-zone",
            "examples": [ZONE_EXAMPLE],
        }
    ),
]
StoredZone = Annotated[str, StringConstraints(max_length=LONGEST_ZONE, pattern=_A_ZONE)]
