"""The labels table, what a client may send, and a label as its owner sees it. Tasks carry the names."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Computed,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
    func,
)
from sqlmodel import Field, SQLModel

from backend.models.base import Edit, described, optional
from backend.models.fields import (
    UUID_EXAMPLE,
    CanonicalUUID,
    Color,
    Count,
    LabelName,
    Revision,
    StoredColor,
    StoredLabel,
    UserId,
)
from backend.models.values.label_names import DOTTED_I, MATCHED, MATCHED_AS, MAX_LABEL_LENGTH
from backend.models.values.times import TIME_EXAMPLE

# As `key_of_label` has it.
_QUOTED = MATCHED_AS.replace("'", "''")
_TRANSLATED = f"replace(translate(name_key, '{MATCHED}', '{_QUOTED}'), '{DOTTED_I}', 'i')"
_MATCH_KEY = (
    "btrim(regexp_replace(CASE WHEN octet_length(name_key) = char_length(name_key) THEN name_key "
    f"ELSE {_TRANSLATED} END, ' +', ' ', 'g'))"
)


class Label(SQLModel, table=True):
    """One label of one user. `name_key` is its name without regard to case.

    `match_key` is what all names of the label have in common. Labels from before there was one may share it.
    """

    __tablename__ = "labels"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "id", name="pk_labels"),
        UniqueConstraint("user_id", "name_key", name="uq_labels_user_id_name_key"),
        ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_labels_user_id_users", ondelete="CASCADE"),
        CheckConstraint(f"char_length(name) BETWEEN 1 AND {MAX_LABEL_LENGTH}", name="ck_labels_name_length"),
        CheckConstraint("color ~ '^#[0-9a-f]{6}$'", name="ck_labels_color_format"),
        CheckConstraint("revision > 0", name="ck_labels_revision_counts_up"),
        Index("ix_labels_user_id_revision", "user_id", "revision"),
        Index("ix_labels_user_id_match_key", "user_id", "match_key"),
    )

    user_id: str = Field(sa_column=Column(Text, nullable=False))
    id: UUID
    name: str = Field(sa_column=Column(Text, nullable=False))
    name_key: str = Field(sa_column=Column(Text, nullable=False))
    match_key: str = Field(sa_column=Column(Text, Computed(_MATCH_KEY, persisted=True), nullable=False))
    color: str | None = Field(sa_column=Column(Text))
    created_at: datetime = Field(sa_column_kwargs={"server_default": func.now()})
    updated_at: datetime = Field(sa_column_kwargs={"server_default": func.now()})
    revision: int = Field(sa_column=Column(BigInteger, nullable=False))


_NAME = "Its name: 1 to 60 characters after surrounding white space is removed, without commas"
_COLOR = "Its colour as `#rrggbb`, or null"
_COLOR_EXAMPLE = "#1e90ff"


class LabelPut(Edit):
    """What to set on a label. What is omitted stays as it is.

    A whole label may be sent back: the fields that only the service sets are ignored, unless `id` or `name` is that of
    another label.
    """

    name: LabelName = optional("Its name, if a whole label is sent back: that of the address", "home")
    color: Color | None = described(_COLOR, _COLOR_EXAMPLE, default_factory=lambda: None)


class LabelUpdate(LabelPut):
    """What to change about a label. What is omitted stays as it is; null clears the colour.

    A whole label may be sent back: the fields that only the service sets are ignored, unless `id` is that of another
    label.
    """

    name: LabelName = optional(_NAME, "Home")


class LabelInFeed(BaseModel):
    """A label, as the feed of changes has it."""

    id: UUID = described("The label's id", UUID_EXAMPLE)
    name: StoredLabel = described("Its name, as tasks have it in `labels`", "home")
    color: StoredColor | None = described(_COLOR, _COLOR_EXAMPLE)
    created_at: datetime = described("When it was made (UTC)", TIME_EXAMPLE)
    updated_at: datetime = described("When it last changed (UTC)", TIME_EXAMPLE)
    revision: Revision = described("The number of its last change", 42)


class LabelPublic(BaseModel):
    """A label, as its owner sees it."""

    id: UUID = described("The label's id; it stays when the name changes", UUID_EXAMPLE)
    name: StoredLabel = described("Its name, as tasks have it in `labels`", "home")
    color: StoredColor | None = described(_COLOR, _COLOR_EXAMPLE)
    task_count: Count = described("How many tasks carry it, without those in the trash", 7)
    created_at: datetime = described("When it was made (UTC)", TIME_EXAMPLE)
    updated_at: datetime = described("When it last changed (UTC)", TIME_EXAMPLE)
    revision: Revision = described("The number of its last change", 42)


# An account's export has `user_id`, too.
LabelPut.read_only = frozenset(LabelPublic.model_fields.keys() - LabelPut.model_fields.keys()) | {"user_id"}


class ExportedLabel(BaseModel):
    """A label."""

    user_id: UserId = described("The user id of its owner", "user_2NiWoBvBbPfAA")
    id: UUID = described("The label's id", UUID_EXAMPLE)
    name: StoredLabel = described("The label's name", "home")
    color: StoredColor | None = described("Its colour, or null", None)
    created_at: datetime = described("When it was made (UTC)", TIME_EXAMPLE)
    updated_at: datetime = described("When it last changed (UTC)", TIME_EXAMPLE)
    revision: Revision = described("The number of its last change", 41)


class ImportedLabel(Edit):
    """A label as a line of an export describes it. In an existing label, an omitted colour stays as it is."""

    id: CanonicalUUID = described("The label's id", UUID_EXAMPLE)
    name: LabelName = described("The label's name", "home")
    color: Color | None = described("Its colour, or null", None, default_factory=lambda: None)


ImportedLabel.read_only = frozenset(ExportedLabel.model_fields.keys() - ImportedLabel.model_fields.keys())
