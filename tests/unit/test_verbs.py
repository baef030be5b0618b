"""What was done, in a word."""

from __future__ import annotations

import pytest

from backend.models.activity import Verb
from backend.services.resources.verbs import verb_of

NOTHING: dict[str, object] = {}


@pytest.mark.requirement("FR-608")
@pytest.mark.parametrize(
    ("before", "verb"),
    [
        (NOTHING, "updated"),
        ({"title": "a"}, "updated"),
        ({"completed": False, "completed_at": None}, "completed"),
        ({"completed": True, "completed_at": "2026-11-21", "title": "a"}, "reopened"),
        ({"deleted_at": None}, "deleted"),
        ({"deleted_at": "2026-11-21", "list_id": None}, "restored"),
        ({"deleted_at": None, "completed": True}, "deleted"),
        ({"due_date": None}, "rescheduled"),
        ({"due_at": "2026-11-21", "due_date": None, "position": "a"}, "rescheduled"),
        ({"list_id": None}, "moved"),
        ({"position": "a", "title": "a"}, "moved"),
        ({"parent_id": None}, "moved"),
    ],
)
def test_the_fields_that_differ_say_what_was_done(before: dict[str, object], verb: str) -> None:
    assert verb_of(before) == verb
    assert verb in [*Verb]
