"""The tasks table, what a client may send, and a task as its owner sees it."""

from __future__ import annotations

import string
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, WithJsonSchema
from sqlalchemy import (
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
    Text,
    false,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.types import TypeEngine
from sqlmodel import Field, SQLModel

from backend.models import cursor as cursors
from backend.models.base import Choice, Input, all_optional, described, optional
from backend.models.fields import (
    TIME_EXAMPLE,
    TITLE_KEY_LENGTH,
    UUID_EXAMPLE,
    CanonicalUUID,
    CommaSeparatedIds,
    Description,
    Flag,
    Moment,
    PlainInteger,
    QueryFlag,
    Revision,
    SearchText,
    StoredDescription,
    StoredTitle,
    Title,
    UserId,
)
from backend.utils.fingerprint import fingerprint

MAX_LIMIT = 1000
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


def _derived(kind: TypeEngine[Any], expression: str) -> Column[Any]:
    """Declare a column that Postgres computes whenever the row is stored."""
    return Column(kind, Computed(expression, persisted=True), nullable=False)


class Task(SQLModel, table=True):
    """One task of one user. The key starts with the user, so that rows of one user are stored together."""

    __tablename__ = "tasks"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "id", name="pk_tasks"),
        ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_tasks_user_id_users", ondelete="CASCADE"),
        CheckConstraint("char_length(title) BETWEEN 1 AND 500", name="ck_tasks_title_length"),
        CheckConstraint("char_length(description) <= 10000", name="ck_tasks_description_length"),
        CheckConstraint("completed = (completed_at IS NOT NULL)", name="ck_tasks_completed_has_time"),
        CheckConstraint("revision > 0", name="ck_tasks_revision_counts_up"),
        CheckConstraint("octet_length(request_hash) = 32", name="ck_tasks_request_hash_length"),
        *(
            Index(f"ix_tasks_user_id_in_trash_{key}_id", "user_id", "in_trash", key, "id")
            for key in ("created_at", "updated_at", "title_key", "completed_key")
        ),
        Index(
            "ix_tasks_user_id_in_trash_completed_created_at_id", "user_id", "in_trash", "completed", "created_at", "id"
        ),
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

    # Postgres derives these; lists are sorted and searched by them.
    in_trash: bool = Field(sa_column=_derived(Boolean(), "deleted_at IS NOT NULL"))
    title_key: str = Field(sa_column=_derived(Text(collation="C"), f"left(lower(title), {TITLE_KEY_LENGTH})"))
    completed_key: datetime = Field(
        sa_column=_derived(DateTime(timezone=True), "coalesce(completed_at, 'infinity'::timestamp with time zone)")
    )
    words: str = Field(sa_column=_derived(TSVECTOR(), _WORDS))


_COMPLETED = "Whether the task is done"
_EARLY, _LATE = "2026-11-01T00:00:00Z", "2026-12-01T00:00:00+02:00"
CURSOR_EXAMPLE = cursors.encode(bytes(cursors.LISTING_BYTES), datetime.fromisoformat(TIME_EXAMPLE), UUID(UUID_EXAMPLE))
# Our own format: what a cursor contains is private, but programs can see that not every text is valid.
Cursor = Annotated[
    str,
    WithJsonSchema(
        {"type": "string", "maxLength": cursors.MAX_LENGTH, "format": "cursor", "examples": [CURSOR_EXAMPLE]}
    ),
]


class TaskFields(Input):
    """What a client may say about a task. Each field is declared here once, with its value in a new task."""

    title: Title = described("What to do: 1 to 500 characters after surrounding white space is removed", "Buy milk")
    description: Description | None = described(
        "More about the task: up to 10,000 characters, or null", "Two litres, the fresh one", default=None
    )
    completed: Flag = described(_COMPLETED, False, default=False)

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
class TaskUpdate(TaskFields):
    """The fields to change. Omitted fields keep their values. Only the description can be null, which clears it."""


class TaskCompletion(Input):
    """Whether to complete or reopen the task. Sending the same again changes nothing."""

    completed: Flag = described(_COMPLETED, True)


