"""What the service answers, as dataclasses that cannot be changed: to change a task, call the service.

Ids are texts, days are `date`, moments are `datetime` with a zone. A field that the service learns later is in `extra`,
until a release of this package knows it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Optional


@dataclass(frozen=True)
class StatusCounts:
    """How many tasks there are of each status."""

    todo: int
    in_progress: int
    done: int
    cancelled: int
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True)
class SubtaskCounts:
    """How many subtasks a task has on the next level, and how many of these are done."""

    total: int
    done: int
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True)
class Task:
    """A task."""

    id: str
    user_id: str
    title: str
    description: Optional[str]
    completed: bool
    completed_at: Optional[datetime]
    created_at: datetime
    updated_at: datetime
    revision: int
    status: str
    due_date: Optional[date]
    due_at: Optional[datetime]
    start_date: Optional[date]
    start_at: Optional[datetime]
    timezone: Optional[str]
    priority: Optional[str]
    labels: list[str]
    list_id: Optional[str]  # None: in the inbox
    position: str
    parent_id: Optional[str]
    deleted_at: Optional[datetime] = None  # only of a task in the trash
    subtask_counts: Optional[SubtaskCounts] = None  # only with include="subtask_counts"
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True)
class PageInfo:
    """Where a page of a listing ends."""

    limit: int
    has_more: bool
    next_cursor: Optional[str]
    since: str  # where to begin with changes(), to miss none after this page
    total: Optional[int] = None  # only with include_total=True
    counts: Optional[StatusCounts] = None  # only with include_counts=True
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True)
class Page:
    """A page of a listing."""

    tasks: list[Task]
    page: PageInfo


@dataclass(frozen=True)
class Event:
    """What a change did to a task, a label or a list."""

    revision: int
    at: datetime
    actor: str  # "user", or "token:" and the id of a personal access token
    via: str
    kind: str
    entity_id: str
    verb: str
    before: Optional[dict[str, Any]]  # the fields that differ, as they were; None if it is new
    request_id: Optional[str]
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True)
class Activity:
    """A page of what was changed, the latest first."""

    events: list[Event]
    has_more: bool
    next_cursor: Optional[str]


@dataclass(frozen=True)
class List:
    """A list of tasks."""

    id: str
    name: str
    color: Optional[str]
    archived: bool
    archived_at: Optional[datetime]
    created_at: datetime
    updated_at: datetime
    revision: int
    position: str
    deleted_at: Optional[datetime] = None  # only of a list in the trash
    counts: Optional[StatusCounts] = None  # only with include_counts=True
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True)
class Label:
    """A label, and how many tasks carry it: None in a change, which does not count."""

    id: str
    name: str
    color: Optional[str]
    created_at: datetime
    updated_at: datetime
    revision: int
    task_count: Optional[int] = None
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True)
class Detail:
    """What is wrong with one field of a request."""

    field: str
    code: str
    message: str


@dataclass(frozen=True)
class Problem:
    """Why an operation of a batch failed."""

    code: str
    message: str
    request_id: str
    details: list[Detail]
    documentation: str
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True)
class Result:
    """What became of one operation of a batch."""

    index: int
    status: int
    data: Optional[Task] = None  # the task; after a 412, as it is now
    error: Optional[Problem] = None
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True)
class Change:
    """What has changed: a task, a label or a list as it is now, or the id of what was deleted."""

    since: str  # where to continue after this change
    type: str
    task: Optional[Task] = None
    label: Optional[Label] = None
    list: Optional[List] = None
    deleted: Optional[str] = None


@dataclass(frozen=True)
class Account:
    """The account of the token's user."""

    id: str
    revision: int
    created_at: Optional[datetime]
    timezone: Optional[str]
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True)
class AccessToken:
    """A personal access token; only a new one has its `token`."""

    id: str
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime
    last_used_at: Optional[datetime]
    list_id: Optional[str]
    token: Optional[str] = field(default=None, repr=False)
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True)
class FileProblem:
    """What was wrong with a row of an imported file, or what was mended."""

    line: int
    field: str
    code: str
    message: str


@dataclass(frozen=True)
class ImportReport:
    """What became of the rows of an imported file."""

    created: int
    updated: int
    restored: int
    unchanged: int
    failed: int
    mended: int
    skipped: int
    stopped_at_line: Optional[int]
    errors: list[FileProblem]
    warnings: list[FileProblem]
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True)
class User:
    """Who has signed in."""

    id: str
    email: str
    name: Optional[str]
    extra: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True)
class Session:
    """Whoever holds it is signed in: keep it where only your program can read it."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    user: Optional[User] = None
