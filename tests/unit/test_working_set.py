"""Working sets: what a change does to rows, and that undoing it leaves nothing of it."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest

from backend.services.labels.queries import LABELS
from backend.services.labels.rules import Row as Label
from backend.services.loading import Found
from backend.services.resources.working_set import WorkingSet
from backend.services.tasks import rules
from backend.services.tasks.loaded import LoadedTasks
from backend.services.tasks.rules import Neighbour, Row, TaskNotFound
from backend.services.unit_of_work import UnitOfWork

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
TASK, OTHER, NEW = UUID(int=1), UUID(int=2), UUID(int=3)


@pytest.fixture
def unit() -> UnitOfWork:
    """A change of a user that has loaded nothing yet."""
    committed: list[object] = []
    transaction = SimpleNamespace(list_id=None, committed=committed, commit=lambda *sent: committed.append(sent))
    unit = UnitOfWork(cast(Any, transaction), "a user")
    unit.now = NOW
    return unit


def neighbour(task: Row) -> Neighbour:
    """Return what a tree has of a task that the change does not name."""
    return Neighbour._make(getattr(task, name) for name in Neighbour._fields)


@pytest.fixture
def tasks(unit: UnitOfWork) -> LoadedTasks:
    """A task that the change names, and a subtask that it does not name."""
    task = Row(TASK, NOW, NOW, "a", has_subtasks=True, revision=1, position="a1")
    loaded = LoadedTasks(unit, 10, Found([task], [], {}))
    loaded.neighbours.take(neighbour(task._replace(id=OTHER, parent_id=TASK, has_subtasks=False)))
    return loaded


def state_of(tasks: LoadedTasks) -> object:
    """Return what a change may do to tasks, labels, the tree, counters and notes."""
    sets = (tasks, tasks.neighbours, tasks.labels)
    stored = [(each.number, dict(each.rows), each.changed(), each.removed()) for each in sets]
    below = tasks.tree.ids_below(TASK), dict(tasks.tree.tasks)
    return stored, below, tasks.unit.counters, list(tasks.unit.notes), tasks.labels.spelled(["HOME"])


def fail(tasks: LoadedTasks) -> None:
    """Change all that there is, and then fail."""
    with tasks.unit.all_or_nothing():
        tasks.add(Row(NEW, NOW, NOW, "b", labels=["home"], parent_id=TASK))
        tasks.keep(rules.trashed(tasks.find(TASK), NOW))
        tasks.remove(tasks.find(TASK, in_trash_too=True))
        tasks.find(TASK)


@pytest.mark.requirement("FR-143")
def test_what_fails_leaves_nothing_behind(tasks: LoadedTasks) -> None:
    before = state_of(tasks)

    with pytest.raises(TaskNotFound):
        fail(tasks)

    assert state_of(tasks) == before
    tasks.unit.finish()
    assert cast(Any, tasks.unit.transaction).committed == []  # not even a tombstone


def test_what_comes_after_a_failure_is_stored_alone(tasks: LoadedTasks) -> None:
    with pytest.raises(TaskNotFound):
        fail(tasks)

    kept = tasks.keep(tasks.find(TASK)._replace(title="c"))

    assert tasks.changed() == [(tasks.before(TASK), kept)]
    assert (kept.title, kept.revision) == ("c", 1)


def test_a_change_never_turns_the_time_back(tasks: LoadedTasks) -> None:
    tasks.unit.now = datetime(2020, 1, 1, tzinfo=UTC)
    assert tasks.keep(tasks.find(TASK)._replace(title="b")).updated_at == NOW


def test_a_row_is_counted_once_however_often_it_changes(unit: UnitOfWork) -> None:
    labels = WorkingSet(LABELS, unit, Found([], [], {"number": 1}))
    label = labels.add(Label(NEW, "a", "a", None, NOW, NOW))
    changed = labels.keep(label._replace(name="b"))
    assert labels.number == 2
    assert labels.changed() == [(None, changed)]
    labels.remove(changed)
    assert (labels.number, labels.changed(), labels.removed()) == (1, [], [])
