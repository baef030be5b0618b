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
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from icalendar.parser import Contentline, split_on_unescaped_comma, unescape_backslash
from icalendar.prop import vDatetime

from backend.errors import Detail
from backend.formats.icalendar_dates import DATES, EXACT, ZONE, read_dates, written_dates
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
from backend.utils.priorities import PriorityNumber, number_of
from backend.utils.visible_text import is_visible

_OTHER_IDS = UUID("5f0c9d1e-52c5-4f6d-9d0a-6a1f3b7e2c48")  # namespace of ids made from other programs' UIDs
_EXACT = {"SUMMARY": "X-TASK-API-SUMMARY", "DESCRIPTION": "X-TASK-API-DESCRIPTION"}
_LABELS = "CATEGORIES"
_LIST = "X-TASK-API-LIST"
_POSITION = "X-TASK-API-POSITION"
_EXCEPTION = "RECURRENCE-ID"
_PARENT = "RELATED-TO"
_NO_PARENT = "X-TASK-API-PARENT"  # empty: no RELATED-TO alone would leave a parent alone, as in files of others
_REPEATED = (_LABELS, _PARENT)  # properties of which each line counts
_PROPERTIES = {
    *("UID", "SUMMARY", "DESCRIPTION", "STATUS", "PERCENT-COMPLETE", "COMPLETED", "CREATED", "PRIORITY"),
    *_EXACT.values(),
    *DATES,
    *EXACT.values(),
    *(ZONE, _LABELS, _LIST, _POSITION, _PARENT, _NO_PARENT, _EXCEPTION),
}
_STATUSES = {"todo": "NEEDS-ACTION", "in_progress": "IN-PROCESS", "done": "COMPLETED", "cancelled": "CANCELLED"}
_STATUS_OF = {word: status for status, word in _STATUSES.items()}
_COMPONENTS = {b"VTODO", b"VEVENT", b"VJOURNAL", b"VFREEBUSY", b"VTIMEZONE"}
_NAME = re.compile(rb"[A-Za-z0-9-]+")
# Lines that say nothing about a task, unless they continue a line that does.
_IGNORED = re.compile(rf"(?:(?!{'|'.join(['BEGIN', 'END', *sorted(_PROPERTIES)])})[^\n]*+\n)++".encode(), re.IGNORECASE)
_A_PRIORITY = re.compile(r"\+?0*([0-9])", re.ASCII)
_ILLEGIBLE = re.compile(r"\r\n?|[\x00-\x08\x0b-\x1f\x7f]")
_ESCAPES = str.maketrans({"\\": r"\\", ";": r"\;", ",": r"\,", "\n": r"\n"})

_NO_CALENDAR = Detail(ROW, "calendar_invalid", "The file must begin with BEGIN:VCALENDAR")
_INVALID = Detail(ROW, "calendar_invalid", "One of its lines is not valid iCalendar")
_UNFINISHED = Detail(ROW, "component_unfinished", "This component has no END")
_NO_END = Detail(ROW, "calendar_unfinished", "The file ends without END:VCALENDAR: part of it may be missing")
_ALONE = Detail(
    _EXCEPTION, "occurrence_alone", "This is one occurrence of a task that repeats: it became a task of its own"
)
_NO_PRIORITY = Detail("PRIORITY", "priority_invalid", "Must be a whole number from 0 to 9")
_NOT_A_TIME = "Must be a time in UTC, like 20261121T093000Z"


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
    folded: bytes = _content_line(line).to_ical()
    return folded.decode() + "\r\n"


def _content_line(line: str) -> Any:
    return Contentline(line)  # type: ignore[no-untyped-call]  # the library has no types for these


def _component(task: Mapping[str, Any]) -> Iterator[str]:
    changed = _utc(task["updated_at"])
    yield from ("BEGIN:VTODO", f"UID:{task['id']}", f"DTSTAMP:{changed}", f"LAST-MODIFIED:{changed}")
    yield f"CREATED:{_utc(task['created_at'])}"
    yield from _text("SUMMARY", task["title"])
    if task["description"] is not None:
        yield from _text("DESCRIPTION", task["description"])
    yield f"STATUS:{_STATUSES[task['status']]}"
    yield from written_dates(task)
    if task["priority"] is not None:
        yield f"PRIORITY:{task.get('priority_number') or number_of(task['priority'])}"
    if task["labels"]:
        yield f"{_LABELS}:{','.join(label.translate(_ESCAPES) for label in task['labels'])}"
    yield f"{_LIST}:{task['list_id'] or ''}"
    yield f"{_POSITION}:{task['position']}"
    yield f"{_PARENT};RELTYPE=PARENT:{task['parent_id']}" if task["parent_id"] else f"{_NO_PARENT}:"
    if task["completed"]:
        yield from (f"COMPLETED:{_utc(task['completed_at'])}", "PERCENT-COMPLETE:100")
    yield "END:VTODO"


