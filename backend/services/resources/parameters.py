"""The user and the list of a request, and the tenant filter that names them.

Every statement says `user_id = …` (the tenant filter), and row-level security enforces it again. In a session that is
limited to one list, both also say `list_id = …`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, FromClause, Text, Uuid
from sqlalchemy import bindparam as bind

from backend.database.statements import InSessionOfList
from backend.models.tables import lists, tasks

# No parameter may have the name of a column: SQLAlchemy would take it for a value that an UPDATE sets.
USER_ID = bind("principal", type_=Text)
# The list of a session that is limited to one. The guard gives its value.
LIST_OF_SESSION: ColumnElement[Any] = bind("guard_list_id", type_=Uuid)


def _owned(user_id: ColumnElement[Any], list_id: ColumnElement[Any]) -> ColumnElement[bool]:
    of_user = user_id == USER_ID
    return InSessionOfList((of_user & (list_id == LIST_OF_SESSION)).self_group(), of_user)


def owned(source: FromClause) -> ColumnElement[bool]:
    """Return the tenant filter of tasks under another name."""
    return _owned(source.c.user_id, source.c.list_id)


OWNED = owned(tasks)
OWN_LISTS = _owned(lists.c.user_id, lists.c.id)
