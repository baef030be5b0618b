"""An operation's `if_match` accepts what the contract says, the same as the header."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from backend.models.batch import Batch, DeleteOperation
from backend.models.values.etags import EntityTags, parse_tags
from tests.fixtures.calls.batches import CHOSEN_ID

PIECES = ["*", '"', '"42"', 'W/"', "W/", ",", " ", "\t", "42", "0", "9" * 18, "a", "\xff", "\x7f", "\n", "\u0660"]

_TAG = r'(W/)?"[\x21\x23-\x7e\x80-\xff]*"[ \t]*'
# A revision, `*`, or a list of tags, as one pattern: the service reads tags one by one.
GOOD = re.compile(rf"[1-9][0-9]{{0,17}}|[ \t]*\*[ \t]*|[ \t,]*{_TAG}(,[ \t,]*{_TAG})*(,[ \t,]*)?")


def expected(if_match: object) -> EntityTags | None:
    """Return the condition of an operation, or None if it is refused."""
    try:
        return DeleteOperation.model_validate({"op": "delete", "id": CHOSEN_ID, "if_match": if_match}).if_match
    except ValidationError:
        return None


@pytest.mark.requirement("FR-140", "FR-143")
@pytest.mark.parametrize(
    ("if_match", "tags"),
    [
        (42, EntityTags(strong=("42",))),
        ("42", EntityTags(strong=("42",))),
        ('"42"', EntityTags(strong=("42",))),
        ('"41", W/"42"', EntityTags(strong=("41",), weak=("42",))),
        (" * ", EntityTags(is_any=True)),
        (2**53 - 1, EntityTags(strong=(str(2**53 - 1),))),
        (2**53, None),
        (True, None),
        (42.0, EntityTags(strong=("42",))),
        (42.5, None),
        (float("inf"), None),
        (None, None),
        (["42"], None),
    ],
)
def test_a_condition_is_a_revision_or_what_the_header_takes(if_match: object, tags: EntityTags | None) -> None:
    assert expected(if_match) == tags


@pytest.mark.requirement("FR-140", "FR-114")
@settings(derandomize=True, database=None, deadline=None, max_examples=500)
@given(st.lists(st.sampled_from(PIECES), max_size=8).map("".join))
def test_only_tags_and_a_revision_are_taken(text: str) -> None:
    fits = GOOD.fullmatch(text) is not None

    assert fits is (expected(text) is not None)
    assert expected(text) == parse_tags(text) or re.fullmatch("[1-9][0-9]*", text)


@pytest.mark.requirement("FR-123")
def test_what_was_sent_can_be_told_from_what_was_left_out() -> None:
    bodies = ({"op": "complete", "id": CHOSEN_ID}, {"op": "complete", "id": CHOSEN_ID, "if_match": "*"})

    said = {Batch.model_validate({"operations": [body]}).model_dump_json(exclude_unset=True) for body in bodies}

    assert len(said) == 2


@pytest.mark.requirement("FR-143")
def test_operations_can_be_made_in_python() -> None:
    operation = DeleteOperation(op="delete", id=UUID(CHOSEN_ID))

    assert Batch(operations=[operation]).operations == [operation]
