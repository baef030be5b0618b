"""The rules about tasks: pure functions from a stored task, a request and a time to the task as it should be.

Single calls, batches and imports all use them. They read and write nothing; `loaded.py` counts and stores.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from backend.errors import Conflict, Detail, ValidationFailed
from backend.models.task import Status, TaskCreate, TaskFields
from backend.utils.fingerprint import fingerprint

_IN_TRASH = Detail("id", "in_trash", "This id is that of a task in the trash; restore it, or choose another id")

_FIRST_FIELDS = ("title", "description", "completed")
_STATUS_AND_COMPLETED = Detail(
    "status", "status_and_completed", "status and completed contradict each other: send one, or done with true"
)


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
    open_status: str = Status.TODO.value

    @property
    def status(self) -> str:
        """Return how far the task is."""
        return Status.DONE.value if self.completed else self.open_status


def new_task(task_id: UUID, data: TaskCreate, now: datetime) -> Row:
    """Return the task that a request creates. Its revision is set when it is counted."""
    return edited(Row(task_id, now, now), data, now)._replace(request_hash=request_hash_of(data))


def refuse_contradictions(data: TaskFields) -> None:
    """Raise ValidationFailed if the fields of a new task contradict each other."""
    if not is_clear(data):
        raise ValidationFailed(details=(_STATUS_AND_COMPLETED,))


def is_clear(data: TaskFields) -> bool:
    """Return whether the fields of a request mean the same for every task; else they may undo what they have done."""
    said = data.said
    return "status" not in said or said.get("completed") in {None, said["status"] == Status.DONE}


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
    """Change the fields that a request names; if it completes the task, at this time.

    Raises ValidationFailed when the fields contradict each other.
    """
    said = data.said
    status, completed = said.pop("status", task.status), said.pop("completed", task.completed)
    return _with_both(task, status, completed=completed, at=at)._replace(**said)


def _with_both(task: Row, status: str, *, completed: bool, at: datetime) -> Row:
    """Set the status and `completed`. Clients send whole tasks back: what differs from the stored task counts."""
    if status == task.status:
        return with_completion(task, completed=completed, at=at)
    if completed not in {task.completed, status == Status.DONE}:
        raise ValidationFailed(details=(_STATUS_AND_COMPLETED,))
    return with_status(task, status, at)


def with_status(task: Row, status: str, at: datetime) -> Row:
    """Set the status, and `completed` with it."""
    if status == Status.DONE:
        return with_completion(task, completed=True, at=at)
    return task._replace(completed=False, completed_at=None, open_status=status)


def with_completion(task: Row, *, completed: bool, at: datetime) -> Row:
    """Complete or reopen a task. Its status and the time stay as they are if it already is so."""
    if completed == task.completed:
        return task
    return task._replace(completed=completed, completed_at=at if completed else None, open_status=Status.TODO.value)


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
    """Return a hash that identifies a create request with an id chosen by the client; None without such an id.

    A newer field counts only if it differs from its default: so releases before it make the same hash.
    """
    if not data.id:
        return None
    values = {name: getattr(data, name) for name in TaskFields.model_fields}
    first = [values.pop(name) for name in _FIRST_FIELDS]
    newer = {name: value for name, value in values.items() if value != TaskFields.model_fields[name].default}
    return fingerprint(*first, *([newer] if newer else []))
