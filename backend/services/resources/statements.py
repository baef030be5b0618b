"""What the statements about all resources share: rows as JSON, and the tag of all that a user has."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Text, all_, cast, extract, func
from sqlalchemy import bindparam as bind
from sqlalchemy.sql.selectable import NamedFromClause

from backend.database.statements import InSessionOfList
from backend.models.tables import users
from backend.services.resources.parameters import LIST_OF_SESSION


def as_json(source: NamedFromClause) -> ColumnElement[str]:
    """Turn each row into JSON text, so that Python neither builds nor serialises it."""
    return cast(func.row_to_json(source.table_valued()), Text)


def tag_of_account() -> ColumnElement[str]:
    """Return the tag of all the user's data.

    It changes with every write: a purge changes only the task count, a recreated account its time. A session that is
    limited to one list sees other data, and so has other tags, which do not show how many tasks the account has.
    """
    microseconds = cast(extract("epoch", users.c.created_at) * 1_000_000, BigInteger)
    parts = (users.c.revision, users.c.task_count, microseconds)
    with_list = func.concat_ws("-", *parts, cast(LIST_OF_SESSION, Text), type_=Text)
    hidden = func.encode(func.sha256(func.convert_to(with_list, "UTF8")), "hex", type_=Text)
    return InSessionOfList(hidden, func.concat_ws("-", *parts, type_=Text))


def is_unknown(tag: ColumnElement[str]) -> ColumnElement[bool]:
    """Return whether the client lacks what has this tag. The parameter `known` holds its tags; null means any."""
    known: ColumnElement[Any] = cast(bind("known"), ARRAY[str](Text))
    return tag != all_(known)
