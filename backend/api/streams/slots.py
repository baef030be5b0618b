"""Slots for streamed bodies: limited per user and per worker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Self

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

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
    def take(self, user_id: str) -> Iterator[ExitStack]:
        """Take a slot until the block ends, or until the end of an answer that is `holding` it.

        Raises `refusal` when the user has no slot left, and ServiceUnavailable when the worker has none.
        """
        if self.taken[user_id] >= self.max_of_one_user:
            raise self.refusal(_RETRY_SECONDS)
        if self.taken.total() >= self.max_slots:
            raise ServiceUnavailable(retry_after_seconds=_RETRY_SECONDS)
        with ExitStack() as slot:
            self.taken[user_id] += 1
            slot.callback(self._give_back, user_id)
            yield slot

    def _give_back(self, user_id: str) -> None:
        self.taken[user_id] -= 1
        self.taken += Counter()  # drops users without slots


class HoldingSlot(StreamingResponse):
    """A streamed answer that holds a slot until it is sent, or breaks off."""

    _slot: ExitStack

    def holding(self, slot: ExitStack) -> Self:
        """Take over a slot from the block that took it."""
        self._slot = slot.pop_all()
        return self

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer, and free the slot."""
        with self._slot:
            await super().__call__(scope, receive, send)
