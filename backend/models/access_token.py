"""The access_tokens table, and personal access tokens as their owner makes and sees them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import pydantic
from pydantic import AfterValidator, BaseModel, BeforeValidator, Strict, StringConstraints
from pydantic_core import PydanticCustomError
from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
    func,
)
from sqlmodel import Field, SQLModel

from backend.identity.access_token_format import MAX_LENGTH
from backend.models.base import Choice, Input, described
from backend.models.fields import (
    MAX_NAME_LENGTH,
    UUID_EXAMPLE,
    CanonicalUUID,
    Name,
    StoredName,
    UserId,
)
from backend.models.values.times import TIME_EXAMPLE

MAX_DAYS = 365
MAX_TOKENS = 50  # per user, expired ones included
TokenText = Annotated[str, StringConstraints(max_length=MAX_LENGTH, pattern="^tk_[A-Za-z0-9_-]+$")]


class AccessToken(SQLModel, table=True):
    """A user's personal access token, stored as a hash."""

    __tablename__ = "access_tokens"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "id", name="pk_access_tokens"),
        ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_access_tokens_user_id_users", ondelete="CASCADE"),
        ForeignKeyConstraint(
            ["user_id", "list_id"],
            ["lists.user_id", "lists.id"],
            name="fk_access_tokens_user_id_list_id_lists",
            ondelete="CASCADE",
        ),
        CheckConstraint(f"char_length(name) BETWEEN 1 AND {MAX_NAME_LENGTH}", name="ck_access_tokens_name_length"),
        CheckConstraint(
            "cardinality(scopes) BETWEEN 1 AND 2 AND scopes <@ ARRAY['tasks:read', 'tasks:write']",
            name="ck_access_tokens_scopes_known",
        ),
        CheckConstraint("octet_length(token_hash) = 32", name="ck_access_tokens_token_hash_length"),
        CheckConstraint("expires_at > created_at", name="ck_access_tokens_expires_later"),
        Index("ix_access_tokens_expires_at", "expires_at"),
    )

    user_id: str = Field(sa_column=Column(Text, nullable=False))
    id: UUID
    name: str = Field(sa_column=Column(Text, nullable=False))
    scopes: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    token_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    created_at: datetime = Field(sa_column_kwargs={"server_default": func.now()})
    expires_at: datetime
    last_used_at: datetime | None
    list_id: UUID | None  # None: for all that the user has


class Scope(Choice):
    """What a personal access token may do."""

    READ = "tasks:read"
    WRITE = "tasks:write"


def _each_once(scopes: list[Scope]) -> list[Scope]:
    """Refuse a list that repeats a scope; returns it in our order."""
    if len(set(scopes)) < len(scopes):
        raise PydanticCustomError("repeated", "Each scope may appear only once")
    return [scope for scope in Scope if scope in scopes]


def _whole(days: object) -> object:
    """Read 90.0 like 90: JSON has one kind of number."""
    return int(days) if isinstance(days, float) and days.is_integer() else days


Scopes = Annotated[list[Scope], AfterValidator(_each_once), pydantic.Field(json_schema_extra={"uniqueItems": True})]


class AccessTokenCreate(Input):
    """A new personal access token."""

    name: Name = described("Your name for the token, such as where it is used", "Backup script")
    scopes: Scopes = described(
        "What the token may do: `tasks:read` to read tasks, labels, lists and changes, `tasks:write` to "
        "change tasks, labels or lists",
        ["tasks:read"],
        min_length=1,
        max_length=len(Scope),
    )
    expires_in_days: Annotated[int, Strict(), BeforeValidator(_whole)] = described(
        "Days until the token expires", 90, ge=1, le=MAX_DAYS
    )
    list_id: CanonicalUUID | None = described(
        "The list that the token is limited to: whoever has it sees, or changes, this list and its tasks and nothing "
        "else; without it, the token is for all that you have",
        UUID_EXAMPLE,
        default=None,
    )


class AccessTokenPublic(BaseModel):
    """A personal access token, without the token itself."""

    id: UUID = described("Identifies the token for revocation; not a secret", UUID_EXAMPLE)
    name: StoredName = described("Your name for the token", "Backup script")
    scopes: list[Scope] = described("What the token may do", ["tasks:read"], min_length=1, max_length=len(Scope))
    created_at: datetime = described("When it was created (UTC)", TIME_EXAMPLE)
    expires_at: datetime = described("When it expires (UTC)", "2027-02-19T09:30:00.123456+00:00")
    last_used_at: datetime | None = described(
        "When it was last used (UTC), accurate to about a minute; null if never", TIME_EXAMPLE
    )
    list_id: UUID | None = described(
        "The list that it is limited to; null if it is for all that you have", UUID_EXAMPLE
    )


class NewAccessToken(AccessTokenPublic):
    """A newly created personal access token, with the token itself."""

    token: TokenText = described(
        "Send it as `Authorization: Bearer …`. It is not shown again: only its hash is stored",
        "tk_9wJ1c0X2bq3rV8mT5yQ7uK4hN6sD0fGzE1aLpRxIvOtVzZXJfMk5pV29CdkJiUGZBQQ",
    )


class ExportedAccessToken(AccessTokenPublic):
    """A personal access token, without the token itself."""

    user_id: UserId = described("The user id of its owner", "user_2NiWoBvBbPfAA")