def _utc(moment: str) -> str:
    written: bytes = vDatetime(datetime.fromisoformat(moment).astimezone(UTC)).to_ical()  # type: ignore[no-untyped-call]
    return written.decode()


def _text(name: str, text: str) -> Iterator[str]:
    legible = _legible(text)
    # The library's own escaping takes \N in a text for a line break.
    yield f"{name}:{legible.translate(_ESCAPES)}"
    if legible != text:
        exact = json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
        yield f"{_EXACT[name]}:{exact.translate(_ESCAPES)}"


def _legible(text: str) -> str:
    return _ILLEGIBLE.sub(lambda found: "\n" if found[0].startswith("\r") else "", text)


@dataclass(slots=True)
class _Component:
    """A component that is being read. Of a task, it keeps only the relevant lines."""

    kind: bytes
    line: int
    depth: int = 0  # of nested components
    size: int = 0
    lines: dict[str, bytearray] = field(default_factory=dict)  # the first of each property, and all of the repeated
    last: str = ""
    is_kept: bool = False  # whether the last line was kept, and so are its continuation lines

    def take(self, line: Line, content: bytes) -> None:
        """Keep a line, or the continuation of a folded one, if it is about the task."""
        if content[:1] in {b" ", b"\t"}:
            if self.is_kept:
                self.lines[self.last] += content[1:]
        else:
            found = _NAME.match(content)
            name = found[0].decode().upper() if found else ""
            self.is_kept = self.depth == 0 and name in _PROPERTIES and name not in self.lines
            self.last = f"{name}/{len(self.lines)}" if name in _REPEATED else name
            if self.is_kept:
                self.lines[self.last] = bytearray(content)
        if self.is_kept:
            self.size += len(line.data)
        if self.size > MAX_ROW_BYTES or (self.is_kept and line.is_cut):
            self.size = MAX_ROW_BYTES + 1
            self.lines, self.is_kept = {}, False

    def row(self, zone: str) -> FileRow:
        """Return the fields of its task, or what is wrong with it; times that name no zone are in this one."""
        if self.kind != b"VTODO":
            return FileRow(self.line, is_skipped=True)
        if self.size > MAX_ROW_BYTES:
            return FileRow(self.line, problem=TOO_LONG)
        try:
            fields = _fields(*_properties(self.lines.values()), zone)
        except UnicodeDecodeError:
            return FileRow(self.line, problem=NOT_UTF_8)
        except ValueError:
            return FileRow(self.line, problem=_INVALID)
        if isinstance(fields, Detail):
            return FileRow(self.line, problem=fields)
        mends = (_ALONE,) if _EXCEPTION in self.lines else ()
        return FileRow(self.line, fields, size=self.size, mends=mends)


@dataclass(slots=True)
class CalendarReader:
    """Reads an iCalendar file, component by component. Times that name no zone are in `zone`."""

    zone: str = "UTC"
    _lines: Lines = field(default_factory=lambda: Lines(BLANK_LINES))
    _has_begun: bool = False
    _has_ended: bool = False
    _component: _Component | None = None

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
        elif self._component and content:
            self._component.take(line, content)
        if self._has_begun:
            self._lines.skipped = None if self._component and self._component.is_kept else _IGNORED
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
        self._component = _Component(kind, line)
        return row

    def _end(self, kind: bytes) -> FileRow | None:
        component = self._component
        if kind == b"VCALENDAR":
            self._has_ended = True
            return self._give_up()
        if component and kind == component.kind:
            self._component = None
            return component.row(self.zone) if kind != b"VTIMEZONE" else None
        if component and component.depth:
            component.depth -= 1
        return None

    def _give_up(self) -> FileRow | None:
        """Report a component that is still open when something else begins or ends."""
        component, self._component = self._component, None
        return FileRow(component.line, problem=_UNFINISHED) if component else None


