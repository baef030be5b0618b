"""The connection limiter: as much work at once as there are database connections, and never for too long."""

from __future__ import annotations

import asyncio
import math
import time

import structlog

from backend.database.deadline import current_budget
from backend.errors import ServiceUnavailable

WAITING_SHARE = 0.7  # of the time, at most: who passes must have time left, or the work is begun in vain

logger = structlog.get_logger(__name__)


class ConnectionLimiter:
    """Places for work that needs a database connection: `async with gate:` takes one. First come, first served.

    The time that the work has begins with the wait for a place.
    """

    def __init__(self, places: int, seconds: float) -> None:
        self._semaphore = asyncio.Semaphore(places)
        self.seconds = seconds
        self.waiting = 0  # for a place

    async def __aenter__(self) -> None:
        """Take a place; raises ServiceUnavailable when none becomes free in time."""
        current_budget().deadline = time.monotonic() + self.seconds
        if not self._semaphore.locked():
            await self._semaphore.acquire()
            return
        self.waiting += 1
        try:
            async with asyncio.timeout(self.seconds * WAITING_SHARE):
                await self._semaphore.acquire()
        except TimeoutError:
            logger.warning("database_unavailable", reason="no connection slot became free in time")
            raise ServiceUnavailable from None
        finally:
            self.waiting -= 1

    async def __aexit__(self, *_: object) -> None:
        """Give the place back."""
        current_budget().deadline = math.inf
        self._semaphore.release()
