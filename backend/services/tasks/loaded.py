"""The tasks that a change has loaded: finds them, counts what the rules make of them, and stores it.

A change of any length reads its tasks at once, and stores the final state of each that differs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from backend.errors import IdTaken, OutsideList, PreconditionFailed, TaskNotFound, TooManyTasks
from backend.models.base import TaskDocument
from backend.models.move import TaskMove
from backend.models.values.etags import Revisions
from backend.models.values.label_names import keys_of_labels
from backend.services.tasks import queries
from backend.services.tasks.columns import PUBLIC, PUBLIC_IN_TRASH
from backend.services.tasks.named_labels import NamedLabels, spelled
from backend.services.tasks.names import Names
from backend.services.tasks.rules import Row, between, changed, into_list, refuse_outside, refuse_unknown_list
from backend.services.tombstones import MOVED_TASKS, SAY_MOVED
from backend.services.unit_of_work import UnitOfWork
from backend.utils.positions import END, gap, last_position
from backend.utils.postgres_json import to_json
from backend.utils.priorities import word_of

NO_NAMES = Names()


@dataclass(slots=True)
class LoadedTasks:
    """One user's counters, and those of the user's tasks that a change names; `now` is the time of the change.

    `lists` are the ids of the living lists that tasks may come into, and `taken` those that no new task can have.
    """

    unit: UnitOfWork
    max_tasks: int
    revision: int
    task_count: int
    now: datetime
    tasks: dict[UUID, Row]
    _before: dict[UUID, Row]
    _labels: NamedLabels
    lists: frozenset[UUID]
    taken: frozenset[UUID]
    _removed: list[Row] = field(default_factory=list)

    @classmethod
    def load(cls, unit: UnitOfWork, task_ids: Iterable[UUID], max_tasks: int, names: Names = NO_NAMES) -> LoadedTasks:
        """Lock the user's row, and read the user's tasks with these ids, living or in the trash, and what is named.

        Of the lists, it reads those that are named and those of the tasks, unless they are in the trash.
        """
        keys = keys_of_labels(names.labels)
        params: dict[str, Any] = {"task_ids": list(task_ids)}
        if keys:
            params["label_keys"] = keys
        if unit.list_id is not None:
            names = Names(names.labels, (unit.list_id,))
        if names.lists is not None:
            params["list_ids"] = list(names.lists)
        is_of_list = unit.list_id is not None
        rows = (
            queries.NAMED_IN_LIST[bool(keys)]
            if is_of_list
            else queries.NAMED_BESIDE[bool(keys), names.lists is not None]
        )
        counters, of_user, found = unit.load_all(rows, **params)
        labels = NamedLabels(json.loads(of_user[0]), of_user[1]) if keys else NamedLabels()
        of_user, taken = (of_user[:-1], of_user[-1]) if is_of_list else (of_user, None)
        lists = frozenset(of_user[-1] or ()) if names.lists is not None else frozenset()
        tasks = {row[0]: Row(*row) for row in found}
        return cls(unit, max_tasks, *counters, tasks, tasks.copy(), labels, lists, frozenset(taken or ()))

    def find(self, task_id: UUID, expected: Revisions | None = None, *, in_trash_too: bool = False) -> Row:
        """Return a task; raises TaskNotFound, or PreconditionFailed when its revision is not expected."""
        task = self.tasks.get(task_id)
        if task is None or (task.deleted_at is not None and not in_trash_too):
            raise TaskNotFound
        if expected is not None and task.revision not in expected:
            raise self.changed_since(task)
        return task

    def add(self, task: Row) -> Row:
        """Add a new task.

        With a token for one list, it is in that list. Raises TooManyTasks or TooManyLabels when the account is full,
        ValidationFailed for an unknown list, OutsideList for one that the token is not for, and IdTaken.
        """
        if self.task_count >= self.max_tasks:
            raise TooManyTasks
        if task.id in self.taken:
            raise IdTaken
        if task.list_id is None and self.unit.list_id is not None:
            task = task._replace(list_id=self.unit.list_id)
        refuse_outside(task.list_id, self.unit.list_id)
        refuse_unknown_list(task, None, self.lists)
        task = self.spelled(task)
        self.revision = self._labels.make(task.labels, self.revision) + 1
        self.task_count += 1
        position = task.position or last_position(self.now, self.revision)
        self.tasks[task.id] = task = task._replace(revision=self.revision, position=position)
        return task

    def spelled(self, task: Row) -> Row:
        """Spell the labels of a task as the user has them."""
        return task._replace(labels=spelled(task.labels, self._labels.spellings)) if task.labels else task

    def keep(self, task: Row) -> Row:
        """Keep a task as the rules have made it; it counts as a change only if it differs.

        Raises TooManyLabels, ValidationFailed for an unknown list, and OutsideList.
        """
        before, task = self.tasks[task.id], self.spelled(task)
        if task != before:
            refuse_outside(task.list_id, self.unit.list_id)
            refuse_unknown_list(task, before, self.lists)
            new = task.labels if task.labels != before.labels else ()
            self.revision = self._labels.make(new, self.revision) + 1
            self.tasks[task.id] = task = changed(task, self.revision, self.now)
        return task

    def move(self, task: Row, to: TaskMove) -> Row:
        """Put a task where a request wants it, which takes a round trip to read the other neighbour.

        Raises ValidationFailed for an unknown list, or another task that is not in the list; OutsideList and NoRoom.
        """
        if "list_id" in to.model_fields_set:
            refuse_outside(to.list_id, self.unit.list_id)
        beside = self.tasks.get(to.beside) if to.beside else None
        moved = into_list(task, to, beside, self.lists)
        if to.beside == task.id:
            return task
        near = beside.position if beside else None
        statement = queries.NEXT[to.side, moved.list_id is None]
        (next_ones,) = self.unit.read(statement, task=task.id, place=moved.list_id, near=near or END)
        return self.keep(between(moved, task, *gap(to.side, near, next_ones)))

    def remove(self, task: Row) -> None:
        """Remove a task for good; raises OutsideList with a token for one list, which may only move it to the trash."""
        if self.unit.list_id is not None:
            raise OutsideList
        self.revision += 1
        self.task_count -= 1
        del self.tasks[task.id]
        self._removed.append(task)

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
        self._labels.store(self.unit)
        if len(different) == 1:
            self._store_one(different[0])
        elif different:
            rows = ((*task._replace(labels=",".join(task.labels)), task.due_key) for task in different)  # type: ignore[arg-type]
            arrays = zip(queries.ARRAYS, map(list, zip(*rows, strict=True)), strict=True)
            is_of_list = self.unit.list_id is not None
            self.unit.store(queries.STORE_ALL_IN_LIST if is_of_list else queries.STORE_ALL, **dict(arrays))
        for task in self._removed:  # never more than one
            self.unit.store(queries.REMOVE, task=task.id)
            self.unit.store(queries.BURY, task=task.id, left_lists=[task.list_id] if task.list_id else [])
        self._say_moved(different)
        self.unit.store(queries.COUNT, counted_revision=self.revision, counted_tasks=self.task_count)

    def _say_moved(self, different: list[Row]) -> None:
        """Leave word for the followers of the lists that tasks have left."""
        lists = {task.id: task.list_id for task in self._before.values()}
        left = (
            (task.id, lists.get(task.id), task.revision) for task in different if lists.get(task.id) != task.list_id
        )
        if moved := [row for row in left if row[1] is not None]:
            arrays = zip(MOVED_TASKS, map(list, zip(*moved, strict=True)), strict=True)
            self.unit.store(SAY_MOVED, **dict(arrays))

    def _store_one(self, task: Row) -> None:
        before = self._before.get(task.id)
        choices = queries.INSERTS if before is None else queries.UPDATES
        stored = before or Row(task.id, task.created_at, task.updated_at)
        different = {name for name, old, new in zip(Row._fields, stored, task, strict=True) if old != new}
        names, statement = next(choice for choice in choices if different.issubset(choice[0]))
        self.unit.store(statement, task=task.id, **{f"new_{name}": getattr(task, name) for name in names})


def task_json(task: Row, user_id: str) -> str:
    """Write a task as JSON, byte for byte as Postgres writes it for reads."""
    names = PUBLIC if task.deleted_at is None else PUBLIC_IN_TRASH
    shown = {**task._asdict(), "user_id": user_id, "status": task.status, "priority": word_of(task.priority)}
    return to_json({name: shown[name] for name in names})
