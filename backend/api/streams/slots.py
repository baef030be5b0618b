"""Slots for streamed bodies: limited per user and per worker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from backend.errors import RateLimited, ServiceUnavailable

_RETRY_SECONDS = 30  # for refused clients


@dataclass(slots=True)
class Slots:
    """A limited number of slots, in total and per user; `refusal` is raised when one user has too many."""

    max_slots: int
    max_of_one_user: int
    refusal: type[RateLimited]
    taken: Counter[str] = field(default_factory=Counter, init=False)

    @contextmanager
    def take(self, user_id: str) -> Iterator[None]:
        """Take a slot until the block ends.

        Raises `refusal` when the user has no slot left, and ServiceUnavailable when the worker has none.
        """
        if self.taken[user_id] >= self.max_of_one_user:
            raise self.refusal(_RETRY_SECONDS)
        if self.taken.total() >= self.max_slots:
            raise ServiceUnavailable(retry_after_seconds=_RETRY_SECONDS)
        self.taken[user_id] += 1
        try:
            yield
        finally:
            self.taken[user_id] -= 1
            self.taken += Counter()  # drops users without slots
