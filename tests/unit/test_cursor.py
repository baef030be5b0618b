"""Cursors of listings decode to what was encoded, and everything else is refused."""

from __future__ import annotations

import base64
import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest

from backend.errors import BadRequest
from backend.models.values import cursor
from backend.utils import opaque

MOMENT = datetime(2026, 11, 21, 9, 30, 0, 123456, tzinfo=UTC)
TASK_ID = uuid.UUID("0197c1f0-7a3b-7c4d-8e5f-6a7b8c9d0e1f")
LISTING_ID = b"Listing."
OURS = cursor.encode(LISTING_ID, MOMENT, TASK_ID)


def forged(content: bytes) -> str:
    """Build a cursor with a correct checksum."""
    return opaque.write(content, cursor.KIND)


@pytest.mark.requirement("FR-018", "FR-131")
@pytest.mark.parametrize(
    "moment",
    [
        MOMENT,
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    ],
)
@pytest.mark.parametrize("task_id", [TASK_ID, uuid.UUID(int=0), uuid.UUID(int=2**128 - 1)])
def test_a_moment_comes_back_to_the_microsecond(moment: datetime, task_id: uuid.UUID) -> None:
    key, its_id = cursor.decode(cursor.encode(LISTING_ID, moment, task_id), LISTING_ID, datetime)

    assert (key, its_id) == (moment, task_id)
    assert isinstance(key, datetime)
    assert key.tzinfo is UTC


@pytest.mark.requirement("FR-131")
@pytest.mark.parametrize("title", ["a", " ", "a" * 100, "\U0001f36e" * 100, "a\nb", "12345678"])
def test_a_title_comes_back_to_the_last_character(title: str) -> None:
    text = cursor.encode(LISTING_ID, title, TASK_ID)

    assert cursor.decode(text, LISTING_ID, str) == (title, TASK_ID)


@pytest.mark.requirement("FR-131")
@pytest.mark.parametrize("number", [0, 1, 10, 2**15 - 1])
def test_a_number_comes_back(number: int) -> None:
    assert cursor.decode(cursor.encode(LISTING_ID, number, TASK_ID), LISTING_ID, int) == (number, TASK_ID)


@pytest.mark.requirement("FR-018")
def test_the_zone_in_which_a_moment_is_told_does_not_matter() -> None:
    assert cursor.encode(LISTING_ID, MOMENT.astimezone(timezone(timedelta(hours=-9))), TASK_ID) == OURS


@pytest.mark.parametrize("key", [MOMENT, 10, *("a" * length for length in range(1, 9))])
def test_a_cursor_can_stand_in_a_query_unquoted(key: cursor.Key) -> None:
    assert cursor.encode(LISTING_ID, key, TASK_ID).replace("-", "").replace("_", "").isalnum()


@pytest.mark.requirement("FR-131")
def test_a_cursor_of_another_listing_is_refused_as_that() -> None:
    for kind in (datetime, str, int):
        with pytest.raises(BadRequest, match="another sort or other filters") as caught:
            cursor.decode(OURS, b"another!", kind)

        (detail,) = caught.value.details
        assert (detail.field, detail.code) == ("query.cursor", "cursor_of_another_list")


@pytest.mark.requirement("FR-019")
@pytest.mark.parametrize("position", range(len(OURS)))
def test_a_cursor_with_one_other_character_is_refused(position: int) -> None:
    other = "B" if OURS[position] == "A" else "A"

    with pytest.raises(BadRequest, match="not valid"):
        cursor.decode(OURS[:position] + other + OURS[position + 1 :], LISTING_ID, datetime)


@pytest.mark.requirement("FR-019")
@pytest.mark.parametrize("text", [OURS[:length] for length in range(len(OURS))] + [OURS + "A", OURS + "AAAA", OURS * 2])
def test_a_cursor_of_another_length_is_refused(text: str) -> None:
    with pytest.raises(BadRequest) as caught:
        cursor.decode(text, LISTING_ID, datetime)

    assert [(detail.field, detail.code) for detail in caught.value.details] == [("query.cursor", "cursor_invalid")]


@pytest.mark.requirement("FR-019")
@pytest.mark.parametrize(
    "text",
    ["é" * 52, "\ud800", "\x00", f"{OURS[:20]} {OURS[20:]}", f"{OURS}\n", f"{OURS}=", f"+/{OURS[2:]}", "not a cursor"],
)
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        cursor.decode(text, LISTING_ID, datetime)


@pytest.mark.requirement("FR-019")
def test_another_spelling_of_the_same_bytes_is_refused() -> None:
    cursors = (cursor.encode(LISTING_ID, MOMENT, uuid.UUID(int=number)) for number in range(100))
    ours = next(text for text in cursors if "-" in text or "_" in text)
    open_ended = cursor.encode(LISTING_ID, "a", TASK_ID)  # its last character has unused bits

    with pytest.raises(BadRequest):
        cursor.decode(ours.translate({ord("-"): "+", ord("_"): "/"}), LISTING_ID, datetime)
    assert cursor.decode(ours, LISTING_ID, datetime)[0] == MOMENT
    with pytest.raises(BadRequest):
        cursor.decode(open_ended[:-1] + chr(ord(open_ended[-1]) + 1), LISTING_ID, str)
    assert cursor.decode(open_ended, LISTING_ID, str)[0] == "a"


@pytest.mark.requirement("FR-019")
@pytest.mark.parametrize(
    ("ending", "kind"),
    [
        (b"", datetime),
        (bytes(7), datetime),
        (bytes(9), datetime),
        (b"\x7f" + b"\xff" * 7, datetime),  # after the year 9999
        (b"\x80" + bytes(7), datetime),  # before the year 1
        (b"\xff\xfe", str),
        (b"\xed\xa0\x80", str),  # half a character
        (b"a\x00", str),
        (b"a" * 201, str),
        (b"", int),
        (bytes(3), int),
        (b"\x80\x00", int),  # more than a smallint
    ],
)
def test_a_forged_cursor_with_an_impossible_key_is_refused(ending: bytes, kind: type[cursor.Key]) -> None:
    with pytest.raises(BadRequest, match="not valid"):
        cursor.decode(forged(LISTING_ID + TASK_ID.bytes + ending), LISTING_ID, kind)


@pytest.mark.requirement("FR-019")
@pytest.mark.parametrize("content", [LISTING_ID, LISTING_ID + TASK_ID.bytes[:15]])
def test_a_forged_cursor_without_an_id_is_refused(content: bytes) -> None:
    with pytest.raises(BadRequest, match="not valid"):
        cursor.decode(forged(content), LISTING_ID, str)


@pytest.mark.requirement("FR-019", "FR-042")
def test_the_refusal_does_not_repeat_what_was_sent() -> None:
    sent = base64.urlsafe_b64encode(b"a secret somewhere").decode()

    with pytest.raises(BadRequest) as caught:
        cursor.decode(sent, LISTING_ID, datetime)

    assert sent not in str(caught.value) + str(caught.value.details)
