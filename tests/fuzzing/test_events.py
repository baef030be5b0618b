"""Random walks over all calls: their events, replayed backwards, give every state that there was."""

from __future__ import annotations

from contextlib import ExitStack
from random import Random

import pytest

from backend.services.resources.verbs import verb_of
from backend.services.tasks import tree
from tests.fixtures.calls.api import API, new_user
from tests.fixtures.rules import walks
from tests.fixtures.rules.events import TEXTS, Rows, before, events_of, removals, rows_of
from tests.fixtures.rules.walks import MAX_BELOW, Walk

STEPS = 100


@pytest.fixture(autouse=True)
def small_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "MAX_BELOW", MAX_BELOW)


@pytest.mark.requirement("FR-606", "FR-607", "FR-608", "FR-609", "FR-612")
@pytest.mark.parametrize("seed", range(4))
def test_replaying_events_backwards_gives_every_earlier_state(
    api: API, database_url: str, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(walks, "RARELY", 0)  # nothing is purged: that is no change
    user_id = new_user()
    seen: dict[int, Rows] = {}
    with ExitStack() as stack:
        walk = Walk(api, database_url, user_id, Random(seed), stack)  # noqa: S311 - not a secret
        for _ in range(STEPS):
            seen[walk.stored.revision] = rows_of(walk.stored)
            walk.step()
        rows = rows_of(walk.stored)
    events = events_of(database_url, user_id)
    assert [event.revision for event in events] == [*range(1, walk.stored.revision + 1)]
    # How a row was before it was removed for good, nobody knows. The same id may be used again.
    removed = removals(events)
    for event in reversed(events):
        if event.revision in seen:
            known = {key: row for key, row in seen[event.revision].items() if removed.get(key, 0) <= event.revision}
            assert rows == known, walk.taken[-3:]
        if removed.get(event.key, 0) >= event.revision:
            assert not TEXTS & (event.before or {}).keys(), event
        elif event.before is not None:
            assert event.verb == verb_of(event.before), event
        rows = before(rows, event)
    assert rows == {}


@pytest.mark.requirement("FR-609")
@pytest.mark.parametrize("seed", range(2))
def test_no_text_is_left_of_what_a_call_or_the_purge_has_removed(
    api: API, database_url: str, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(walks, "RARELY", 0.2)
    monkeypatch.setattr(walks, "NAMES", (*walks.NAMES, *12 * ("edit",)))  # else few events hold a text
    user_id = new_user()
    with ExitStack() as stack:
        walk = Walk(api, database_url, user_id, Random(seed), stack)  # noqa: S311 - not a secret
        for _ in range(STEPS):
            walk.step()
    there = rows_of(walk.stored)
    events = events_of(database_url, user_id)
    kept = {event.key for event in events if TEXTS & (event.before or {}).keys()}
    assert kept
    assert kept <= there.keys()
    assert {event.key for event in events} > there.keys()
