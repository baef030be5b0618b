"""The UIDs by which calendar programs recognise tasks, and the ids of these tasks here.

A UID that is written like our ids is the id. Any other text, even a UUID in another form, leads to an id of its own,
which is always the same for that text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import islice
from uuid import UUID, uuid5

from icalendar.parser import unescape_backslash

from backend.errors import Detail
from backend.formats.rows import MAX_UID_LENGTH, Named, OtherUID, is_uid

EXCEPTION = "RECURRENCE-ID"
PARENT = "RELATED-TO"
SUBTASKS = "RELATED-TO;RELTYPE=CHILD"  # all of them, in lines
_OTHER_IDS = UUID("5f0c9d1e-52c5-4f6d-9d0a-6a1f3b7e2c48")  # namespace of ids made from other programs' UIDs
_MAX_SUBTASKS = 1001  # that a row names
_NOT_KEPT = Detail(
    "UID", "uid_not_kept", f"This UID is not kept, because it is not plain text of at most {MAX_UID_LENGTH} characters"
)


def id_of(uid: str, occurrence: str | None = None) -> UUID:
    """Return the id of the task with this UID; an occurrence that was changed alone has a different id."""
    if occurrence is not None:
        return uuid5(_OTHER_IDS, f"{uid}\n{occurrence.strip()}")
    own = _uuid(uid)
    return own if own is not None and str(own) == uid else uuid5(_OTHER_IDS, uid)


def read_uids(properties: Mapping[str, str], mends: list[Detail]) -> tuple[str | None, tuple[OtherUID, ...]]:
    """Return the UID to keep with a task, and the UIDs it names that are UUIDs but not written like our ids.

    Adds to `mends` why a UID is not kept.
    """
    texts = {name: unescape_backslash(properties[name]) for name in ("UID", PARENT, EXCEPTION) if name in properties}
    named = [texts.get(PARENT, "")] if EXCEPTION in texts else [texts.get("UID", ""), texts.get(PARENT, "")]
    return _kept(texts, mends), tuple(filter(None, map(_other, named)))


def read_subtasks(properties: Mapping[str, str]) -> Iterator[Named]:
    """Yield the subtasks that a task names, each once. It yields few more than a task can have."""
    uids = (unescape_backslash(uid).strip() for uid in properties.get(SUBTASKS, "").split("\n"))
    for uid in islice(dict.fromkeys(filter(None, uids)), _MAX_SUBTASKS):
        yield Named(id_of(uid), _other(uid))


def _kept(texts: Mapping[str, str], mends: list[Detail]) -> str | None:
    uid = texts.get("UID", "").strip()
    if not uid or EXCEPTION in texts:
        return None
    if not is_uid(uid):
        mends.append(_NOT_KEPT)
        return None
    return uid


def _other(text: str) -> OtherUID | None:
    uid = text.strip()
    former = _uuid(uid)
    return None if former is None or str(former) == uid else OtherUID(uid, id_of(uid), former)


def _uuid(text: str) -> UUID | None:
    with suppress(ValueError):
        return UUID(text)
    return None
