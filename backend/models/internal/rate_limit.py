"""The rate_limits table: how many requests each user sent in which window."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Column, PrimaryKeyConstraint, Text
from sqlmodel import Field, SQLModel


class RateLimit(SQLModel, table=True):
    """The requests of one user in one window, counted by all workers. Only statements without a tenant see it.

    The user is stored as a hash of the id.
    """

    __tablename__ = "rate_limits"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "window_start", name="pk_rate_limits"),
        CheckConstraint("char_length(user_id) BETWEEN 1 AND 255", name="ck_rate_limits_user_id_length"),
        CheckConstraint("requests > 0", name="ck_rate_limits_requests_counts_up"),
    )

    user_id: str = Field(sa_column=Column(Text, nullable=False))
    window_start: datetime
    requests: int = Field(sa_column=Column(BigInteger, nullable=False))
