"""Positions in an order that people arrange: what comes last, what comes between, and what is none."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from fractional_indexing import generate_n_keys_between
from hypothesis import given
from hypothesis import strategies as st

from backend.errors import NoRoom
from backend.utils.positions import (
    END,
    LAST,
    MAX_POSITION_LENGTH,
    Room,
    given_position,
    is_position,
    last_position,
    last_positions,
    make_room,
    position_within,
)

NOW = datetime(2026, 11, 21, 9, 30, 0, 123456, tzinfo=UTC)
MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2286, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - naive bounds
REVISIONS = st.integers(1, 2**53 - 1)


@pytest.mark.requirement("FR-346")
def test_what_comes_last_says_when_and_which() -> None:
    assert last_position(NOW, 42) == "p17952534001234560000421"
    assert last_position(NOW, 7_000_042) == last_position(NOW, 42)


@pytest.mark.requirement("FR-346")
@given(st.lists(MOMENTS, min_size=1, max_size=9), REVISIONS)
def test_what_comes_last_later_is_behind_and_can_be_moved_around(moments: list[datetime], revision: int) -> None:
    positions = [last_position(moment, revision) for moment in sorted(moments)]

    assert positions == sorted(positions)
    assert all(is_position(position) and position < END.position for position in positions)
    assert len(set(positions)) == len(set(moments))


@pytest.mark.requirement("FR-346")
def test_what_comes_last_in_one_moment_is_in_the_order_of_revisions() -> None:
    positions = [last_position(NOW, revision) for revision in range(1, 2000)]
    assert positions == sorted(set(positions))


@pytest.mark.requirement("FR-347")
@given(st.randoms(use_true_random=False))
def test_any_sequence_of_moves_leaves_the_order_that_it_says(chance: random.Random) -> None:
    order = [last_position(NOW + timedelta(microseconds=number // 3), number) for number in range(5)]
    for _ in range(60):
        place = chance.randrange(len(order) + 1)
        low = order[place - 1] if place else None
        high = order[place] if place < len(order) else None
        made = position_within(low, high)
        assert is_position(made)
        order.insert(place, made)
        assert order == sorted(set(order))


@pytest.mark.requirement("FR-406")
@given(st.lists(MOMENTS, min_size=1, max_size=9), st.sampled_from([1, 999_999, 1_000_000, 2**53 - 1]))
def test_what_comes_last_is_last_even_if_the_clock_goes_back(moments: list[datetime], revision: int) -> None:
    made = [""]
    for number, moment in enumerate(moments):
        made.append(last_position(moment, revision + number, made[-1]))
        made.append(f"{last_positions(moment, made[-1])}{number + 1:010}1")
    assert made == sorted(set(made))
    assert all(map(is_position, made[1:]))


@pytest.mark.requirement("FR-406")
@pytest.mark.parametrize(
    ("wanted", "greatest", "given"),
    [
        ("a0", "", "a0"),
        ("p" + 16 * "z", "", "p" + 16 * "z"),
        ("q" + 17 * "0", "", "p17952534001234560000421"),
        (200 * "z", "", "p17952534001234560000421"),
        (200 * "z", "p2", "p2000000000000001"),
        ("q" + 17 * "0", "p" + 16 * "z", "q" + 17 * "0"),
        ("q" + 17 * "1", "p" + 16 * "z", "q" + 17 * "0"),
        ("q" + 17 * "1", "q" + 17 * "1", "q" + 17 * "1"),
        (LAST, "", "p17952534001234560000421"),
        (LAST, "q" + 17 * "1", "q" + 16 * "1" + "2"),
    ],
)
def test_a_position_that_leaves_no_room_is_the_last(wanted: str, greatest: str, given: str) -> None:
    greatest = greatest.ljust(17, "0") if greatest else ""
    assert given_position(wanted, NOW, 42, greatest) == given


@pytest.mark.requirement("FR-408")
@pytest.mark.parametrize(
    ("before", "after", "room"),
    [
        (["a1"], ["a2"], Room([], "a1V", [])),
        ([None], [None], Room([], LAST, [])),
        (["a1"], [None], Room([], "a2", [])),
        (["a1", "a0"], ["a1", "a2", None], Room([], "a1G", ["a1V"])),
        (["a1", "a1", "a0"], ["a1", None], Room([], "a2", ["a3"])),
        (["a1", "a0"], ["a1", "a1", "a1", "a1"], Room(["a0G"], "a0V", [])),
        ([200 * "z", "a0", None], [None], Room(["a1"], "a2", [])),
        ([None], ["A" + 25 * "0" + "1", None], Room([], "a0", ["a1"])),
        (["a1", "a1", None], ["a1", "a1", None], Room([], "a2", ["a3", "a4"])),
    ],
)
def test_as_few_as_possible_make_room(before: list[str | None], after: list[str | None], room: Room) -> None:
    assert make_room(before, after, lambda: None) == room


@pytest.mark.requirement("FR-408")
def test_no_room_can_be_made_where_none_of_those_read_has_another_position() -> None:
    with pytest.raises(NoRoom):
        make_room(1001 * ["a1"], 1001 * ["a1"], lambda: None)
    assert len(make_room(1001 * ["a1"], [*1000 * ["a1"], None], lambda: None).after) == 1000


@pytest.mark.requirement("FR-408")
@given(st.integers(2, 40), st.sampled_from([("a1", "a2"), ("a1", None), (None, "a1"), (None, None)]))
def test_many_positions_are_those_of_the_library_with_a_pause_before_each(
    number: int, ends: tuple[str | None, str | None]
) -> None:
    low, high = ends
    pauses: list[None] = []
    beside = low or "A" + 26 * "0"  # nothing fits between that and the start
    room = make_room([low], [*(number - 1) * [beside], high], lambda: pauses.append(None))
    assert [room.position, *room.after] == generate_n_keys_between(low, high, number)
    assert len(pauses) >= number


@pytest.mark.requirement("FR-347")
def test_a_place_has_room_for_hundreds_and_is_then_refused() -> None:
    def moved(low: str, high: str) -> Iterator[str]:
        while True:
            high = position_within(low, high)
            yield high

    made: list[str] = []
    with pytest.raises(NoRoom):
        made.extend(moved(last_position(NOW, 1), last_position(NOW, 2)))
    assert len(made) > 500
    assert made == sorted(set(made), reverse=True)
    assert max(map(len, made)) <= MAX_POSITION_LENGTH


@pytest.mark.requirement("FR-347")
@pytest.mark.parametrize(("low", "high"), [("a1", "a1"), ("a2", "a1"), (200 * "z", None), (None, "A" + 25 * "0" + "1")])
def test_no_room_is_no_failure(low: str | None, high: str | None) -> None:
    assert all(map(is_position, filter(None, (low, high))))
    with pytest.raises(NoRoom):
        position_within(low, high)


@pytest.mark.requirement("FR-346")
@pytest.mark.parametrize("text", ["a0", "Zz", "a0V", "p17952534001234560000421", "A" + 25 * "0" + "1", "z" * 200])
def test_these_are_positions(text: str) -> None:
    assert is_position(text)


@pytest.mark.requirement("FR-346")
@pytest.mark.parametrize(
    "text", ["", "a", "0", "a00", "a0V0", "b0", "p1", "A" + 26 * "0", "z" * 201, "a0-", "a0 ", " a0", "a\u00e9", "a0\n"]
)
def test_these_are_none(text: str) -> None:
    assert not is_position(text)
