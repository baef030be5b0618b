"""The user and the list of a request, and the tenant filter that names the user.

Every statement says `user_id = …` (the tenant filter), and row-level security enforces it again. That a session sees
one list only is enforced by row-level security alone: its role may reach nothing else.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, FromClause, Text, Uuid
from sqlalchemy import bindparam as bind

from backend.models.tables import lists, tasks

# No parameter may have the name of a column: SQLAlchemy would take it for a value that an UPDATE sets.
USER_ID = bind("principal", type_=Text)
# The list of a session that is limited to one; null in other sessions. The guard gives its value.
LIST_OF_SESSION: ColumnElement[Any] = bind("guard_list_id", type_=Uuid)


def owned(source: FromClause) -> ColumnElement[bool]:
    """Return the tenant filter of a table whose rows belong to users."""
    condition: ColumnElement[bool] = source.c.user_id == USER_ID
    return condition


OWNED = owned(tasks)
OWN_LISTS = owned(lists)
