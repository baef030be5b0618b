"""The lines of a component as the values and the parameters of its properties."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from quopri import decodestring
from typing import Any

from icalendar.parser import Contentline, unescape_backslash

from backend.errors import Detail
from backend.formats.calendar.uids import PARENT, SUBTASKS
from backend.formats.calendar.zones import FileZones
from backend.formats.rows import ROW

LABELS = "CATEGORIES"
_ILLEGIBLE = re.compile(r"\r\n?|[\x00-\x08\x0b-\x1f\x7f]")
_RELATION = re.compile(rf'{PARENT}((?:[^":]|"[^"]*")*+):(.*)', re.IGNORECASE | re.DOTALL)
_KIND = re.compile(r';RELTYPE="?([^";]*)', re.IGNORECASE)
_BARE_ENCODING = re.compile(";(QUOTED-PRINTABLE|BASE64)(?=;|$)", re.IGNORECASE)
_ENCODING = re.compile(r';ENCODING="?(QUOTED-PRINTABLE|BASE64|B)"?(?=;|$)', re.IGNORECASE)
_CHARSET_OF = re.compile(r';CHARSET="?([^";]*)', re.IGNORECASE)
_BETWEEN = re.compile(r"\\n|\s")  # where a text in base64 was cut
_CHARSET = re.compile("us-ascii|utf-8|iso-8859-([1-9]|1[0134-6])|windows-125[0-8]", re.IGNORECASE)  # decoded fast
INVALID = Detail(ROW, "calendar_invalid", "One of its lines is not valid iCalendar: export the task again")
_NO_TEXT = "This is coded (BASE64) and holds no text: it was left out"


def content_line(line: str) -> Any:
    """Return a line as the library reads and folds it."""
    return Contentline(line)  # type: ignore[no-untyped-call]  # the library has no types for these


def legible_text(text: str) -> str:
    """Return a text without characters that iCalendar cannot hold."""
    return _ILLEGIBLE.sub(lambda found: "\n" if found[0].startswith("\r") else "", text)


@dataclass(frozen=True)
class Said:
    """What the lines of a component say, by the names of properties, and the zones that they may name.

    A reader adds to `mends` what it does not keep as the component says it.
    """

    values: Mapping[str, str]
    parameters: Mapping[str, Mapping[str, Any]]
    zones: FileZones
    mends: list[Detail]

    @cached_property
    def texts(self) -> dict[str, str]:
        """Return the values without their escapes."""
        return {name: unescape_backslash(value) for name, value in self.values.items()}


def read_properties(lines: Iterable[bytearray], zones: FileZones) -> Said:
    """Read lines; raises ValueError. A value that is not text is left out, and the mends say so."""
    mends: list[Detail] = []
    found: dict[str, str] = {}
    parameters: dict[str, Mapping[str, Any]] = {}
    labels: list[str] = []
    subtasks: list[str] = []
    for data in lines:
        text = data.decode()
        if relation := _RELATION.fullmatch(text):  # there may be thousands: the library would take long
            kind = _KIND.search(relation[1])
            if kind is None or kind[1].upper() == "PARENT":
                found.setdefault(PARENT, relation[2])
            elif kind[1].upper() == "CHILD":
                subtasks.append(relation[2])
            continue
        line = content_line(text)
        colon = line.value_separator_index()
        if colon < 0:
            raise ValueError(INVALID.message)
        head = _BARE_ENCODING.sub(r";ENCODING=\1", line[:colon])
        value = _decoded(head, line[colon + 1 :])
        if value is None:
            mends.append(Detail(head.partition(";")[0].upper(), "text_dropped", _NO_TEXT))
        elif head[: len(LABELS)].upper() == LABELS:
            labels.append(value)
        else:
            name, said, _ = content_line(head + ":").parts()  # without the value, the most costly part
            found[name.upper()], parameters[name.upper()] = value, said
    many = {LABELS: (",", labels), SUBTASKS: ("\n", subtasks)}
    found |= {name: between.join(values) for name, (between, values) in many.items() if values}
    return Said(found, parameters, zones, mends)


def _decoded(head: str, value: str) -> str | None:
    """Decode a text of vCalendar 1.0, which has no other escapes; returns None if its base64 is not text."""
    encoding, charset = _ENCODING.search(head), _CHARSET_OF.search(head)
    if encoding is None:
        return value
    charset_name = charset[1] if charset and _CHARSET.fullmatch(charset[1]) else "utf-8"
    if encoding[1].upper() == "QUOTED-PRINTABLE":
        text = decodestring(value.encode()).decode(charset_name)
    else:
        try:
            text = b64decode(_BETWEEN.sub("", value), validate=True).decode(charset_name)
        except ValueError:  # not base64, or another charset
            return None
        if _ILLEGIBLE.search(text.replace("\r", "")):
            return None
    return legible_text(text).replace("\\", r"\\")
