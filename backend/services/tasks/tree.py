"""The rules about subtasks: where a task may be in the tree, and which other tasks change along with it.

Like those in `rules.py`, they are pure functions. What a change loads of a tree is in `loaded.py`.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from itertools import chain, takewhile
from operator import attrgetter
from uuid import UUID

from backend.errors import Detail, TooManySubtasks, ValidationFailed
from backend.models.task import Status
from backend.services.tasks.rules import InTree, Row, T, brought_back, with_completion
from backend.utils.positions import LAST

MAX_LEVELS = 5
MAX_BELOW = 1000  # tasks below one

_number = attrgetter("int")  # of an id: ids compare much more slowly

_UNKNOWN = Detail(
    "parent_id", "parent_unknown", "You have no such task, or it is in the trash, or in another list than list_id says"
)
_CYCLE = Detail("parent_id", "parent_cycle", "A task cannot be under itself, or under a task that is below it")
_TOO_DEEP = Detail("parent_id", "too_deep", f"There can be {MAX_LEVELS} levels of tasks: this would be one more")


@dataclass(slots=True)
class Tree:
    """An index of the tasks that a change has loaded: which of them are below which."""

    tasks: dict[UUID, InTree] = field(default_factory=dict)
    _below: dict[UUID, set[UUID]] = field(default_factory=dict)

    def put(self, task: InTree) -> None:
        """Add a task, or replace it by what it is now."""
        before = self.tasks.get(task.id)
        if before is not None and before.parent_id not in {None, task.parent_id}:
            self.remove(task.id)
        if task.parent_id is not None:
            self._below.setdefault(task.parent_id, set()).add(task.id)
        self.tasks[task.id] = task

    def remove(self, task_id: UUID) -> None:
        """Remove a task."""
        removed = self.tasks.pop(task_id)
        if removed.parent_id is not None:
            self._below[removed.parent_id].discard(task_id)

    def follow(self, task_id: UUID, task: InTree | None) -> None:
        """Do to a task what was done to its row, which is None if it was removed."""
        if task is None:
            self.remove(task_id)
        else:
            self.put(task)

    def has_below(self, task_id: UUID) -> bool:
        """Return whether there are tasks below this task."""
        return bool(self._below.get(task_id))

    def subtasks(self, task_id: UUID) -> list[InTree]:
        """Return the tasks on the next level below this task."""
        return [self.tasks[each] for each in self._below.get(task_id, ())]

    def parent(self, task: InTree) -> InTree | None:
        """Return the task of which this is a subtask, if that is there."""
        return None if task.parent_id is None else self.tasks.get(task.parent_id)

    def above(self, task: InTree) -> list[InTree]:
        """Return the tasks above this task, the nearest first."""
        found: list[InTree] = []
        ids = {task.id}
        while (parent := self.parent(task)) is not None and parent.id not in ids:
            found.append(parent)
            ids.add(parent.id)
            task = parent
        return found

    def levels_below(self, task_id: UUID) -> list[list[InTree]]:
        """Return the tasks below this task, level by level. Within a level, they are in the order of their ids."""
        levels: list[list[InTree]] = []
        found = {task_id}  # ends even if tasks were below themselves
        ids = self._below.get(task_id, set())
        while level := [self.tasks[each] for each in sorted(ids - found, key=_number)]:
            levels.append(level)
            found.update(ids)
            ids = set(chain.from_iterable(self._below.get(each.id, ()) for each in level))
        return levels

    def ids_below(self, task_id: UUID) -> set[UUID]:
        """Return the ids of all tasks below this task."""
        found: set[UUID] = set()
        ids = self._below.get(task_id, set())
        while ids := ids - found:
            found |= ids
            ids = set(chain.from_iterable(self._below.get(each, ()) for each in ids))
        return found

    def below(self, task_id: UUID) -> list[InTree]:
        """Return all tasks below this task, from the highest level to the lowest."""
        return [*chain.from_iterable(self.levels_below(task_id))]


def placed(task: Row, before: Row | None, tree: Tree, *, is_of_file: bool = False) -> Row:
    """Put a task under the parent and into the list that a request names. Only what differs from before counts.

    A file may name a parent that is not there yet. A parent in a file that would be below its own subtask is ignored.
    Raises ValidationFailed or TooManySubtasks if the task cannot be there.
    """
    old_parent, old_list = (before.parent_id, before.list_id) if before else (None, None)
    if task.parent_id == old_parent:
        is_leaving = old_parent is not None and task.list_id != old_list
        return task._replace(parent_id=None) if is_leaving else task
    if task.parent_id is None:
        return task
    if task.id in {each.parent_id for each in (task, *tree.above(task))}:
        if is_of_file:
            stays = before is not None and old_parent is None and task.list_id == old_list
            return task._replace(parent_id=None, position=before.position if stays and before else task.position)
        raise ValidationFailed(details=(_CYCLE,))
    parent = tree.parent(task)
    if parent is None and is_of_file:
        return task
    if parent is None or parent.deleted_at is not None or task.list_id not in {old_list, parent.list_id}:
        raise ValidationFailed(details=(_UNKNOWN,))
    return task._replace(list_id=parent.list_id)


def refuse_overgrown(task: Row, tree: Tree) -> None:
    """Raise ValidationFailed if the tree would have too many levels with the task in its place, or TooManySubtasks.

    A parent that is not there yet counts as if it were: it may come.
    """
    above, levels = tree.above(task), tree.levels_below(task.id)
    highest = above[-1] if above else task
    is_waiting = highest.parent_id is not None
    if is_waiting + len(above) + 1 + len(levels) > MAX_LEVELS:
        raise ValidationFailed(details=(_TOO_DEEP,))
    top = highest.parent_id or highest.id
    moving = {task.id, *(each.id for each in chain.from_iterable(levels))}
    if len((moving | tree.ids_below(top)) - {top}) > MAX_BELOW:
        raise TooManySubtasks


def restored(task: Row, lists: Container[UUID], tree: Tree) -> Row:
    """Bring a task back from the trash: into its list, or into the inbox if that list is not living.

    If it is a subtask, it goes where its parent is; if that is gone for good, it has none any more.
    """
    if task.deleted_at is None:
        return task
    in_trash = [task, *takewhile(lambda each: each.deleted_at is not None, tree.above(task))]
    living = tree.parent(in_trash[-1])
    list_id = living.list_id if living else task.list_id if task.list_id in lists else None
    return _brought_back(task, list_id, tree)._replace(position=task.position if list_id == task.list_id else LAST)


def _brought_back(task: T, list_id: UUID | None, tree: Tree) -> T:
    """Bring a task back into a list, without its parent if that is gone for good."""
    living = brought_back(task, has_parent=tree.parent(task) is not None)
    return living._replace(list_id=list_id)  # type: ignore[return-value]  # it stays what it is


def along(before: Row, after: Row, tree: Tree, *, cascades: bool = True) -> Iterator[InTree]:
    """Yield the other tasks that change along with this task, as they should be.

    What completing or reopening it changes is among them only if it `cascades`.
    """
    moves = before.list_id != after.list_id or before.deleted_at != after.deleted_at
    for each in tree.below(after.id) if moves or before.completed != after.completed else ():
        changed = _with_list(_with_trash(each, before, after), before, after)
        changed = _completed_below(changed, before, after) if cascades else changed
        if changed != each:
            yield changed
    above = tree.above(after)
    yield from _beside(after, [each for each in above if _is_restored(before, after) and each.deleted_at], tree)
    for each in above:
        changed = each
        if _is_restored(before, after) and each.deleted_at is not None:
            changed = _brought_back(each, after.list_id, tree)
        if cascades and _is_reopened(before, after) and changed.deleted_at is None:
            changed = with_completion(changed, completed=False, at=after.updated_at)
        if changed != each:
            yield changed


def _beside(after: Row, restored: list[InTree], tree: Tree) -> Iterator[InTree]:
    """Yield the tasks beside the path on which tasks come back: they stay in the trash, but go to the same list."""
    if restored and restored[-1].list_id != after.list_id:
        path = {each.id for each in (after, *restored, *tree.below(after.id))}
        for each in tree.below(restored[-1].id):
            if each.id not in path:
                yield each._replace(list_id=after.list_id)


def _with_trash(each: InTree, before: Row, after: Row) -> InTree:
    """Move a task to the trash along with the task above it, or back if it went along."""
    if before.deleted_at is None and after.deleted_at is not None and each.deleted_at is None:
        return each._replace(deleted_at=after.deleted_at)
    if _is_restored(before, after) and each.deleted_at == before.deleted_at:
        return each._replace(deleted_at=None, list_id=after.list_id)
    return each


def _with_list(each: InTree, before: Row, after: Row) -> InTree:
    return each if before.list_id == after.list_id else each._replace(list_id=after.list_id)


def _completed_below(each: InTree, before: Row, after: Row) -> InTree:
    """Complete an open task along with the task above it. Reopen a task that was completed along."""
    if each.deleted_at is not None:
        return each
    if after.completed and not before.completed and each.status in {Status.TODO, Status.IN_PROGRESS}:
        return with_completion(each, completed=True, at=after.completed_at or after.updated_at)
    if _is_reopened(before, after) and each.completed_at == before.completed_at:
        return with_completion(each, completed=False, at=after.updated_at)
    return each


def _is_restored(before: Row, after: Row) -> bool:
    return before.deleted_at is not None and after.deleted_at is None


def _is_reopened(before: Row, after: Row) -> bool:
    return before.completed and not after.completed and after.open_status != Status.CANCELLED
