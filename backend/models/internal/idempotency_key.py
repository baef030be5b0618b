"""The idempotency_keys table: stored answers for retried requests."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Text,
    func,
)
from sqlmodel import Field, SQLModel


class IdempotencyKey(SQLModel, table=True):
    """The stored answer to one request of one user, under the key that the client sent.

    In a request that is limited to one list, the list's id and a line break stand before the key.
    """

    __tablename__ = "idempotency_keys"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "key", name="pk_idempotency_keys"),
        ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_idempotency_keys_user_id_users", ondelete="CASCADE"),
        CheckConstraint("char_length(key) BETWEEN 1 AND 292", name="ck_idempotency_keys_key_length"),
        CheckConstraint("octet_length(request_hash) = 32", name="ck_idempotency_keys_request_hash_length"),
        Index("ix_idempotency_keys_created_at", "created_at"),
    )

    user_id: str = Field(sa_column=Column(Text, nullable=False))
    key: str = Field(sa_column=Column(Text, nullable=False))
    request_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    status: int | None = Field(sa_column=Column(SmallInteger))
    headers: str | None = Field(sa_column=Column(Text))
    body: str | None = Field(sa_column=Column(Text))
    created_at: datetime = Field(sa_column_kwargs={"server_default": func.now()})
