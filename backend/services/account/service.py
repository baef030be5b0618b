"""What one user may do with that user's own account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Text, cast, delete, func, update
from sqlalchemy import bindparam as bind
from sqlmodel import select

from backend.database.retry import once_only, reads, repeatable
from backend.database.session import SessionFactory
from backend.errors import Detail, ValidationFailed
from backend.models.base import Document
from backend.models.tables import users
from backend.models.user import AccountUpdate
from backend.services.loading import Rows
from backend.services.resources.parameters import USER_ID as _USER_ID
from backend.services.unit_of_work import unit_of_work
from backend.utils.postgres_json import to_json


class _Account(NamedTuple):
    id: str
    created_at: datetime | None
    timezone: str | None


# A user who never wrote anything has no row, but still an account.
_principal = select(cast(_USER_ID, Text).label("id")).subquery("principal")
_account = (
    select(_principal.c.id, func.coalesce(users.c.revision, 0).label("revision"), users.c.created_at, users.c.timezone)
    .select_from(_principal.outerjoin(users, users.c.id == _USER_ID))
    .subquery("account")
)
GET = select(_account.c.revision, cast(func.row_to_json(_account.table_valued()), Text))
_own = users.alias("own")
OWN = Rows(_own, _Account, _own.c.id == _USER_ID)
SET = update(users).where(users.c.id == _USER_ID).values(timezone=bind("new_timezone", type_=Text))
DELETE = delete(users).where(users.c.id == _USER_ID)

_OTHER_USER = Detail("id", "other_user", "This is not your user id: only your own account can be changed")


@dataclass(frozen=True, slots=True)
class UserService:
    """One user's account. A read is one round trip to the database, a change is two."""

    sessions: SessionFactory
    user_id: str

    @reads
    def get(self) -> Document:
        """Read the account, even before the user's first write."""
        with self.sessions(self.user_id) as session:
            ((revision, json),) = session.exec(GET, params={"principal": self.user_id})
        return Document(json, revision)

    @repeatable
    def update(self, data: AccountUpdate) -> Document:
        """Change what was sent; counts as one change, unless nothing differs.

        Raises ValidationFailed if an account that is sent back whole is that of another user.
        """
        if data.named is not None and data.named[0] not in (None, self.user_id):
            raise ValidationFailed(details=(_OTHER_USER,))
        with unit_of_work(self.sessions, self.user_id) as unit:
            ((_, created_at, timezone),) = unit.load(OWN).rows
            wanted = data.timezone if "timezone" in data.model_fields_set else timezone
            if wanted != timezone:
                unit.next_revision()
                unit.store(SET, new_timezone=wanted)
            elif created_at == unit.now:
                created_at = None  # the load made this row, and nothing stores it
        account = {"id": self.user_id, "revision": unit.revision, "created_at": created_at, "timezone": wanted}
        return Document(to_json(account), unit.revision)

    @once_only
    def erase(self) -> None:
        """Erase the account and, with it, everything stored about the user."""
        with self.sessions(self.user_id) as session:
            session.exec(DELETE, params={"principal": self.user_id})
