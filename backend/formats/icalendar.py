"""Tasks as an iCalendar file (RFC 5545): each task is a VTODO, and its UID is the task's id.

The library folds and parses single lines, because a whole component may be of any size. Lines without a task property
are dropped before they are parsed. An iCalendar text holds no control characters, and only one kind of line break. For
a text with others, SUMMARY or DESCRIPTION holds the legible part, and a property of our own holds the exact text. The
exact text counts as long as the legible one is unchanged.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from icalendar.prop import vDatetime

from backend.errors import Detail
from backend.formats.icalendar_dates import DATES, EXACT, LOCATION, TZID, ZONE, FileZones, written_dates
from backend.formats.icalendar_fields import (
    EXACT_TEXTS,
    EXCEPTION,
    INVALID,
    LABELS,
    LIST,
    NO_LABELS,
    NO_PARENT,
    PARENT,
    POSITION,
    STATUSES,
    content_line,
    legible_text,
    read_fields,
    read_properties,
)
from backend.formats.rows import (
    BLANK_LINES,
    MAX_ROW_BYTES,
    NOT_UTF_8,
    ROW,
    TOO_LONG,
    FileRow,
    Line,
    Lines,
    documents,
    unreadable,
)
from backend.formats.vtimezone import zone_component
from backend.utils.priorities import number_of

_REPEATED = (LABELS, PARENT)  # properties of which each line counts
_PROPERTIES = {
    *("UID", "SUMMARY", "DESCRIPTION", "STATUS", "PERCENT-COMPLETE", "COMPLETED", "CREATED", "PRIORITY"),
    *EXACT_TEXTS.values(),
    *DATES,
    *EXACT.values(),
    *(ZONE, LABELS, NO_LABELS, LIST, POSITION, PARENT, NO_PARENT, EXCEPTION, "DURATION", TZID, LOCATION),
}
_TEXTS = {"SUMMARY", "DESCRIPTION", "COMMENT"}  # which some programs do not fold
_COMPONENTS = {b"VTODO", b"VEVENT", b"VJOURNAL", b"VFREEBUSY", b"VTIMEZONE"}
_NAME = re.compile(rb"[A-Za-z0-9-]+")
_ANY_PROPERTY = re.compile(rb"([A-Za-z0-9-]+)(: |[:;])")
_BEGINS_WITH_SPACE = re.compile(rb"[^:]*: ")
_IS_QUOTED = re.compile(rb"[A-Za-z]+;[^:]*QUOTED-PRINTABLE", re.IGNORECASE)
_NO_PLACE = (
    *("ATTACH", "ATTENDEE", "CONTACT", "EXDATE", "GEO", "LOCATION", "ORGANIZER", "RDATE", "RESOURCES", "RRULE", "URL"),
)
_HAS_NO_PLACE = re.compile(rf"({'|'.join(_NO_PLACE)})[:;][!-~\x80-\xff]".encode("latin-1"), re.IGNORECASE)
_NOT_KEPT = "A task has no place for this: it is left out of every task, which is said only here"


@lru_cache(maxsize=64)
def _ignored(told: frozenset[str]) -> re.Pattern[bytes]:
    """Return what lines say nothing about a task, unless they continue a line that does."""
    names = ["BEGIN", "END", *sorted(_PROPERTIES | _TEXTS)]
    names += [f"{name}[:;][!-~\x80-\xff]" for name in _NO_PLACE if name not in told]
    return re.compile(rf"(?:(?!{'|'.join(names)})[^\n]*+\n)++".encode("latin-1"), re.IGNORECASE)


_ESCAPES = str.maketrans({"\\": r"\\", ";": r"\;", ",": r"\,", "\n": r"\n"})

_NO_CALENDAR = Detail(ROW, "calendar_invalid", "The file must begin with BEGIN:VCALENDAR")
_UNFINISHED = Detail(ROW, "component_unfinished", "This component has no END")
_NO_END = Detail(ROW, "calendar_unfinished", "The file ends without END:VCALENDAR: part of it may be missing")
_ALONE = Detail(
    EXCEPTION, "occurrence_alone", "This is one occurrence of a task that repeats: it became a task of its own"
)
_JOINED = "Lines that were not folded follow this text: they were read as part of it"


class CalendarWriter:
    """Writes an iCalendar file. A truncated one lacks its last line."""

    beginning = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Task API//EN\r\n"
    ending = "END:VCALENDAR\r\n"

    def __init__(self) -> None:
        self._zones: set[str] = set()  # whose VTIMEZONE is written

    def write(self, lines: str) -> str:
        """Write a component for each task, and one for each zone before the first task in it."""
        tasks = documents(lines)
        return "".join(_folded(line) for task in tasks for line in (*self._zone(task["timezone"]), *_component(task)))

    def _zone(self, zone: str | None) -> Iterable[str]:
        if zone is None or zone in self._zones:
            return ()
        self._zones.add(zone)
        return zone_component(zone)


def _folded(line: str) -> str:
    folded: bytes = content_line(line).to_ical()
    return folded.decode() + "\r\n"


def _component(task: Mapping[str, Any]) -> Iterator[str]:
    changed = _utc(task["updated_at"])
    yield from ("BEGIN:VTODO", f"UID:{task['id']}", f"DTSTAMP:{changed}", f"LAST-MODIFIED:{changed}")
    yield f"CREATED:{_utc(task['created_at'])}"
    yield from _text("SUMMARY", task["title"])
    yield from _text("DESCRIPTION", task["description"])
    yield f"STATUS:{STATUSES[task['status']]}"
    yield from written_dates(task)
    number = task.get("priority_number") or number_of(task["priority"])
    yield f"PRIORITY:{0 if task['priority'] is None else number}"
    yield f"{LABELS if task['labels'] else NO_LABELS}:{','.join(label.translate(_ESCAPES) for label in task['labels'])}"
    yield f"{LIST}:{task['list_id'] or ''}"
    yield f"{POSITION}:{task['position']}"
    yield f"{PARENT};RELTYPE=PARENT:{task['parent_id']}" if task["parent_id"] else f"{NO_PARENT}:"
    if task["completed"]:
        yield from (f"COMPLETED:{_utc(task['completed_at'])}", "PERCENT-COMPLETE:100")
    yield "END:VTODO"


def _utc(moment: str) -> str:
    written: bytes = vDatetime(datetime.fromisoformat(moment).astimezone(UTC)).to_ical()  # type: ignore[no-untyped-call]
    return written.decode()


def _text(name: str, text: str | None) -> Iterator[str]:
    legible = legible_text(text or "")
    # The library's own escaping takes \N in a text for a line break.
    yield f"{name}:{legible.translate(_ESCAPES)}"
    if text is not None and (legible != text or not text):
        exact = json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
        yield f"{EXACT_TEXTS[name]}:{exact.translate(_ESCAPES)}"


class _Text(NamedTuple):
    """How a text property is written, found once: very many lines may follow."""

    is_upper: bool
    begins_with_space: bool
    is_quoted: bool


@dataclass(slots=True)
class _Component:
    """A component that is being read. Of a task, it keeps only the relevant lines."""

    kind: bytes
    line: int
    told: set[str]  # what the file has that no task has a place for
    depth: int = 0  # of nested components
    size: int = 0
    lines: dict[str, bytearray] = field(default_factory=dict)  # the first of each property, and all of the repeated
    last: str = ""
    is_kept: bool = False  # whether the last line was kept, and so are its continuation lines
    text: _Text | None = None  # the text property that came last: what follows may be part of it
    is_soft: bool = False  # whether the last line ends in a soft line break of quoted-printable
    notices: list[Detail] = field(default_factory=list)
    joined: set[str] = field(default_factory=set)  # texts with lines that were not folded

    def take(self, line: Line, content: bytes) -> None:
        """Keep a line, or the continuation of a folded one, if it is about the task."""
        if content[:1] in {b" ", b"\t"} and not self.is_soft:
            self._continue(content[1:])
        elif self.is_soft:
            self._continue(content, drops=1)
        elif self.text and _is_part(self.text, content):
            self._continue(b"\\n" + content)
            self.joined |= {self.last} if self.is_kept else set()
        else:
            self._begin(content)
        self.is_soft = self.text is not None and self.text.is_quoted and content.endswith(b"=")
        if self.is_kept:
            self.size += len(line.data)
        if self.size > MAX_ROW_BYTES or (self.is_kept and line.is_cut):
            self.size = MAX_ROW_BYTES + 1
            self.lines, self.is_kept = {}, False

    def _begin(self, content: bytes) -> None:
        found = _NAME.match(content)
        name = found[0].decode().upper() if found else ""
        self.is_kept = self.depth == 0 and name in _PROPERTIES and name not in self.lines
        self.last = f"{name}/{len(self.lines)}" if name in _REPEATED else name
        self.text = _text_of(content) if self.depth == 0 and name in _TEXTS else None
        if self.is_kept:
            self.lines[self.last] = bytearray(content)
        elif self.kind == b"VTODO" and not self.depth and name not in self.told and _HAS_NO_PLACE.match(content):
            self.told.add(name)
            self.notices.append(Detail(name, "property_not_kept", _NOT_KEPT))

    def _continue(self, content: bytes, drops: int = 0) -> None:
        """Add to the last line, without as many bytes of its end."""
        if self.is_kept:
            kept = self.lines[self.last]
            del kept[len(kept) - drops :]
            kept += content

    def row(self, zones: FileZones) -> FileRow:
        """Return the fields of its task, or what is wrong with it."""
        if self.kind != b"VTODO":
            return FileRow(self.line, is_skipped=True)
        if self.size > MAX_ROW_BYTES:
            return FileRow(self.line, problem=TOO_LONG)
        try:
            mends: list[Detail] = []
            fields = read_fields(*read_properties(self.lines.values()), zones, mends)
        except UnicodeDecodeError:
            return FileRow(self.line, problem=NOT_UTF_8)
        except ValueError:
            return FileRow(self.line, problem=INVALID)
        if isinstance(fields, Detail):
            return FileRow(self.line, problem=fields)
        alone = (_ALONE,) if EXCEPTION in self.lines else ()
        joined = (Detail(name, "lines_joined", _JOINED) for name in sorted(self.joined))
        return FileRow(self.line, fields, size=self.size, mends=(*alone, *joined, *mends), is_foreign=True)

    def tell(self, zones: FileZones) -> None:
        """Add where its zone is, if it is a VTIMEZONE."""
        with suppress(ValueError):
            zones.learn(read_properties(self.lines.values())[0])


def _text_of(content: bytes) -> _Text:
    name = _NAME.match(content)
    is_upper = name is not None and name[0].isupper()
    return _Text(is_upper, _BEGINS_WITH_SPACE.match(content) is not None, _IS_QUOTED.match(content) is not None)


def _is_part(text: _Text, content: bytes) -> bool:
    """Return whether a line goes on with the text before it: with notes, say, that a program did not fold."""
    found = _ANY_PROPERTY.match(content)
    if found is None:
        return True
    name = found[1]
    is_text = name.isupper() and name.decode() in _TEXTS  # its value may begin with a space
    if found[2] == b": " and not text.begins_with_space and not is_text:
        return True
    return text.is_upper and not name.isupper() and name[:2] not in {b"X-", b"x-"}


@dataclass(slots=True)
class CalendarReader:
    """Reads an iCalendar file, component by component. Times that name no zone are in `zone`."""

    zone: str = "UTC"
    _zones: FileZones = field(init=False)
    _told: set[str] = field(default_factory=set)
    _lines: Lines = field(default_factory=lambda: Lines(BLANK_LINES))
    _has_begun: bool = False
    _has_ended: bool = False
    _component: _Component | None = None

    def __post_init__(self) -> None:
        """Begin without zones."""
        self._zones = FileZones(self.zone)

    def read(self, piece: bytes) -> Iterator[FileRow | None]:
        """Return the rows that end in the next piece."""
        return map(self._take, self._lines.read(piece))

    def end(self) -> Iterator[FileRow | None]:
        """Yield the row that ends with the file, and a problem if the file's end is missing."""
        yield from map(self._take, self._lines.end())
        if not self._has_begun:
            raise unreadable(_NO_CALENDAR)
        yield self._give_up()
        if not self._has_ended:
            yield FileRow(self._lines.number, problem=_NO_END)

    def _take(self, line: Line) -> FileRow | None:
        content = line.data.rstrip(b"\r\n")
        word, _, kind = content.upper().rstrip().partition(b":")
        if not self._has_begun and content.strip() and (word, kind) != (b"BEGIN", b"VCALENDAR"):
            raise unreadable(_NO_CALENDAR)
        row = None
        if word == b"BEGIN":
            row = self._begin(kind, line.number)
        elif word == b"END":
            row = self._end(kind)
        elif self._component and (content or self._component.is_soft):
            self._component.take(line, content)
        if self._has_begun:
            self._lines.skipped = (
                None
                if self._component and (self._component.is_kept or self._component.text)
                else _ignored(frozenset(self._told))
            )
        return row

    def _begin(self, kind: bytes, line: int) -> FileRow | None:
        if kind == b"VCALENDAR":
            self._has_begun, self._has_ended = True, False
            return self._give_up()
        if self._component and kind not in _COMPONENTS:
            self._component.depth += 1
            is_alarm = kind == b"VALARM" and self._component.kind == b"VTODO"
            return FileRow(line, is_skipped=True) if is_alarm else None
        row = self._give_up()
        self._component = _Component(kind, line, self._told)
        return row

    def _end(self, kind: bytes) -> FileRow | None:
        component = self._component
        if kind == b"VCALENDAR":
            self._has_ended = True
            return self._give_up()
        if component and kind == component.kind:
            self._component = None
            if kind != b"VTIMEZONE":
                return replace(component.row(self._zones), notices=tuple(component.notices))
            component.tell(self._zones)
            return None
        if component and component.depth:
            component.depth -= 1
        return None

    def _give_up(self) -> FileRow | None:
        """Report a component that is still open when something else begins or ends."""
        component, self._component = self._component, None
        if component is None:
            return None
        return FileRow(component.line, problem=_UNFINISHED, notices=tuple(component.notices))
