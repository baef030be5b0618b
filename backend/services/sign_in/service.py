"""Accounts with an address and a password, and their sessions. Hashes are computed between two round trips."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from psycopg2.errorcodes import UNIQUE_VIOLATION
from uuid_utils.compat import uuid7

from backend.database.errors import StatementRefused
from backend.database.retry import once_only, reads, repeatable
from backend.database.session import Sessions
from backend.database.statements import compile_once, joined
from backend.identity.email_address import email_key
from backend.identity.errors import EmailTaken
from backend.models.user import NOBODY
from backend.services import loading
from backend.services.sign_in import queries
from backend.services.sign_in.rules import MAX_SESSIONS, Outcome, Session, refreshed

_FIXED = ("id", "created_at")
_ROOM = {"most_sessions": MAX_SESSIONS - 1}  # beside a new one


class Credentials(NamedTuple):
    """Who signs in with an address, and the hash of the password."""

    user_id: str
    email: str
    name: str | None
    password_hash: str


@dataclass(frozen=True, slots=True)
class CredentialsService:
    """The credentials of all users. It tells only those of an address that is asked for."""

    sessions: Sessions

    @reads
    def find(self, email: str) -> Credentials | None:
        """Return who signs in with this address, None if nobody does."""
        with self.sessions(NOBODY) as session:
            rows = session.exec(queries.FIND, params={"address_key": email_key(email)})
        return Credentials(*rows[0]) if rows else None


@dataclass(frozen=True, slots=True)
class SignInService:
    """The credentials and the sessions of one user."""

    sessions: Sessions
    user_id: str
    new_id: Callable[[], UUID] = uuid7

    @once_only
    def register(self, email: str, name: str | None, password_hash: str) -> UUID:
        """Make the user's account; returns the id of its first session. Raises EmailTaken."""
        session_id = self.new_id()
        making = joined(loading.LOCK, queries.ADD_KEY, queries.ADD_CREDENTIALS, queries.ADD_SESSION)
        params = {"address_key": email_key(email), "address": email, "new_name": name, "new_hash": password_hash}
        try:
            with self.sessions(self.user_id) as session:
                session.run(making, {"principal": self.user_id, "session": session_id, **params})
        except StatementRefused as error:
            if error.sqlstate != UNIQUE_VIOLATION:
                raise
            raise EmailTaken from None
        return session_id

    @reads
    def read(self) -> Credentials | None:
        """Return the user's credentials, None if the user does not sign in here."""
        with self.sessions(self.user_id) as session:
            rows = session.exec(queries.READ, params={"principal": self.user_id})
        return Credentials(*rows[0]) if rows else None

    @once_only
    def begin(self, verified_hash: str, renewed_hash: str | None) -> UUID | None:
        """Begin a session, and store a renewed hash if there is one; returns the session's id.

        Returns None if the hash, with which the password was compared, is not the user's any more.
        """
        session_id = self.new_id()
        renewing = () if renewed_hash is None else (queries.RENEW,)
        params = {
            "verified_hash": verified_hash,
            "new_hash": renewed_hash,
            "kept_hash": renewed_hash or verified_hash,
            "session": session_id,
            **_ROOM,
        }
        with self.sessions(self.user_id) as session:
            beginning = joined(*renewing, queries.MAKE_ROOM, queries.OPEN)
            rows = session.run(beginning, {"principal": self.user_id, **params})
        return session_id if rows else None

    @once_only
    def change_password(self, verified_hash: str, new_hash: str) -> UUID | None:
        """Change the password and end all sessions; returns the id of a new one.

        Returns None, and changes nothing, if the hash that was compared is not the user's any more.
        """
        session_id = self.new_id()
        params = {
            "verified_hash": verified_hash,
            "new_hash": new_hash,
            "kept_hash": new_hash,
            "session": session_id,
            **_ROOM,
        }
        changing = joined(queries.CHANGE, queries.END_ALL, queries.MAKE_ROOM, queries.OPEN)
        with self.sessions(self.user_id) as session:
            rows = session.run(changing, {"principal": self.user_id, **params})
        return session_id if rows else None

    @repeatable
    def replace_password(self, new_hash: str) -> None:
        """Set the password, whatever it was, and end all sessions; does nothing for who does not sign in here."""
        with self.sessions(self.user_id) as session:
            replacing = joined(queries.REPLACE, queries.END_ALL)
            session.run(replacing, {"principal": self.user_id, "new_hash": new_hash})

    @repeatable
    def refresh(self, session_id: UUID, counter: int) -> tuple[Outcome, int]:
        """Refresh a session with the token of this counter; returns what comes of it, and the counter after it.

        Repeating it is what the rule is made for.
        """
        params = {"principal": self.user_id, "session": session_id}
        with self.sessions.transaction(self.user_id) as transaction:
            rows = transaction.begin(queries.LOADING, params)
            if not rows:
                return Outcome.OVER, 0
            before = Session(*rows[0][:-1])
            outcome, after = refreshed(before, counter, rows[0][-1])
            if after != before:
                values = {f"new_{name}": getattr(after, name) for name in Session._fields if name not in _FIXED}
                transaction.commit(compile_once(queries.STORE), {**params, **values})
        return outcome, after.counter

    @repeatable
    def end(self, session_id: UUID) -> None:
        """End a session, if there is one that has not ended."""
        with self.sessions(self.user_id) as session:
            session.exec(queries.END, params={"principal": self.user_id, "session": session_id})
