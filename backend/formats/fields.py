"""How CSV and calendars hold the fields of a task: as the text of a cell or of a property.

A new field needs one line here. No value is an empty cell, and a property without a value.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from backend.utils.visible_text import is_visible

# Spreadsheets write these words in capitals, and in the language of the country.
_TRUE = ("true", "wahr", "vrai", "verdadero", "vero", "waar", "verdadeiro", "prawda")
_FALSE = ("false", "falsch", "faux", "falso", "onwaar", "fałsz")
_FLAGS = {**dict.fromkeys(_TRUE, True), **dict.fromkeys(_FALSE, False)}
_YEAR_FIRST = re.compile(r"\s*([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})\s*", re.ASCII)
_DAY_FIRST = re.compile(r"\s*([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})\s*", re.ASCII)


def _as_it_is(value: Any) -> Any:
    return value


def _read_flag(text: str) -> object:
    return _FLAGS.get(text.strip().lower(), text)


def _read_day(text: str) -> str:
    """Return a day in our form. Spreadsheets write it in the form of their country."""
    if found := _YEAR_FIRST.fullmatch(text):
        year, month, day = found.groups()
    elif found := _DAY_FIRST.fullmatch(text):
        day, month, year = found.groups()
    else:
        return text
    return f"{year}-{month:0>2}-{day:0>2}"


def _read_labels(text: str) -> list[str]:
    return [label for label in text.split(",") if is_visible(label)]


@dataclass(frozen=True, slots=True)
class FileField:
    """How a field is written as a text, and read from one that is not empty.

    `property` is its name in a calendar. A field without this name has its own codec there.
    """

    property: str = ""
    write: Callable[[Any], Any] = _as_it_is
    read: Callable[[str], object] = _as_it_is
    is_text: bool = False  # of the user: it may look like a formula, or have characters that calendars cannot hold


def flag(name: str = "") -> FileField:
    """Return a field that is true or false, and the name of its property."""
    return FileField(name, lambda value: str(value).lower(), _read_flag)


PLAIN = FileField()
DAY = FileField(read=_read_day)

# In the order of the columns of a CSV.
FIELDS: dict[str, FileField] = {
    "id": PLAIN,
    "title": FileField("SUMMARY", is_text=True),
    "description": FileField("DESCRIPTION", is_text=True),
    "completed": flag(),
    "completed_at": PLAIN,
    "created_at": PLAIN,
    "updated_at": PLAIN,
    "revision": PLAIN,
    "status": PLAIN,
    "due_date": DAY,
    "due_at": PLAIN,
    "start_date": DAY,
    "start_at": PLAIN,
    "timezone": PLAIN,
    "priority": PLAIN,
    "labels": FileField(write=lambda labels: ",".join(labels) or None, read=_read_labels, is_text=True),
    "list_id": FileField("X-TASK-API-LIST"),
    "position": FileField("X-TASK-API-POSITION"),
    "parent_id": PLAIN,
}
