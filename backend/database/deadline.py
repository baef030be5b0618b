"""What one request, or one piece of work in the background, may still take of the database, and what it has taken."""

from __future__ import annotations

import math
import time
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Budget:
    """An account of time. The deadline is one of time.monotonic(); there is none before the work asks the database.

    It is of a user; of nobody for work in the background, and until it is known whose request it is.
    """

    user_id: str = ""
    deadline: float = math.inf
    database_seconds: float = 0.0
    round_trips: int = 0

    def remaining_seconds(self) -> float:
        """Return how long the work may still take; less than 0 when its time is over."""
        return self.deadline - time.monotonic()


# Threads that work for a request see that of the request.
_current: ContextVar[Budget] = ContextVar("budget")


def begin_budget() -> Budget:
    """Give the work that begins here a budget of its own."""
    budget = Budget()
    _current.set(budget)
    return budget


def current_budget() -> Budget:
    """Return the budget of the work that is under way."""
    budget = _current.get(None)
    return begin_budget() if budget is None else budget
