"""What a worker has only so much of, and what each user has of it."""

from __future__ import annotations

from backend.errors import ServiceUnavailable


class Shares:
    """So much of something, of which a user may take more while having less than is still free.

    One user alone gets half of it, and the next one half of what is left: whoever comes finds some, whatever others do.
    What is kept for them is given to users who have none.
    """

    def __init__(self, most: int, kept: int = 0) -> None:
        self.free = most
        self.taken: dict[str, int] = {}  # by each user who has some
        self._kept = kept

    def may_take(self, user_id: str) -> bool:
        """Tell whether this user may take more."""
        taken = self.taken.get(user_id, 0)
        return taken < self.free and (self.free > self._kept or not taken)

    def claim(self, user_id: str, amount: int = 1) -> None:
        """Take so much; raises ServiceUnavailable when the user may not."""
        if not self.may_take(user_id):
            raise ServiceUnavailable
        self.take(user_id, amount)

    def take(self, user_id: str, amount: int = 1) -> None:
        """Take so much, whether or not the user may: what is there already counts all the same."""
        self.free -= amount
        self.taken[user_id] = self.taken.get(user_id, 0) + amount

    def give_back(self, user_id: str, amount: int = 1) -> None:
        """Give so much back."""
        self.free += amount
        self.taken[user_id] -= amount
        if not self.taken[user_id]:
            del self.taken[user_id]
