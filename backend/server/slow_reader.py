"""Clients that do not read: what they are owed is in our memory until they take it, and close() would wait for that."""

from __future__ import annotations

import asyncio

MIN_READ_BYTES = 64 * 1024  # in the time that a client has; one that takes less is given up


class SlowReaderWatch:
    """Looks from time to time whether a client takes anything of a long answer, and cuts it off if it does not."""

    def __init__(self, loop: asyncio.AbstractEventLoop, transport: asyncio.Transport) -> None:
        self._loop = loop
        self._transport = transport
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_watching(self) -> bool:
        """Tell whether there is something that the client has not taken."""
        return self._timer is not None

    def look_every(self, seconds: float) -> None:
        """Begin, or go on with another patience."""
        self.stop()
        left = self._transport.get_write_buffer_size()
        self._timer = self._loop.call_later(seconds, self._look, left, seconds)

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self, left_before: int, seconds: float) -> None:
        if self._transport.get_write_buffer_size() > left_before - MIN_READ_BYTES:
            self._transport.abort()
        else:
            self.look_every(seconds)
