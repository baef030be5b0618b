"""What a change of tasks names beside tasks, which is labels, lists and parents, and what is loaded of these."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple, Self
from uuid import UUID

from uuid_utils.compat import uuid7

from backend.models.label import LabelPut
from backend.models.task import TaskFields
from backend.models.values.label_names import key_of_label, name_key_of
from backend.services.labels.queries import LABELS
from backend.services.labels.rules import Row as Label
from backend.services.labels.rules import new_label
from backend.services.loading import Found
from backend.services.resources.working_set import WorkingSet
from backend.services.tasks.rules import IdTaken, Row, refuse_outside, refuse_unknown_list
from backend.services.unit_of_work import UnitOfWork

_STATES = {"status", "completed", "list_id", "parent_id"}  # fields that other tasks of the tree may depend on


class Beside(NamedTuple):
    """Whether a change reads, beside its tasks, labels, lists, tasks with subtasks already, and ids that are taken."""

    labels: bool = False
    lists: bool = False
    adopted: bool = False
    taken: bool = False


class Names(NamedTuple):
    """The labels that tasks may get, the lists that they may come into, and their parents, each behind the task's id.

    `lists` is None if no list is named and no task may come out of the trash: then no lists are read.
    `changes_trees`: whether tasks above or below may change along.
    `adopts`: whether there may be subtasks of tasks that do not exist yet.
    `again`: the tasks that are named more than once, so that an operation may undo what an earlier operation has done.
    """

    labels: Collection[str] = ()
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

    def beside(self, only: UUID | None) -> Beside:
        """Return what to read beside the tasks; `only` is the list of a token that is for one list."""
        is_limited = only is not None
        return Beside(
            labels=bool(self.labels), lists=is_limited or self.lists is not None, adopted=self.adopts, taken=is_limited
        )

    def in_trees(self, task_ids: Iterable[UUID], tasks: Mapping[UUID, Row]) -> set[UUID]:
        """Return the tasks whose trees the change needs, of the tasks that it is about and the parents that it names.

        `tasks` has whichever of them exist.
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


class LabelsOfTasks(WorkingSet[Label]):
    """The labels that a change names. The user's own labels count as they are spelled, and missing labels are made.

    Of the user's labels, only names are loaded. Labels that were two before may have the same key. So each is looked up
    by its `name_key` first.
    """

    def __init__(self, unit: UnitOfWork, names: Iterable[str] = (), number: int = 0) -> None:
        super().__init__(LABELS, unit, Found([], [], {"number": number}))
        names = list(names)
        self._by_name_key = {name_key_of(name): name for name in names}
        self._by_key = {key_of_label(name): name for name in reversed(names)}  # of a shared key, the first counts

    def spelled(self, names: Iterable[str]) -> list[str]:
        """Spell labels as the user has them, each once. A label that is new is spelled as it is named first."""
        first: dict[tuple[str, str | None], str] = {}
        for name in names:
            key = key_of_label(name)
            known = self._by_name_key.get(name_key_of(name)) or self._by_key.get(key)
            first.setdefault((key, known), known or name)
        return list(first.values())

    def make(self, names: Iterable[str]) -> None:
        """Make the labels that do not exist yet; raises TooManyLabels if there is no room for all of them."""
        for name in names:
            if key_of_label(name) not in self._by_key:
                self.add(new_label(uuid7(), name, LabelPut(), self.unit.now))

    def _set(self, row_id: UUID, row: Label | None) -> None:
        if row is None:
            del self._by_key[key_of_label(self.rows[row_id].name)]
        else:
            self._by_key[key_of_label(row.name)] = row.name
        super()._set(row_id, row)


class ListsOfTasks:
    """The lists that the tasks of a change may come into.

    `living` has the ids of lists that are not in the trash: of the named lists, and of the lists of the tasks. `only`
    is the list of a token that is for one list. `taken` are the ids of tasks that such a token does not show, which no
    new task can have.
    """

    def __init__(self, only: UUID | None, living: Iterable[UUID], taken: Iterable[UUID]) -> None:
        self.only = only
        self.living = {*living}
        self.taken = frozenset(taken)

    def admit_new(self, task: Row) -> Row:
        """Return a new task in its list, which a token for one list need not name.

        Raises IdTaken, OutsideList for a list that the token is not for, and ValidationFailed for an unknown list.
        """
        if task.id in self.taken:
            raise IdTaken
        if task.list_id is None:
            task = task._replace(list_id=self.only)
        refuse_outside(task.list_id, self.only)
        refuse_unknown_list(task, None, self.living)
        return task

    def admit(self, task: Row, before: Row, *, is_named: bool) -> None:
        """Raise OutsideList or ValidationFailed if a task may not come into its list.

        `before` is the task as it was, `is_named` whether the request names the list.
        """
        if is_named:
            refuse_outside(task.list_id, self.only)
        refuse_unknown_list(task, before, self.living)


def found_in(once: Mapping[str, Any], name: str) -> frozenset[UUID]:
    """Return the ids that were read under a name; none if that was not read."""
    return frozenset(once.get(name) or ())
