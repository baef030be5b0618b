"""Serves the application, and shuts down gracefully without losing a request."""

from __future__ import annotations

import asyncio
import math
import socket
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol, cast

import uvicorn
from starlette.types import ASGIApp

from backend.config import Settings
from backend.server.listener import has_waiting, refuse_new_connections
from backend.server.state import ServerConfig, ServiceState, max_connections
from backend.telemetry.logs import set_up_logs

HANDSHAKE_SECONDS = 0.2  # for connections whose handshake has begun
DRAIN_SECONDS = 5.0  # to accept all waiting connections; far more than it takes
LAME_DUCK_SECONDS = 1.0  # for a request already in transit on a keep-alive connection
# On top of the request timeout: for bodies still arriving and answers still being sent.
GRACE_MARGIN_SECONDS = 5
CLOSE_SECONDS = 5.0  # for the application to release its resources
_LOOK_SECONDS = 0.01


def server_config(app: ASGIApp | str, settings: Settings, **options: Any) -> ServerConfig:
    """Set up the server for an application, or for the name of a function that builds one (`factory=True`)."""
    config = ServerConfig(
        app,
        http="backend.server.protocol:BoundedProtocol",  # by name: only a process that serves imports it
        ws="none",
        forwarded_allow_ips=settings.trusted_proxies,
        log_config=None,
        access_log=False,  # our own log has the request id and the user
        server_header=False,
        timeout_graceful_shutdown=math.ceil(settings.request_timeout_seconds) + GRACE_MARGIN_SECONDS,
        **options,
    )
    config.client_timeout_seconds = settings.client_timeout_seconds
    config.max_connections = max_connections(settings.database_pool_size)
    config.set_up_logs = partial(set_up_logs, settings.log_level, as_json=settings.environment == "production")
    return config


def max_seconds_to_end(config: ServerConfig) -> float:
    """Return how long a shutdown may take before the server counts as hanging."""
    grace_seconds = config.timeout_graceful_shutdown or 0
    return HANDSHAKE_SECONDS + DRAIN_SECONDS + LAME_DUCK_SECONDS + grace_seconds + CLOSE_SECONDS


class Ending(Protocol):
    """What a server asks of its connections; implemented in `backend/server/protocol.py`."""

    def end_soon(self) -> None:
        """End after the current answer."""


class Server(uvicorn.Server):
    """uvicorn's server with a graceful shutdown: it first answers all connected clients.

    It accepts connections until none wait, and only then closes the listener. Answers that start during shutdown say
    `Connection: close`; idle connections get a moment, because a request may be in transit.
    """

    server_state: ServiceState

    def __init__(self, config: ServerConfig) -> None:
        super().__init__(config)
        self.server_state = ServiceState()
        self.shares_listener = config.workers > 1  # others accept the remaining connections, or refuse new ones

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve connected clients, then let uvicorn close idle connections, await running requests and stop the app."""
        self.server_state.is_ending = True
        for connection in self.server_state.connections:
            cast(Ending, connection).end_soon()
        listeners = sockets or [listener for server in self.servers for listener in server.sockets]
        if not self.shares_listener:
            for listener in listeners:
                refuse_new_connections(listener)
        await asyncio.sleep(HANDSHAKE_SECONDS)
        await self._while(lambda: any(has_waiting(listener) for listener in listeners), DRAIN_SECONDS)
        for server in self.servers:
            server.close()
        for listener in sockets or ():
            listener.close()
        await self._while(lambda: bool(self.server_state.connections), LAME_DUCK_SECONDS)
        await super().shutdown(sockets)

    async def _while(self, is_so: Callable[[], bool], max_seconds: float) -> None:
        """Wait while a condition holds, at least a moment; stop early on a forced exit (a second Ctrl-C)."""
        for _ in range(math.ceil(max_seconds / _LOOK_SECONDS)):
            await asyncio.sleep(_LOOK_SECONDS)
            if self.force_exit or not is_so():
                return
