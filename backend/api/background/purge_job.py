"""Purges expired rows in the background, one statement at a time, so that requests can run in between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import anyio
import structlog

from backend.database.connection_limiter import ConnectionLimiter
from backend.errors import ServiceUnavailable
from backend.services.purge import Purged, PurgeService
from backend.utils.spreading import random_part

logger = structlog.get_logger()

FIRST_PURGE_SECONDS = 60.0
PURGE_SECONDS = 3600.0


@dataclass(slots=True)
class PurgeJob:
    """Purges periodically; each wait is randomly 0.5 to 1.5 times the configured time.

    So workers that start together do not purge together. While nobody uses the service, the job sends no statements, so
    that an idle database can be suspended.
    """

    service: PurgeService
    connection_limiter: ConnectionLimiter
    first_seconds: float
    seconds: float
    chance: Callable[[], float] = random_part
    is_used: bool = False  # since the last purge
    _is_failing: bool = field(default=False, init=False)

    async def run(self) -> None:
        """Purge until cancelled."""
        await self._wait(self.first_seconds)
        while True:
            if self.is_used:
                self.is_used = False
                try:
                    await self._purge()
                except Exception as error:  # noqa: BLE001 - whatever it is, the next run may succeed
                    self._note(error)
                else:
                    self._is_failing = False
            await self._wait(self.seconds)

    async def _wait(self, seconds: float) -> None:
        await anyio.sleep(seconds * (0.5 + self.chance()))

    async def _purge(self) -> None:
        removed, steps = Purged(), self.service.steps()
        while True:
            purged = await self.connection_limiter.run(next, steps, None)
            if purged is None:
                break
            removed += purged
        if removed:
            logger.info(
                "purged",
                tasks=removed.tasks,
                lists=removed.lists,
                tombstones=removed.tombstones,
                keys=removed.keys,
                tokens=removed.tokens,
            )

    def _note(self, error: Exception) -> None:
        """Log a failure, but only the first in a row."""
        if not self._is_failing:
            is_defect = not isinstance(error, ServiceUnavailable)
            logger.warning("purge_failed", exc_info=is_defect and error)
        self._is_failing = True
