"""The way of an answer to its connection: its head leaves together with its body."""

from __future__ import annotations

import asyncio
from typing import Any

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class AnswerTransport(asyncio.Transport):
    """Holds the head of an answer until its body comes, but not beyond the current step of the event loop.

    uvicorn writes them one after the other. Each would leave as a packet of its own, which costs the worker the time of
    another call of the system, and wakes the client for a head without a body.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, transport: asyncio.Transport) -> None:
        super().__init__()
        self._loop = loop
        self._transport = transport
        self._head = b""
        self._has_begun = False

    def write(self, data: Any) -> None:
        """Write the head, which may be held, or a piece of the body."""
        if self._head:
            head, self._head = self._head, b""
            self._transport.writelines((head, data))
        elif self._has_begun or data == _CONTINUE:
            self._transport.write(data)
        else:
            self._has_begun = True
            self._head = data
            self._loop.call_soon(self.send_head)

    def send_head(self) -> None:
        """Send the head if it is held."""
        head, self._head = self._head, b""
        if head and not self._transport.is_closing():
            self._transport.write(head)

    def close(self) -> None:
        """Close the connection when everything is sent."""
        self.send_head()
        self._transport.close()

    def is_closing(self) -> bool:
        """Return whether the connection is closing or closed."""
        return self._transport.is_closing()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return what the connection tells about itself."""
        return self._transport.get_extra_info(name, default)
