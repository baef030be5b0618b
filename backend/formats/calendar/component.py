"""A component of a calendar, from its first line to the row that it becomes.

It keeps only the lines that say something about the task, because a component may be of any size.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache

from backend.errors import Detail
from backend.formats.calendar.codec import PERCENT, PROPERTIES, fields_of, is_begun
from backend.formats.calendar.dates import DATES, MOMENTS
from backend.formats.calendar.heads import MAX_PARAMETER_BYTES, Head, is_short
from backend.formats.calendar.notes import TEXTS, Text, is_part, text_of
from backend.formats.calendar.properties import INVALID, LABELS, read_properties
from backend.formats.calendar.uids import EXCEPTION, PARENT, read_subtasks, read_uids
from backend.formats.calendar.vtimezone_rules import RulesReader
from backend.formats.calendar.zones import LOCATION, TZID, FileZones
from backend.formats.rows import MAX_ROW_BYTES, NOT_UTF_8, TOO_LONG, FileRow, Line

_REPEATED = (LABELS, PARENT)  # properties of which each line counts
_PROPERTIES = PROPERTIES | {TZID, LOCATION}
_ZONE = b"VTIMEZONE"
_NAME = re.compile(rb"[A-Za-z0-9-]+")
_NAMED_ZONE = re.compile(rb';TZID=(?:"([^"]*)"|([^";:]*))[;:]', re.IGNORECASE)
_NO_PLACE = (
    *(
        "ATTACH",
        "ATTENDEE",
        "COMMENT",
        "CONTACT",
        "EXDATE",
        "GEO",
        "LOCATION",
        "ORGANIZER",
        "RDATE",
        "RESOURCES",
        "RRULE",
        "URL",
    ),
)
_HAS_NO_PLACE = re.compile(rf"({'|'.join(_NO_PLACE)})[:;][!-~\x80-\xff]".encode("latin-1"), re.IGNORECASE)
_NOT_KEPT = "A task has no place for this: it is left out of every task, which is said only here"


def ignored(told: set[str]) -> re.Pattern[bytes]:
    """Return the pattern of lines that say nothing about a task.

    `told` are properties without a place in a task, which the report names already.
    """
    return _ignored(frozenset(told))


@lru_cache(maxsize=64)
def _ignored(told: frozenset[str]) -> re.Pattern[bytes]:
    """Return the pattern; a line that continues another may match it, too."""
    names = ["BEGIN", "END", *sorted(_PROPERTIES | TEXTS)]
    names += [f"{name}[:;][!-~\x80-\xff]" for name in _NO_PLACE if name not in told]
    return re.compile(rf"(?:(?!{'|'.join(names)})[^\n]*+\n)++".encode("latin-1"), re.IGNORECASE)


_ALONE = Detail(
    EXCEPTION, "occurrence_alone", "This is one occurrence of a task that repeats: it became a task of its own"
)
_DROPPED = f"A parameter of more than {MAX_PARAMETER_BYTES} characters was left out"
_JOINED = "Lines that were not folded follow this text: they were read as part of it"


@dataclass(slots=True)
class Component:
    """A component that is being read. Of a task, it keeps only the relevant lines."""

    kind: bytes
    line: int
    told: set[str]  # properties without a place in a task that the report names already
    depth: int = 0  # of nested components
    size: int = 0
    lines: dict[str, bytearray] = field(default_factory=dict)  # the first of each property, and all of the repeated
    last: str = ""
    is_kept: bool = False  # whether the last line was kept, and so are its continuation lines
    text: Text | None = None  # the text property that came last: what follows may be part of it
    is_soft: bool = False  # whether the last line ends in a soft line break of quoted-printable
    notices: list[Detail] = field(default_factory=list)
    joined: set[str] = field(default_factory=set)  # texts with lines that were not folded
    blank_lines: int = 0  # since the last line
    head: Head | None = None  # of the last line, if that is kept and its head goes on
    dropped: set[str] = field(default_factory=set)  # properties that have lost a parameter
    rules: RulesReader = field(default_factory=RulesReader)  # of a VTIMEZONE
    named_zones: tuple[str, ...] | None = None  # of its dates and times

    @property
    def skipped(self) -> re.Pattern[bytes] | None:
        """Return the pattern of lines that say nothing here; None if any line may say something."""
        is_rule = self.kind == _ZONE and self.depth
        return None if self.is_kept or self.text or is_rule else ignored(self.told)

    def enter(self) -> None:
        """Begin a component inside of this one."""
        self.depth += 1
        self.text, self.is_soft, self.is_kept = None, False, False
        self.rules.begin()

    def leave(self, kind: bytes) -> None:
        """End a component inside of this one, if there is any."""
        if self.depth:
            self.depth -= 1
            self.rules.end(kind)

    def take(self, line: Line, content: bytes) -> None:
        """Keep a line, or the continuation of a folded one, if it is about the task."""
        if self.kind == _ZONE and self.depth:
            self.rules.take(content)
            return
        if line.continues:
            self._continue(content)
        elif not content and not self.is_soft:
            self.blank_lines += self.text is not None  # perhaps a part of the text
            return
        else:
            self._take_line(content)
        self.is_soft = self.text is not None and self.text.is_quoted and content.endswith(b"=")
        self.blank_lines = 0
        if self.size > MAX_ROW_BYTES:
            self.lines, self.is_kept, self.head = {}, False, None

    def _take_line(self, content: bytes) -> None:
        if self.is_soft:
            self._continue(content, drops=1)
        elif content[:1] in {b" ", b"\t"}:
            self._continue(content[1:])
            self.size += self.is_kept
        elif self.text and not self.head and is_part(self.text, content, self.lines):
            self._continue(b"\\n" * min(self.blank_lines + 1, MAX_ROW_BYTES) + content)
            self.joined |= {self.last} if self.is_kept else set()
        else:
            self._begin(content)

    def _begin(self, content: bytes) -> None:
        found = _NAME.match(content)
        name = found[0].decode().upper() if found else ""
        self.is_kept = self.depth == 0 and name in _PROPERTIES and name not in self.lines
        self.last = f"{name}/{len(self.lines)}" if name in _REPEATED else name
        self.text = text_of(content) if self.depth == 0 and name in TEXTS else None
        self.head = None
        if self.is_kept:
            self.lines[self.last] = bytearray()
            self.head = None if is_short(content) else Head()
            self._continue(content)
        elif self.kind == b"VTODO" and not self.depth and name not in self.told and _HAS_NO_PLACE.match(content):
            self._tell(name)

    def _tell(self, name: str) -> None:
        """Say once in a file that a property is not kept."""
        self.told.add(name)
        self.notices.append(Detail(name, "property_not_kept", _NOT_KEPT))

    def _continue(self, content: bytes, drops: int = 0) -> None:
        """Add to the last line, after dropping this many bytes of its end."""
        if not self.is_kept:
            return
        kept = self.lines[self.last]
        if self.head is not None:
            value = self.head.take(content)
            if value is None:
                self.size = max(self.size, len(self.head.kept))
                return
            content = bytes(self.head.kept) + value
            self.dropped |= {self.last} if self.head.has_dropped else set()
            self.head = None
        del kept[len(kept) - drops :]
        kept += content
        self.size += len(content) + 1  # with its line break

    def awaits(self, zones: FileZones) -> bool:
        """Return whether the file may still explain a zone that the task names."""
        if self.named_zones is None:  # found once: it may be asked often
            heads = (self.lines[name] for name in (*DATES, *MOMENTS) if name in self.lines)
            named = (found[1] or found[2] or b"" for found in map(_NAMED_ZONE.search, heads) if found)
            self.named_zones = tuple(name.decode(errors="replace").strip() for name in named)
        return any(map(zones.may_come, self.named_zones))

    def row(self, zones: FileZones) -> FileRow:
        """Return the fields of its task, or what is wrong with it."""
        if self.kind != b"VTODO":
            return FileRow(self.line, is_skipped=True)
        if self.size > MAX_ROW_BYTES:
            return FileRow(self.line, problem=TOO_LONG)
        try:
            said = read_properties(self.lines.values(), zones)
            fields = fields_of(said)
            uid, others = read_uids(said.values, said.mends)
            subtasks = tuple(read_subtasks(said.values))
        except UnicodeDecodeError:
            return FileRow(self.line, problem=NOT_UTF_8)
        except ValueError:
            return FileRow(self.line, problem=INVALID)
        if is_begun(said.values.get(PERCENT, "")) and PERCENT not in self.told:
            self._tell(PERCENT)
        alone = (_ALONE,) if EXCEPTION in self.lines else ()
        joined = (Detail(name, "lines_joined", _JOINED) for name in sorted(self.joined))
        dropped = (Detail(name.partition("/")[0], "parameter_dropped", _DROPPED) for name in sorted(self.dropped))
        mended = (*alone, *joined, *dropped, *said.mends)
        row = FileRow(self.line, fields, size=self.size, mends=mended, is_foreign=True)
        return replace(row, uid=uid, other_uids=others, subtasks=subtasks)

    def tell(self, zones: FileZones) -> None:
        """Add what its zone is, if it is a VTIMEZONE."""
        with suppress(ValueError):
            zones.learn(read_properties(self.lines.values(), zones).values, self.rules)
