"""Shares a limited resource of a worker among users."""

from __future__ import annotations

from backend.errors import ServiceUnavailable


class Shares:
    """A limited resource. A user may take more of it while having less than is still free.

    The first user gets at most half of it, and the next user half of the rest. So a newcomer always finds some,
    whatever everybody else does. The amount `kept` for newcomers goes only to users who have none.
    """

    def __init__(self, size: int, kept: int = 0) -> None:
        self.free = size
        self.taken: dict[str, int] = {}  # by user
        self._kept = kept

    def may_take(self, user_id: str) -> bool:
        """Return whether this user may take more."""
        taken = self.taken.get(user_id, 0)
        return taken < self.free and (self.free > self._kept or not taken)

    def claim(self, user_id: str, amount: int = 1) -> None:
        """Take this amount; raises ServiceUnavailable when the user may not."""
        if not self.may_take(user_id):
            raise ServiceUnavailable
        self.take(user_id, amount)

    def take(self, user_id: str, amount: int = 1) -> None:
        """Take this amount even if the user may not: what already exists must be counted."""
        self.free -= amount
        self.taken[user_id] = self.taken.get(user_id, 0) + amount

    def give_back(self, user_id: str, amount: int = 1) -> None:
        """Give this amount back."""
        self.free += amount
        self.taken[user_id] -= amount
        if not self.taken[user_id]:
            del self.taken[user_id]
