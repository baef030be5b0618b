"""The tombstones table: tasks, labels and lists that are gone for good, and tasks that have left a list."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    PrimaryKeyConstraint,
    Text,
    Uuid,
    func,
)
from sqlmodel import Field, SQLModel

from backend.models.change import KINDS


class Tombstone(SQLModel, table=True):
    """What remains of a permanently deleted task, label or list: enough to inform clients that have a copy.

    `list_ids` are the lists that a task has left: those who follow only one of them are informed, too, and of a task
    that was merely moved only they are.
    """

    __tablename__ = "tombstones"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "id", name="pk_tombstones"),
        ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_tombstones_user_id_users", ondelete="CASCADE"),
        CheckConstraint("revision > 0", name="ck_tombstones_revision_counts_up"),
        CheckConstraint(f"kind IN {KINDS}", name="ck_tombstones_kind_known"),
        Index("ix_tombstones_user_id_revision", "user_id", "revision"),
        Index("ix_tombstones_deleted_at", "deleted_at"),
    )

    user_id: str = Field(sa_column=Column(Text, nullable=False))
    id: UUID
    revision: int = Field(sa_column=Column(BigInteger, nullable=False))
    deleted_at: datetime = Field(sa_column_kwargs={"server_default": func.now()})
    kind: str = Field(sa_column=Column(Text, nullable=False, server_default="task"))
    list_ids: list[UUID] = Field(sa_column=Column(ARRAY(Uuid), nullable=False, server_default="{}"))
