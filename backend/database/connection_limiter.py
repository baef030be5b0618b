"""The connection limiter: admits as much work as there are database connections, after a bounded wait."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import structlog
from anyio import CancelScope
from sqlalchemy.util.concurrency import greenlet_spawn

from backend.database.deadline import current_work
from backend.errors import ServiceUnavailable
from backend.utils.shares import Shares
from backend.utils.spreading import spread
from backend.utils.turns import Turns

WAITING_SHARE = 0.7  # of the time, at most: work must have time left when it begins, or it is in vain
MAX_UNREAD_BYTES = 64 * 1024 * 1024  # of answers that clients have not read yet

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")

logger = structlog.get_logger(__name__)


class ConnectionLimiter:
    """Slots for work that needs a database connection: `run` does work in a slot, and `async with` takes a slot.

    Users take turns and have shares of the slots; the work of one user begins in the order of its arrival. A user who
    leaves too much of the answers unread begins no work. `current_work()` names the user. Its time starts with the wait
    for a slot.
    """

    def __init__(self, slots: int, seconds: float) -> None:
        self.seconds = seconds
        self.waiting = 0  # for a slot
        self.unread = Shares(MAX_UNREAD_BYTES)
        # Otherwise long work would keep all the slots that it got while no other user was active.
        self._slots = Shares(slots, kept=slots * 2 // 5)
        self._turns = Turns[asyncio.Future[None]]()

    async def __aenter__(self) -> None:
        """Take a slot; raises ServiceUnavailable when none becomes free in time."""
        work = current_work()
        work.deadline = time.monotonic() + self.seconds
        if self._may_begin(work.user_id):  # then no work of this user waits: it would have been let in
            self._slots.take(work.user_id)
        else:
            await self._wait(work.user_id)

    async def __aexit__(self, *_: object) -> None:
        """Give the slot back."""
        work = current_work()
        work.deadline = math.inf
        self._leave(work.user_id)

    async def run(
        self, work: Callable[_Arguments, _Result], *arguments: _Arguments.args, **_none: _Arguments.kwargs
    ) -> _Result:
        """Do work that waits for the database, in a slot and a greenlet. Raises ServiceUnavailable, and what it raises.

        Work that has begun is not cancelled along with its task group: it would lose its connection.
        """
        async with self:
            with CancelScope(shield=True):
                result = await greenlet_spawn(work, *arguments)
        return result

    def let_in(self) -> None:
        """Let in the waiting work that may begin now, in turn."""
        while (first := self._turns.take(self._may_begin)) is not None:
            user_id, turn = first
            if not turn.done():  # else its waiter is gone
                self._slots.take(user_id)
                turn.set_result(None)

    def _may_begin(self, user_id: str) -> bool:
        return self._slots.may_take(user_id) and self.unread.may_take(user_id)

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
        if turn.done() and not turn.cancelled():  # the slot was assigned just now
            self._leave(user_id)
        else:
            self._turns.remove(user_id, turn)

    def _leave(self, user_id: str) -> None:
        self._slots.give_back(user_id)
        if self._turns:
            self.let_in()
