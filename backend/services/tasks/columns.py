"""What the statements about tasks share: the tenant filter, and tasks as JSON.

Every statement says `user_id = …` (the tenant filter), and row-level security enforces it again.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, FromClause, Text, Uuid, cast, func
from sqlalchemy import bindparam as bind
from sqlalchemy.sql.selectable import NamedFromClause

from backend.models.tables import tasks
from backend.models.task import TaskPublic
from backend.services.unit_of_work import USER_ID

TASK_ID = bind("task", type_=Uuid)
OWNED = tasks.c.user_id == USER_ID
ALIVE = tasks.c.deleted_at.is_(None)

PUBLIC = tuple(name for name in TaskPublic.model_fields if name != "deleted_at")
PUBLIC_IN_TRASH = tuple(TaskPublic.model_fields)


def public(source: FromClause, names: tuple[str, ...] = PUBLIC) -> tuple[ColumnElement[Any], ...]:
    """Return the columns that clients see, in the order of the documented model."""
    return tuple(source.c[name] for name in names)


def as_json(source: NamedFromClause) -> ColumnElement[str]:
    """Turn each row into JSON text, so that Python neither builds nor serialises it."""
    return cast(func.row_to_json(source.table_valued()), Text)
