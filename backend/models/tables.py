"""All tables. Name a new one here: the row-level security check and the tests of isolation then know it."""

from __future__ import annotations

from sqlalchemy import Table
from sqlmodel import SQLModel

from backend.models.access_token import AccessToken
from backend.models.idempotency_key import IdempotencyKey
from backend.models.label import Label
from backend.models.list import TaskList
from backend.models.rate_limit import RateLimit
from backend.models.sign_in.tables import Credentials, EmailKey, SignInSession
from backend.models.task import Task
from backend.models.tombstone import Tombstone
from backend.models.user import User


def _table_of(model: type[SQLModel]) -> Table:
    return SQLModel.metadata.tables[str(model.__tablename__)]


users = _table_of(User)
tasks = _table_of(Task)
tombstones = _table_of(Tombstone)
labels = _table_of(Label)
lists = _table_of(TaskList)
idempotency_keys = _table_of(IdempotencyKey)
access_tokens = _table_of(AccessToken)
credentials = _table_of(Credentials)
email_keys = _table_of(EmailKey)
sessions = _table_of(SignInSession)
rate_limits = _table_of(RateLimit)

TABLES = tuple(SQLModel.metadata.sorted_tables)
