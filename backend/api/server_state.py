"""What uvicorn hands to each connection, and what ours must know besides."""

from __future__ import annotations

from collections.abc import Callable

import uvicorn
from uvicorn.server import ServerState

from backend.utils.collector import without_collecting


class ServerConfig(uvicorn.Config):
    """uvicorn's configuration, with what our protocol and our workers need to know besides."""

    client_timeout_seconds: float
    set_up_logs: Callable[[], None]  # what a new process does first

    def load(self) -> None:
        """Import and build the application."""
        with without_collecting():
            super().load()


class ServiceState(ServerState):
    """What the connections of a server share: uvicorn's, and whether the server ends."""

    is_ending = False
