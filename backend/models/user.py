"""The users table, and an account as its user sees it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, WithJsonSchema
from sqlalchemy import BigInteger, CheckConstraint, Column, PrimaryKeyConstraint, Text, func, text
from sqlmodel import Field, SQLModel

from backend.identity.claims import MAX_USER_ID_LENGTH
from backend.models.base import Edit, Input, described
from backend.models.fields import Count, UserId
from backend.models.task import LAST_POSITION
from backend.models.values.times import TIME_EXAMPLE, ZONE_EXAMPLE, StoredZone, ZoneName
from backend.utils.zones import LONGEST_ZONE

_TIMEZONE = "The IANA name of the zone in which your days begin and end, or null for UTC"
NOBODY = ""  # in place of a user id: no user, whose statements see no user's rows


class User(SQLModel, table=True):
    """One row for each user who ever wrote: the token's `sub`, and counts of the user's changes and tasks."""

    __tablename__ = "users"
    __table_args__ = (
        PrimaryKeyConstraint("id", name="pk_users"),
        CheckConstraint("char_length(id) BETWEEN 1 AND 255", name="ck_users_id_length"),
        CheckConstraint("revision >= 0", name="ck_users_revision_counts_up"),
        CheckConstraint("task_count >= 0", name="ck_users_task_count_not_negative"),
        CheckConstraint("purged_revision BETWEEN 0 AND revision", name="ck_users_purged_revision_was_reached"),
        CheckConstraint(f"char_length(timezone) BETWEEN 1 AND {LONGEST_ZONE}", name="ck_users_timezone_length"),
    )

    id: str = Field(sa_column=Column(Text, nullable=False))
    revision: int = Field(sa_column=Column(BigInteger, nullable=False, server_default=text("0")))
    created_at: datetime = Field(sa_column_kwargs={"server_default": func.now()})
    task_count: int = Field(sa_column=Column(BigInteger, nullable=False, server_default=text("0")))
    purged_revision: int = Field(sa_column=Column(BigInteger, nullable=False, server_default=text("0")))
    timezone: str | None = Field(sa_column=Column(Text))
    last_position: str = Field(sa_column=Column(Text(collation="C"), nullable=False, server_default=LAST_POSITION))


class Account(BaseModel):  # a SQLModel inside another model is not validated strictly
    """Your account."""

    id: UserId = described("The `sub` of your token", "user_2NiWoBvBbPfAA")
    revision: Count = described("How many changes you have made; each adds one", 42)
    created_at: datetime | None = described("When you first stored something (UTC); null before that", TIME_EXAMPLE)
    timezone: StoredZone | None = described(_TIMEZONE, ZONE_EXAMPLE)


class AccountUpdate(Edit):
    """What to change about your account. What is omitted stays as it is.

    A whole account may be sent back: the fields that only the service sets are ignored, unless `id` is that of another
    user.
    """

    timezone: ZoneName | None = described(_TIMEZONE, ZONE_EXAMPLE, default_factory=lambda: None)


# An account's export has the other columns, too.
AccountUpdate.read_only = frozenset(
    (User.model_fields | Account.model_fields).keys() - AccountUpdate.model_fields.keys()
)


_CONFIRMATION = {
    "type": "string",
    "maxLength": MAX_USER_ID_LENGTH,
    "format": "user-id",
    "examples": [""],  # no account has this id: sending it erases nothing
}


class ErasureQuery(Input):
    """Confirmation of an erasure. A dependency that knows the user's id has already checked it."""

    confirm: Annotated[str, WithJsonSchema(_CONFIRMATION)] = Field(
        description="Your user id: the `id` that `GET /api/me` returns. With anything else, nothing is erased"
    )
