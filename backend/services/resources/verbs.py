"""What a change did, in a word. It follows from the fields that differ, and from what they were before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

CREATED, PURGED, UPDATED = "created", "purged", "updated"


class Sign(NamedTuple):
    """A field by whose change one knows what was done; `was_set` is what it was before, or None for either."""

    verb: str
    field: str
    was_set: bool | None = None


# The first sign that is there counts.
SIGNS = (
    Sign("deleted", "deleted_at", was_set=False),
    Sign("restored", "deleted_at", was_set=True),
    Sign("completed", "completed", was_set=False),
    Sign("reopened", "completed", was_set=True),
    Sign("rescheduled", "due_date"),
    Sign("rescheduled", "due_at"),
    Sign("moved", "list_id"),
    Sign("moved", "parent_id"),
    Sign("moved", "position"),
)
VERBS = tuple(dict.fromkeys((CREATED, *(sign.verb for sign in SIGNS), UPDATED, PURGED)))


def verb_of(before: Mapping[str, object]) -> str:
    """Return the word for a change of a row in which these fields differ; each has its value before."""
    for sign in SIGNS:
        if sign.field in before and sign.was_set in {None, bool(before[sign.field])}:
            return sign.verb
    return UPDATED
