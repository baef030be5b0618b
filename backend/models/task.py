"""The tasks table, what a client may send, and a task as its owner sees it."""

from __future__ import annotations

import string
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, StringConstraints
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Text,
    false,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.types import TypeEngine
from sqlmodel import Field, SQLModel

from backend.formats.rows import MAX_UID_LENGTH
from backend.models.base import Choice, Edit, Input, all_optional, described, optional
from backend.models.fields import (
    HASH_EXAMPLE,
    POSITION_EXAMPLE,
    TITLE_KEY_LENGTH,
    UUID_EXAMPLE,
    CanonicalUUID,
    Count,
    Description,
    Flag,
    Format,
    Hash,
    LabelNames,
    Position,
    Revision,
    StoredDescription,
    StoredLabel,
    StoredPosition,
    StoredTitle,
    Title,
    UserId,
)
from backend.models.values.label_names import MAX_LABELS_OF_TASK
from backend.models.values.times import DAY_EXAMPLE, TIME_EXAMPLE, Day, Moment, StoredZone, ZoneName
from backend.utils.positions import MAX_POSITION_LENGTH
from backend.utils.priorities import NO_PRIORITY
from backend.utils.zones import LONGEST_ZONE

# Separators of words, including the usual punctuation of other scripts: a database with ctype C takes it for letters.
PUNCTUATION = string.punctuation + (
    "\u00a0\u00a1\u00a7\u00ab\u00b6\u00b7\u00bb\u00bf\u2010\u2011\u2012\u2013\u2014\u2015\u2018\u2019"
    "\u201a\u201c\u201d\u201e\u2020\u2021\u2022\u2026\u2039\u203a\u3000\u3001\u3002\u3008\u3009\u300a"
    "\u300b\u300c\u300d\u300e\u300f\u3010\u3011\u3014\u3015\uff01\uff08\uff09\uff0c\uff0e\uff1a\uff1b"
    "\uff1f\uff5e"
)

_TEXTS = "title || ' ' || coalesce(description, '')"
_QUOTED, _BLANKS = PUNCTUATION.replace("'", "''"), " " * len(PUNCTUATION)
_WORDS = f"to_tsvector('simple'::regconfig, translate({_TEXTS}, '{_QUOTED}', '{_BLANKS}'))"


# The rules of the dates, each by the name of its constraint.
_OF_DATES = {
    "due_is_day_or_time": "due_date IS NULL OR due_at IS NULL",
    "start_is_day_or_time": "start_date IS NULL OR start_at IS NULL",
    "start_is_of_the_kind_of_due": "(start_date IS NULL OR due_at IS NULL) AND (start_at IS NULL OR due_date IS NULL)",
    "start_is_not_after_due": "start_date <= due_date AND start_at <= due_at",
    "timezone_has_time": "timezone IS NULL OR due_at IS NOT NULL OR start_at IS NOT NULL",
    "timezone_length": f"char_length(timezone) BETWEEN 1 AND {LONGEST_ZONE}",
}


# As `last_position` in `backend/utils/positions.py` has it, without a revision.
LAST_POSITION = text("'p' || lpad(((extract(epoch FROM now()) * 1000000)::bigint)::text, 16, '0') || '0000001'")


def _derived(kind: TypeEngine[Any], expression: str) -> Column[Any]:
    """Declare a column that Postgres computes whenever the row is stored."""
    return Column(kind, Computed(expression, persisted=True), nullable=False)


