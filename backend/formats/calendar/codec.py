"""Turns a task into a VTODO, and a VTODO into the fields of a task. Related fields share a codec.

A simple field is the text of a property, whose name is in `backend/formats/fields.py`. All other codecs are here.
iCalendar texts hold no control characters, and only one kind of line break. If a text has more, its property holds the
legible part, and a property of our own the exact text. The exact text counts while the legible part is unchanged.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from icalendar.parser import split_on_unescaped_comma
from icalendar.prop import vDatetime

from backend.errors import Detail
from backend.formats.calendar.dates import (
    DATE_PROPERTIES,
    EXACT,
    read_dates,
    read_moment,
    written_dates,
    written_moment,
)
from backend.formats.calendar.properties import LABELS, Said, legible_text
from backend.formats.calendar.uids import EXCEPTION, PARENT, id_of
from backend.formats.fields import FIELDS, FileField
from backend.utils.priorities import PriorityNumber, number_of
from backend.utils.visible_text import is_visible

_OWN = "X-TASK-API-"
_NO_LABELS = f"{_OWN}CATEGORIES"  # empty: some programs take an empty CATEGORIES for a label without a name
_NO_PARENT = f"{_OWN}PARENT"  # empty: no RELATED-TO alone would leave a parent alone, as in files of others
_ORDER = "X-APPLE-SORT-ORDER"  # a whole number
_HALF = 5 * 10**14
_AN_ORDER = re.compile(r"[+-]?[0-9]{1,14}", re.ASCII)
_STATUSES = {"todo": "NEEDS-ACTION", "in_progress": "IN-PROCESS", "done": "COMPLETED", "cancelled": "CANCELLED"}
_STATUS_OF = {word: status for status, word in _STATUSES.items()}
PERCENT = "PERCENT-COMPLETE"
_STATE = ("STATUS", PERCENT, "COMPLETED")
_A_PERCENT = re.compile("[0-9]{1,2}|100", re.ASCII)
_BEGUN = re.compile("0?[1-9]|[1-9][0-9]", re.ASCII)  # percent
_A_PRIORITY = re.compile(r"\+?0*([0-9])", re.ASCII)
_ESCAPES = str.maketrans({"\\": r"\\", ";": r"\;", ",": r"\,", "\n": r"\n"})

_NO_STATUS = Detail("STATUS", "status_invalid", "A task has no such status: this was left out")
_NO_PERCENT = Detail(PERCENT, "status_invalid", "This is no number from 0 to 100, and was left out")
_NO_PRIORITY = Detail("PRIORITY", "priority_invalid", "This is no whole number from 0 to 9: it was left out")

Task = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Codec:
    """Writes fields of a task as lines, and reads them from these properties. It leaves out what they do not say."""

    properties: tuple[str, ...]
    write: Callable[[Task], Iterator[str]]
    read: Callable[[Said], Mapping[str, object]]


def lines_of(task: Task) -> Iterator[str]:
    """Yield the lines of a task, not folded."""
    yield "BEGIN:VTODO"
    for codec in _CODECS:
        yield from codec.write(task)
    yield "END:VTODO"


def fields_of(said: Said) -> dict[str, object]:
    """Return the fields that a component says; raises ValueError."""
    return {name: value for codec in _CODECS for name, value in codec.read(said).items()}


def is_begun(percent: str) -> bool:
    """Return whether a percentage says that a task is neither new nor done."""
    return _BEGUN.fullmatch(percent.strip()) is not None


def _text(name: str, field: FileField) -> Codec:
    """Return the codec of a field with any text."""
    exact = f"{_OWN}{field.property}"

    def write(task: Task) -> Iterator[str]:
        text = task[name]
        legible = legible_text(text or "")
        # The library's own escaping takes \N in a text for a line break.
        yield f"{field.property}:{legible.translate(_ESCAPES)}"
        if text is not None and (legible != text or not text):
            written = json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
            yield f"{exact}:{written.translate(_ESCAPES)}"

    def read(said: Said) -> Mapping[str, object]:
        legible = said.texts.get(field.property)
        return {} if legible is None else {name: _exact(legible, said.texts.get(exact))}

    return Codec((field.property, exact), write, read)


def _exact(legible: str, exact: str | None) -> str | None:
    """Return the exact text, or the legible text if another program has changed that.

    An empty legible text means none, unless the exact text is empty, too.
    """
    try:
        text = json.loads(exact or "")
    except (ValueError, RecursionError):
        return legible or None
    return text if isinstance(text, str) and legible_text(text) == legible else legible or None


def _plain(name: str, field: FileField) -> Codec:
    """Return the codec of a field that is the text of one property."""

    def write(task: Task) -> Iterator[str]:
        yield f"{field.property}:{'' if task[name] is None else field.write(task[name])}"

    def read(said: Said) -> Mapping[str, object]:
        text = said.texts.get(field.property)
        return {} if text is None else {name: field.read(text.strip()) if text.strip() else None}

    return Codec((field.property,), write, read)


def _write_uid(task: Task) -> Iterator[str]:
    yield f"UID:{_uid(task, 'id', 'uid')}"


def _read_uid(said: Said) -> Mapping[str, object]:
    uid = said.texts.get("UID", "").strip()
    return {"id": str(id_of(uid, said.texts.get(EXCEPTION)))} if uid else {}


def _uid(task: Task, own: str, kept: str) -> str:
    """Return the UID that is kept of a task, or else its id."""
    uid: str = task.get(kept) or task[own]
    return uid.translate(_ESCAPES)


def _write_changed(task: Task) -> Iterator[str]:
    moment = datetime.fromisoformat(task["updated_at"]).astimezone(UTC)
    changed: bytes = vDatetime(moment).to_ical()  # type: ignore[no-untyped-call]
    yield from (f"{name}:{changed.decode()}" for name in ("DTSTAMP", "LAST-MODIFIED"))


def _write_created(task: Task) -> Iterator[str]:
    return written_moment("CREATED", task["created_at"])


def _read_created(said: Said) -> Mapping[str, object]:
    return _moment("created_at", "CREATED", said)


def _moment(name: str, said_in: str, said: Said) -> Mapping[str, object]:
    """Read a moment; returns nothing if no property says it."""
    moment = read_moment(said_in, said) if said.texts.get(said_in, "").strip() else None
    return {} if moment is None else {name: moment}


def _write_status(task: Task) -> Iterator[str]:
    yield f"STATUS:{_STATUSES[task['status']]}"
    if task["completed"]:
        yield from (*written_moment("COMPLETED", task["completed_at"]), f"{PERCENT}:100")


def _read_status(said: Said) -> Mapping[str, object]:
    fields = _status(said)
    is_completed = fields.get("status") == "done" or fields.get("completed") is True
    return {**fields, **_moment("completed_at", "COMPLETED", said)} if is_completed else fields


def _status(component: Said) -> dict[str, object]:
    """Read the status. Without STATUS, read only whether the task is completed: if not, its status stays."""
    said = {name: component.texts[name].strip() for name in _STATE if name in component.texts}
    word, percent, ended = (said.get(name, "") for name in _STATE)
    if status := _STATUS_OF.get(word.upper().replace(" ", "-")):
        return {"status": status}
    if word:
        component.mends.append(_NO_STATUS)
    if percent and not _A_PERCENT.fullmatch(percent):
        component.mends.append(_NO_PERCENT)
        percent = ""
    if not ended and is_begun(percent):
        return {"status": "in_progress"}
    if ended or percent:
        return {"completed": bool(ended) or percent == "100"}
    if not said or any(said.values()):
        return {}
    return {"status": None} if "STATUS" in said else {"completed": False}


def _write_priority(task: Task) -> Iterator[str]:
    number = task.get("priority_number") or number_of(task["priority"])
    yield f"PRIORITY:{0 if task['priority'] is None else number}"


def _read_priority(said: Said) -> Mapping[str, object]:
    if "PRIORITY" not in said.texts:
        return {}
    found = _A_PRIORITY.fullmatch(said.texts["PRIORITY"].strip() or "0")
    if found is None:
        said.mends.append(_NO_PRIORITY)
        return {}
    return {"priority": PriorityNumber(found[1]) or None}


def _write_labels(task: Task) -> Iterator[str]:
    labels = ",".join(label.translate(_ESCAPES) for label in task["labels"])
    yield f"{LABELS if labels else _NO_LABELS}:{labels}"


def _read_labels(said: Said) -> Mapping[str, object]:
    if LABELS in said.values:
        return {"labels": [label for label in split_on_unescaped_comma(said.values[LABELS]) if is_visible(label)]}
    return {"labels": []} if _NO_LABELS in said.values else {}


def _read_order(said: Said) -> Mapping[str, object]:
    """Read the order of another program as a position of 15 digits, which comes before the positions of new tasks."""
    is_order = _AN_ORDER.fullmatch(said.texts.get(_ORDER, "").strip()) and FIELDS["position"].property not in said.texts
    return {"position": f"o{int(said.texts[_ORDER]) + _HALF:015}1"} if is_order else {}


def _write_parent(task: Task) -> Iterator[str]:
    if task["parent_id"]:
        yield f"{PARENT};RELTYPE=PARENT:{_uid(task, 'parent_id', 'parent_uid')}"
    else:
        yield f"{_NO_PARENT}:"


def _read_parent(said: Said) -> Mapping[str, object]:
    if PARENT not in said.texts and _NO_PARENT not in said.texts:
        return {}
    parent = said.texts.get(PARENT, "").strip()
    return {"parent_id": str(id_of(parent)) if parent else None}


def _nothing(_: object) -> Any:
    return {}


# In the order of the lines.
_CODECS = (
    Codec(("UID", EXCEPTION), _write_uid, _read_uid),
    Codec((), _write_changed, _nothing),
    Codec(("CREATED", EXACT["CREATED"]), _write_created, _read_created),
    *(_text(name, field) for name, field in FIELDS.items() if field.property and field.is_text),
    Codec((*_STATE, EXACT["COMPLETED"]), _write_status, _read_status),
    Codec(DATE_PROPERTIES, written_dates, read_dates),
    Codec(("PRIORITY",), _write_priority, _read_priority),
    Codec((LABELS, _NO_LABELS), _write_labels, _read_labels),
    *(_plain(name, field) for name, field in FIELDS.items() if field.property and not field.is_text),
    Codec((_ORDER,), _nothing, _read_order),
    Codec((PARENT, _NO_PARENT), _write_parent, _read_parent),
)
PROPERTIES = frozenset(name for codec in _CODECS for name in codec.properties)
