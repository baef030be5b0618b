"""The connection limiter: as much work at once as there are database connections, and never for too long."""

from __future__ import annotations

import asyncio
import math
import time

import structlog

from backend.database.deadline import current_budget
from backend.errors import ServiceUnavailable
from backend.utils.shares import Shares
from backend.utils.spreading import spread
from backend.utils.turns import Turns

WAITING_SHARE = 0.7  # of the time, at most: who passes must have time left, or the work is begun in vain
MAX_UNREAD_BYTES = 64 * 1024 * 1024  # of answers that their clients have not taken

logger = structlog.get_logger(__name__)


class ConnectionLimiter:
    """Places for work that needs a database connection: `async with gate:` takes one.

    Users take turns, and each has a share of the places; of one user, first come is first served. Work of a user who
    leaves too much of the answers unread does not begin. Whose work it is stands in its budget. The time that it has
    begins with the wait for a place.
    """

    def __init__(self, places: int, seconds: float) -> None:
        self.seconds = seconds
        self.waiting = 0  # for a place
        self.unread = Shares(MAX_UNREAD_BYTES)
        # Work that takes long would else keep all that it got while nobody else was there.
        self._places = Shares(places, kept=places * 2 // 5)
        self._turns = Turns[asyncio.Future[None]]()

    async def __aenter__(self) -> None:
        """Take a place; raises ServiceUnavailable when none becomes free in time."""
        budget = current_budget()
        budget.deadline = time.monotonic() + self.seconds
        if self._may_begin(budget.user_id):  # then none of this user's waits: it would have been let in
            self._places.take(budget.user_id)
        else:
            await self._wait(budget.user_id)

    async def __aexit__(self, *_: object) -> None:
        """Give the place back."""
        budget = current_budget()
        budget.deadline = math.inf
        self._leave(budget.user_id)

    def let_in(self) -> None:
        """Let in who may begin by now, in turn."""
        while (first := self._turns.take(self._may_begin)) is not None:
            user_id, turn = first
            if not turn.done():  # else nobody waits for it any more
                self._places.take(user_id)
                turn.set_result(None)

    def _may_begin(self, user_id: str) -> bool:
        return self._places.may_take(user_id) and self.unread.may_take(user_id)

    async def _wait(self, user_id: str) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._turns.add(user_id, turn)
        self.waiting += 1
        try:
            async with asyncio.timeout(spread(self.seconds * WAITING_SHARE)):
                await turn
        except BaseException as error:
            self._give_up(user_id, turn)
            if not isinstance(error, TimeoutError):
                raise
            logger.warning("database_unavailable", reason="no connection slot became free in time")
            raise ServiceUnavailable from None
        finally:
            self.waiting -= 1

    def _give_up(self, user_id: str, turn: asyncio.Future[None]) -> None:
        if turn.done() and not turn.cancelled():  # it came just now
            self._leave(user_id)
        else:
            self._turns.remove(user_id, turn)

    def _leave(self, user_id: str) -> None:
        self._places.give_back(user_id)
        if self._turns:
            self.let_in()
