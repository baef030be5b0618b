"""The tables that statements of several packages name. A table of one resource alone is named where it is declared."""

from __future__ import annotations

from sqlalchemy import Table
from sqlmodel import SQLModel

from backend.models.access_token import AccessToken
from backend.models.internal.event import Event
from backend.models.internal.idempotency_key import IdempotencyKey
from backend.models.internal.rate_limit import RateLimit
from backend.models.internal.tombstone import Tombstone
from backend.models.label import Label
from backend.models.list import TaskList
from backend.models.sign_in.tables import Credentials, EmailKey, SignInSession
from backend.models.task import Task
from backend.models.user import User


def table_of(model: type[SQLModel]) -> Table:
    """Return the table of a model."""
    return SQLModel.metadata.tables[str(model.__tablename__)]


users = table_of(User)
tasks = table_of(Task)
tombstones = table_of(Tombstone)
events = table_of(Event)
labels = table_of(Label)
lists = table_of(TaskList)
idempotency_keys = table_of(IdempotencyKey)
access_tokens = table_of(AccessToken)
credentials = table_of(Credentials)
email_keys = table_of(EmailKey)
sessions = table_of(SignInSession)
rate_limits = table_of(RateLimit)
