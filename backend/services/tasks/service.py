"""Everything that users may do with one of their own tasks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from psycopg2.errorcodes import UNIQUE_VIOLATION
from uuid_utils.compat import uuid7

from backend.database.errors import StatementRefused
from backend.database.retry import once_only, reads, repeatable
from backend.database.session import Sessions
from backend.errors import Conflict, Detail, PreconditionFailed, TaskNotFound, TooManyTasks
from backend.models.base import TaskDocument
from backend.models.etags import Revisions
from backend.models.task import TaskCreate, TaskUpdate
from backend.services.tasks import queries as task_queries
from backend.utils.fingerprint import fingerprint

_MAX_TRIES = 3


@dataclass(frozen=True, slots=True)
class TaskService:
    """One user's tasks, at most `max_tasks`. Each method is one round trip to the database.

    `expected` holds the revisions that a task may have; None means any. Others raise PreconditionFailed.
    """

    sessions: Sessions
    user_id: str
    max_tasks: int
    new_id: Callable[[], UUID] = uuid7

    @reads
    def get(self, task_id: UUID) -> TaskDocument:
        """Read one living task; raises TaskNotFound."""
        with self.sessions(self.user_id) as session:
            rows = session.exec(task_queries.GET, params={"principal": self.user_id, "task": task_id})
        if not rows:
            raise TaskNotFound
        ((revision, json),) = rows
        return TaskDocument(json, revision, task_id)

    def create(self, data: TaskCreate, *, only_new: bool = False) -> TaskDocument:
        """Store a task under the given id or a new one, or return it if the same request has created it before.

        Raises Conflict when the id names another task or one in the trash, PreconditionFailed when it names a task and
        must not (`only_new`), TooManyTasks when the account is full.
        """
        return self._create(data.id or self.new_id(), data, only_new=only_new)

    @repeatable
    def _create(self, task_id: UUID, data: TaskCreate, *, only_new: bool) -> TaskDocument:
        request_hash = request_hash_of(data)
        values = {"task": task_id, "max_tasks": self.max_tasks, "new_request_hash": request_hash, **_new(data)}
        revision, json, outcome = self._insert(values)
        if revision is None or json is None:
            raise TooManyTasks
        if data.id is None and outcome == "other":
            outcome = "created"  # by the first try, whose connection was lost: nobody else has this id
        if outcome == "trashed":
            raise Conflict(details=(IN_TRASH,))
        if only_new and outcome != "created":
            raise PreconditionFailed(json, revision)
        if outcome == "other":
            raise Conflict
        return TaskDocument(json, revision, task_id, is_new=outcome == "created")

    def _insert(self, values: dict[str, object]) -> tuple[int | None, str | None, str]:
        """Run the statement, and again if another request took the id or the last slot while it waited.

        The next run sees what that request stored.
        """
        for _ in range(_MAX_TRIES):
            try:
                with self.sessions(self.user_id) as session:
                    (row,) = session.exec(task_queries.CREATE, params={"principal": self.user_id, **values})
                    if row[2] != "overtaken":
                        return row
            except StatementRefused as error:
                if error.sqlstate != UNIQUE_VIOLATION:
                    raise
        raise Conflict

    @repeatable
    def update(self, task_id: UUID, data: TaskUpdate, expected: Revisions | None = None) -> TaskDocument:
        """Change only the fields that were sent; raises TaskNotFound."""
        has_description = "description" in data.model_fields_set
        return self._change(task_queries.UPDATE, task_id, expected, has_new_description=has_description, **_new(data))

    @repeatable
    def complete(self, task_id: UUID, expected: Revisions | None = None, *, completed: bool) -> TaskDocument:
        """Set whether the task is completed; raises TaskNotFound."""
        return self._change(task_queries.COMPLETE, task_id, expected, new_completed=completed)

    @once_only
    def toggle(self, task_id: UUID, expected: Revisions | None = None) -> TaskDocument:
        """Complete the task, or reopen a completed one; raises TaskNotFound."""
        return self._change(task_queries.COMPLETE, task_id, expected, new_completed=None)

    @repeatable
    def delete(self, task_id: UUID, expected: Revisions | None = None) -> None:
        """Move the task to the trash, where it counts as missing; raises TaskNotFound."""
        self._change(task_queries.DELETE, task_id, expected)

    @repeatable
    def restore(self, task_id: UUID, expected: Revisions | None = None) -> TaskDocument:
        """Restore the task from the trash; a living one stays unchanged. Raises TaskNotFound."""
        return self._change(task_queries.RESTORE, task_id, expected)

    @repeatable
    def remove(self, task_id: UUID, expected: Revisions | None = None) -> None:
        """Remove the task for good, living or in the trash; raises TaskNotFound."""
        self._change(task_queries.REMOVE, task_id, expected)

    def _change(
        self, statement: task_queries.ChangedTask, task_id: UUID, expected: Revisions | None, **values: object
    ) -> TaskDocument:
        """Run a statement that changes one task; raises TaskNotFound or PreconditionFailed."""
        revisions = None if expected is None else list(expected)
        params = {"principal": self.user_id, "task": task_id, "expected": revisions, **values}
        with self.sessions(self.user_id) as session:
            rows = session.exec(statement, params=params)
        if not rows:
            raise TaskNotFound
        ((revision, json, is_expected),) = rows
        if not is_expected:
            raise PreconditionFailed(json, revision)
        return TaskDocument(json, revision, task_id)


IN_TRASH = Detail("id", "in_trash", "This id is that of a task in the trash; restore it, or choose another id")


def request_hash_of(data: TaskCreate) -> bytes | None:
    """Return a hash that identifies a create request with an id chosen by the client; None without such an id."""
    return fingerprint(data.title, data.description, data.completed) if data.id else None


def _new(data: TaskCreate | TaskUpdate) -> dict[str, object]:
    """Return the values that a client sent, under the statements' parameter names."""
    return {"new_title": data.title, "new_description": data.description, "new_completed": data.completed}
