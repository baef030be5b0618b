"""The rules about subtasks, on trees that are drawn at random."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.errors import TooManySubtasks, ValidationFailed
from backend.services.tasks import rules, tree
from backend.services.tasks.rules import Row
from backend.services.tasks.tree import MAX_LEVELS, Tree, along, placed, refuse_overgrown, restored

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
EARLIER = NOW - timedelta(days=1)
SIZE = 8


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    """Draw tasks, each of which may be a subtask of one before it; some are completed, cancelled or in the trash."""
    drawn = Tree()
    for number in range(SIZE):
        parent = draw(st.none() | st.integers(0, number - 1)) if number else None
        row = Row(UUID(int=number), EARLIER, EARLIER, f"Task {number}", revision=1)
        row = row._replace(parent_id=None if parent is None else UUID(int=parent))
        state = draw(st.sampled_from(["todo", "todo", "todo", "in_progress", "cancelled", "done"]))
        drawn.put(rules.with_status(row, state, EARLIER))
    return drawn


def row_of(of: Tree, task_id: UUID) -> Row:
    """Return a task of a drawn tree, which has all of it."""
    found = of.tasks[task_id]
    assert isinstance(found, Row)
    return found


TASKS = st.integers(0, SIZE - 1).map(lambda number: UUID(int=number))


def changed(of: Tree, before: Row, after: Row, **options: bool) -> Tree:
    """Return the tree after a change, with what changes along."""
    result = Tree()
    for row in of.tasks.values():
        result.put(row)
    others = [*along(before, after, of, **options)]
    assert len({row.id for row in others}) == len(others)
    assert after.id not in {row.id for row in others}
    for row in (after, *others):
        result.put(row)
    return result


@pytest.mark.requirement("FR-361")
@given(trees(), TASKS)
def test_completing_and_reopening_leave_a_tree_as_it_was(drawn: Tree, task_id: UUID) -> None:
    before = row_of(drawn, task_id)._replace(completed=False, completed_at=None, open_status="todo")
    drawn.put(before)
    done = rules.with_completion(before, completed=True, at=NOW)
    finished = changed(drawn, before, done)
    below = finished.below(task_id)
    assert all(row.completed or row.open_status == "cancelled" for row in below)
    untouched = {row.id for row in drawn.tasks.values()} - {task_id, *(row.id for row in below)}
    assert all(finished.tasks[each] == drawn.tasks[each] for each in untouched)

    again = changed(finished, done, rules.with_completion(done, completed=False, at=NOW))
    for row in again.below(task_id):
        was = drawn.tasks[row.id]
        assert row == was or (was.open_status, row.open_status) == ("in_progress", "todo")
    assert not any(row.completed for row in again.above(again.tasks[task_id]))
    assert [*along(before, done, drawn, cascades=False)] == []


@pytest.mark.requirement("FR-362")
@given(trees(), TASKS, TASKS)
def test_the_trash_and_back_leaves_a_tree_as_it_was(drawn: Tree, task_id: UUID, first: UUID) -> None:
    once = rules.trashed(row_of(drawn, first), EARLIER)
    thinned = changed(drawn, row_of(drawn, first), once)
    if (task := row_of(thinned, task_id)).deleted_at is not None:
        return
    gone = changed(thinned, task, rules.trashed(task, NOW))
    assert all(row.deleted_at for row in gone.below(task_id))
    trashed = row_of(gone, task_id)
    back = changed(gone, trashed, restored(trashed, set(), gone))
    assert back.tasks == thinned.tasks


@pytest.mark.requirement("FR-359")
@given(trees(), TASKS, TASKS)
def test_a_task_comes_under_another_or_is_refused(drawn: Tree, task_id: UUID, parent_id: UUID) -> None:
    before = row_of(drawn, task_id)
    wanted = before._replace(parent_id=parent_id)
    is_inside = parent_id in {task_id, *(row.id for row in drawn.below(task_id))}
    try:
        found = placed(wanted, before, drawn)
        refuse_overgrown(found, drawn)
    except ValidationFailed as refused:
        (detail,) = refused.details
        assert detail.code == ("parent_cycle" if is_inside else "too_deep")
        assert is_inside or len(drawn.above(wanted)) + 1 + len(drawn.levels_below(task_id)) > MAX_LEVELS
        return
    drawn.put(found)
    assert not is_inside or before.parent_id == parent_id
    assert len(drawn.above(found)) + 1 + len(drawn.levels_below(task_id)) <= MAX_LEVELS or before == wanted
    assert found.id not in {row.id for row in drawn.above(found)}


def test_what_is_stored_in_a_circle_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = Tree()
    for number in range(3):
        drawn.put(Row(UUID(int=number), NOW, NOW, parent_id=UUID(int=(number + 1) % 3)))
    assert [row.id.int for row in drawn.above(drawn.tasks[UUID(int=0)])] == [1, 2]
    assert [row.id.int for row in drawn.below(UUID(int=0))] == [2, 1]
    monkeypatch.setattr(tree, "MAX_BELOW", 1)
    single = Row(UUID(int=9), NOW, NOW, parent_id=UUID(int=8))
    chain = Tree()
    for row in (Row(UUID(int=8), NOW, NOW), Row(UUID(int=7), NOW, NOW, parent_id=UUID(int=8))):
        chain.put(row)
    with pytest.raises(TooManySubtasks):
        refuse_overgrown(single, chain)
