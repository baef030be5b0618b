"""What an account's export tells of how its user signs in. Hashes are never in it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from backend.models.base import described
from backend.models.fields import UUID_EXAMPLE, Count, StoredName, UserId
from backend.models.sign_in.calls import EMAIL_EXAMPLE, StoredEmail
from backend.models.values.times import TIME_EXAMPLE


class ExportedCredentials(BaseModel):
    """How the user signs in here, without the hash of the password."""

    user_id: UserId = described("The user id of its owner", UUID_EXAMPLE)
    email: StoredEmail = described("The address", EMAIL_EXAMPLE)
    name: StoredName | None = described("What to call the user, or null", "Anna")
    created_at: datetime = described("When it was registered (UTC)", TIME_EXAMPLE)
    password_changed_at: datetime = described("When the password was last changed (UTC)", TIME_EXAMPLE)


class ExportedSession(BaseModel):
    """A session, from a login on."""

    user_id: UserId = described("The user id of its owner", UUID_EXAMPLE)
    id: UUID = described("The session's id, the `sid` of its access tokens", UUID_EXAMPLE)
    counter: Count = described("How many times it was refreshed", 12)
    rotated_at: datetime = described("When it was last refreshed (UTC)", TIME_EXAMPLE)
    late: list[datetime] = described(
        "When a token before the last one was sent late (UTC)", [TIME_EXAMPLE], max_length=3
    )
    created_at: datetime = described("When the login was (UTC)", TIME_EXAMPLE)
    expires_at: datetime = described("When it ends, or has ended (UTC)", TIME_EXAMPLE)
    ended_at: datetime | None = described("When it was ended before that (UTC), or null", None)
