"""The events table: what each change did to one row, by whom and through what."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    Text,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel


class Event(SQLModel, table=True):
    """What a change did. `before` has the fields that differ, as they were; it is null for a row that was not there."""

    __tablename__ = "events"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "revision", name="pk_events"),
        ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_events_user_id_users", ondelete="CASCADE"),
        CheckConstraint("revision > 0", name="ck_events_revision_counts_up"),
        Index("ix_events_user_id_entity_id_revision", "user_id", "entity_id", "revision"),
        Index("ix_events_at", "at"),
    )

    user_id: str = Field(sa_column=Column(Text, nullable=False))
    revision: int = Field(sa_column=Column(BigInteger, nullable=False))
    at: datetime = Field(sa_column_kwargs={"server_default": func.now()})
    actor: str = Field(sa_column=Column(Text, nullable=False))
    via: str = Field(sa_column=Column(Text, nullable=False))
    kind: str = Field(sa_column=Column(Text, nullable=False))
    entity_id: UUID
    verb: str = Field(sa_column=Column(Text, nullable=False))
    before: dict[str, Any] | None = Field(sa_column=Column(JSONB, nullable=True))
    note: dict[str, Any] | None = Field(sa_column=Column(JSONB, nullable=True))
    request_id: str | None = Field(sa_column=Column(Text, nullable=True))
