"""The rules about subtasks: where a task may be in the tree, and which others change along with it.

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
from backend.services.tasks.rules import Row, with_completion
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
    """Tasks by their ids, and which of them are below which."""

    tasks: dict[UUID, Row] = field(default_factory=dict)
    _below: dict[UUID, set[UUID]] = field(default_factory=dict)
    _changes: list[tuple[UUID, Row | None]] = field(default_factory=list)  # each with the task before it

    def savepoint(self) -> int:
        """Return what `undo` takes to make the tree as it is now."""
        return len(self._changes)

    def undo(self, savepoint: int) -> None:
        """Undo the changes since a savepoint. The later ones are gone."""
        while len(self._changes) > savepoint:
            self._set(*self._changes.pop())

    def put(self, task: Row) -> None:
        """Add a task, or replace it by what it is now."""
        self._changes.append((task.id, self.tasks.get(task.id)))
        self._set(task.id, task)

    def remove(self, task: Row) -> None:
        """Remove a task."""
        self._changes.append((task.id, self.tasks[task.id]))
        self._set(task.id, None)

    def _set(self, task_id: UUID, task: Row | None) -> None:
        before = self.tasks.get(task_id)
        old, new = before and before.parent_id, task and task.parent_id
        if old is not None and old != new:
            self._below[old].discard(task_id)
        if new is not None:
            self._below.setdefault(new, set()).add(task_id)
        if task is None:
            del self.tasks[task_id]
        else:
            self.tasks[task_id] = task

    def has_below(self, task_id: UUID) -> bool:
        """Return whether there are tasks below one."""
        return bool(self._below.get(task_id))

    def parent(self, task: Row) -> Row | None:
        """Return the task of which it is a subtask, if that is there."""
        return None if task.parent_id is None else self.tasks.get(task.parent_id)

    def above(self, task: Row) -> list[Row]:
        """Return the tasks above one, the nearest first."""
        found: list[Row] = []
        ids = {task.id}
        while (parent := self.parent(task)) is not None and parent.id not in ids:
            found.append(parent)
            ids.add(parent.id)
            task = parent
        return found

    def levels_below(self, task_id: UUID) -> list[list[Row]]:
        """Return the tasks below one, level by level, each in the order of their ids."""
        levels: list[list[Row]] = []
        found = {task_id}  # ends even if tasks were below themselves
        ids = self._below.get(task_id, set())
        while level := [self.tasks[each] for each in sorted(ids - found, key=_number)]:
            levels.append(level)
            found.update(ids)
            ids = set(chain.from_iterable(self._below.get(each.id, ()) for each in level))
        return levels

    def ids_below(self, task_id: UUID) -> set[UUID]:
        """Return the ids of all tasks below one."""
        found: set[UUID] = set()
        ids = self._below.get(task_id, set())
        while ids := ids - found:
            found |= ids
            ids = set(chain.from_iterable(self._below.get(each, ()) for each in ids))
        return found

    def below(self, task_id: UUID) -> list[Row]:
        """Return all tasks below one, those of higher levels first."""
        return [*chain.from_iterable(self.levels_below(task_id))]


def placed(task: Row, before: Row | None, tree: Tree, *, is_of_file: bool = False) -> Row:
    """Put a task under the parent and into the list that a request names. What differs from before counts.

    Files may name a parent that is not there yet, and one that would be below its own subtask, which is then ignored.
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
    """Bring a task back from the trash: into its list, or into the inbox if that is not among the living lists.

    If it is a subtask, it goes where its parent is; if that is gone for good, it has none any more.
    """
    if task.deleted_at is None:
        return task
    in_trash = [task, *takewhile(lambda each: each.deleted_at is not None, tree.above(task))]
    living = tree.parent(in_trash[-1])
    list_id = living.list_id if living else task.list_id if task.list_id in lists else None
    return _brought_back(task, list_id, tree)._replace(position=task.position if list_id == task.list_id else LAST)


def _brought_back(task: Row, list_id: UUID | None, tree: Tree) -> Row:
    """Bring a task back into a list, without its parent if that is gone for good."""
    parent_id = task.parent_id if tree.parent(task) else None
    return task._replace(deleted_at=None, list_id=list_id, parent_id=parent_id)


def along(before: Row, after: Row, tree: Tree, *, cascades: bool = True) -> Iterator[Row]:
    """Yield the other tasks that change along with one, as they should be; `cascades`: also those of its completion."""
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


def _beside(after: Row, restored: list[Row], tree: Tree) -> Iterator[Row]:
    """Yield the other tasks below those that come back above one: they stay in the trash, but go to the same list."""
    if restored and restored[-1].list_id != after.list_id:
        path = {each.id for each in (after, *restored, *tree.below(after.id))}
        for each in tree.below(restored[-1].id):
            if each.id not in path:
                yield each._replace(list_id=after.list_id)


def _with_trash(each: Row, before: Row, after: Row) -> Row:
    """Move a task to the trash along with the one above it, or back if it went along."""
    if before.deleted_at is None and after.deleted_at is not None and each.deleted_at is None:
        return each._replace(deleted_at=after.deleted_at)
    if _is_restored(before, after) and each.deleted_at == before.deleted_at:
        return each._replace(deleted_at=None, list_id=after.list_id)
    return each


def _with_list(each: Row, before: Row, after: Row) -> Row:
    return each if before.list_id == after.list_id else each._replace(list_id=after.list_id)


def _completed_below(each: Row, before: Row, after: Row) -> Row:
    """Complete an open task along with the one above it, or reopen one that was completed along."""
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
