"""Everything one user may do with that user's own tasks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from psycopg2.errorcodes import UNIQUE_VIOLATION
from uuid_utils.compat import uuid7

from backend.database.session import SessionFactory, StatementRefused
from backend.errors import Conflict, TaskAPIError, TaskNotFound, TooManyTasks
from backend.models.base import Page, TaskDocument
from backend.models.task import TaskCreate, TaskUpdate
from backend.services import task_queries
from backend.utils import cursor as cursors


@dataclass(frozen=True, slots=True)
class TaskService:
    """One user's tasks, of which there are at most `max_tasks`. Each method is one flight to the database."""

    sessions: SessionFactory
    user_id: str
    max_tasks: int
    new_id: Callable[[], UUID] = uuid7

    def list(self, limit: int, cursor: str | None = None) -> Page:
        """List up to `limit` living tasks, newest first; raises BadRequest for a cursor that is not ours."""
        statement, place = task_queries.LIST, {}
        if cursor is not None:
            created_at, task_id = cursors.decode(cursor)
            statement, place = task_queries.LIST_AFTER, {"after": created_at, "task": task_id}
        with self.sessions(self.user_id) as session:
            row = session.exec(statement, params={"caller": self.user_id, "most": limit, **place}).one()
        json, has_more, last_created_at, last_id = row
        return Page(json, limit, cursors.encode(last_created_at, last_id) if has_more else None)

    def get(self, task_id: UUID) -> TaskDocument:
        """Read one living task; raises TaskNotFound."""
        return self._one(task_queries.GET, task_id)

    def create(self, data: TaskCreate) -> TaskDocument:
        """Store a new task under the given id or a new one.

        Raises Conflict when the id was used before, and TooManyTasks when the account is full.
        """
        task_id, values = data.id or self.new_id(), {"max_tasks": self.max_tasks, **_new(data)}
        try:
            return self._one(task_queries.CREATE, task_id, TooManyTasks, **values)
        except StatementRefused as error:
            if error.sqlstate == UNIQUE_VIOLATION:
                raise Conflict from error
            raise

    def update(self, task_id: UUID, data: TaskUpdate) -> TaskDocument:
        """Change the fields that were sent, and no others; raises TaskNotFound."""
        has_description = "description" in data.model_fields_set
        return self._one(task_queries.UPDATE, task_id, has_new_description=has_description, **_new(data))

    def complete(self, task_id: UUID, *, completed: bool | None) -> TaskDocument:
        """Set whether the task is completed, or toggle it when `completed` is None; raises TaskNotFound."""
        return self._one(task_queries.COMPLETE, task_id, new_completed=completed)

    def delete(self, task_id: UUID) -> None:
        """Move the task to the trash, where it counts as missing; raises TaskNotFound."""
        self._one(task_queries.DELETE, task_id)

    def _one(
        self,
        statement: task_queries.OneTask,
        task_id: UUID,
        none: type[TaskAPIError] = TaskNotFound,
        /,
        **values: object,
    ) -> TaskDocument:
        """Run a statement about one task of this user; raises `none` when it selects no row."""
        params = {"caller": self.user_id, "task": task_id, **values}
        with self.sessions(self.user_id) as session:
            row = session.exec(statement, params=params).one_or_none()
        if row is None:
            raise none
        revision, json = row
        return TaskDocument(json, revision, task_id)


def _new(data: TaskCreate | TaskUpdate) -> dict[str, object]:
    """Name the values that a client sent as the statements do."""
    return {"new_title": data.title, "new_description": data.description, "new_completed": data.completed}
