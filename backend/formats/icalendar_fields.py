"""The properties of a VTODO as the fields of a task, and what is mended in them."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Iterable, Mapping
from quopri import decodestring
from typing import Any

from icalendar.parser import Contentline, split_on_unescaped_comma, unescape_backslash

from backend.errors import Detail
from backend.formats.icalendar_dates import MOMENTS, read_dates, read_moment
from backend.formats.icalendar_uids import EXCEPTION, PARENT, SUBTASKS, id_of
from backend.formats.icalendar_zones import FileZones
from backend.formats.rows import ROW
from backend.utils.priorities import PriorityNumber
from backend.utils.visible_text import is_visible

EXACT_TEXTS = {"SUMMARY": "X-TASK-API-SUMMARY", "DESCRIPTION": "X-TASK-API-DESCRIPTION"}
LABELS = "CATEGORIES"
NO_LABELS = "X-TASK-API-CATEGORIES"  # empty: some programs take an empty CATEGORIES for a label without a name
LIST = "X-TASK-API-LIST"
POSITION = "X-TASK-API-POSITION"
ORDER = "X-APPLE-SORT-ORDER"  # a whole number
NO_PARENT = "X-TASK-API-PARENT"  # empty: no RELATED-TO alone would leave a parent alone, as in files of others
STATUSES = {"todo": "NEEDS-ACTION", "in_progress": "IN-PROCESS", "done": "COMPLETED", "cancelled": "CANCELLED"}
_STATE = ("STATUS", "PERCENT-COMPLETE", "COMPLETED")
_STATUS_OF = {word: status for status, word in STATUSES.items()}
_PERCENT = re.compile("[0-9]{1,2}|100", re.ASCII)
_NO_STATUS = Detail("STATUS", "status_invalid", "A task has no such status: this was left out")
_NO_PERCENT = Detail("PERCENT-COMPLETE", "status_invalid", "This is no number from 0 to 100, and was left out")
_BEGUN = re.compile("0?[1-9]|[1-9][0-9]", re.ASCII)  # percent
_A_PRIORITY = re.compile(r"\+?0*([0-9])", re.ASCII)
_HALF = 5 * 10**14
_AN_ORDER = re.compile(r"[+-]?[0-9]{1,14}", re.ASCII)
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
_NO_PRIORITY = Detail("PRIORITY", "priority_invalid", "This is no whole number from 0 to 9: it was left out")


def content_line(line: str) -> Any:
    """Return a line as the library reads and folds it."""
    return Contentline(line)  # type: ignore[no-untyped-call]  # the library has no types for these


def legible_text(text: str) -> str:
    """Return a text without characters that iCalendar cannot hold."""
    return _ILLEGIBLE.sub(lambda found: "\n" if found[0].startswith("\r") else "", text)


def read_properties(
    lines: Iterable[bytearray], mends: list[Detail]
) -> tuple[dict[str, str], dict[str, Mapping[str, Any]]]:
    """Read lines as values and parameters by their names; raises ValueError.

    Adds to `mends` what is no text.
    """
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
    return found | {name: between.join(values) for name, (between, values) in many.items() if values}, parameters


def _decoded(head: str, value: str) -> str | None:
    """Decode a text of vCalendar 1.0, which escapes nothing else; returns None for what is no text in base64."""
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


def is_begun(percent: str) -> bool:
    """Return whether a task is neither new nor done, if it says how much of it is."""
    return _BEGUN.fullmatch(percent.strip()) is not None


def read_fields(
    properties: Mapping[str, str], parameters: Mapping[str, Mapping[str, Any]], zones: FileZones, mends: list[Detail]
) -> dict[str, object]:
    """Convert properties to the fields of a task; raises ValueError.

    Adds to `mends` what is not kept as the properties say.
    """
    texts = {name: unescape_backslash(value) for name, value in properties.items()}
    fields: dict[str, object] = {**_texts(texts), **_status(texts, mends)}
    is_completed = fields.get("status") == "done" or fields.get("completed") is True
    for name, field_name in MOMENTS.items():
        if texts.get(name, "").strip() and (is_completed or name != "COMPLETED"):
            moment = read_moment(name, texts, parameters.get(name, {}), zones, mends)
            if moment is not None:
                fields[field_name] = moment
    if "PRIORITY" in texts:
        found = _A_PRIORITY.fullmatch(texts["PRIORITY"].strip() or "0")
        if found is None:
            mends.append(_NO_PRIORITY)
        else:
            fields["priority"] = PriorityNumber(found[1]) or None
    if LABELS in properties:
        fields["labels"] = [label for label in split_on_unescaped_comma(properties[LABELS]) if is_visible(label)]
    elif NO_LABELS in properties:
        fields["labels"] = []
    return fields | read_dates(texts, parameters, zones, mends)


def _texts(texts: Mapping[str, str]) -> dict[str, object]:
    """Read what a component says of its title and description, its id, its list, its place there and its parent."""
    fields: dict[str, object] = {}
    for name, field_name in (("SUMMARY", "title"), ("DESCRIPTION", "description")):
        if name in texts:
            fields[field_name] = _exact(texts[name], texts.get(EXACT_TEXTS[name]))
    if uid := texts.get("UID", "").strip():
        fields["id"] = str(id_of(uid, texts.get(EXCEPTION)))
    if LIST in texts:
        fields["list_id"] = texts[LIST].strip() or None  # the inbox
    if POSITION in texts:
        fields["position"] = texts[POSITION].strip() or None
    elif _AN_ORDER.fullmatch(texts.get(ORDER, "").strip()):
        # A position of 15 digits, which is before those of the tasks that come last here.
        fields["position"] = f"o{int(texts[ORDER]) + _HALF:015}1"
    if PARENT in texts or NO_PARENT in texts:
        parent = texts.get(PARENT, "").strip()
        fields["parent_id"] = str(id_of(parent)) if parent else None
    return fields


def _status(texts: Mapping[str, str], mends: list[Detail]) -> dict[str, object]:
    """Read the status, or else only whether the task is completed: an unfinished one may have any other status."""
    said = {name: texts[name].strip() for name in _STATE if name in texts}
    word, percent, ended = (said.get(name, "") for name in _STATE)
    if status := _STATUS_OF.get(word.upper().replace(" ", "-")):
        return {"status": status}
    if word:
        mends.append(_NO_STATUS)
    if percent and not _PERCENT.fullmatch(percent):
        mends.append(_NO_PERCENT)
        percent = ""
    if not ended and is_begun(percent):
        return {"status": "in_progress"}
    if ended or percent:
        return {"completed": bool(ended) or percent == "100"}
    if not said or any(said.values()):
        return {}
    return {"status": None} if "STATUS" in said else {"completed": False}


def _exact(legible: str, exact: str | None) -> str | None:
    """Return the exact text if the legible text is unchanged, else the legible text: somebody has edited it.

    An empty legible text means none, unless the exact text is empty, too.
    """
    try:
        text = json.loads(exact or "")
    except (ValueError, RecursionError):
        return legible or None
    return text if isinstance(text, str) and legible_text(text) == legible else legible or None
