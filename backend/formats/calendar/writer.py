"""Writes tasks as an iCalendar file (RFC 5545): each task is a VTODO, and its UID is the task's id.

The library folds single lines, because a whole component may be of any size.
"""

from __future__ import annotations

from collections.abc import Iterable

from backend.formats.calendar.codec import lines_of
from backend.formats.calendar.properties import content_line
from backend.formats.calendar.vtimezone import zone_component
from backend.formats.rows import documents


class CalendarWriter:
    """Writes an iCalendar file. A truncated one lacks its last line."""

    beginning = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Task API//EN\r\n"
    ending = "END:VCALENDAR\r\n"

    def __init__(self) -> None:
        self._zones: set[str] = set()  # whose VTIMEZONE is written

    def write(self, lines: str) -> str:
        """Write a component for each task, and the zones that it names before it if they are new."""
        tasks = documents(lines)
        return "".join(_folded(line) for task in tasks for line in (*self._zone(task["timezone"]), *lines_of(task)))

    def _zone(self, zone: str | None) -> Iterable[str]:
        if zone is None or zone in self._zones:
            return ()
        self._zones.add(zone)
        return zone_component(zone)


def _folded(line: str) -> str:
    folded: bytes = content_line(line).to_ical()
    return folded.decode() + "\r\n"
