"""Positions in the feed of changes: what each number stands for, and for how long it is good."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.services.changes.sync_token import read_position

REVISIONS = st.integers(0, 10**12)


@pytest.mark.requirement("FR-147")
@pytest.mark.parametrize(
    ("number", "counter", "purged", "good"),
    [
        (0, 0, 0, True),
        (0, 9, 9, True),
        (5, 5, 0, True),
        (5, 4, 0, False),
        (5, 9, 5, True),
        (5, 9, 6, False),
        (-3007, 9, 7, True),
        (-3007, 2009, 8, False),
        (-3007, 2, 7, False),
        (-7, 9, 7, True),
    ],
)
def test_a_position_is_good_as_long_as_nothing_after_it_was_purged(
    number: int, counter: int, purged: int, *, good: bool
) -> None:
    assert read_position(number).can_be_continued(counter, purged) is good


@pytest.mark.requirement("FR-147")
@given(REVISIONS, REVISIONS, REVISIONS)
def test_a_full_sync_is_continued_from_wherever_it_was(first: int, second: int, purged: int) -> None:
    counter = max(first, second, purged) + 1
    position = read_position(0)
    for revision in sorted({first, second} - {0}):
        position = read_position(position.moved_to(revision, purged))

        assert position.revision == revision
        assert position.can_be_continued(counter, purged)
        assert position.can_be_continued(counter, purged + 1) == (revision > purged)


@pytest.mark.requirement("FR-145", "FR-147")
@given(REVISIONS, REVISIONS, REVISIONS)
def test_who_is_not_in_a_full_sync_moves_by_plain_revisions(start: int, revision: int, purged: int) -> None:
    assert read_position(start + 1).moved_to(revision, purged) == revision
