"""The signal that wakes or ends a streamed answer while it waits."""

from __future__ import annotations

import asyncio


class Signal(asyncio.Event):
    """Set when there may be something to send, or when the answer has to end; the waiting stream clears it."""

    is_over = False  # the client sends no more requests, or the service shuts down

    def end(self) -> None:
        """End the answer."""
        self.is_over = True
        self.set()
