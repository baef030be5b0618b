"""The tasks that a change has loaded: finds them, counts what the rules make of them, and stores it.

A change of any length reads its tasks at once, and stores the final state of each that differs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from backend.errors import PreconditionFailed, TaskNotFound, TooManyTasks
from backend.models.base import TaskDocument
from backend.models.etags import Revisions
from backend.services.tasks import queries
from backend.services.tasks.columns import PUBLIC, PUBLIC_IN_TRASH
from backend.services.tasks.rules import Row, changed
from backend.services.unit_of_work import UnitOfWork
from backend.utils.postgres_json import to_json


@dataclass(slots=True)
class LoadedTasks:
    """One user's counters, and those of the user's tasks that a change names; `now` is the time of the change."""

    unit: UnitOfWork
    max_tasks: int
    revision: int
    task_count: int
    now: datetime
    tasks: dict[UUID, Row]
    _before: dict[UUID, Row]
    _removed: list[UUID] = field(default_factory=list)

    @classmethod
    def load(cls, unit: UnitOfWork, task_ids: Iterable[UUID], max_tasks: int) -> LoadedTasks:
        """Lock the user's row, and read the user's tasks with these ids, living or in the trash."""
        counters, rows = unit.load(queries.NAMED, task_ids=list(task_ids))
        tasks = {row[0]: Row(*row) for row in rows}
        return cls(unit, max_tasks, *counters, tasks, tasks.copy())

    def find(self, task_id: UUID, expected: Revisions | None = None, *, in_trash_too: bool = False) -> Row:
        """Return a task; raises TaskNotFound, or PreconditionFailed when its revision is not expected."""
        task = self.tasks.get(task_id)
        if task is None or (task.deleted_at is not None and not in_trash_too):
            raise TaskNotFound
        if expected is not None and task.revision not in expected:
            raise self.changed_since(task)
        return task

    def add(self, task: Row) -> Row:
        """Add a new task; raises TooManyTasks when the account is full."""
        if self.task_count >= self.max_tasks:
            raise TooManyTasks
        self.task_count += 1
        self.revision += 1
        self.tasks[task.id] = task = task._replace(revision=self.revision)
        return task

    def keep(self, task: Row) -> Row:
        """Keep a task as the rules have made it; it counts as a change only if it differs."""
        if task != self.tasks[task.id]:
            self.revision += 1
            self.tasks[task.id] = task = changed(task, self.revision, self.now)
        return task

    def remove(self, task: Row) -> None:
        """Remove a task for good."""
        self.revision += 1
        self.task_count -= 1
        del self.tasks[task.id]
        self._removed.append(task.id)

    def document(self, task: Row, *, is_new: bool = False) -> TaskDocument:
        """Return a task as the answer of a change."""
        return TaskDocument(task_json(task, self.unit.user_id), task.revision, task.id, is_new)

    def changed_since(self, task: Row) -> PreconditionFailed:
        """Return the error that shows how the task is now."""
        return PreconditionFailed(task_json(task, self.unit.user_id), task.revision)

    def as_before(self, task_id: UUID) -> Row | None:
        """Return a task as it was loaded."""
        return self._before.get(task_id)

    def store(self) -> None:
        """Store the tasks that differ from what was loaded, and the user's counters; nothing if none does."""
        different = [task for task in self.tasks.values() if task != self._before.get(task.id)]
        if not different and not self._removed:
            return
        if len(different) == 1:
            self._store_one(different[0])
        elif different:
            arrays = zip(queries.ARRAYS, map(list, zip(*different, strict=True)), strict=True)
            self.unit.store(queries.STORE_ALL, **dict(arrays))
        for task_id in self._removed:  # never more than one
            self.unit.store(queries.REMOVE, task=task_id)
            self.unit.store(queries.BURY, task=task_id)
        self.unit.store(queries.COUNT, counted_revision=self.revision, counted_tasks=self.task_count)

    def _store_one(self, task: Row) -> None:
        before = self._before.get(task.id)
        if before is None:
            self.unit.store(queries.INSERT, **_values(task))
        elif all(getattr(task, name) == getattr(before, name) for name in queries.TEXTS):
            self.unit.store(queries.UPDATE_STATE, task=task.id, **_values(task))
        else:
            self.unit.store(queries.UPDATE, task=task.id, **_values(task))


def _values(task: Row) -> dict[str, Any]:
    return {f"new_{name}": value for name, value in zip(Row._fields, task, strict=True)}


def task_json(task: Row, user_id: str) -> str:
    """Write a task as JSON, byte for byte as Postgres writes it for reads."""
    names = PUBLIC if task.deleted_at is None else PUBLIC_IN_TRASH
    return to_json({name: user_id if name == "user_id" else getattr(task, name) for name in names})
