"""The lists table, what a client may send, and a list as its owner sees it. Tasks carry the ids."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, model_validator
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
    func,
    text,
)
from sqlmodel import Field, SQLModel

from backend.models.base import Choice, Edit, Input, all_optional, described, optional
from backend.models.fields import (
    HASH_EXAMPLE,
    MAX_LIST_NAME_LENGTH,
    POSITION_EXAMPLE,
    UUID_EXAMPLE,
    CanonicalUUID,
    Color,
    Flag,
    Hash,
    ListName,
    Position,
    QueryFlag,
    Revision,
    StoredColor,
    StoredListName,
    StoredPosition,
    UserId,
)
from backend.models.task import LAST_POSITION, STATUS_COUNTS_EXAMPLE, StatusCounts
from backend.models.values.times import TIME_EXAMPLE, Moment
from backend.utils.positions import MAX_POSITION_LENGTH

MAX_LISTS = 500  # of a user, with those in the trash


class TaskList(SQLModel, table=True):
    """One list of one user."""

    __tablename__ = "lists"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "id", name="pk_lists"),
        ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_lists_user_id_users", ondelete="CASCADE"),
        CheckConstraint(f"char_length(name) BETWEEN 1 AND {MAX_LIST_NAME_LENGTH}", name="ck_lists_name_length"),
        CheckConstraint("color ~ '^#[0-9a-f]{6}$'", name="ck_lists_color_format"),
        CheckConstraint(f"char_length(position) BETWEEN 1 AND {MAX_POSITION_LENGTH}", name="ck_lists_position_length"),
        CheckConstraint("revision > 0", name="ck_lists_revision_counts_up"),
        CheckConstraint("octet_length(request_hash) = 32", name="ck_lists_request_hash_length"),
        Index("ix_lists_user_id_revision", "user_id", "revision"),
        Index("ix_lists_deleted_at", "deleted_at", postgresql_where=text("deleted_at IS NOT NULL")),
    )

    user_id: str = Field(sa_column=Column(Text, nullable=False))
    id: UUID
    name: str = Field(sa_column=Column(Text, nullable=False))
    color: str | None = Field(sa_column=Column(Text))
    archived_at: datetime | None
    created_at: datetime = Field(sa_column_kwargs={"server_default": func.now()})
    updated_at: datetime = Field(sa_column_kwargs={"server_default": func.now()})
    deleted_at: datetime | None
    revision: int = Field(sa_column=Column(BigInteger, nullable=False))
    request_hash: bytes | None = Field(sa_column=Column(LargeBinary))
    # Among the user's lists. The default is for services that do not know it.
    position: str = Field(sa_column=Column(Text(collation="C"), nullable=False, server_default=LAST_POSITION))


_NAME_EXAMPLE = "Groceries"
_COLOR = "Its colour as `#rrggbb`, or null"
_COLOR_EXAMPLE = "#1e90ff"
_POSITION = (
    "Where it stands among your lists: sorted by this text, byte by byte, and then by `id`, they are in the order that "
    "you have arranged. `POST /api/lists/{list_id}/move` sets it. A new list comes last. From `q` on, "
    "one after all of yours means the end, and you get the position that it is given"
)
_ARCHIVED = "Whether it is archived: then it is hidden from your lists, but its tasks stay as they are"


class ListFields(Input):
    """What a client may say about a list. Each field is declared here once, with its value in a new list."""

    name: ListName = described(
        "Its name: 1 to 200 characters after surrounding white space is removed. Several lists may have the same",
        _NAME_EXAMPLE,
    )
    color: Color | None = described(_COLOR, _COLOR_EXAMPLE, default=None)
    archived: Flag = described(_ARCHIVED, False, default=False)
    position: Position = optional(_POSITION, POSITION_EXAMPLE)


class ListCreate(ListFields):
    """A new list."""

    id: CanonicalUUID | None = described(
        "Your own UUID for the list, so that a retry cannot create a second one; omit it to have one generated",
        UUID_EXAMPLE,
        default=None,
    )


@all_optional
class ListUpdate(ListFields, Edit):
    """The fields to change. Omitted fields keep their values; null clears the colour.

    A whole list may be sent back: the fields that only the service sets are ignored, unless `id` is that of another
    list.
    """


class ListPublic(BaseModel):
    """A list, as its owner sees it."""

    id: UUID = described("The list's id, as tasks have it in `list_id`", UUID_EXAMPLE)
    name: StoredListName = described("Its name", _NAME_EXAMPLE)
    color: StoredColor | None = described(_COLOR, _COLOR_EXAMPLE)
    archived: bool = described(_ARCHIVED, False)
    archived_at: datetime | None = described("When it was archived (UTC); null if it is not archived", None)
    created_at: datetime = described("When it was created (UTC)", TIME_EXAMPLE)
    updated_at: datetime = described("When it last changed (UTC)", TIME_EXAMPLE)
    revision: Revision = described("The number of the list's last change; also its ETag", 42)
    position: StoredPosition = described(_POSITION, POSITION_EXAMPLE)
    deleted_at: datetime = optional("When it was deleted (UTC); only for lists in the trash", TIME_EXAMPLE)
    counts: StatusCounts = optional(
        "How many tasks of each status it holds, without those in the trash; only with `include_counts=true`",
        STATUS_COUNTS_EXAMPLE,
    )


# An account's export has `user_id` and `request_hash`, too.
ListUpdate.read_only = frozenset(ListPublic.model_fields.keys() - ListFields.model_fields.keys()) | {
    "user_id",
    "request_hash",
}


class ListsQuery(Input):
    """Which lists to return."""

    archived: QueryFlag = described("`true`: the archived lists instead of the others", True, default=False)
    deleted: QueryFlag = described(
        "`true`: all lists in the trash, with `deleted_at`, instead of the active ones", True, default=False
    )
    include_counts: QueryFlag = described(
        "`true`: also count the tasks of each status in each list, as `counts`", True, default=False
    )


class TasksOfDeleted(Choice):
    """What happens to the tasks of a list that is deleted."""

    TRASH = "trash"
    INBOX = "inbox"


class ListDeleteQuery(Input):
    """How to delete a list."""

    tasks: Annotated[str, BeforeValidator(TasksOfDeleted.known, json_schema_input_type=TasksOfDeleted)] = described(
        "Where its tasks go: to the `trash` along with it, or to the `inbox`",
        TasksOfDeleted.INBOX.value,
        default=TasksOfDeleted.TRASH.value,
    )
    permanent: QueryFlag = described(
        "`true`: remove the list itself for good, which cannot be undone; its tasks can still be restored",
        True,
        default=False,
    )


class ExportedList(BaseModel):
    """A list, active or deleted."""

    user_id: UserId = described("The user id of its owner", "user_2NiWoBvBbPfAA")
    id: UUID = described("The list's id", UUID_EXAMPLE)
    name: StoredListName = described("The list's name", "Groceries")
    color: StoredColor | None = described("Its colour, or null", None)
    archived_at: datetime | None = described("When it was archived (UTC), or null", None)
    created_at: datetime = described("When it was created (UTC)", TIME_EXAMPLE)
    updated_at: datetime = described("When it last changed (UTC)", TIME_EXAMPLE)
    deleted_at: datetime | None = described("When it was deleted (UTC); null if it is not deleted", None)
    revision: Revision = described("The number of its last change", 42)
    request_hash: Hash | None = described("SHA-256 of the request that created it with your own id", HASH_EXAMPLE)
    position: StoredPosition = described("Where it stands among the lists", POSITION_EXAMPLE)


class ImportedList(ListCreate, Edit):
    """A list as a line of an export describes it. In an existing list, omitted fields keep their values."""

    id: CanonicalUUID = described("The list's id", UUID_EXAMPLE)
    archived_at: Moment | None = described("When it was archived, which decides only whether it is", None, default=None)

    @model_validator(mode="after")
    def _says_whether_it_is_archived(self) -> Self:
        if "archived_at" in self.model_fields_set:
            self.archived = self.archived_at is not None
        return self


ImportedList.read_only = frozenset(ExportedList.model_fields.keys() - ImportedList.model_fields.keys())
