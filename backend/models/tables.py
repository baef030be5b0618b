"""All tables. Register a new one here: the row-level security check, exports and tests of isolation use this list."""

from __future__ import annotations

from sqlalchemy import Table
from sqlmodel import SQLModel

from backend.models.access_token import AccessToken
from backend.models.idempotency_key import IdempotencyKey
from backend.models.label import Label
from backend.models.list import TaskList
from backend.models.rate_limit import RateLimit
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
rate_limits = _table_of(RateLimit)

# The rows of one user are in these, besides `users`. An export writes them in this order, with these types of lines.
OF_A_USER = {
    "label": labels,
    "list": lists,
    "task": tasks,  # behind what tasks name, so that an import can read the export from its beginning to its end
    "removed_task": tombstones,
    "idempotency_key": idempotency_keys,
    "access_token": access_tokens,
}
TABLES = (users, *OF_A_USER.values(), rate_limits)
