"""Serves the application, and shuts down gracefully without losing a request."""

from __future__ import annotations

import asyncio
import math
import socket
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import uvicorn
from starlette.types import ASGIApp

from backend.config import Settings
from backend.server.listener import accept_waiting
from backend.server.state import ServerConfig, ServiceState, max_connections
from backend.telemetry.logs import set_up_logs

if TYPE_CHECKING:  # only a process that serves imports it
    from backend.server.protocol import BoundedProtocol

NOTICE_SECONDS = 1.0  # for the parent of several workers to give up its listener: it may have been told when they were
LAME_DUCK_SECONDS = 1.0  # for a request already in transit on a keep-alive connection
GRACE_MARGIN_SECONDS = 5  # on top of the request timeout: for bodies still arriving and answers still being sent
CLOSE_SECONDS = 5.0  # for the application to release its resources
_LOOK_SECONDS = 0.01


def server_config(app: ASGIApp | str, settings: Settings, **options: Any) -> ServerConfig:
    """Set up the server for an application, or for the name of a function that builds one (`factory=True`)."""
    config = ServerConfig(
        app,
        http="backend.server.protocol:BoundedProtocol",
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
    return NOTICE_SECONDS + LAME_DUCK_SECONDS + grace_seconds + CLOSE_SECONDS


class Server(uvicorn.Server):
    """uvicorn's server with a graceful shutdown: it first answers all connected clients.

    It accepts all connections that wait, and closes the listener. Answers that start during shutdown say
    `Connection: close`; idle connections get a moment, because a request may be in transit.
    """

    server_state: ServiceState

    def __init__(self, config: ServerConfig, announce: Callable[[], None] | None = None) -> None:
        super().__init__(config)
        self.server_state = ServiceState()
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to serve, and announce it when everything else has been logged."""
        await super().startup(sockets)
        if self._announce and not self.should_exit:
            self._announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve connected clients, then let uvicorn close idle connections, await running requests and stop the app."""
        self.server_state.is_ending = True
        for connection in self.server_state.connections:
            cast("BoundedProtocol", connection).end_soon()
        if self.config.workers > 1:
            await self._while(lambda: True, NOTICE_SECONDS)
        listeners = [listener for server in self.servers for listener in server.sockets]
        waiting = [client for listener in listeners for client in accept_waiting(listener)]
        for server in self.servers:  # at once: who connects in between is reset
            server.close()
        for listener in sockets or ():
            listener.close()
        for client in waiting:
            await asyncio.get_running_loop().connect_accepted_socket(self._protocol, client)
        await self._while(lambda: bool(self.server_state.connections), LAME_DUCK_SECONDS)
        await super().shutdown(sockets)

    def _protocol(self) -> asyncio.Protocol:
        return self.config.http_protocol_class(self.config, self.server_state, self.lifespan.state)  # type: ignore[call-arg]  # as in uvicorn

    async def _while(self, is_so: Callable[[], bool], max_seconds: float) -> None:
        """Wait while a condition holds, at least a moment; stop early on a forced exit (a second Ctrl-C)."""
        for _ in range(math.ceil(max_seconds / _LOOK_SECONDS)):
            await asyncio.sleep(_LOOK_SECONDS)
            if self.force_exit or not is_so():
                return
