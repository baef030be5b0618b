"""What calls take: a misspelled name does not pass a type checker, and a wrong word neither."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal, Optional, TypedDict, Union

if TYPE_CHECKING:
    from typing import Protocol

    class Revised(Protocol):
        """A task or a list, as one has seen it."""

        @property
        def revision(self) -> int:
            """The number of its last change."""


Status = Literal["todo", "in_progress", "done", "cancelled"]
StatusWord = Literal["todo", "in_progress", "done", "cancelled", "pending", "completed", "all"]
Priority = Literal["high", "medium", "low"]
PriorityWord = Literal["high", "medium", "low", "none"]
ChangeType = Literal["task", "label", "list"]
VerbWord = Literal[
    "created", "deleted", "restored", "completed", "reopened", "rescheduled", "moved", "updated", "purged"
]
FileFormat = Literal["jsonl", "csv", "ics"]
TasksOfDeleted = Literal["trash", "inbox"]
Scope = Literal["tasks:read", "tasks:write"]
SortOrder = Literal["asc", "desc"]
Sort = Literal[
    "created_at",
    "-created_at",
    "updated_at",
    "-updated_at",
    "title",
    "-title",
    "completed_at",
    "-completed_at",
    "due",
    "-due",
    "priority",
    "-priority",
    "position",
    "-position",
]
Day = Union[date, str]
Moment = Union[datetime, str]  # with its zone, as the service knows none of yours
IfMatch = Union["Revised", Literal["*"]]


class TaskFields(TypedDict, total=False):
    """The fields of a task that one may set, besides its title."""

    description: Optional[str]
    completed: bool
    status: Status
    due_date: Optional[Day]
    due_at: Optional[Moment]
    start_date: Optional[Day]
    start_at: Optional[Moment]
    timezone: Optional[str]
    priority: Optional[Priority]
    labels: Sequence[str]
    list_id: Optional[str]
    position: str
    parent_id: Optional[str]


class TaskChanges(TaskFields, total=False):
    """The fields of an edit, which leaves alone what it does not name."""

    title: str


class NewTaskFields(TaskFields, total=False):
    """The fields of a new task, besides its title."""

    id: Optional[str]  # a UUID of your own, if you like


class NewTask(NewTaskFields):
    """A new task."""

    title: str


class Place(TypedDict, total=False):
    """Directly after or before another, or at the end."""

    after: Optional[str]
    before: Optional[str]


class TaskPlace(Place, total=False):
    """A place, in that list (None is the inbox), under that task (None is none)."""

    list_id: Optional[str]
    parent_id: Optional[str]


class TaskFilter(TypedDict, total=False):
    """Which tasks are listed, in which order."""

    q: str
    labels: Union[str, Sequence[str]]
    labels_any: Union[str, Sequence[str]]
    status: Union[StatusWord, Sequence[StatusWord]]
    completed: bool
    priority: Union[PriorityWord, Sequence[PriorityWord]]
    overdue: bool
    deleted: bool
    due_before: Union[Day, Moment]
    due_after: Union[Day, Moment]
    has_due: bool
    timezone: str
    created_after: Moment
    created_before: Moment
    updated_after: Moment
    updated_before: Moment
    list_id: str  # or "inbox"
    in_archived: bool
    parent_id: str  # or "none"
    ids: Union[str, Sequence[str]]
    sort: Sort
    order: SortOrder
    include: Literal["subtask_counts"]


class TaskQuery(TaskFilter, total=False):
    """A page of a listing."""

    limit: int
    cursor: str
    include_total: bool
    include_counts: bool


class SubtaskQuery(TypedDict, total=False):
    """A page of subtasks."""

    limit: int
    cursor: str
    include: Literal["subtask_counts"]


class TaskActivityQuery(TypedDict, total=False):
    """A page of what was changed in a task."""

    verb: VerbWord
    limit: int
    cursor: str


class ActivityQuery(TaskActivityQuery, total=False):
    """A page of what was changed."""

    kind: ChangeType


class ListQuery(TypedDict, total=False):
    """Which lists are listed."""

    archived: bool
    deleted: bool
    include_counts: bool


class ListFields(TypedDict, total=False):
    """The fields of a list that one may set, besides its name."""

    color: Optional[str]  # such as "#228b22"
    archived: bool
    position: str


class ListChanges(ListFields, total=False):
    """The fields of an edit of a list."""

    name: str


class NewListFields(ListFields, total=False):
    """The fields of a new list, besides its name."""

    id: Optional[str]


class LabelChanges(TypedDict, total=False):
    """The fields of a label that one may set; a new name goes to its tasks, too."""

    name: str
    color: Optional[str]


class _Target(TypedDict, total=False):
    """The task that an operation is about: by its id, or by the `ref` of the earlier operation that creates it."""

    id: str
    ref: str
    if_match: Union[int, str]


class _New(TypedDict, total=False):
    ref: str
    parent_ref: str


class _Edited(_Target, total=False):
    parent_ref: str


class Completion(TypedDict, total=False):
    """How a task is completed: `cascade` False leaves its subtasks alone."""

    completed: bool
    cascade: bool


class _Completed(_Target, total=False):
    data: Completion


class CreateOperation(_New):
    """Create a task; later operations of the batch may name it by its `ref`."""

    op: Literal["create"]
    data: NewTask


class UpdateOperation(_Edited):
    """Edit a task."""

    op: Literal["update"]
    data: TaskChanges


class CompleteOperation(_Completed):
    """Complete a task, reopen it, or without `data`, toggle it."""

    op: Literal["complete"]


class DeleteOperation(_Target):
    """Move a task to the trash."""

    op: Literal["delete"]


class RestoreOperation(_Target):
    """Take a task out of the trash."""

    op: Literal["restore"]


Operation = Union[CreateOperation, UpdateOperation, CompleteOperation, DeleteOperation, RestoreOperation]