class Task(SQLModel, table=True):
    """One task of one user. The key starts with the user, so that rows of one user are stored together."""

    __tablename__ = "tasks"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "id", name="pk_tasks"),
        ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_tasks_user_id_users", ondelete="CASCADE"),
        ForeignKeyConstraint(
            ["user_id", "list_id"], ["lists.user_id", "lists.id"], name="fk_tasks_user_id_list_id_lists"
        ),
        CheckConstraint("char_length(title) BETWEEN 1 AND 500", name="ck_tasks_title_length"),
        CheckConstraint("char_length(description) <= 10000", name="ck_tasks_description_length"),
        CheckConstraint("completed = (completed_at IS NOT NULL)", name="ck_tasks_completed_has_time"),
        CheckConstraint("revision > 0", name="ck_tasks_revision_counts_up"),
        CheckConstraint("octet_length(request_hash) = 32", name="ck_tasks_request_hash_length"),
        CheckConstraint(f"char_length(uid) BETWEEN 1 AND {MAX_UID_LENGTH}", name="ck_tasks_uid_length"),
        CheckConstraint("open_status IN ('todo', 'in_progress', 'cancelled')", name="ck_tasks_open_status_known"),
        CheckConstraint(f"cardinality(labels) <= {MAX_LABELS_OF_TASK}", name="ck_tasks_labels_number"),
        *(CheckConstraint(rule, name=f"ck_tasks_{name}") for name, rule in _OF_DATES.items()),
        CheckConstraint(f"char_length(position) BETWEEN 1 AND {MAX_POSITION_LENGTH}", name="ck_tasks_position_length"),
        CheckConstraint("priority BETWEEN 1 AND 10", name="ck_tasks_priority_known"),
        CheckConstraint("parent_id <> id", name="ck_tasks_parent_is_another"),
        *(
            Index(f"ix_tasks_user_id_in_trash_{key}_id", "user_id", "in_trash", key, "id")
            for key in ("created_at", "updated_at", "title_key", "completed_key", "priority")
        ),
        *(
            Index(f"ix_tasks_user_id_in_trash_completed_{key}_id", "user_id", "in_trash", "completed", key, "id")
            for key in ("created_at", "due_key")
        ),
        Index(
            "ix_tasks_user_id_in_trash_open_status_created_at_id",
            *("user_id", "in_trash", "open_status", "created_at", "id"),
            postgresql_where=text("open_status <> 'todo'"),
        ),
        Index(
            "ix_tasks_user_id_in_trash_list_id_created_at_id", *("user_id", "in_trash", "list_id", "created_at", "id")
        ),
        Index(
            "ix_tasks_user_id_in_trash_list_id_position_id",
            *("user_id", "in_trash", "list_id", "position", "id"),
            postgresql_include=["completed", "open_status"],  # for the counts of lists
        ),
        Index(
            "ix_tasks_user_id_parent_id_id",
            *("user_id", "parent_id", "id"),
            postgresql_where=text("parent_id IS NOT NULL"),
        ),
        Index("ix_tasks_user_id_in_trash_labelled", "user_id", "in_trash", postgresql_where=text("labels <> '{}'")),
        Index("ix_tasks_user_id_revision", "user_id", "revision"),
        Index("ix_tasks_deleted_at", "deleted_at", postgresql_where=text("deleted_at IS NOT NULL")),
    )

    user_id: str = Field(sa_column=Column(Text, nullable=False))
    id: UUID
    title: str = Field(sa_column=Column(Text, nullable=False))
    description: str | None = Field(sa_column=Column(Text))
    completed: bool = Field(sa_column=Column(Boolean, nullable=False, server_default=false()))
    completed_at: datetime | None
    created_at: datetime = Field(sa_column_kwargs={"server_default": func.now()})
    updated_at: datetime = Field(sa_column_kwargs={"server_default": func.now()})
    deleted_at: datetime | None
    revision: int = Field(sa_column=Column(BigInteger, nullable=False))
    request_hash: bytes | None = Field(sa_column=Column(LargeBinary))
    # What the task is while it is not completed: see `status`.
    open_status: str = Field(sa_column=Column(Text, nullable=False, server_default="todo"))
    due_date: date | None
    due_at: datetime | None
    start_date: date | None
    start_at: datetime | None
    timezone: str | None = Field(sa_column=Column(Text))
    # When the due has passed: lists are sorted by it. The service computes it, see `Row`.
    due_key: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False, server_default="infinity"))
    # A number, of which clients see the word: see `backend/utils/priorities.py`.
    priority: int = Field(sa_column=Column(SmallInteger, nullable=False, server_default=text(str(NO_PRIORITY))))
    labels: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False, server_default="{}"))
    list_id: UUID | None  # None: in the inbox
    # Within the list. The default is for services that do not know it.
    position: str = Field(sa_column=Column(Text(collation="C"), nullable=False, server_default=LAST_POSITION))
    parent_id: UUID | None  # what it is a subtask of; there may be no such task (yet)
    # Whether a change must look for subtasks. It may be true when there are none any more.
    has_subtasks: bool = Field(sa_column=Column(Boolean, nullable=False, server_default=false()))
    # Under which calendars know it. Only imports and exports read it: no other statement loads it.
    uid: str | None = Field(sa_column=Column(Text))

    # Postgres derives these; lists are sorted and searched by them.
    in_trash: bool = Field(sa_column=_derived(Boolean(), "deleted_at IS NOT NULL"))
    title_key: str = Field(sa_column=_derived(Text(collation="C"), f"left(lower(title), {TITLE_KEY_LENGTH})"))
    completed_key: datetime = Field(
        sa_column=_derived(DateTime(timezone=True), "coalesce(completed_at, 'infinity'::timestamp with time zone)")
    )
    words: str = Field(sa_column=_derived(TSVECTOR(), _WORDS))


