"""Sync tokens: what is decoded, what is refused, and how long each is valid."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.models.values import cursor
from backend.models.values.sync_token import EXAMPLE, MAX_LENGTH, NOW, PATTERN, START, SyncToken
from backend.utils import opaque

REVISIONS = st.integers(0, 10**12)
OURS = [EXAMPLE, str(SyncToken(3, 7))]


def forged(*numbers: int, size: int = 8) -> str:
    """Build a sync token with a correct checksum."""
    return opaque.write(b"".join(number.to_bytes(size, "big", signed=True) for number in numbers), b"changes")


def is_one(text: str) -> bool:
    try:
        SyncToken.read(text)
    except ValueError:
        return False
    return True


@pytest.mark.requirement("FR-145", "FR-147")
@given(st.integers(0, 2**63 - 1), st.none() | st.integers(0, 2**63 - 1))
def test_a_sync_token_comes_back_from_its_text(revision: int, full_sync_after: int | None) -> None:
    text = str(SyncToken(revision, full_sync_after))

    assert SyncToken.read(text) == SyncToken(revision, full_sync_after)
    assert text == str(SyncToken(revision, full_sync_after))
    assert re.fullmatch(PATTERN, text)
    assert len(text) <= MAX_LENGTH


@pytest.mark.requirement("FR-442")
def test_now_is_a_word() -> None:
    assert SyncToken.read("now") == NOW
    assert str(NOW) == "now"
    assert not is_one("NOW")
    assert not is_one(forged(NOW.revision))


@pytest.mark.requirement("FR-145")
def test_the_text_stays_what_it_was_in_the_release_before() -> None:
    """Clients keep sync tokens for weeks."""
    assert str(START) == "AAAAAAAAAADdKC5dOZc"
    assert OURS == ["AAAAAAAAACuw_1YbYis", "AAAAAAAAAAMAAAAAAAAABwOh5_Bzhg"]


@pytest.mark.requirement("FR-145")
@pytest.mark.parametrize(
    "text", ["", "0", "1", "41", "-3007", "9" * 19, "9" * 30, "next", "\u00e9" * 19, "\x00", "A" * 19]
)
def test_a_number_and_other_text_is_no_sync_token(text: str) -> None:
    assert not is_one(text), text


@pytest.mark.requirement("FR-145")
@pytest.mark.parametrize("text", OURS)
def test_a_sync_token_with_one_other_character_is_none(text: str) -> None:
    others = [text[:-1], f"{text}A", f"{text}=", f"{text}\n", f" {text}", text * 2]
    for place, character in enumerate(text):
        others += [text[:place] + other + text[place + 1 :] for other in "AB_" if other != character]
    for other in others:
        assert not is_one(other), other


@pytest.mark.requirement("FR-145")
@pytest.mark.parametrize(
    "text",
    [
        *(forged(), forged(1, 2, 3), forged(1, size=7), forged(1, size=9)),
        *(forged(-1), forged(-(2**63)), forged(1, -1)),
        cursor.encode(bytes(cursor.LISTING_BYTES), datetime.fromtimestamp(0, UTC), UUID(int=0)),
        opaque.write(bytes(8), cursor.KIND),
        base64.b64encode(b"43").decode(),
    ],
)
def test_a_forged_text_or_one_of_another_kind_is_no_sync_token(text: str) -> None:
    assert not is_one(text), text


@pytest.mark.requirement("FR-147")
@pytest.mark.parametrize(
    ("sync_token", "counter", "purged", "good"),
    [
        (START, 0, 0, True),
        (START, 9, 9, True),
        (NOW, 9, 9, True),
        (SyncToken(5), 5, 0, True),
        (SyncToken(5), 4, 0, False),
        (SyncToken(5), 9, 5, True),
        (SyncToken(5), 9, 6, False),
        (SyncToken(3, 7), 9, 7, True),
        (SyncToken(3, 7), 2009, 8, False),
        (SyncToken(3, 7), 2009, 1007, False),
        (SyncToken(3, 7), 2, 7, False),
        (SyncToken(0, 7), 9, 7, True),
    ],
)
def test_a_sync_token_is_good_as_long_as_nothing_after_it_was_purged(
    sync_token: SyncToken, counter: int, purged: int, *, good: bool
) -> None:
    assert sync_token.can_be_continued(counter, purged) is good


@pytest.mark.requirement("FR-147")
@given(REVISIONS, REVISIONS, REVISIONS)
def test_a_full_sync_is_continued_from_wherever_it_was(first: int, second: int, purged: int) -> None:
    counter = max(first, second, purged) + 1
    sync_token = START
    for revision in sorted({first, second} - {0}):
        sync_token = SyncToken.read(str(sync_token.moved_to(revision, purged)))

        assert sync_token.revision == revision
        assert sync_token.can_be_continued(counter, purged)
        assert sync_token.can_be_continued(counter, purged + 1) == (revision > purged)


@pytest.mark.requirement("FR-145", "FR-147")
@given(REVISIONS, REVISIONS, REVISIONS)
def test_who_is_not_in_a_full_sync_moves_by_plain_revisions(start: int, revision: int, purged: int) -> None:
    assert SyncToken(start + 1).moved_to(revision, purged) == SyncToken(revision)