def _properties(lines: Iterable[bytearray]) -> tuple[dict[str, str], dict[str, Mapping[str, Any]]]:
    """Read lines as values and parameters by their names; raises ValueError."""
    found: dict[str, str] = {}
    parameters: dict[str, Mapping[str, Any]] = {}
    labels: list[str] = []
    for data in lines:
        line = _content_line(data.decode())
        colon = line.value_separator_index()
        if colon < 0:
            raise ValueError(_INVALID.message)
        if line[: len(_LABELS)].upper() == _LABELS:
            labels.append(line[colon + 1 :])
            continue
        name, said, _ = _content_line(line[:colon] + ":").parts()  # without the value, the most costly part
        name = name.upper()
        if name == _PARENT and (name in found or str(said.get("RELTYPE", "PARENT")).upper() != "PARENT"):
            continue  # another relation
        found[name] = line[colon + 1 :]
        parameters[name] = said
    return found | ({_LABELS: ",".join(labels)} if labels else {}), parameters


def _fields(
    properties: Mapping[str, str], parameters: Mapping[str, Mapping[str, Any]], zone: str
) -> dict[str, object] | Detail:
    """Convert properties to the fields of a task, or return which one is wrong; raises ValueError."""
    texts = {name: unescape_backslash(value) for name, value in properties.items()}
    fields: dict[str, object] = {**_texts(texts), **_status(texts)}
    is_completed = fields.get("status") == "done" or fields.get("completed") is True
    for name, field_name in (("CREATED", "created_at"), ("COMPLETED", "completed_at")):
        if name in texts and (is_completed or name != "COMPLETED"):
            moment = _moment(texts[name].strip())
            if moment is None:
                return Detail(name, "moment_format", _NOT_A_TIME)
            fields[field_name] = moment
    if "PRIORITY" in texts:
        found = _A_PRIORITY.fullmatch(texts["PRIORITY"].strip())
        if found is None:
            return _NO_PRIORITY
        fields["priority"] = PriorityNumber(found[1]) or None
    if _LABELS in properties:
        fields["labels"] = [label for label in split_on_unescaped_comma(properties[_LABELS]) if is_visible(label)]
    dates = read_dates(texts, parameters, zone)
    return dates if isinstance(dates, Detail) else fields | dates


def _texts(texts: Mapping[str, str]) -> dict[str, object]:
    """Read what a component says of its title and description, its id, its list, its place there and its parent."""
    fields: dict[str, object] = {"description": None}
    for name, field_name in (("SUMMARY", "title"), ("DESCRIPTION", "description")):
        if name in texts:
            fields[field_name] = _exact(texts[name], texts.get(_EXACT[name]))
    if uid := texts.get("UID", "").strip():
        fields["id"] = str(_id_of(uid, texts.get(_EXCEPTION)))
    if _LIST in texts:
        fields["list_id"] = texts[_LIST].strip() or None  # the inbox
    if _POSITION in texts:
        fields["position"] = texts[_POSITION].strip()
    if _PARENT in texts or _NO_PARENT in texts:
        parent = texts.get(_PARENT, "").strip()
        fields["parent_id"] = str(_id_of(parent)) if parent else None
    return fields


def _id_of(uid: str, occurrence: str | None = None) -> UUID:
    """Return the id of the task with this UID; an occurrence that was changed alone has one of its own."""
    if occurrence is not None:
        return uuid5(_OTHER_IDS, f"{uid}\n{occurrence.strip()}")
    try:
        return UUID(uid)
    except ValueError:
        return uuid5(_OTHER_IDS, uid)


def _status(texts: Mapping[str, str]) -> dict[str, object]:
    """Read the status, or else only whether the task is completed: an unfinished one may have any other status."""
    word = texts.get("STATUS", "").strip()
    if status := _STATUS_OF.get(word.upper()):
        return {"status": status}
    return {"completed": not word and ("COMPLETED" in texts or texts.get("PERCENT-COMPLETE", "").strip() == "100")}


def _exact(legible: str, exact: str | None) -> str:
    """Return the exact text if the legible one is unchanged, else the legible one: somebody has edited it."""
    try:
        text = json.loads(exact or "")
    except (ValueError, RecursionError):
        return legible
    return text if isinstance(text, str) and _legible(text) == legible else legible


def _moment(value: str) -> str | None:
    try:
        moment: datetime = vDatetime.from_ical(value)  # type: ignore[no-untyped-call]
    except ValueError:
        return None
    return moment.isoformat() if moment.tzinfo else None
