"""How the rows of every resource are read, in one round trip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Executable

from backend.database.session import Sessions
from backend.models.base import RowDocument
from backend.services.resources.resource import Resource
from backend.services.resources.statements import get


@dataclass(frozen=True, slots=True)
class Listed:
    """Rows as the text of a JSON array, None if the client has them; `tag` changes with every write."""

    json: str | None
    tag: str


def one_row(sessions: Sessions, user_id: str, resource: Resource[Any], row_id: UUID) -> RowDocument:
    """Read a row that is not in the trash; raises what the resource says of one that is missing."""
    with sessions(user_id) as session:
        rows = session.exec(get(resource), params={"principal": user_id, f"{resource.kind}__id": row_id})
    if not rows:
        raise resource.not_found
    ((revision, json),) = rows
    return RowDocument(json, revision, row_id)


def all_rows(
    sessions: Sessions, user_id: str, statement: Executable, known: tuple[str, ...] | None, **params: Any
) -> Listed:
    """Read all rows that a statement of `listed` selects.

    `known` holds the tags that the client already has; None means any tag. With one of them, nothing is read.
    """
    params |= {"principal": user_id, "known": None if known is None else [*known]}
    with sessions(user_id) as session:
        rows = session.exec(statement, params=params)
    tag, json = rows[0] if rows else ("0", "[]")
    return Listed(json, tag)
