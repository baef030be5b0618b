"""The tasks that a change has loaded: finds them, counts what the rules make of them, and stores it.

A change of any length reads its tasks at once, and stores the final state of each that differs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from backend.database.giving_way import give_way, in_turns
from backend.errors import (
    IdTaken,
    NoRoom,
    OutsideList,
    PreconditionFailed,
    TaskAPIError,
    TaskNotFound,
    TooManyChanges,
    TooManySubtasks,
    TooManyTasks,
)
from backend.models.base import RowDocument
from backend.models.move import TaskMove
from backend.models.values.etags import Revisions
from backend.models.values.label_names import keys_of_labels
from backend.services.tasks import queries, tree_queries
from backend.services.tasks.columns import PUBLIC, PUBLIC_IN_TRASH
from backend.services.tasks.moving import Neighbours, row_of
from backend.services.tasks.named_labels import NamedLabels
from backend.services.tasks.names import Names
from backend.services.tasks.rules import (
    REMOVED_BY_OWNER,
    Row,
    changed,
    moved_to,
    refuse_elsewhere,
    refuse_outside,
    refuse_unknown_list,
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


@dataclass(slots=True)
class LoadedTasks:
    """Those of a user's tasks that a change names.

    `lists` are the ids of the living lists that tasks may come into, and `taken` those of tasks that a token for one
    list does not show, which no new task can have. The tree holds the named tasks and, if others may change along with
    them, the trees that these are in. Of these others, only what trees may change is loaded.
    """

    unit: UnitOfWork
    max_tasks: int
    tree: Tree
    _before: dict[UUID, Row]
    _labels: NamedLabels
    lists: frozenset[UUID]
    taken: frozenset[UUID]
    _knows_trees: bool = False
    _removed: list[Row] = field(default_factory=list)
    uids: dict[UUID, str] = field(default_factory=dict)  # that tasks get

    @property
    def now(self) -> datetime:
        """Return the time of the change."""
        return self.unit.now

    @property
    def tasks(self) -> Mapping[UUID, Row]:
        """Return the tasks by their ids."""
        return self.tree.tasks

    @classmethod
    def load(cls, unit: UnitOfWork, task_ids: Iterable[UUID], max_tasks: int, names: Names = NO_NAMES) -> LoadedTasks:
        """Lock the user's row, and read the user's tasks with these ids, living or in the trash, and what is named.

        Of the lists, it reads those that are named and those of the tasks, unless they are in the trash. Only if other
        tasks may change along, it takes another round trip to read these. Raises TooManySubtasks if they are too many.
        """
        task_ids = list(task_ids)
        keys = keys_of_labels(names.labels)
        params: dict[str, Any] = {"task_ids": list({*task_ids, *(parent_id for _, parent_id in names.parents)})}
        if keys:
            params["label_keys"] = keys
        if unit.list_id is not None:
            names = names._replace(lists=(unit.list_id,))
        if names.lists is not None:
            params["list_ids"] = list(names.lists)
        choices = queries.NAMED_BESIDE if unit.list_id is None else queries.NAMED_IN_LIST
        of_user, found = unit.load_all(choices[bool(keys), names.lists is not None, names.adopts], **params)
        beside = iter(of_user)
        labels = NamedLabels.of(next(beside) or (), next(beside)) if keys else NamedLabels()
        lists, adopted, taken = (
            frozenset((next(beside) if is_read else None) or ())
            for is_read in (names.lists is not None, names.adopts, unit.list_id is not None)
        )
        tree = Tree()
        for row in found:
            tree.put(Row(*row))
        taken -= tree.tasks.keys()
        loaded = cls(unit, max_tasks, tree, tree.tasks.copy(), labels, lists, taken)
        loaded._read_trees(adopted | names.in_trees(task_ids, tree.tasks))
        return loaded

    def _read_trees(self, task_ids: Iterable[UUID]) -> None:
        """Read the trees that these tasks are in; raises TooManySubtasks."""
        if not task_ids:
            return
        rows = self.unit.read(tree_queries.IN_TREES, tree_ids=list(task_ids), max_rows=MAX_IN_TREES + 1)
        if len(rows) > MAX_IN_TREES:
            raise TooManySubtasks
        for values in in_turns(rows):
            self._take(row_of(values))
        self._knows_trees = True

    def _take(self, row: Row) -> Row:
        """Take a task that the change does not name, unless it is there; returns it as it is now."""
        if row.id not in self.tree.tasks:
            self.tree.put(row)
            self._before[row.id] = row
        return self.tree.tasks[row.id]

    def find(self, task_id: UUID, expected: Revisions | None = None, *, in_trash_too: bool = False) -> Row:
        """Return a task; raises TaskNotFound, or PreconditionFailed when its revision is not expected."""
        task = self.tasks.get(task_id)
        if task is None or (task.deleted_at is not None and not in_trash_too):
            raise TaskNotFound
        if expected is not None and task.revision not in expected:
            raise self.changed_since(task)
        return task

    def add(self, task: Row, *, is_of_file: bool = False) -> Row:
        """Add a new task. With a token for one list, it is in that list.

        `is_of_file` is that of `placed`. Raises TooManyTasks, TooManyLabels or TooManySubtasks when there is no room,
        ValidationFailed for an unknown list or a parent that it cannot have, OutsideList for a list that the token is
        not for, and IdTaken.
        """
        if self.unit.task_count >= self.max_tasks:
            raise TooManyTasks
        if task.id in self.taken:
            raise IdTaken
        if task.list_id is None:
            task = task._replace(list_id=self.unit.list_id)
        refuse_outside(task.list_id, self.unit.list_id)
        refuse_unknown_list(task, None, self.lists)
        task = self._placed(task, None, is_of_file=is_of_file)
        below = self.tree.below(task.id)  # files may bring subtasks first
        if below or task.parent_id is not None:
            refuse_overgrown(task, self.tree)
        task = self.spelled(task)._replace(has_subtasks=bool(below))
        self._labels.make(task.labels, self.unit.next_revision)
        self.unit.task_count += 1
        task = task._replace(revision=self.unit.next_revision(), position=self.unit.give_position(task.position))
        self._put(task)
        self._count_along(each._replace(list_id=task.list_id) for each in below if each.list_id != task.list_id)
        return task

    def spelled(self, task: Row) -> Row:
        """Spell the labels of a task as the user has them, unless it carries just these already."""
        before = self.tasks.get(task.id)
        if not task.labels or (before is not None and before.labels == task.labels):
            return task
        return task._replace(labels=self._labels.spelled(task.labels))

    def keep(self, task: Row, *, cascades: bool = True, is_of_file: bool = False) -> Row:
        """Keep a task as the rules have made it, with the others that change along; it counts only if it differs.

        `cascades` is that of `along`, and `is_of_file` that of `placed`. Raises TooManyLabels, TooManySubtasks,
        OutsideList, and ValidationFailed for an unknown list or a parent that it cannot have.
        """
        before, task = self.tasks[task.id], self.spelled(task)
        if task == before:
            return task
        was = restored(before, self.lists, self.tree) if task.deleted_at is None else before
        if task.list_id != before.list_id:  # also out of the trash, if its list is there
            refuse_outside(task.list_id, self.unit.list_id)
        refuse_unknown_list(task, was, self.lists)
        task = self._placed(task, was, is_of_file=is_of_file)
        if task == before:
            return task
        if task.parent_id not in {None, was.parent_id}:
            refuse_overgrown(task, self.tree)
        new = task.labels if task.labels != before.labels else ()
        self._labels.make(new, self.unit.next_revision)
        if task.has_subtasks and self._knows_trees and self.unit.list_id is None:
            task = task._replace(has_subtasks=self.tree.has_below(task.id))
        task = self._count(task)
        self._count_along(in_turns(along(before, task, self.tree, cascades=cascades)))
        return task

    def _placed(self, task: Row, before: Row | None, *, is_of_file: bool) -> Row:
        """Do what `placed` does. Files wait for no parent that is there, but not shown."""
        return placed(task, before, self.tree, is_of_file=is_of_file and task.parent_id not in self.taken)

    @contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """Undo all that the block has done if it raises: changes, removals, labels and counters."""
        counters, lists = self.unit.counters, self.lists
        removed, tree, labels = len(self._removed), self.tree.savepoint(), self._labels.savepoint()
        try:
            yield
        except TaskAPIError:
            self.unit.undo(counters)
            self.lists = lists
            del self._removed[removed:]
            self.tree.undo(tree)
            self._labels.undo(labels)
            raise

    def restore(self, task: Row) -> Row:
        """Bring a task back from the trash, with those that went along, and those above it."""
        return self.keep(restored(task, self.lists, self.tree))

    def _count(self, task: Row) -> Row:
        """Count a change of a task, and give it the next revision; raises TooManyChanges."""
        give_way()
        if self.unit.changes >= MAX_CHANGES:
            raise TooManyChanges
        task = changed(task, self.unit.next_revision(), self.now)
        if task.position != self.tasks[task.id].position:
            task = task._replace(position=self.unit.give_position(task.position))
        self._put(task)
        return task

    def _count_along(self, others: Iterable[Row]) -> None:
        """Count the changes of other tasks. Those that come into another list are last there, in the order they had."""
        going: list[Row] = []
        staying: list[Row] = []
        for each in others:
            (staying if each.list_id == self.tasks[each.id].list_id else going).append(each)
        for each in staying:
            self._count(each)
        for each in sorted(going, key=attrgetter("place")):
            self._count(each._replace(position=LAST))

    def _put(self, task: Row) -> None:
        """Put a task into the tree, and note at its parent that there are subtasks."""
        self.tree.put(task)
        parent = self.tree.parent(task)
        if parent is not None and not parent.has_subtasks:
            self.tree.put(parent._replace(has_subtasks=True))

    def move(self, task: Row, to: TaskMove) -> Row:
        """Put a task where a request wants it, which takes a round trip to read the other neighbour.

        Raises what `keep` does, ValidationFailed for another task that is not in the list, and NoRoom.
        """
        wanted = moved_to(task, to)
        if "list_id" in to.model_fields_set:
            refuse_outside(to.list_id, self.unit.list_id)
        refuse_unknown_list(wanted, task, self.lists)
        moved = placed(wanted, task, self.tree)
        if moved.list_id is not None and moved.list_id != wanted.list_id:
            self.lists |= {moved.list_id}  # that of its living parent, so it is living
        beside = self.tasks.get(to.beside) if to.beside else None
        refuse_elsewhere(moved, to, beside)
        return self.keep(moved if to.beside == task.id else self._beside(moved, to.side, beside))

    def _beside(self, moved: Row, side: str, beside: Row | None) -> Row:
        """Give a moved task a position on this side of another one, or at the end. Where it fits already, it stays.

        If there is no room, tasks beside it make some, which takes another round trip; raises NoRoom if they cannot.
        """
        stood = self.tasks[moved.id]
        nearest = Neighbours.nearest(self.unit, moved, side, beside)
        if moved.list_id == stood.list_id and nearest.have_between(stood):
            return moved
        try:
            room = nearest.make_room()
        except NoRoom:
            nearest = Neighbours.many(self.unit, moved, side, beside)
            room = nearest.make_room()
        self.unit.note_positions(*room.before, room.position, *room.after)
        for row, position in nearest.moved(room):
            self._count(self._take(row)._replace(position=position))
        return moved._replace(position=room.position)

    def remove(self, task: Row) -> None:
        """Remove a task for good, with all below it.

        Raises OutsideList with a token for one list, which may only move it to the trash.
        """
        if self.unit.list_id is not None:
            raise OutsideList(details=(REMOVED_BY_OWNER,))
        for each in in_turns([task, *self.tree.below(task.id)]):
            if task.deleted_at is None or each.deleted_at is not None:
                self.unit.task_count -= 1
                self.tree.remove(each)
                self._removed.append(each._replace(revision=self.unit.next_revision()))

    def document(self, task: Row, *, is_new: bool = False) -> RowDocument:
        """Return a task as the answer of a change."""
        return RowDocument(task_json(task, self.unit.user_id), task.revision, task.id, is_new)

    def changed_since(self, task: Row) -> PreconditionFailed:
        """Return the error that shows how the task is now."""
        return PreconditionFailed(task_json(task, self.unit.user_id), task.revision)

    def as_before(self, task_id: UUID) -> Row | None:
        """Return a task as it was loaded."""
        return self._before.get(task_id)

    def store(self) -> None:
        """Store the tasks that differ from what was loaded or get a UID; nothing if none does."""
        different = [task for task in in_turns(self.tasks.values()) if self._differs(task)]
        if not different and not self._removed:
            return
        self._labels.store(self.unit)
        store_tasks(self.unit, self._before, different, self.uids)
        remove_tasks(self.unit, self._removed)

    def _differs(self, task: Row) -> bool:
        return task != self._before.get(task.id) or task.id in self.uids


def task_json(task: Row, user_id: str) -> str:
    """Write a task as JSON, byte for byte as Postgres writes it for reads."""
    names = PUBLIC if task.deleted_at is None else PUBLIC_IN_TRASH
    shown = {**task._asdict(), "user_id": user_id, "status": task.status, "priority": word_of(task.priority)}
    return to_json({name: shown[name] for name in names})