_COMPLETED = "Whether the task is done"
_STATUS = "How far the task is; `done` exactly if it is completed, so setting either sets both"
_DUE_DATE = "The calendar day on which it is due, or null; setting it clears `due_at`"
_DUE_AT = "When it is due, if at a certain time (answered in UTC), or null; setting it clears `due_date`"
_START_DATE = "The calendar day on which to start, or null; setting it clears `start_at`"
_START_AT = "When to start, if at a certain time (answered in UTC), or null; setting it clears `start_date`"
_TIMEZONE = "The IANA name of the zone in which `due_at` and `start_at` were meant, or null"
_PRIORITY = "How much it matters; null if nobody has said"

_LABELS = (
    "The names of the task's labels. Names that differ only in case, in white space or in what cannot be seen are the "
    "same label: the first one counts, and one that you already have keeps its spelling. A new name makes a new label"
)
_LABELS_EXAMPLE = ["home", "errand"]
_LIST_ID = "The id of the list it is in, or null for the inbox"
_POSITION = (
    "Where it stands in its list: tasks sorted by this text, byte by byte, and then by `id` are in the order that "
    "you have arranged. `POST /api/tasks/{task_id}/move` sets it. A task that comes into a list without one is its "
    "last. From `q` on, one after all of yours means the end, and you get the position that it is given"
)

_PARENT_ID = (
    "The id of the task that it is a subtask of, or null. A subtask is in the list of its parent. There can be 5 "
    "levels of tasks, and 1,000 tasks below one"
)


class Status(Choice):
    """How far a task is. A completed task is done, and no other is."""

    TODO = "todo"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    CANCELLED = "cancelled"


class StatusCounts(BaseModel):
    """How many tasks there are of each status."""

    todo: Count = described("Not begun", 40)
    in_progress: Count = described("Begun", 3)
    done: Count = described("Completed", 120)
    cancelled: Count = described("Given up", 5)


STATUS_COUNTS_EXAMPLE = {"todo": 40, "in_progress": 3, "done": 120, "cancelled": 5}
StatusName = Annotated[str, BeforeValidator(Status.known, json_schema_input_type=Status)]


