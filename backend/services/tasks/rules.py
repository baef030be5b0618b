"""The rules about tasks: pure functions from a stored task, a request and a time to the task as it should be.

Single calls, batches and imports all use them. They read and write nothing; `loaded.py` counts and stores.
"""

from __future__ import annotations

from collections.abc import Container
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from backend.errors import Conflict, Detail, NotFound, OutsideList, ValidationFailed
from backend.models.move import TaskMove
from backend.models.task import Status, TaskCreate, TaskFields, TaskUpdate
from backend.utils.fingerprint import fingerprint
from backend.utils.positions import LAST, Place
from backend.utils.priorities import NO_PRIORITY, number_of

_DEFAULTS = {name: field.get_default(call_default_factory=True) for name, field in TaskFields.model_fields.items()}
_FIRST_FIELDS = ("title", "description", "completed")
_STATUS_AND_COMPLETED = Detail(
    "status", "status_and_completed", "status and completed contradict each other: send one, or done with true"
)
_BOTH = {
    "due": Detail("due_at", "due_both", "Send due_date or due_at, not both: either clears the other one"),
    "start": Detail("start_at", "start_both", "Send start_date or start_at, not both: either clears the other one"),
}
_DIFFER = "Start and due must both be days, or both times: change the other one, too, or send null for it"
_NO_TIME = Detail("timezone", "timezone_without_time", "Only due_at and start_at have a time zone: send null for it")
_OTHER_TASK = Detail("id", "other_task", "This is not the id of this task: send a task under its own id")
_OTHER_USER = Detail("user_id", "other_user", "This is the id of another user: a task cannot be given away")
NO_LIST = Detail(
    "list_id", "list_unknown", "You have no list with this id, or it is in the trash: GET /api/lists lists yours"
)
_OUTSIDE = Detail(
    "list_id",
    "outside_list",
    "Your personal access token is limited to one list: leave list_id as it is. If the list is in the trash, its tasks "
    "come back with it",
)
REMOVED_BY_OWNER = Detail(
    "query.permanent",
    "outside_list",
    "Your personal access token is limited to one list, and moves its tasks to the trash, but removes none for good",
)
_NO_TASK_THERE = "There is no such task in this list: it may have been deleted, or moved to another list"
_INFINITY = "infinity"  # as Postgres reads it: later than any time
# Python reads Postgres' infinity as the latest time, so no due may have that key.
_LATEST_KEY = datetime.max.replace(tzinfo=UTC) - timedelta(microseconds=1)
DATES = ("due_date", "due_at", "start_date", "start_at", "timezone")


class TaskNotFound(NotFound):
    """A missing, deleted, foreign or malformed task id; the answer does not say which."""

    message = "Task not found. Check the id; if the task was deleted, restore it."


class TooManyTasks(Conflict):
    """The user already has the maximum number of tasks."""

    message = "Your account is full. Tasks in the trash count, too: delete some with permanent=true."

    def __init__(self) -> None:
        super().__init__(details=(Detail("body", "too_many_tasks", self.message),))


class IdTaken(Conflict):
    """A new task would get the id of one that the request cannot see, because its token is limited to one list."""

    message = "This id is taken. Choose another id."

    def __init__(self) -> None:
        super().__init__(details=(Detail("id", "id_taken", self.message),))


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
    due_date: date | None = None
    due_at: datetime | None = None
    start_date: date | None = None
    start_at: datetime | None = None
    timezone: str | None = None
    priority: int = NO_PRIORITY
    labels: list[str] = []  # noqa: RUF012 - never changed in place
    list_id: UUID | None = None
    position: str = LAST
    parent_id: UUID | None = None
    has_subtasks: bool = False  # or had some; the tree knows

    @property
    def place(self) -> Place:
        """Return where the task stands in its list."""
        return Place(self.position, self.id)

    @property
    def status(self) -> str:
        """Return how far the task is."""
        return Status.DONE.value if self.completed else self.open_status

    @property
    def due_key(self) -> datetime | str:
        """Return when the due has passed: that time, or the end of the day in UTC. Lists are sorted by it."""
        if self.due_date is not None:
            return min(datetime.combine(self.due_date, time.max, UTC), _LATEST_KEY)
        return _INFINITY if self.due_at is None else min(self.due_at, _LATEST_KEY)


