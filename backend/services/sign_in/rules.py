"""The rule by which a session is refreshed: a pure function from a session, a token and a time.

A client may lose the answer to a refresh, or send the same one from several tabs. So a token that was just replaced
gets the same next token again. It gets it later, too, but rarely: a thief would need that each time.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum
from typing import NamedTuple
from uuid import UUID

GRACE = timedelta(seconds=60)  # in which parallel requests, and repeated ones, follow a refresh
MAX_LATE = 3  # late repeats in LATE_PERIOD
LATE_PERIOD = timedelta(days=7)
IDLE = timedelta(days=30)  # a session ends so long after its last refresh
LONGEST = timedelta(days=180)  # and so long after its login, however often it is refreshed
MAX_SESSIONS = 100  # of a user


class Session(NamedTuple):
    """A stored session. Its fields are the stored columns, except the user's id."""

    id: UUID
    counter: int
    rotated_at: datetime
    late: list[datetime]
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None


class Outcome(Enum):
    """What a refresh comes to."""

    ROTATED = "rotated"
    REPEATED = "repeated"  # a parallel request, or an answer that was lost just now
    LATE = "late"  # the answer was lost, and the device slept
    STRAGGLER = "straggler"  # of a burst, and two tokens behind
    TOO_LATE = "too_late"  # too often
    REUSED = "reused"  # by a thief, or from one
    OVER = "over"

    @property
    def is_good(self) -> bool:
        """Return whether the answer is the token of the session's counter."""
        return self in {Outcome.ROTATED, Outcome.REPEATED, Outcome.LATE}


def refreshed(session: Session, counter: int, now: datetime) -> tuple[Outcome, Session]:
    """Return what a refresh with the token of this counter comes to, and the session after it."""
    if session.ended_at is not None or session.expires_at <= now:
        return Outcome.OVER, session
    behind, is_soon = session.counter - counter, now - session.rotated_at <= GRACE
    if behind <= 0:  # below 0, the database was restored from a copy: that signs nobody out
        return Outcome.ROTATED, _rotated(session, counter + 1, now)
    if behind == 1:
        return (Outcome.REPEATED, session) if is_soon else _late(session, now)
    return (Outcome.STRAGGLER, session) if is_soon else (Outcome.REUSED, ended(session, now))


def _rotated(session: Session, counter: int, now: datetime) -> Session:
    expires_at = min(now + IDLE, session.created_at + LONGEST)
    return session._replace(counter=counter, rotated_at=now, expires_at=expires_at)


def _late(session: Session, now: datetime) -> tuple[Outcome, Session]:
    late = [moment for moment in session.late if moment > now - LATE_PERIOD]
    if len(late) == MAX_LATE:
        return Outcome.TOO_LATE, ended(session, now)
    return Outcome.LATE, session._replace(late=[*late, now])


def ended(session: Session, now: datetime) -> Session:
    """Return a session that has ended: it is kept no longer than others that are over."""
    return session._replace(ended_at=now, expires_at=min(session.expires_at, now))
