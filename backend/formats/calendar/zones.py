"""Which zones a calendar names. Each program does that in its own way.

Names of IANA and of Windows are known, also in other capitals or behind a path. What any other name means is a guess,
and the report of the import says so. The guess goes by the rules of its VTIMEZONE, by the cities or the offset in the
name, or takes it for an abbreviation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from backend.errors import Detail
from backend.formats.calendar.vtimezone_rules import RulesReader, fixed_zone, standard_offset
from backend.utils.zones import LONGEST_ZONE, ZONES

TZID = "TZID"
LOCATION = "X-LIC-LOCATION"  # of a VTIMEZONE: its zone's name in the database of IANA
_MAX_ZONES = 500  # of a file
_MAX_ZONE_NAME = 200
_ZONE_OF = {zone.casefold(): zone for zone in ZONES}
_WINDOWS = {name.casefold(): zone for name, zone in WINDOWS_TO_OLSON.items()}
_OFFSET = re.compile(r"(?:UTC|GMT)?([+-])([0-9]{1,2}):?([0-9]{2})?", re.IGNORECASE)
_DISPLAYED = re.compile(r"\((?:UTC|GMT)(?:([+-])([0-9]{1,2}):([0-9]{2}))?\) ?(.+)", re.IGNORECASE)
_PLACES = re.compile(r"[^,(]+")
_NO_CITIES = {"north", "south", "west"}  # parts of Australia, and of much else
_AREAS = ("Africa", "America", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
# What Windows and others name in place of cities, in the zones that they show to people.
_REGIONS = {
    "eastern time": "America/New_York",
    "central time": "America/Chicago",
    "mountain time": "America/Denver",
    "pacific time": "America/Los_Angeles",
    "atlantic time": "America/Halifax",
    "alaska": "America/Anchorage",
    "hawaii": "Pacific/Honolulu",
    "arizona": "America/Phoenix",
    "newfoundland": "America/St_Johns",
    "brasilia": "America/Sao_Paulo",
    "greenland": "America/Nuuk",
    "greenwich mean time": "Europe/London",
    "central america": "America/Guatemala",
    "central european time": "Europe/Berlin",
    "eastern european time": "Europe/Kyiv",
    "western european time": "Europe/Lisbon",
    "beijing": "Asia/Shanghai",
    "new delhi": "Asia/Kolkata",
    "abu dhabi": "Asia/Dubai",
}
# Those of IANA, such as CET, are names already. Of several zones, the one with the most people is meant.
_ABBREVIATIONS = {
    **dict.fromkeys(("EDT", "ET"), "America/New_York"),
    **dict.fromkeys(("CST", "CDT", "CT"), "America/Chicago"),
    **dict.fromkeys(("MDT", "MT"), "America/Denver"),
    **dict.fromkeys(("PST", "PDT", "PT"), "America/Los_Angeles"),
    **dict.fromkeys(("AKST", "AKDT"), "America/Anchorage"),
    **dict.fromkeys(("NST", "NDT"), "America/St_Johns"),
    **dict.fromkeys(("CEST", "MEZ", "MESZ"), "Europe/Berlin"),
    **dict.fromkeys(("AEST", "AEDT"), "Australia/Sydney"),
    **dict.fromkeys(("ACST", "ACDT"), "Australia/Adelaide"),
    **dict.fromkeys(("NZST", "NZDT"), "Pacific/Auckland"),
    **dict.fromkeys(("Z", "UT"), "UTC"),
    "ADT": "America/Halifax",
    "BST": "Europe/London",
    "WEST": "Europe/Lisbon",
    "EEST": "Europe/Kyiv",
    "MSK": "Europe/Moscow",
    "SAST": "Africa/Johannesburg",
    "IST": "Asia/Kolkata",
    "PKT": "Asia/Karachi",
    "HKT": "Asia/Hong_Kong",
    "SGT": "Asia/Singapore",
    "JST": "Asia/Tokyo",
    "KST": "Asia/Seoul",
    "AWST": "Australia/Perth",
}
_WITHOUT_SUMMER = {"EST", "MST", "HST"}  # in IANA; programs write them for zones with summer time, too
_FIXED = "Etc/"
_GUESSED = "The file names this zone in another way, and it was read as {}"
_OF_THE_ACCOUNT = "{}: the time was read as one in the zone of your account"
_UNKNOWN, _NAMELESS = "No zone has this name", "This names no zone"


@dataclass(slots=True)
class FileZones:
    """The zones that a calendar names. A time that names no zone is in `own`.

    `locations` has the places that its VTIMEZONEs name, and `ruled` the zones with the rules of a VTIMEZONE.
    """

    own: str
    locations: dict[str, str] = field(default_factory=dict)
    ruled: dict[str, str] = field(default_factory=dict)

    def learn(self, texts: Mapping[str, str], rules: RulesReader) -> None:
        """Remember the place that a VTIMEZONE names, or else the zone that has its rules."""
        name, location = texts.get(TZID, "").strip(), texts.get(LOCATION, "").strip()
        if len(name) > _MAX_ZONE_NAME or len(self.locations) + len(self.ruled) >= _MAX_ZONES:
            return
        if location in ZONES:
            self.locations[name] = location
        elif (zone := rules.zone()) is not None:
            self.ruled[name] = zone

    def named(self, parameters: Mapping[str, Any], mends: list[Detail]) -> str | None:
        """Return the IANA name of the zone that a property names; None if it names no zone, or an unknown zone.

        Adds to `mends` that it is a guess, or unknown.
        """
        if TZID not in parameters:
            return None
        name = str(parameters[TZID]).strip()
        if (known := self._known(name)) is not None:
            return known
        guess = self._guessed(name[:_MAX_ZONE_NAME])
        message = _GUESSED.format(guess) if guess else _OF_THE_ACCOUNT.format(_UNKNOWN if name else _NAMELESS)
        told = Detail("timezone", "timezone_guessed", message)
        mends += () if told in mends else (told,)
        return guess

    def may_come(self, name: str) -> bool:
        """Return whether a VTIMEZONE that has not come yet could say what this name means."""
        if name in _WITHOUT_SUMMER:
            return name not in self.ruled
        return bool(name) and self._known(name) is None and name not in self.ruled

    def _known(self, name: str) -> str | None:
        if name in ZONES:  # Windows calls Etc/UTC what IANA has as UTC
            has_summer = name in _WITHOUT_SUMMER and not self.ruled.get(name, _FIXED).startswith(_FIXED)
            return None if has_summer else name
        known = self.locations.get(name) or _WINDOWS.get(name.casefold())
        parts = name[-LONGEST_ZONE:].casefold().replace(" ", "_").split("/")
        ends = ("/".join(parts[at:]) for at in range(len(parts)))  # some programs write a path before the name
        return known or next((_ZONE_OF[end] for end in ends if end in _ZONE_OF), None)

    def _guessed(self, name: str) -> str | None:
        if displayed := _DISPLAYED.fullmatch(name):
            offset = _minutes(*displayed.groups()[:3])
            return next(_places(displayed[4], offset), None) or self.ruled.get(name) or fixed_zone(offset)
        if name in self.ruled:
            return self.ruled[name]
        if found := _OFFSET.fullmatch(name):
            return fixed_zone(_minutes(*found.groups()))
        return (
            _ABBREVIATIONS.get(name.upper())
            or _WINDOWS.get(name.casefold().replace("daylight", "standard"))
            or next(_places(name), None)
        )


def _minutes(sign: str | None, hours: str | None, minutes: str | None) -> int:
    return int(f"{sign or '+'}1") * (int(hours or 0) * 60 + int(minutes or 0))


def _places(text: str, offset: int | None = None) -> Iterator[str]:
    """Yield the zones of the places in a text, or only those that have this offset in winter."""
    names = (each.strip().casefold() for each in _PLACES.findall(text))
    for zone in filter(None, (_REGIONS.get(name) or _cities().get(name) for name in names)):
        if offset in {None, standard_offset(zone)}:
            yield zone


@lru_cache(maxsize=1)
def _cities() -> dict[str, str]:
    """Return the zones by the cities that give them their names."""
    parts = ((zone, *zone.partition("/")[::2]) for zone in sorted(ZONES))
    cities = {city.replace("_", " ").casefold(): zone for zone, area, city in parts if area in _AREAS}
    return {city: zone for city, zone in cities.items() if city not in _NO_CITIES}