class TaskSort(Choice):
    """What listings are sorted by; a minus exactly reverses the order."""

    CREATED_AT = "created_at"
    CREATED_AT_REVERSED = "-created_at"
    UPDATED_AT = "updated_at"
    UPDATED_AT_REVERSED = "-updated_at"
    TITLE = "title"
    TITLE_REVERSED = "-title"
    COMPLETED_AT = "completed_at"
    COMPLETED_AT_REVERSED = "-completed_at"

    @property
    def is_reversed(self) -> bool:
        """Return whether the greatest value comes first."""
        return self.startswith("-")

    @property
    def column(self) -> str:
        """Return the name of the column to sort by."""
        name = self.removeprefix("-")
        return {"title": "title_key", "completed_at": "completed_key"}.get(name, name)

    @property
    def kind(self) -> type[datetime | str]:
        """Return the type of the sort key."""
        return str if self.column == "title_key" else datetime


SortName = Annotated[str, BeforeValidator(TaskSort.known, json_schema_input_type=TaskSort)]
FILTERS = ("completed", "created_after", "created_before", "updated_after", "updated_before", "ids", "q")


class TaskQuery(Input):
    """Which tasks to list, in which order, and which page to return."""

    completed: QueryFlag = optional("Only tasks that are done (`true`) or open (`false`)", False)
    created_after: Moment = optional("Only tasks created after this time", _EARLY)
    created_before: Moment = optional("Only tasks created before this time", _LATE)
    updated_after: Moment = optional("Only tasks last changed after this time", _EARLY)
    updated_before: Moment = optional("Only tasks last changed before this time", _LATE)
    ids: CommaSeparatedIds = optional("Only these tasks: up to 100 ids, separated by commas", UUID_EXAMPLE)
    deleted: QueryFlag = described(
        "`true`: the tasks in the trash, with `deleted_at`, instead of the active ones", False, default=False
    )
    q: SearchText = optional(
        "Only tasks with all these words in their title or description; you can also use `or`, `-without` and "
        '`"a phrase"`. The last word also matches longer words that begin with it, unless it is quoted or excluded',
        'milk or "soy drink" -oat',
    )
    sort: SortName = described(
        "What to sort by; `-` reverses the order. Titles are compared without regard to case. With `completed_at`, "
        "open tasks come after completed ones",
        "-updated_at",
        default=TaskSort.CREATED_AT_REVERSED.value,
    )
    limit: PlainInteger = described("Maximum number of tasks to return", 50, default=MAX_LIMIT, ge=1, le=MAX_LIMIT)
    cursor: Cursor = optional(
        "`page.next_cursor` of the previous page, with the same filters and `sort`; omit it for the first page",
        CURSOR_EXAMPLE,
    )
    include_total: QueryFlag = described("`true`: also count all matching tasks, as `page.total`", True, default=False)

    @property
    def order(self) -> TaskSort:
        """Return the sort order."""
        return TaskSort(self.sort)

    @property
    def filters(self) -> dict[str, Any]:
        """Return the filters that are set, in a fixed order."""
        return {name: value for name in FILTERS if (value := getattr(self, name)) is not None}

    @property
    def listing_id(self) -> bytes:
        """Return an id of this listing that is the same for all its pages and depends on its sort and filters."""
        filters = {name: str(value) for name, value in self.filters.items()}
        return fingerprint(self.sort, self.deleted, filters)[: cursors.LISTING_BYTES]


class DeleteQuery(Input):
    """How to delete a task."""

    permanent: QueryFlag = described("`true`: delete permanently, which cannot be undone", True, default=False)


class TaskPublic(BaseModel):  # a SQLModel inside another model is not validated strictly
    """A task, as its owner sees it."""

    id: UUID = described("The task's id", UUID_EXAMPLE)
    user_id: UserId = described("The owner's user id: the `sub` of your token", "user_2NiWoBvBbPfAA")
    title: StoredTitle = described("What to do", "Buy milk")
    description: StoredDescription | None = described("More about the task", "Two litres, the fresh one")
    completed: bool = described(_COMPLETED, True)
    completed_at: datetime | None = described("When it was completed (UTC); null while it is open", TIME_EXAMPLE)
    created_at: datetime = described("When it was created (UTC)", TIME_EXAMPLE)
    updated_at: datetime = described("When it last changed (UTC)", TIME_EXAMPLE)
    revision: Revision = described("The number of the task's last change; also its ETag", 42)
    deleted_at: datetime = optional("When it was deleted (UTC); only for tasks in the trash", TIME_EXAMPLE)