class Neighbour(NamedTuple):
    """A task of a tree that a change does not name: what the tree may change of it, and what decides that."""

    id: UUID
    created_at: datetime
    updated_at: datetime
    completed: bool
    completed_at: datetime | None
    deleted_at: datetime | None
    revision: int
    open_status: str
    list_id: UUID | None
    position: str
    parent_id: UUID | None
    has_subtasks: bool

    @property
    def place(self) -> Place:
        """Return where the task stands in its list."""
        return Place(self.position, self.id)

    @property
    def status(self) -> str:
        """Return how far the task is."""
        return Status.DONE.value if self.completed else self.open_status


InTree = Row | Neighbour  # what a tree has of a task
T = TypeVar("T", bound=InTree)


def new_task(task_id: UUID, data: TaskCreate, now: datetime) -> Row:
    """Return the task that a request creates. Its revision is set when it is counted."""
    return edited(Row(task_id, now, now), data, now)._replace(request_hash=request_hash_of(data))


def refuse_contradictions(data: TaskFields) -> None:
    """Raise ValidationFailed if what a request says of `status` contradicts itself, whatever the task."""
    if not is_clear(data):
        raise ValidationFailed(details=(_STATUS_AND_COMPLETED,))


def refuse_another(data: TaskUpdate, task_id: UUID, user_id: str) -> None:
    """Raise ValidationFailed if a task that is sent back whole is not this task of this user."""
    named = data.named
    if named is None:
        return
    task, user = named
    is_this = isinstance(task, str) and task.lower() == str(task_id)
    checks = (_OTHER_TASK, task is not None and not is_this), (_OTHER_USER, user not in (None, user_id))
    details = tuple(detail for detail, is_another in checks if is_another)
    if details:
        raise ValidationFailed(details=details)


def is_clear(data: TaskFields) -> bool:
    """Return whether the fields of a request mean the same for every task; else they may undo what they have done."""
    if not {"status", "completed"} <= data.model_fields_set:
        return True
    return data.completed == (data.status == Status.DONE)


def edited(task: Row, data: TaskFields, at: datetime) -> Row:
    """Change the fields that a request names; if it completes the task, at this time.

    Raises ValidationFailed when the fields contradict each other.
    """
    said = data.said
    status, completed = said.pop("status", task.status), said.pop("completed", task.completed)
    dates = {name: said.pop(name) for name in DATES if name in said}
    if "priority" in said:
        said["priority"] = number_of(said["priority"], task.priority)
    moves = any(name in said and said[name] != getattr(task, name) for name in ("list_id", "parent_id"))
    if moves and said.get("position", task.position) == task.position:
        said["position"] = LAST
    changed = _with_both(task, status, completed=completed, at=at)._replace(**said)
    return with_dates(changed, dates) if dates else changed


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


def with_completion(task: T, *, completed: bool, at: datetime) -> T:
    """Complete or reopen a task. Its status and the time stay as they are if it already is so."""
    if completed == task.completed:
        return task
    done_at, status = at if completed else None, Status.TODO.value
    return task._replace(completed=completed, completed_at=done_at, open_status=status)  # type: ignore[return-value]


def with_dates(task: Row, said: dict[str, Any]) -> Row:
    """Set the dates and the time zone that a request names, and clear those that cannot stand beside them.

    Raises ValidationFailed when the dates contradict each other.
    """
    cleared: dict[str, None] = {}
    for name in ("due", "start"):
        day, moment = f"{name}_date", f"{name}_at"
        is_day, is_moment = said.get(day) is not None, said.get(moment) is not None
        if is_day and is_moment:
            raise ValidationFailed(details=(_BOTH[name],))
        cleared |= {moment: None} if is_day else {day: None} if is_moment else {}
    changed = task._replace(**{**said, **cleared})
    _refuse_disagreement(changed)
    if changed.due_at is None and changed.start_at is None:
        # Forms that send whole tasks back clear a time, and send the zone along.
        is_clearing = None in {said.get("due_at", _INFINITY), said.get("start_at", _INFINITY)}
        if said.get("timezone") is not None and not is_clearing:
            raise ValidationFailed(details=(_NO_TIME,))
        return changed._replace(timezone=None)
    return changed


