"""How long a request or a piece of background work may still use the database, and how much it has used."""

from __future__ import annotations

import math
import time
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Work:
    """One piece of work: its deadline, by time.monotonic(), and its use of the database.

    There is no deadline until the work asks for the database. `user_id` is empty for background work, and until the
    user of a request is known.
    """

    user_id: str = ""
    deadline: float = math.inf
    database_seconds: float = 0.0
    round_trips: int = 0
    turn_began: float = 0.0  # by time.perf_counter(): when others last had a turn of the event loop

    def remaining_seconds(self) -> float:
        """Return how long the work may still take; negative after the deadline."""
        return self.deadline - time.monotonic()


# Threads that run a part of a request inherit its context, and so its work.
_current: ContextVar[Work] = ContextVar("work")


def begin_work() -> Work:
    """Begin a piece of work in this context, without a deadline yet."""
    work = Work()
    _current.set(work)
    return work


def current_work() -> Work:
    """Return the piece of work that this context belongs to."""
    work = _current.get(None)
    return begin_work() if work is None else work
