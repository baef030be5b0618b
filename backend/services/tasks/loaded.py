"""The tasks that a change has loaded: finds them, counts what the rules make of them, and stores it.

A change of any length reads its tasks at once, and stores the final state of each that differs.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from typing import Any
from uuid import UUID

from backend.database.giving_way import give_way, in_turns
from backend.errors import NoRoom, OutsideList, TooManyChanges, TooManySubtasks
from backend.models.move import TaskMove
from backend.models.values.label_names import keys_of_labels
from backend.services.loading import Found
from backend.services.resources.working_set import WorkingSet
from backend.services.tasks import queries, tree_queries
from backend.services.tasks.moving import Gap
from backend.services.tasks.named import LabelsOfTasks, ListsOfTasks, Names, found_in
from backend.services.tasks.rules import (
    REMOVED_BY_OWNER,
    InTree,
    Neighbour,
    Row,
    TooManyTasks,
    moved_to,
    refuse_elsewhere,
)
from backend.services.tasks.storing import remove_tasks, store_tasks
from backend.services.tasks.tree import Tree, along, placed, refuse_overgrown, restored
from backend.services.tasks.tree_queries import MAX_IN_TREES
from backend.services.unit_of_work import UnitOfWork
from backend.utils.positions import LAST
from backend.utils.postgres_json import to_json
from backend.utils.priorities import word_of

NO_NAMES = Names()
MAX_CHANGES = 10_000  # of one request: a batch may change the same tasks again and again


class Neighbours(WorkingSet[Neighbour]):
    """The other tasks of the trees around those that a change names. `LoadedTasks` stores both."""

    def __init__(self, unit: UnitOfWork, tree: Tree) -> None:
        super().__init__(queries.NEIGHBOURS, unit, Found([], [], {}))
        self._tree = tree

    def take(self, task: Neighbour) -> None:
        """Take a task as it is stored."""
        self.rows[task.id] = task
        self._tree.put(task)

    def _set(self, row_id: UUID, row: Neighbour | None) -> None:
        super()._set(row_id, row)
        self._tree.follow(row_id, row)

    def store(self) -> None:
        """Store nothing."""


class LoadedTasks(WorkingSet[Row]):
    """The tasks that a change names, living or in the trash.

    If other tasks may change along with them, the tree also has those of the trees that they are in: of these
    neighbours, it has only what trees may change. `uids` are UIDs that tasks get.
    """

    def __init__(self, unit: UnitOfWork, max_tasks: int, found: Found[Row]) -> None:
        super().__init__(queries.TASKS, unit, found)
        once = found.once
        self.max_tasks = max_tasks
        self.labels = LabelsOfTasks(unit, once.get("label_names") or (), once.get("number_of_labels", 0))
        taken = found_in(once, "taken") - self.rows.keys()
        self.lists = ListsOfTasks(unit.list_id, found_in(once, "living_lists"), taken)
        self.tree = Tree()
        for row in found.rows:
            self.tree.put(row)
        self.neighbours = Neighbours(unit, self.tree)
        self.uids: dict[UUID, str] = {}
        self._knows_trees = False

    @classmethod
    def load(cls, unit: UnitOfWork, task_ids: Iterable[UUID], max_tasks: int, names: Names = NO_NAMES) -> LoadedTasks:
        """Lock the user's row, and read the user's tasks with these ids, living or in the trash, and what is named.

        It takes another round trip only if neighbours may change along. Raises TooManySubtasks if these are too many.
        """
        task_ids = list(task_ids)
        beside = names.beside(unit.list_id)
        named = list({*task_ids, *(parent_id for _, parent_id in names.parents)})
        params: dict[str, Any] = {"task_ids": named}
        if beside.labels:
            params["label_keys"] = keys_of_labels(names.labels)
        if beside.lists:
            params["list_ids"] = [*(names.lists or ())] if unit.list_id is None else [unit.list_id]
        if len(named) == 1:
            found = unit.load(queries.ONE_BESIDE[beside], task=named[0], **params)
        else:
            found = unit.load(queries.NAMED_BESIDE[beside], **params)
        loaded = cls(unit, max_tasks, found)
        loaded._read_trees(found_in(found.once, "adopted") | names.in_trees(task_ids, loaded.rows))
        return loaded

    def _read_trees(self, task_ids: Iterable[UUID]) -> None:
        """Read the trees that these tasks are in; raises TooManySubtasks."""
        if not task_ids:
            return
        rows = self.unit.read(tree_queries.IN_TREES, tree_ids=list(task_ids), max_rows=MAX_IN_TREES + 1)
        if len(rows) > MAX_IN_TREES:
            raise TooManySubtasks
        for values in in_turns(rows):
            self._take(Neighbour._make(values))
        self._knows_trees = True

    def _take(self, task: InTree) -> InTree:
        """Return a task as it is now. A neighbour that is not in the tree yet comes into it."""
        if isinstance(task, Neighbour) and task.id not in self.tree.tasks:
            self.neighbours.take(task)
        return self.tree.tasks[task.id]

    def _set(self, row_id: UUID, row: Row | None) -> None:
        super()._set(row_id, row)
        self.tree.follow(row_id, row)

    def add(self, row: Row, *, is_of_file: bool = False) -> Row:
        """Add a new task. With a token for one list, it is in that list.

        A task of a file (`is_of_file`) may name a parent that is not there yet. Raises TooManyTasks, TooManyLabels or
        TooManySubtasks when there is no room. Raises ValidationFailed for an unknown list or a parent that the task
        cannot have. Raises OutsideList for a list that the token is not for, and IdTaken.
        """
        if self.unit.task_count >= self.max_tasks:
            raise TooManyTasks
        task = self._placed(self.lists.admit_new(row), None, is_of_file=is_of_file)
        below = self.tree.below(task.id)  # files may bring subtasks first
        if below or task.parent_id is not None:
            refuse_overgrown(task, self.tree)
        task = self.spelled(task)._replace(has_subtasks=bool(below))
        self.labels.make(task.labels)
        self.unit.task_count += 1
        task = super().count(task)
        self._count_along(each._replace(list_id=task.list_id) for each in below if each.list_id != task.list_id)
        return task

    def spelled(self, task: Row) -> Row:
        """Spell the labels of a task as the user has them, unless it carries just these already."""
        before = self.rows.get(task.id)
        if not task.labels or (before is not None and before.labels == task.labels):
            return task
        return task._replace(labels=self.labels.spelled(task.labels))

    def keep(self, row: Row, *, cascades: bool = True, is_of_file: bool = False) -> Row:
        """Keep a task as the rules have made it, with the others that change along; it counts only if it differs.

        Completing or reopening it changes other tasks only if it `cascades`. A task of a file (`is_of_file`) may name a
        parent that is not there yet. Raises TooManyLabels, TooManySubtasks, OutsideList, and ValidationFailed for an
        unknown list or a parent that it cannot have.
        """
        before, task = self.rows[row.id], self.spelled(row)
        if task == before:
            return task
        was = restored(before, self.lists.living, self.tree) if task.deleted_at is None else before
        self.lists.admit(
            task, was, is_named=task.list_id != before.list_id
        )  # also out of the trash, if its list is there
        task = self._placed(task, was, is_of_file=is_of_file)
        if task == before:
            return task
        if task.parent_id not in {None, was.parent_id}:
            refuse_overgrown(task, self.tree)
        if task.labels != before.labels:
            self.labels.make(task.labels)
        if task.has_subtasks and self._knows_trees and self.unit.list_id is None:
            task = task._replace(has_subtasks=self.tree.has_below(task.id))
        task = self.count(task)
        self._count_along(in_turns(along(before, task, self.tree, cascades=cascades)))
        return task

    def _placed(self, task: Row, before: Row | None, *, is_of_file: bool) -> Row:
        """Put a task where a request names it. A file waits for no parent that is there, but not shown."""
        return placed(task, before, self.tree, is_of_file=is_of_file and task.parent_id not in self.lists.taken)

    def restore(self, task: Row) -> Row:
        """Bring a task back from the trash, with the tasks that went along, and the tasks above it."""
        return self.keep(restored(task, self.lists.living, self.tree))

    def count(self, row: Row) -> Row:
        """Count a change of a task; raises TooManyChanges."""
        self._refuse_one_more_change()
        return super().count(row)

    def _count_other(self, task: InTree) -> None:
        """Count a change of a task that the change may not name."""
        if isinstance(task, Row):
            self.count(task)
        else:
            self._refuse_one_more_change()
            self.neighbours.count(task)

    def _refuse_one_more_change(self) -> None:
        give_way()
        if self.unit.changes >= MAX_CHANGES:
            raise TooManyChanges

    def _count_along(self, others: Iterable[InTree]) -> None:
        """Count the changes of other tasks. Tasks that come into another list are last there, in the order they had."""
        going: list[InTree] = []
        staying: list[InTree] = []
        for each in others:
            (staying if each.list_id == self.tree.tasks[each.id].list_id else going).append(each)
        for each in staying:
            self._count_other(each)
        for each in sorted(going, key=attrgetter("place")):
            self._count_other(each._replace(position=LAST))

    def put(self, row: Row) -> None:
        """Put a task in the place of what it was, and note at its parent that there are subtasks."""
        super().put(row)
        parent = self.tree.parent(row)
        if parent is not None and not parent.has_subtasks:
            its_set: Any = super() if isinstance(parent, Row) else self.neighbours
            its_set.put(parent._replace(has_subtasks=True))

    def move(self, task: Row, to: TaskMove) -> Row:
        """Put a task where a request wants it, which takes a round trip to read the other neighbour.

        Raises what `keep` does, ValidationFailed for another task that is not in the list, and NoRoom.
        """
        wanted = moved_to(task, to)
        self.lists.admit(wanted, task, is_named="list_id" in to.model_fields_set)
        moved = placed(wanted, task, self.tree)
        if moved.list_id is not None and moved.list_id != wanted.list_id:
            self.lists.living.add(moved.list_id)  # that of its living parent, so it is living
        beside = self.rows.get(to.beside) if to.beside else None
        refuse_elsewhere(moved, to, beside)
        return self.keep(moved if to.beside == task.id else self._beside(moved, to.side, beside))

    def _beside(self, moved: Row, side: str, beside: Row | None) -> Row:
        """Give a moved task a position on this side of another task, or at the end. Where it fits already, it stays.

        If there is no room, tasks beside it make some, which takes another round trip; raises NoRoom if they cannot.
        """
        stood = self.rows[moved.id]
        gap = Gap.nearest(self.unit, moved, side, beside)
        if moved.list_id == stood.list_id and gap.is_around(stood):
            return moved
        try:
            room = gap.make_room()
        except NoRoom:
            gap = Gap.many(self.unit, moved, side, beside)
            room = gap.make_room()
        self.unit.note_positions(*room.before, room.position, *room.after)
        for task, position in gap.moved(room):
            self._count_other(self._take(task)._replace(position=position))
        return moved._replace(position=room.position)

    def remove(self, row: Row) -> Row:
        """Remove a task for good, with all below it.

        Raises OutsideList with a token for one list, which may only move it to the trash.
        """
        if self.unit.list_id is not None:
            raise OutsideList(details=(REMOVED_BY_OWNER,))
        below = self.tree.below(row.id)
        self.unit.task_count -= 1
        removed = super().remove(row)
        for each in in_turns(below):
            if row.deleted_at is None or each.deleted_at is not None:
                self.unit.task_count -= 1
                self._remove_other(each)
        return removed

    def _remove_other(self, task: InTree) -> None:
        if isinstance(task, Row):
            super().remove(task)
        else:
            self.neighbours.remove(task)

    def store(self) -> None:
        """Store the tasks that differ from what was loaded or get a UID, and remove those that are gone."""
        named = self.changed()
        if self.uids:
            different = {task.id for _, task in named}
            named += [(self.rows[each], self.rows[each]) for each in self.uids if each not in different]
        neighbours = self.neighbours.changed()
        if named or neighbours:
            store_tasks(self.unit, named, neighbours, self.uids)
        remove_tasks(self.unit, [*self.removed(), *self.neighbours.removed()])

    def _json(self, row: Row, **_: Any) -> str:
        return task_json(row, self.unit.user_id)


def task_json(task: Row, user_id: str) -> str:
    """Write a task as JSON, byte for byte as Postgres writes it for reads."""
    names = queries.TASKS.public_names(is_in_trash=task.deleted_at is not None)
    shown = {**task._asdict(), "user_id": user_id, "status": task.status, "priority": word_of(task.priority)}
    return to_json({name: shown[name] for name in names})
