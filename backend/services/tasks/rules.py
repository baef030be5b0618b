"""Applies the operations of a batch to tasks in memory: the rules of `queries.py` a second time.

In memory, because each operation sees the results of those before it, and a round trip for each would make long batches
slow. A test compares both.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Any, NamedTuple
from uuid import UUID

from backend.errors import Conflict, PreconditionRequired, TaskAPIError, TaskNotFound, TooManyTasks
from backend.models.batch import (
    AnyOperation,
    CompleteOperation,
    CreateOperation,
    DeleteOperation,
    RestoreOperation,
    UpdateOperation,
)
from backend.models.task import TaskCreate
from backend.services.tasks.service import IN_TRASH, request_hash_of

_OnOneTask = UpdateOperation | CompleteOperation | DeleteOperation | RestoreOperation


class Row(NamedTuple):
    """A stored task."""

    id: UUID
    title: str
    description: str | None
    completed: bool
    completed_at: datetime | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    revision: int
    request_hash: bytes | None


Tasks = dict[UUID, Row]


class Kind(Enum):
    """The result of an operation."""

    CREATED = auto()
    ANSWERED = auto()  # with the task, whether the operation changed it or not
    DELETED = auto()
    CHANGED_SINCE = auto()
    FAILED = auto()


@dataclass(frozen=True, slots=True)
class Step:
    """The result of one operation, and its task afterwards."""

    kind: Kind
    task: Row | None = None
    error: TaskAPIError | None = None

    @property
    def is_failure(self) -> bool:
        """Return whether the operation was not carried out."""
        return self.kind in {Kind.CHANGED_SINCE, Kind.FAILED}


@dataclass(slots=True)
class LoadedTasks:
    """One user's counters, and the user's tasks that a batch names; `now` is the time of its changes."""

    revision: int
    task_count: int
    now: datetime
    max_tasks: int
    require_if_match: bool
    tasks: Tasks

    def do(self, operation: AnyOperation, task_id: UUID) -> Step:
        """Do one operation on the task with this id."""
        try:
            if isinstance(operation, CreateOperation):
                return self._create(operation.data, task_id)
            return self._change(operation)
        except TaskAPIError as error:
            return Step(Kind.FAILED, error=error)

    def _create(self, data: TaskCreate, task_id: UUID) -> Step:
        request_hash = request_hash_of(data)
        if existing := self.tasks.get(task_id):
            if existing.deleted_at:
                raise Conflict(details=(IN_TRASH,))
            if request_hash is None or existing.request_hash != request_hash:
                raise Conflict
            return Step(Kind.ANSWERED, existing)
        if self.task_count >= self.max_tasks:
            raise TooManyTasks
        self.task_count += 1
        self.revision += 1
        created = Row(
            id=task_id,
            title=data.title,
            description=data.description,
            completed=data.completed,
            completed_at=self.now if data.completed else None,
            created_at=self.now,
            updated_at=self.now,
            deleted_at=None,
            revision=self.revision,
            request_hash=request_hash,
        )
        return Step(Kind.CREATED, self._keep(created))

    def _change(self, operation: _OnOneTask) -> Step:
        """Change one task, if it is as expected and the change makes a difference."""
        if self.require_if_match and operation.if_match is None:
            raise PreconditionRequired
        current = self.tasks.get(operation.id)
        if current is None or (current.deleted_at and not isinstance(operation, RestoreOperation)):
            raise TaskNotFound
        expected = None if operation.if_match is None else operation.if_match.revisions
        if expected is not None and current.revision not in expected:
            return Step(Kind.CHANGED_SINCE, current)
        changed = current._replace(**self._new_values(operation, current))
        if changed != current:
            self.revision += 1
            updated_at = max(self.now, current.updated_at)
            changed = self._keep(changed._replace(updated_at=updated_at, revision=self.revision))
        return Step(Kind.DELETED if isinstance(operation, DeleteOperation) else Kind.ANSWERED, changed)

    def _new_values(self, operation: _OnOneTask, current: Row) -> dict[str, Any]:
        if isinstance(operation, DeleteOperation):
            return {"deleted_at": self.now}
        if isinstance(operation, RestoreOperation):
            return {"deleted_at": None}
        if isinstance(operation, CompleteOperation):
            return self._completion(current, completed=operation.data.completed)
        sent = operation.data.model_dump(exclude_unset=True)
        return {**sent, **self._completion(current, completed=sent.get("completed", current.completed))}

    def _completion(self, current: Row, *, completed: bool) -> dict[str, Any]:
        """Set `completed` together with its time."""
        return {"completed": completed, "completed_at": (current.completed_at or self.now) if completed else None}

    def _keep(self, task: Row) -> Row:
        self.tasks[task.id] = task
        return task
