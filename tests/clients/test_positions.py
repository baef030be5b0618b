"""Positions as npm fractional-indexing makes them: what pages that work offline use."""

from __future__ import annotations

import json
import random
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backend.errors import NoRoom
from backend.utils.positions import MAX_POSITION_LENGTH, is_position, last_position, position_within
from tests.fixtures.node.clients import NODE_TESTS
from tests.fixtures.running.needs import needing_node
from tests.fixtures.running.waiting import PATIENCE_SECONDS

pytestmark = needing_node("fractional-indexing")

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
ENDS = [None, "a0", "Zz", "a0V", "A" + 25 * "0" + "2", "z" + 26 * "z", "zzzzzzzzzzzzzzzzzzzzzzzzzzzV", "Xzzz"]


def ours(low: str | None, high: str | None) -> str | None:
    """Return what we put between two positions, None if there is no room."""
    try:
        return position_within(low, high)
    except NoRoom:
        return None


def pairs() -> list[tuple[str | None, str | None]]:
    """Build pairs of positions: neighbours after many random moves, and odd ones."""
    chance = random.Random(1)  # noqa: S311 - no secret
    order = [last_position(NOW, number) for number in range(5)]
    found: list[tuple[str | None, str | None]] = [(low, None) for low in ENDS if low]
    found += [(low, high) for low in ENDS for high in ENDS if high and (low is None or low < high)]
    for _ in range(2000):
        place = min(chance.randrange(len(order) + 1), chance.randrange(9))
        low, high = order[place - 1] if place else None, order[place] if place < len(order) else None
        found.append((low, high))
        order.insert(place, position_within(low, high))
    return found


@pytest.mark.requirement("FR-348")
def test_what_we_put_between_two_positions_is_what_pages_do(tmp_path: Path) -> None:
    given = pairs()
    (tmp_path / "pairs.json").write_text(json.dumps(given))
    command = ["node", "positions.mjs", str(tmp_path / "pairs.json")]
    theirs = subprocess.run(command, cwd=NODE_TESTS, capture_output=True, timeout=PATIENCE_SECONDS, check=True).stdout  # noqa: S603

    assert json.loads(theirs) == [ours(low, high) for low, high in given]
    assert all(is_position(each) and len(each) <= MAX_POSITION_LENGTH for each in json.loads(theirs) if each)
