"""Shares users' request counts between workers, in the background: no request waits for it."""

from __future__ import annotations

from dataclasses import dataclass, field

import anyio
import structlog

from backend.database.connection_limiter import ConnectionLimiter
from backend.rate_limits.counter import Count, SharedRateLimiter
from backend.rate_limits.store import RateLimitService
from backend.utils.background import Defect, periodic

logger = structlog.get_logger()

SYNC_SECONDS = 1.0
MAX_SYNCED = 5000  # counts in one statement; the next one takes the rest
MIN_SWEEP_SECONDS = 60


@dataclass(slots=True)
class RateLimitSync:
    """Syncs a limiter's counts with the database: every second, or sooner when a user has used a tenth of the limit.

    Without new counts it sends nothing, so that an idle database can be suspended.
    """

    limiter: SharedRateLimiter
    service: RateLimitService
    connection_limiter: ConnectionLimiter
    seconds: float
    _swept: int = field(default=0, init=False)

    async def run(self) -> None:
        """Sync until cancelled."""
        await periodic(self._step, self._pause, _note)

    async def _step(self) -> bool:
        counts = self.limiter.take(MAX_SYNCED)
        if counts:
            await self._sync(counts)
            await self._sweep()
        return bool(counts)

    async def _pause(self, is_failing: bool) -> None:  # noqa: FBT001 - as `periodic` calls it
        if is_failing:  # or a busy user would cause a storm of retries
            await anyio.sleep(self.seconds)
        with anyio.move_on_after(self.seconds):
            await self.limiter.due.wait()
        self.limiter.due.clear()

    async def _sync(self, counts: list[Count]) -> None:
        try:
            totals = await self.connection_limiter.run(self.service.sync, counts, self.limiter.window_starts)
        except Exception:
            self.limiter.put_back(counts)
            raise
        self.limiter.sync(totals)

    async def _sweep(self) -> None:
        """Remove windows older than two periods: once per period, repeated until none is left.

        A clock that was set back also starts another period.
        """
        current, previous = self.limiter.window_starts
        period = current - previous
        if abs(current - self._swept) >= max(period, MIN_SWEEP_SECONDS) and await self.connection_limiter.run(
            self.service.sweep, current - 2 * period
        ):
            self._swept = current


def _note(defect: Defect) -> None:
    """Log that each worker limits on its own for now."""
    logger.warning("rate_limits_not_shared", exc_info=defect)