def _refuse_disagreement(task: Row) -> None:
    """Raise ValidationFailed if the start is of another kind than the due date, or after it."""
    start = "start_date" if task.start_date is not None else "start_at"
    if (task.start_date and task.due_at) or (task.start_at and task.due_date):
        raise ValidationFailed(details=(Detail(start, "start_and_due_differ", _DIFFER),))
    is_late = task.start_date and task.due_date and task.start_date > task.due_date
    if is_late or (task.start_at and task.due_at and task.start_at > task.due_at):
        raise ValidationFailed(details=(Detail(start, "start_after_due", "The start must not be after the due date"),))


def toggled(task: Row, now: datetime) -> Row:
    """Complete the task, or reopen a completed one."""
    return with_completion(task, completed=not task.completed, at=now)


def trashed(task: Row, now: datetime) -> Row:
    """Move the task to the trash."""
    return task._replace(deleted_at=now)


def left_list(task: Row, *, has_parent: bool) -> Row:
    """Take the task out of its list, last into the inbox; it keeps its parent if that is there and goes along."""
    return task._replace(list_id=None, parent_id=task.parent_id if has_parent else None, position=LAST)


def brought_back(task: T, *, has_parent: bool) -> T:
    """Bring the task back from the trash, without its parent if that is gone for good."""
    parent_id = task.parent_id if has_parent else None
    return task._replace(deleted_at=None, parent_id=parent_id)  # type: ignore[return-value]  # it stays what it is


def relabelled(task: Row, label: str, new_label: str | None) -> Row:
    """Put a label in the place of one that the task carries; None takes that off."""
    names = [new_label if name == label else name for name in task.labels]
    return task._replace(labels=[name for name in names if name is not None])


def refuse_outside(list_id: UUID | None, only: UUID | None) -> None:
    """Raise OutsideList if a request that is limited to one list would put a task outside of it."""
    if only is not None and list_id != only:
        raise OutsideList(details=(_OUTSIDE,))


def refuse_unknown_list(task: Row, before: Row | None, lists: Container[UUID]) -> None:
    """Raise ValidationFailed if a task would come into a list that is not among the living ones."""
    stays = before is not None and before.deleted_at is None and task.list_id == before.list_id
    if not stays and task.list_id is not None and task.list_id not in lists:
        raise ValidationFailed(details=(NO_LIST,))


def moved_to(task: Row, to: TaskMove) -> Row:
    """Put the task into the list, and under the task, that a request names."""
    said = to.model_dump(include=to.model_fields_set & {"list_id", "parent_id"})
    return task._replace(**said)


def refuse_elsewhere(moved: Row, to: TaskMove, beside: InTree | None) -> None:
    """Raise ValidationFailed if the task beside which it is to stand is not in its list; None stands for an end."""
    is_there = beside is not None and beside.deleted_at is None and beside.list_id == moved.list_id
    if to.beside is not None and not is_there:
        raise ValidationFailed(details=(Detail(to.side, "task_not_in_list", _NO_TASK_THERE),))


def request_hash_of(data: TaskCreate) -> bytes | None:
    """Return a hash that identifies a create request with an id chosen by the client; None without such an id.

    A newer field counts only if it differs from its default: so releases before it make the same hash.
    """
    if not data.id:
        return None
    values = {name: getattr(data, name) for name in TaskFields.model_fields}
    first = [values.pop(name) for name in _FIRST_FIELDS]
    newer = {name: value for name, value in values.items() if value != _DEFAULTS[name]}
    newer = {name: _plain(value) for name, value in newer.items()}
    return fingerprint(*first, *([newer] if newer else []))


def _plain(value: Any) -> Any:
    """Write a value as JSON has it."""
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value
