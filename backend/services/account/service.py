"""What one user may do with that user's own account."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Text, cast, delete, func
from sqlalchemy import bindparam as bind
from sqlmodel import select

from backend.database.retry import once_only, reads
from backend.database.session import SessionFactory
from backend.models.base import Document
from backend.models.tables import users

_USER_ID = bind("principal", type_=Text)

# A user who never wrote anything has no row, but still an account.
_principal = select(cast(_USER_ID, Text).label("id")).subquery("principal")
_account = (
    select(_principal.c.id, func.coalesce(users.c.revision, 0).label("revision"), users.c.created_at)
    .select_from(_principal.outerjoin(users, users.c.id == _USER_ID))
    .subquery("account")
)
GET = select(_account.c.revision, cast(func.row_to_json(_account.table_valued()), Text))
DELETE = delete(users).where(users.c.id == _USER_ID)


@dataclass(frozen=True, slots=True)
class UserService:
    """One user's account. Each method is one round trip to the database."""

    sessions: SessionFactory
    user_id: str

    @reads
    def get(self) -> Document:
        """Read the account, even before the user's first write."""
        with self.sessions(self.user_id) as session:
            ((revision, json),) = session.exec(GET, params={"principal": self.user_id})
        return Document(json, revision)

    @once_only
    def erase(self) -> None:
        """Erase the account and, with it, everything stored about the user."""
        with self.sessions(self.user_id) as session:
            session.exec(DELETE, params={"principal": self.user_id})
