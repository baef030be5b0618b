"""The configuration and state that uvicorn gives each connection, with our additions."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import structlog
import uvicorn
from uvicorn.server import ServerState

from backend.database.connection_limiter import ConnectionLimiter
from backend.server.garbage_collector import without_collecting
from backend.server.slow_reader import Unread
from backend.utils import descriptors
from backend.utils.turns import Beginnings

SPARE_DESCRIPTORS = 100  # for any other file or socket
DESCRIPTORS_OF_A_CONNECTION = 2  # to the database: a replacement may open before the old one closes
QUIET_SECONDS = 60.0  # between two identical log lines

logger = structlog.get_logger(__name__)


class ServerConfig(uvicorn.Config):
    """uvicorn's configuration, with settings for our protocol and workers."""

    client_timeout_seconds: float
    max_connections: int  # of clients
    set_up_logs: Callable[[], None]  # called first in a new process

    def load(self) -> None:
        """Import and build the application."""
        with without_collecting():
            super().load()


class ServiceState(ServerState):
    """State shared by a server's connections: uvicorn's, whether it is shutting down, and the queue of requests."""

    is_ending = False
    _full_at = -math.inf  # when this was last logged

    def __init__(self) -> None:
        super().__init__()
        self.beginnings = Beginnings()
        self._unread: Unread | None = None

    def unread(self, connection_limiter: ConnectionLimiter) -> Unread:
        """Return the count of unread answers of the one application that this server runs."""
        if self._unread is None:
            self._unread = Unread(connection_limiter)
        return self._unread

    def note_full(self, max_connections: int) -> None:
        """Log, at most once per QUIET_SECONDS, that a client was refused because all connections are taken."""
        now = time.monotonic()
        if now - self._full_at > QUIET_SECONDS:
            self._full_at = now
            logger.warning("connections_refused", max_connections=max_connections)


def max_connections(pool_size: int) -> int:
    """Return how many client connections leave enough file descriptors for everything else."""
    limit = descriptors.limit()
    return max(limit // 2, limit - SPARE_DESCRIPTORS - DESCRIPTORS_OF_A_CONNECTION * pool_size)
