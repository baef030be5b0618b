"""The rules about tasks: pure functions from a stored task, a request and a time to the task as it should be.

Single calls, batches and imports all use them. They read and write nothing; `loaded.py` counts and stores.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from backend.errors import Conflict, Detail
from backend.models.task import TaskCreate, TaskFields
from backend.utils.fingerprint import fingerprint

_IN_TRASH = Detail("id", "in_trash", "This id is that of a task in the trash; restore it, or choose another id")


class Row(NamedTuple):
    """A stored task. Its fields are the stored columns, except the user's id and what Postgres derives."""

    id: UUID
    created_at: datetime
    updated_at: datetime
    title: str = ""
    description: str | None = None
    completed: bool = False
    completed_at: datetime | None = None
    deleted_at: datetime | None = None
    revision: int = 0
    request_hash: bytes | None = None


def new_task(task_id: UUID, data: TaskCreate, now: datetime) -> Row:
    """Return the task that a request creates. Its revision is set when it is counted."""
    return edited(Row(task_id, now, now), data, now)._replace(request_hash=request_hash_of(data))


def refuse_in_trash(existing: Row) -> None:
    """Raise Conflict if a new task would get the id of one in the trash."""
    if existing.deleted_at is not None:
        raise Conflict(details=(_IN_TRASH,))


def refuse_other(existing: Row, data: TaskCreate) -> None:
    """Raise Conflict if the task that has the new one's id was created by another request."""
    request_hash = request_hash_of(data)
    # Nobody else has an id that we chose: then it was the first try of this request, whose connection was lost.
    if request_hash is not None and existing.request_hash != request_hash:
        raise Conflict


def edited(task: Row, data: TaskFields, at: datetime) -> Row:
    """Change the fields that a request names; if it completes the task, at this time."""
    said = data.said
    return with_completion(task, completed=said.get("completed", task.completed), at=at)._replace(**said)


def with_completion(task: Row, *, completed: bool, at: datetime) -> Row:
    """Set `completed` together with its time, which stays as it is while the task stays completed."""
    return task._replace(completed=completed, completed_at=(task.completed_at or at) if completed else None)


def toggled(task: Row, now: datetime) -> Row:
    """Complete the task, or reopen a completed one."""
    return with_completion(task, completed=not task.completed, at=now)


def trashed(task: Row, now: datetime) -> Row:
    """Move the task to the trash."""
    return task._replace(deleted_at=now)


def restored(task: Row) -> Row:
    """Bring the task back from the trash."""
    return task._replace(deleted_at=None)


def changed(task: Row, revision: int, now: datetime) -> Row:
    """Give a changed task its revision and the time of the change, which never goes back."""
    return task._replace(revision=revision, updated_at=max(now, task.updated_at))


def request_hash_of(data: TaskCreate) -> bytes | None:
    """Return a hash that identifies a create request with an id chosen by the client; None without such an id."""
    return fingerprint(*(getattr(data, name) for name in TaskFields.model_fields)) if data.id else None
