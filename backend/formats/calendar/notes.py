"""Texts of a calendar that a program did not fold: which of the next lines still belong to the text.

Nothing marks such lines. A line is a property only if it has the name of a known property, is written like the text
before it, has a value of the right type, and says nothing that the task has said before.
"""

from __future__ import annotations

import re
from collections.abc import Container
from typing import NamedTuple

TEXTS = {"SUMMARY", "DESCRIPTION", "COMMENT"}
# What lines after a text may be, rather than a part of it: RFC 5545, 7986, 9073 and 9253, and vCalendar 1.0.
_KNOWN = frozenset(
    b"""
    ATTACH ATTENDEE BEGIN CALENDAR-ADDRESS CATEGORIES CLASS COLOR COMMENT COMPLETED CONCEPT CONFERENCE CONTACT
    CREATED DESCRIPTION DTEND DTSTAMP DTSTART DUE END DURATION ESTIMATED-DURATION EXDATE EXRULE GEO IMAGE
    LAST-MODIFIED LINK LOCATION ORGANIZER PERCENT-COMPLETE PRIORITY RDATE RECURRENCE-ID REFID RELATED-TO
    REQUEST-STATUS RESOURCES RRULE SEQUENCE STATUS STRUCTURED-DATA SUMMARY STYLED-DESCRIPTION TRANSP UID URL
    AALARM DALARM MALARM PALARM DCREATED RNUM
    """.split()
)
# Properties that a task has once, and of which one without parameters behind notes is no translation.
_ONCE = {
    *("SUMMARY", "UID", "STATUS", "PERCENT-COMPLETE", "PRIORITY"),
    *("COMPLETED", "CREATED", "DUE", "DTSTART", "DURATION"),
}
_VALUES = {
    **dict.fromkeys(
        ("COMPLETED", "CREATED", "DCREATED", "DTEND", "DTSTAMP", "DTSTART", "DUE", "LAST-MODIFIED", "RECURRENCE-ID"),
        re.compile(rb" *(?:[0-9]{4}[0-9TtZz:.+-]*)? *"),
    ),
    **dict.fromkeys(("PERCENT-COMPLETE", "PRIORITY", "SEQUENCE"), re.compile(rb" *[+-]?[0-9]* *")),
    **dict.fromkeys(("STATUS", "CLASS", "TRANSP"), re.compile(rb"[A-Z0-9 -]*")),
    "DURATION": re.compile(rb" *(?:[+-]?P[0-9DHMSTW]*)? *"),
    "URL": re.compile(rb" *[^ ]* *"),
}
_NAME = re.compile(rb"[A-Za-z0-9-]+")
_PROPERTY = re.compile(rb'([A-Za-z0-9-]+)((?:[^":]++|"[^"]*+")*+):(.*)', re.DOTALL)
_BEGINS = re.compile(rb"([A-Za-z0-9-]+)(: |[:;])")
_BEGINS_WITH_SPACE = re.compile(rb"[^:]*: ")
_IS_QUOTED = re.compile(rb"[A-Za-z]+;[^:]*QUOTED-PRINTABLE", re.IGNORECASE)


class Text(NamedTuple):
    """How a text property is written. It is found out once, because very many lines may follow."""

    is_upper: bool
    begins_with_space: bool
    is_quoted: bool
    is_title: bool


def text_of(content: bytes) -> Text:
    """Return how a text property is written, from its first line."""
    found = _NAME.match(content)
    name = found[0] if found else b""
    begins_with_space, is_quoted = (each.match(content) is not None for each in (_BEGINS_WITH_SPACE, _IS_QUOTED))
    return Text(name.isupper(), begins_with_space, is_quoted, is_title=name.upper() == b"SUMMARY")


def is_part(text: Text, content: bytes, said: Container[str]) -> bool:
    """Return whether a line goes on with the text before it; `said` are the properties that the task has already."""
    found = _BEGINS.match(content)
    if found is None:
        return True
    name = found[1]
    if name.upper() not in _KNOWN and name[:2].upper() != b"X-":
        return True
    if text.is_title:
        return False  # a title is one line
    is_text = name.isupper() and name.decode() in TEXTS  # its value may begin with a space
    if found[2] == b": " and not text.begins_with_space and not is_text:
        return True
    if text.is_upper and not name.isupper() and name[:2] not in {b"X-", b"x-"}:
        return True
    return _is_other(name.decode().upper(), content, said)


def _is_other(name: str, content: bytes, said: Container[str]) -> bool:
    """Return whether a line has the name of a property, but not its value, or says it again."""
    found = _PROPERTY.fullmatch(content)
    if found is None:
        return False  # its head goes on
    if name in _ONCE and name in said and not found[2]:
        return True
    return name in _VALUES and _VALUES[name].fullmatch(found[3]) is None
