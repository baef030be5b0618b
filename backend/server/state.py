"""What uvicorn hands to each connection, and what ours must know besides."""

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

SPARE_DESCRIPTORS = 100  # for whatever opens a file or a socket
DESCRIPTORS_OF_A_CONNECTION = 2  # to the database: each may be replaced before it is closed
QUIET_SECONDS = 60.0  # between two lines that say the same

logger = structlog.get_logger(__name__)


class ServerConfig(uvicorn.Config):
    """uvicorn's configuration, with what our protocol and our workers need to know besides."""

    client_timeout_seconds: float
    most_connections: int  # of clients
    set_up_logs: Callable[[], None]  # what a new process does first

    def load(self) -> None:
        """Import and build the application."""
        with without_collecting():
            super().load()


class ServiceState(ServerState):
    """What the connections of a server share: uvicorn's, whether the server ends, and how its requests begin."""

    is_ending = False
    _full_at = -math.inf  # when it was said

    def __init__(self) -> None:
        super().__init__()
        self.beginnings = Beginnings()
        self._unread: Unread | None = None

    def unread(self, connection_limiter: ConnectionLimiter) -> Unread:
        """Return what counts the answers that clients have not taken, for the one application that this server runs."""
        if self._unread is None:
            self._unread = Unread(connection_limiter)
        return self._unread

    def note_full(self, most_connections: int) -> None:
        """Say that a client was sent away because there are as many connections as may be; not each time."""
        now = time.monotonic()
        if now - self._full_at > QUIET_SECONDS:
            self._full_at = now
            logger.warning("connections_refused", most=most_connections)


def most_connections(pool_size: int) -> int:
    """Return how many connections of clients leave enough descriptors for everything else."""
    most = descriptors.limit()
    return max(most // 2, most - SPARE_DESCRIPTORS - DESCRIPTORS_OF_A_CONNECTION * pool_size)
