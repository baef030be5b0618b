"""Places for what a client takes or sends bit by bit: bounded for each user, and for the worker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from backend.errors import RateLimited, ServiceUnavailable

_RETRY_SECONDS = 30  # for those who were refused


@dataclass(slots=True)
class Slots:
    """So many places, and so many of them for one user, who is refused one more by an error of this kind."""

    most: int
    most_of_one_user: int
    refusal: type[RateLimited]
    taken: Counter[str] = field(default_factory=Counter, init=False)

    @contextmanager
    def take(self, user_id: str) -> Iterator[None]:
        """Take a place until the block ends.

        Raises the user's refusal when the user has as many as there may be, ServiceUnavailable when the worker has.
        """
        if self.taken[user_id] >= self.most_of_one_user:
            raise self.refusal(_RETRY_SECONDS)
        if self.taken.total() >= self.most:
            raise ServiceUnavailable(retry_after_seconds=_RETRY_SECONDS)
        self.taken[user_id] += 1
        try:
            yield
        finally:
            self.taken[user_id] -= 1
            self.taken += Counter()  # which forgets who has none
