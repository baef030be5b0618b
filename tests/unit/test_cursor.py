"""List cursors come back as what they were, and everything else is refused."""

from __future__ import annotations

import base64
import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest

from backend.errors import BadRequest
from backend.utils import cursor

MOMENT = datetime(2026, 11, 21, 9, 30, 0, 123456, tzinfo=UTC)
TASK_ID = uuid.UUID("0197c1f0-7a3b-7c4d-8e5f-6a7b8c9d0e1f")
OURS = cursor.encode(MOMENT, TASK_ID)


@pytest.mark.requirement("FR-018")
@pytest.mark.parametrize(
    "moment",
    [MOMENT, datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)],
)
@pytest.mark.parametrize("task_id", [TASK_ID, uuid.UUID(int=0), uuid.UUID(int=2**128 - 1)])
def test_a_place_comes_back_to_the_microsecond(moment: datetime, task_id: uuid.UUID) -> None:
    text = cursor.encode(moment, task_id)

    assert cursor.decode(text) == (moment, task_id)
    assert cursor.decode(text)[0].tzinfo is UTC


@pytest.mark.requirement("FR-018")
def test_the_zone_in_which_a_moment_is_told_does_not_matter() -> None:
    assert cursor.encode(MOMENT.astimezone(timezone(timedelta(hours=-9))), TASK_ID) == OURS


def test_a_cursor_can_stand_in_a_query_unquoted() -> None:
    assert OURS.replace("-", "").replace("_", "").isalnum()
    assert len(OURS) == 40


@pytest.mark.requirement("FR-019")
@pytest.mark.parametrize("position", range(len(OURS)))
def test_a_cursor_with_one_other_character_is_refused(position: int) -> None:
    other = "B" if OURS[position] == "A" else "A"

    with pytest.raises(BadRequest):
        cursor.decode(OURS[:position] + other + OURS[position + 1 :])


@pytest.mark.requirement("FR-019")
@pytest.mark.parametrize("text", [OURS[:length] for length in range(len(OURS))] + [OURS + "A", OURS + "AAAA", OURS * 2])
def test_a_cursor_of_another_length_is_refused(text: str) -> None:
    with pytest.raises(BadRequest) as caught:
        cursor.decode(text)

    assert [(detail.field, detail.code) for detail in caught.value.details] == [("query.cursor", "cursor_invalid")]


@pytest.mark.requirement("FR-019")
@pytest.mark.parametrize(
    "text",
    ["é" * 40, "\ud800", "\x00", f"{OURS[:20]} {OURS[20:]}", f"{OURS}\n", f"{OURS}=", f"+/{OURS[2:]}", "not a cursor"],
)
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        cursor.decode(text)


@pytest.mark.requirement("FR-019")
def test_another_spelling_of_the_same_bytes_is_refused() -> None:
    places = (cursor.encode(MOMENT, uuid.UUID(int=number)) for number in range(100))
    ours = next(text for text in places if "-" in text or "_" in text)

    with pytest.raises(BadRequest):
        cursor.decode(ours.translate({ord("-"): "+", ord("_"): "/"}))
    assert cursor.decode(ours)[0] == MOMENT


@pytest.mark.requirement("FR-019")
def test_a_forged_place_outside_of_time_is_refused() -> None:
    place = b"\xff" * 24

    with pytest.raises(BadRequest):
        cursor.decode(base64.urlsafe_b64encode(place + cursor._check(place)).decode())  # noqa: SLF001 - as a forger would


@pytest.mark.requirement("FR-019", "FR-042")
def test_the_refusal_does_not_repeat_what_was_sent() -> None:
    sent = base64.urlsafe_b64encode(b"a secret somewhere").decode()

    with pytest.raises(BadRequest) as caught:
        cursor.decode(sent)

    assert sent not in str(caught.value) + str(caught.value.details)
