"""Purges expired rows in the background, one statement at a time, so that requests can run in between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain, repeat

import anyio
import structlog

from backend.database.connection_limiter import ConnectionLimiter
from backend.services.purge import Purged, PurgeService
from backend.utils.background import Defect, periodic
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

    async def run(self) -> None:
        """Purge until cancelled."""
        waits = chain((self.first_seconds,), repeat(self.seconds))
        await periodic(self._step, lambda _: self._wait(next(waits)), _note)

    async def _wait(self, seconds: float) -> None:
        await anyio.sleep(seconds * (0.5 + self.chance()))

    async def _step(self) -> bool:
        if not self.is_used:
            return False
        self.is_used = False
        await self._purge()
        return True

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
                sessions=removed.sessions,
                events=removed.events,
            )


def _note(defect: Defect) -> None:
    logger.warning("purge_failed", exc_info=defect)
