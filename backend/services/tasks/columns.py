"""What the statements about tasks share: the tables, the tenant filter, and tasks as JSON.

Every statement says `user_id = …` (the tenant filter), and row-level security enforces it again. A write locks the
user's row before it touches a task, so that one user's writes run one after another and cannot deadlock.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ARRAY, BigInteger, ColumnElement, FromClause, Text, Uuid, cast, func
from sqlalchemy import bindparam as bind
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.dml import ReturningInsert
from sqlalchemy.sql.selectable import NamedFromClause
from sqlmodel import SQLModel

from backend.models.task import Task, TaskPublic
from backend.models.tombstone import Tombstone
from backend.models.user import User

users = SQLModel.metadata.tables[str(User.__tablename__)]
tasks = SQLModel.metadata.tables[str(Task.__tablename__)]
tombstones = SQLModel.metadata.tables[str(Tombstone.__tablename__)]

# No parameter may have the name of a column: SQLAlchemy would take it for a value that an UPDATE sets.
USER_ID = bind("principal", type_=Text)
TASK_ID = bind("task", type_=Uuid)
OWNED = tasks.c.user_id == USER_ID
ALIVE = tasks.c.deleted_at.is_(None)

PUBLIC = tuple(name for name in TaskPublic.model_fields if name != "deleted_at")
PUBLIC_IN_TRASH = tuple(TaskPublic.model_fields)

# The revisions that a request accepts; null means any.
EXPECTED: ColumnElement[Any] = cast(bind("expected"), ARRAY[int](BigInteger))


def public(source: FromClause, names: tuple[str, ...] = PUBLIC) -> tuple[ColumnElement[Any], ...]:
    """Return the columns that clients see, in the order of the documented model."""
    return tuple(source.c[name] for name in names)


def as_json(source: NamedFromClause) -> ColumnElement[str]:
    """Turn each row into JSON text, so that Python neither builds nor serialises it."""
    return cast(func.row_to_json(source.table_valued()), Text)


def lock_account(*columns: ColumnElement[Any]) -> ReturningInsert[Any]:
    """Lock the user's row, as every write does first, and return these columns; insert it on a user's first write."""
    account = insert(users).values(id=USER_ID)
    unchanged = {"revision": users.c.revision}
    return account.on_conflict_do_update(index_elements=[users.c.id], set_=unchanged).returning(*columns)
