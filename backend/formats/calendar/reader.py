"""Reads an iCalendar file (RFC 5545) of any size, piece by piece: each VTODO is a row."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from backend.errors import Detail
from backend.formats.calendar.component import Component, ignored
from backend.formats.calendar.zones import FileZones
from backend.formats.rows import (
    BLANK_LINES,
    ROW,
    FileRow,
    Line,
    Lines,
    unreadable,
)

_MAX_WAITING_ROWS = 1000
_MAX_WAITING_BYTES = 2**20
_COMPONENTS = {b"VTODO", b"VEVENT", b"VJOURNAL", b"VFREEBUSY", b"VTIMEZONE"}

_NO_CALENDAR = Detail(
    ROW, "calendar_invalid", "The file must begin with BEGIN:VCALENDAR: export it as iCalendar (.ics)"
)
_UNFINISHED = Detail(
    ROW, "component_unfinished", "This component has no END: part of it is missing. Export the calendar again"
)
_NO_END = Detail(ROW, "calendar_unfinished", "The file ends without END:VCALENDAR: send all of it")


@dataclass(slots=True)
class CalendarReader:
    """Reads an iCalendar file, component by component. Times that name no zone are in `zone`.

    A task whose zone is unknown waits, because the VTIMEZONE may stand behind it. What comes next waits, too, so that
    rows stay in the order of the file. Only few rows wait, because an import never holds a whole file.
    """

    zone: str = "UTC"
    _zones: FileZones = field(init=False)
    _told: set[str] = field(default_factory=set)
    _lines: Lines = field(default_factory=lambda: Lines(BLANK_LINES, is_splitting=True))
    _has_begun: bool = False
    _has_ended: bool = False
    _component: Component | None = None
    _waiting: deque[Component | FileRow] = field(default_factory=deque)
    _waiting_bytes: int = 0
    _may_wait: bool = True

    def __post_init__(self) -> None:
        """Begin without zones."""
        self._zones = FileZones(self.zone)

    def read(self, piece: bytes) -> Iterator[FileRow | None]:
        """Yield the rows that end in the next piece."""
        for line in self._lines.read(piece):
            yield from self._released(self._take(line))

    def end(self) -> Iterator[FileRow | None]:
        """Yield the row that ends with the file, and a problem if the file's end is missing."""
        for line in self._lines.end():
            yield from self._released(self._take(line))
        if not self._has_begun:
            raise unreadable(_NO_CALENDAR)
        self._may_wait = False
        yield from self._released(self._give_up())
        if not self._has_ended:
            yield FileRow(self._lines.number, problem=_NO_END)

    def _released(self, ended: Component | FileRow | None) -> Iterator[FileRow | None]:
        """Yield the rows that no longer wait, up to what has just ended; None if every row waits."""
        if ended is None and (self._may_wait or not self._waiting):
            yield None
            return
        if ended is not None:
            self._waiting.append(ended)
            self._waiting_bytes += ended.size
        if len(self._waiting) > _MAX_WAITING_ROWS or self._waiting_bytes > _MAX_WAITING_BYTES:
            self._may_wait = False
        while self._waiting:
            if self._may_wait and self._awaits(self._waiting[0]):
                yield None
                return
            released = self._waiting.popleft()
            self._waiting_bytes -= released.size
            yield self._row(released)

    def _awaits(self, ended: Component | FileRow) -> bool:
        return isinstance(ended, Component) and ended.awaits(self._zones)

    def _row(self, ended: Component | FileRow) -> FileRow:
        if isinstance(ended, FileRow):
            return ended
        row = ended.row(self._zones)
        return replace(row, notices=tuple(ended.notices))

    def _take(self, line: Line) -> Component | FileRow | None:
        """Take a line; returns the component that ends with it, or the row of one that has no end."""
        content = line.data.rstrip(b"\r\n")
        word, _, kind = content.upper().rstrip().partition(b":")
        if not self._has_begun and content.strip() and (word, kind) != (b"BEGIN", b"VCALENDAR"):
            raise unreadable(_NO_CALENDAR)
        row: Component | FileRow | None = None
        if line.continues:
            word = b""
        if word == b"BEGIN":
            row = self._begin(kind, line.number)
        elif word == b"END":
            row = self._end(kind)
        elif self._component:
            self._component.take(line, content)
        if self._has_begun:
            self._lines.skipped = self._component.skipped if self._component else ignored(self._told)
        return row

    def _begin(self, kind: bytes, line: int) -> FileRow | None:
        if kind == b"VCALENDAR":
            self._has_begun, self._has_ended = True, False
            return self._give_up()
        if self._component and kind not in _COMPONENTS:
            self._component.enter()
            is_alarm = kind == b"VALARM" and self._component.kind == b"VTODO"
            return FileRow(line, is_skipped=True) if is_alarm else None
        row = self._give_up()
        self._component = Component(kind, line, self._told)
        return row

    def _end(self, kind: bytes) -> Component | FileRow | None:
        component = self._component
        if kind == b"VCALENDAR":
            self._has_ended = True
            return self._give_up()
        if component and kind == component.kind:
            self._component = None
            if kind != b"VTIMEZONE":
                return component
            component.tell(self._zones)
            return None
        if component:
            component.leave(kind)
        return None

    def _give_up(self) -> FileRow | None:
        """Report a component that is still open when something else begins or ends."""
        component, self._component = self._component, None
        if component is None:
            return None
        return FileRow(component.line, problem=_UNFINISHED, notices=tuple(component.notices))
