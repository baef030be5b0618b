"""What an answer that goes on and on must hear from others while it waits."""

from __future__ import annotations

import asyncio


class Signal(asyncio.Event):
    """Set when there may be something to send, or when the answer has to end; cleared by who waits for it."""

    is_over = False  # the client has said its last word, or the service ends

    def end(self) -> None:
        """Let the answer end."""
        self.is_over = True
        self.set()
