"""What a change names besides tasks: labels, lists and parents."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple, Self
from uuid import UUID

from backend.models.task import TaskFields
from backend.services.tasks.rules import Row

_STATES = {"status", "completed", "list_id", "parent_id"}  # fields that other tasks of the tree may depend on


class Names(NamedTuple):
    """The labels that tasks may get, the lists that they may come into, and their parents, each behind the task's id.

    `lists` is None if no list is named and no task may come out of the trash: then no lists are read.
    `changes_trees`: whether tasks above or below may change along.
    `adopts`: whether there may be subtasks of tasks that do not exist yet.
    `again`: the tasks that are named more than once, so that one operation may undo what another one has done.
    """

    labels: Iterable[str] = ()
    lists: tuple[UUID, ...] | None = None
    parents: Collection[tuple[UUID, UUID]] = ()
    changes_trees: bool = False
    adopts: bool = False
    again: Collection[UUID] = ()

    @classmethod
    def of(
        cls,
        requests: Iterable[tuple[UUID, TaskFields]],
        *,
        restores: bool = False,
        changes_trees: bool = False,
        adopts: bool = False,
    ) -> Self:
        """Collect what requests about the tasks with these ids name; `restores`: a task may come out of the trash."""
        labels: list[str] = []
        lists: list[UUID] = []
        parents: set[tuple[UUID, UUID]] = set()
        for task_id, request in requests:
            labels += request.labels or ()
            if request.list_id is not None:
                lists.append(request.list_id)
            if request.parent_id is not None:
                parents.add((task_id, request.parent_id))
            changes_trees = changes_trees or not _STATES.isdisjoint(request.model_fields_set)
        named = tuple(lists) if lists or restores else None
        return cls(labels, named, parents, changes_trees or restores, adopts)

    def in_trees(self, task_ids: Iterable[UUID], tasks: Mapping[UUID, Row]) -> set[UUID]:
        """Return the tasks whose trees the change needs, of those that it is about and of the parents that it names.

        `tasks` are those of them that exist.
        """
        found: set[UUID] = set()
        if self.changes_trees:
            found.update(each for each in task_ids if _may_change_others(tasks.get(each), is_again=each in self.again))
        for task_id, parent_id in self.parents:
            task, parent = tasks.get(task_id), tasks.get(parent_id)
            is_new = task is None or task.parent_id != parent_id
            # Others may wait for the same parent, if it is not there.
            has_others = self.adopts if parent is None else parent.has_subtasks or parent.parent_id is not None
            if is_new and has_others:
                found.add(parent_id)
        return found


def _may_change_others(task: Row | None, *, is_again: bool) -> bool:
    if task is None:
        return False
    is_below = task.parent_id is not None and (is_again or task.completed or task.deleted_at is not None)
    return task.has_subtasks or is_below
