"""Random walks over all calls: their events, replayed backwards, give every state that there was."""

from __future__ import annotations

from contextlib import ExitStack
from random import Random

import pytest

from backend.services.resources.verbs import verb_of
from backend.services.tasks import tree
from tests.fixtures.calls.api import API, new_user
from tests.fixtures.rules import walks
from tests.fixtures.rules.events import Rows, before, events_of, rows_of
from tests.fixtures.rules.walks import MAX_BELOW, Walk

STEPS = 100


@pytest.mark.requirement("FR-606", "FR-607", "FR-608", "FR-612")
@pytest.mark.parametrize("seed", range(4))
def test_replaying_events_backwards_gives_every_earlier_state(
    api: API, database_url: str, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(tree, "MAX_BELOW", MAX_BELOW)
    monkeypatch.setattr(walks, "RARELY", 0)  # nothing is purged: that is no change
    user_id = new_user()
    seen: dict[int, Rows] = {}
    with ExitStack() as stack:
        walk = Walk(api, database_url, user_id, Random(seed), stack)  # noqa: S311 - not a secret
        for _ in range(STEPS):
            seen[walk.stored.revision] = rows_of(walk.stored)
            walk.step()
        now = rows_of(walk.stored)
    events = events_of(database_url, user_id)
    assert [event.revision for event in events] == [*range(1, walk.stored.revision + 1)]
    # An id may be used again, after the row that had it is gone for good.
    gone = {(event.kind, event.id) for event in events if event.verb == "purged"}
    rows = {key: row for key, row in now.items() if key not in gone}
    for event in reversed(events):
        if event.revision in seen:
            assert rows == {key: row for key, row in seen[event.revision].items() if key not in gone}, walk.taken[-3:]
        if event.verb not in {"created", "purged"} and (event.kind, event.id) not in gone:
            assert event.before is not None
            assert event.verb == verb_of(event.before), event
        if (event.kind, event.id) not in gone:
            rows = before(rows, event)
    assert rows == {}
