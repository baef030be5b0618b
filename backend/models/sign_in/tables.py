"""The tables credentials, email_keys and sessions."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlmodel import Field, SQLModel

from backend.identity.email_address import MAX_EMAIL_LENGTH
from backend.models.fields import MAX_NAME_LENGTH

MAX_KEY_LENGTH = 1000  # to fold the case may make a text longer


class Credentials(SQLModel, table=True):
    """The address and the password of a user who signs in here."""

    __tablename__ = "credentials"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", name="pk_credentials"),
        ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_credentials_user_id_users", ondelete="CASCADE"),
        CheckConstraint(f"char_length(email) BETWEEN 3 AND {MAX_EMAIL_LENGTH}", name="ck_credentials_email_length"),
        CheckConstraint(f"char_length(name) BETWEEN 1 AND {MAX_NAME_LENGTH}", name="ck_credentials_name_length"),
        CheckConstraint("char_length(password_hash) BETWEEN 1 AND 1000", name="ck_credentials_password_hash_length"),
    )

    user_id: str = Field(sa_column=Column(Text, nullable=False))
    email: str = Field(sa_column=Column(Text, nullable=False))
    name: str | None = Field(sa_column=Column(Text))
    password_hash: str = Field(sa_column=Column(Text, nullable=False))
    created_at: datetime = Field(sa_column_kwargs={"server_default": func.now()})
    password_changed_at: datetime = Field(sa_column_kwargs={"server_default": func.now()})


class EmailKey(SQLModel, table=True):
    """Which user an address belongs to: the same for all ways to write it, and unique among all users."""

    __tablename__ = "email_keys"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", name="pk_email_keys"),
        ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_email_keys_user_id_users", ondelete="CASCADE"),
        UniqueConstraint("email_key", name="uq_email_keys_email_key"),
        CheckConstraint(
            f"char_length(email_key) BETWEEN 3 AND {MAX_KEY_LENGTH}", name="ck_email_keys_email_key_length"
        ),
    )

    user_id: str = Field(sa_column=Column(Text, nullable=False))
    email_key: str = Field(sa_column=Column(Text, nullable=False))


class SignInSession(SQLModel, table=True):
    """From a login to the end of what follows from it. Its refresh token names it, and is not stored."""

    __tablename__ = "sessions"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "id", name="pk_sessions"),
        ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_sessions_user_id_users", ondelete="CASCADE"),
        CheckConstraint("counter >= 0", name="ck_sessions_counter_counts_up"),
        CheckConstraint("cardinality(late) <= 3", name="ck_sessions_few_late"),
        Index("ix_sessions_expires_at", "expires_at"),
    )

    user_id: str = Field(sa_column=Column(Text, nullable=False))
    id: UUID
    counter: int = Field(sa_column=Column(BigInteger, nullable=False, server_default=text("0")))
    rotated_at: datetime = Field(sa_column_kwargs={"server_default": func.now()})
    late: list[datetime] = Field(
        sa_column=Column(ARRAY(DateTime(timezone=True)), nullable=False, server_default=text("'{}'"))
    )
    created_at: datetime = Field(sa_column_kwargs={"server_default": func.now()})
    expires_at: datetime
    ended_at: datetime | None
