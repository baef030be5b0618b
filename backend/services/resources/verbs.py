"""What a change did, in a word. It follows from the fields that differ, and from what they were before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from backend.models.activity import Verb


class Sign(NamedTuple):
    """A field by whose change one knows what was done; `was_set` is what it was before, or None for either."""

    verb: Verb
    field: str
    was_set: bool | None = None


# The first sign that is there counts.
SIGNS = (
    Sign(Verb.DELETED, "deleted_at", was_set=False),
    Sign(Verb.RESTORED, "deleted_at", was_set=True),
    Sign(Verb.COMPLETED, "completed", was_set=False),
    Sign(Verb.REOPENED, "completed", was_set=True),
    Sign(Verb.RESCHEDULED, "due_date"),
    Sign(Verb.RESCHEDULED, "due_at"),
    Sign(Verb.MOVED, "list_id"),
    Sign(Verb.MOVED, "parent_id"),
    Sign(Verb.MOVED, "position"),
)


def verb_of(before: Mapping[str, object]) -> str:
    """Return the word for a change of a row in which these fields differ; each has its value before."""
    for sign in SIGNS:
        if sign.field in before and sign.was_set in {None, bool(before[sign.field])}:
            return sign.verb.value
    return Verb.UPDATED.value