class Priority(Choice):
    """How much a task matters."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


PriorityName = Annotated[str, BeforeValidator(Priority.known, json_schema_input_type=Priority)]


class TaskFields(Input):
    """What a client may say about a task. Each field is declared here once, with its value in a new task."""

    title: Title = described("What to do: 1 to 500 characters after surrounding white space is removed", "Buy milk")
    description: Description | None = described(
        "More about the task: up to 10,000 characters, or null", "Two litres, the fresh one", default=None
    )
    completed: Flag = described(_COMPLETED, False, default=False)
    status: StatusName = described(_STATUS, "in_progress", default=Status.TODO.value)
    due_date: Day | None = described(_DUE_DATE, DAY_EXAMPLE, default=None)
    due_at: Moment | None = described(_DUE_AT, None, default=None)
    start_date: Day | None = described(_START_DATE, DAY_EXAMPLE, default=None)
    start_at: Moment | None = described(_START_AT, None, default=None)
    timezone: ZoneName | None = described(_TIMEZONE, None, default=None)
    priority: PriorityName | None = described(_PRIORITY, "high", default=None)
    labels: LabelNames = described(_LABELS, _LABELS_EXAMPLE, default=[])
    list_id: CanonicalUUID | None = described(_LIST_ID, None, default=None)
    position: Position = optional(_POSITION, POSITION_EXAMPLE)
    parent_id: CanonicalUUID | None = described(_PARENT_ID, None, default=None)

    @property
    def said(self) -> dict[str, Any]:
        """Return the fields of a task that the request names."""
        return self.model_dump(include=self.model_fields_set & TaskFields.model_fields.keys())


class TaskCreate(TaskFields):
    """A new task."""

    id: CanonicalUUID | None = described(
        "Your own UUID for the task, so that a retry cannot create a second one; omit it to have one generated",
        UUID_EXAMPLE,
        default=None,
    )


@all_optional
class TaskUpdate(TaskFields, Edit):
    """The fields to change. Omitted fields keep their values. Null clears what may be null.

    A whole task may be sent back: the fields that only the service sets are ignored, unless `id` or `user_id` is that
    of another task or user.
    """


class TaskCompletion(Input):
    """Whether to complete or reopen the task. Sending the same again changes nothing."""

    completed: Flag = described(_COMPLETED, True)
    cascade: Flag = described(
        "`false`: only this task. Otherwise completing it completes the open tasks below it, and reopening it reopens "
        "those that were completed along with it, and the completed ones above it",
        False,
        default=True,
    )


class SubtaskCounts(BaseModel):
    """How many subtasks a task has on the next level, without those in the trash."""

    total: Count = described("All of them", 5)
    done: Count = described("Those that are completed", 3)


SUBTASK_COUNTS_EXAMPLE = {"total": 5, "done": 3}


class TaskColumns(BaseModel):  # a SQLModel inside another model is not validated strictly
    """What each task in an answer or an export has."""

    id: UUID = described("The task's id", UUID_EXAMPLE)
    user_id: UserId = described("The owner's user id: the `sub` of your token", "user_2NiWoBvBbPfAA")
    title: StoredTitle = described("What to do", "Buy milk")
    description: StoredDescription | None = described("More about the task", "Two litres, the fresh one")
    completed: bool = described(_COMPLETED, False)
    completed_at: datetime | None = described("When it was completed (UTC); null while it is open", None)
    created_at: datetime = described("When it was created (UTC)", TIME_EXAMPLE)
    updated_at: datetime = described("When it last changed (UTC)", TIME_EXAMPLE)
    revision: Revision = described("The number of the task's last change; also its ETag", 42)
    status: Status = described(_STATUS, "todo")
    due_date: date | None = described(_DUE_DATE, DAY_EXAMPLE)
    due_at: datetime | None = described(_DUE_AT, None)
    start_date: date | None = described(_START_DATE, DAY_EXAMPLE)
    start_at: datetime | None = described(_START_AT, None)
    timezone: StoredZone | None = described(_TIMEZONE, None)
    priority: Priority | None = described(_PRIORITY, "high")
    labels: list[StoredLabel] = described(_LABELS, _LABELS_EXAMPLE, max_length=MAX_LABELS_OF_TASK)
    list_id: UUID | None = described(_LIST_ID, None)
    position: StoredPosition = described(_POSITION, POSITION_EXAMPLE)
    parent_id: UUID | None = described(_PARENT_ID, None)


class TaskPublic(TaskColumns):
    """A task, as its owner sees it."""

    deleted_at: datetime = optional("When it was deleted (UTC); only for tasks in the trash", TIME_EXAMPLE)
    subtask_counts: SubtaskCounts = optional(
        "How many subtasks it has, and how many of them are done; only with `include=subtask_counts`",
        SUBTASK_COUNTS_EXAMPLE,
    )


# What clients read, and never write.
# An account's export has `request_hash` and `uid`, too.
READ_ONLY = TaskUpdate.read_only = frozenset(TaskPublic.model_fields.keys() - TaskFields.model_fields.keys()) | {
    "request_hash",
    "uid",
}


UID = Annotated[str, StringConstraints(min_length=1, max_length=MAX_UID_LENGTH), Format("text")]


class ExportedTask(TaskColumns):
    """A task, active or deleted."""

    deleted_at: datetime | None = described("When it was deleted (UTC); null if it is not deleted", TIME_EXAMPLE)
    request_hash: Hash | None = described("SHA-256 of the request that created it with your own id", HASH_EXAMPLE)
    uid: UID | None = described("The UID under which an imported calendar knows it, or null", "task-1@example.com")
