"""Everything that users may do with one of their own tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from uuid_utils.compat import uuid7

from backend.database.retry import once_only, reads, repeatable
from backend.database.session import Sessions
from backend.models.base import RowDocument
from backend.models.move import TaskMove
from backend.models.task import TaskCreate, TaskUpdate
from backend.models.values.etags import Revisions
from backend.services.tasks import queries, rules
from backend.services.tasks.loaded import NO_NAMES, LoadedTasks
from backend.services.tasks.named import Names
from backend.services.tasks.rules import TaskNotFound
from backend.services.unit_of_work import UnitOfWork, unit_of_work

_IN_TREES = Names(changes_trees=True)


@dataclass(frozen=True, slots=True)
class TaskService:
    """One user's tasks, at most `max_tasks`.

    A read is one round trip to the database. A change is two, or three if it has to read trees.

    A change joins `unit`, if there is one. `expected` holds the revisions that a task may have; None means any. Any
    other revision raises PreconditionFailed.
    """

    sessions: Sessions
    user_id: str
    max_tasks: int
    unit: UnitOfWork | None = None
    new_id: Callable[[], UUID] = uuid7

    @reads
    def get(self, task_id: UUID, *, with_counts: bool = False) -> RowDocument:
        """Read one living task, with the numbers of its subtasks if asked for; raises TaskNotFound."""
        statement = queries.GET_WITH_COUNTS if with_counts else queries.GET
        with self.sessions(self.user_id) as session:
            rows = session.exec(statement, params={"principal": self.user_id, "task": task_id})
        if not rows:
            raise TaskNotFound
        ((revision, json),) = rows
        return RowDocument(json, revision, task_id)

    def create(self, data: TaskCreate, *, only_new: bool = False) -> RowDocument:
        """Store a task under the given id or a new id, or return it if the same request has created it before.

        Raises Conflict when the id names another task, or a task in the trash. Raises PreconditionFailed when it names
        a task and must not (`only_new`). Raises TooManyTasks, TooManyLabels or TooManySubtasks when there is no room.
        Raises ValidationFailed when fields contradict, the list is unknown, or the task cannot have the parent.
        """
        return self._create(data.id or self.new_id(), data, only_new=only_new)

    @repeatable
    def _create(self, task_id: UUID, data: TaskCreate, *, only_new: bool) -> RowDocument:
        names = Names.of([(task_id, data)], adopts=data.id is not None)
        with self._loaded(task_id, names) as tasks:
            return create_in(tasks, data, task_id, only_new=only_new)

    def update(self, task_id: UUID, data: TaskUpdate, expected: Revisions | None = None) -> RowDocument:
        """Change only the fields that were sent.

        Raises TaskNotFound, and TooManyLabels or TooManySubtasks when there is no room. Raises ValidationFailed when
        the fields contradict, name an unknown list or an impossible parent, or belong to another task.
        """
        rules.refuse_another(data, task_id, self.user_id)
        return (self._update if rules.is_clear(data) else self._update_once)(task_id, data, expected)

    @repeatable
    def _update(self, task_id: UUID, data: TaskUpdate, expected: Revisions | None) -> RowDocument:
        return self._edited(task_id, data, expected)

    @once_only
    def _update_once(self, task_id: UUID, data: TaskUpdate, expected: Revisions | None) -> RowDocument:
        return self._edited(task_id, data, expected)

    def _edited(self, task_id: UUID, data: TaskUpdate, expected: Revisions | None) -> RowDocument:
        with self._loaded(task_id, Names.of([(task_id, data)])) as tasks:
            return tasks.document(tasks.keep(rules.edited(tasks.find(task_id, expected), data, tasks.unit.now)))

    @repeatable
    def complete(
        self, task_id: UUID, expected: Revisions | None = None, *, completed: bool, cascade: bool = True
    ) -> RowDocument:
        """Set whether the task is completed, and others of its tree along with it if it cascades; raises TaskNotFound.

        Like every change of a task, it raises TooManySubtasks if the tasks around it are too many.
        """
        with self._loaded(task_id, _IN_TREES if cascade else NO_NAMES) as tasks:
            task = rules.with_completion(tasks.find(task_id, expected), completed=completed, at=tasks.unit.now)
            return tasks.document(tasks.keep(task, cascades=cascade))

    @once_only
    def toggle(self, task_id: UUID, expected: Revisions | None = None) -> RowDocument:
        """Complete the task, or reopen a completed one; raises TaskNotFound."""
        with self._loaded(task_id, _IN_TREES) as tasks:
            return tasks.document(tasks.keep(rules.toggled(tasks.find(task_id, expected), tasks.unit.now)))

    @repeatable
    def move(self, task_id: UUID, to: TaskMove, expected: Revisions | None = None) -> RowDocument:
        """Put the task where the request says, in three round trips, or four if it has to read trees.

        Of other tasks, only those below it change: they go with it to another list.

        Raises TaskNotFound, ValidationFailed for an unknown list, another task that is not in it, or a parent that it
        cannot have, TooManySubtasks and NoRoom.
        """
        named = [to.beside] if to.beside else []
        names = Names(
            lists=(to.list_id,) if to.list_id else None,
            parents=[(task_id, to.parent_id)] if to.parent_id else [],
            changes_trees=not to.model_fields_set.isdisjoint({"list_id", "parent_id"}),
        )
        with self._loaded(task_id, names, *named) as tasks:
            return tasks.document(tasks.move(tasks.find(task_id, expected), to))

    @repeatable
    def delete(self, task_id: UUID, expected: Revisions | None = None) -> None:
        """Move the task and all below it to the trash, where they count as missing; raises TaskNotFound."""
        with self._loaded(task_id, _IN_TREES) as tasks:
            tasks.keep(rules.trashed(tasks.find(task_id, expected), tasks.unit.now))

    @repeatable
    def restore(self, task_id: UUID, expected: Revisions | None = None) -> RowDocument:
        """Restore the task from the trash, with the tasks that went along; a living task stays unchanged.

        Raises TaskNotFound.
        """
        with self._loaded(task_id, Names.of((), restores=True)) as tasks:
            return tasks.document(tasks.restore(tasks.find(task_id, expected, in_trash_too=True)))

    @repeatable
    def remove(self, task_id: UUID, expected: Revisions | None = None) -> None:
        """Remove the task and all below it for good, living or in the trash; raises TaskNotFound."""
        with self._loaded(task_id, _IN_TREES) as tasks:
            tasks.remove(tasks.find(task_id, expected, in_trash_too=True))

    @contextmanager
    def _loaded(self, task_id: UUID, names: Names = NO_NAMES, *others: UUID) -> Iterator[LoadedTasks]:
        """Load a task for a change, and other tasks; what the block has made of them is stored."""
        with unit_of_work(self.sessions, self.user_id, joined=self.unit) as unit:
            yield LoadedTasks.load(unit, [task_id, *others], self.max_tasks, names)


def create_in(tasks: LoadedTasks, data: TaskCreate, task_id: UUID, *, only_new: bool = False) -> RowDocument:
    """Create a task under an id that is loaded; raises what `TaskService.create` does."""
    rules.refuse_contradictions(data)
    # This refuses what no new task can have, even if the id is that of a task already.
    return tasks.create(rules.new_task(task_id, data, tasks.unit.now), only_new=only_new)
