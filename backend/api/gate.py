"""The gate in front of the database: as many pass at once as there are connections, and waiting has an end."""

from __future__ import annotations

import asyncio

from backend.errors import ServiceUnavailable


class Gate:
    """Places for work that needs a database connection: `async with gate:` takes one. First come, first served."""

    def __init__(self, places: int, wait_seconds: float) -> None:
        self._semaphore = asyncio.Semaphore(places)
        self._wait_seconds = wait_seconds

    async def __aenter__(self) -> None:
        """Take a place; raises ServiceUnavailable when none becomes free in time."""
        if not self._semaphore.locked():
            await self._semaphore.acquire()
            return
        try:
            async with asyncio.timeout(self._wait_seconds):
                await self._semaphore.acquire()
        except TimeoutError:
            raise ServiceUnavailable from None

    async def __aexit__(self, *_: object) -> None:
        """Give the place back."""
        self._semaphore.release()
