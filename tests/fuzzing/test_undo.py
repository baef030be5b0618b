"""Random walks over all calls: what is undone at once is as if it had not been, and what is undone twice, as before."""

from __future__ import annotations

from contextlib import ExitStack
from random import Random

import pytest

from backend.services.tasks import tree
from tests.fixtures.calls.api import API, new_user
from tests.fixtures.rules import walks
from tests.fixtures.rules.events import Rows, events_of, rows_of
from tests.fixtures.rules.invariants import Stored, check_state
from tests.fixtures.rules.walks import MAX_BELOW, Walk

STEPS = 120


def known(rows: Rows, before: Rows) -> Rows:
    """Return the rows that there were before; what is new since must be in the trash, or a label."""
    new = {key: row for key, row in rows.items() if key not in before}
    assert all(row.get("deleted_at") or kind == "label" for (kind, _), row in new.items()), new
    return {key: row for key, row in rows.items() if key in before}


@pytest.mark.requirement("FR-618", "FR-619", "FR-622")
@pytest.mark.parametrize("seed", range(4))
def test_a_call_that_is_undone_has_not_been(
    api: API, database_url: str, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(tree, "MAX_BELOW", MAX_BELOW)
    monkeypatch.setattr(walks, "RARELY", 0)  # nothing is purged: that is no call
    user_id, random = new_user(), Random(seed)  # noqa: S311 - not a secret
    undone = 0
    with ExitStack() as stack:
        walk = Walk(api, database_url, user_id, random, stack)

        def undo(request_id: str | None) -> tuple[bool, str]:
            """Undo what a request did; returns whether it was, and the id of this request."""
            response = walk.clients[None].post("/api/undo", json={"request_id": request_id})
            walk.taken.append(f"undo {request_id} -> {response.status_code} {response.text[:300]}")
            assert response.status_code in {200, 409}, walk.taken[-5:]
            walk.stored = Stored.read(database_url, user_id)
            check_state(walk.stored, MAX_BELOW)
            return response.is_success, response.headers["X-Request-ID"]

        for _ in range(STEPS):
            before, went = walk.stored, walk.went
            walk.step()
            after, gone = walk.stored, walk.went
            new = [event for event in events_of(database_url, user_id) if event.revision > before.revision]
            if not new or random.random() < 0.5:
                continue
            is_undone, redo = undo(new[-1].request_id)
            if not is_undone:
                assert walk.stored == after
                made = {each.id for each in new if each.verb == "created"}
                adopted = {
                    each for each, task in after.tasks.items() if task["parent_id"] in made
                } & before.tasks.keys()
                is_purged = any(each.verb == "purged" for each in new)
                assert is_purged or adopted or {each.kind for each in new} == {"label"}, walk.taken[-5:]
                continue
            assert known(rows_of(walk.stored), rows_of(before)) == rows_of(before), walk.taken[-5:]
            undone += 1
            trashed = {key for key, row in {**walk.stored.tasks, **walk.stored.lists}.items() if row["deleted_at"]}
            walk.went = {each: went.get(each, walk.steps) for each in trashed}
            if random.random() < 0.5:
                assert undo(redo)[0], walk.taken[-5:]
                assert rows_of(walk.stored) == rows_of(after), walk.taken[-5:]
                walk.went = gone
    assert undone > STEPS / 20
