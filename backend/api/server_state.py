"""What uvicorn hands to each connection, and what ours must know besides."""

from __future__ import annotations

import uvicorn
from uvicorn.server import ServerState


class ServerConfig(uvicorn.Config):
    """uvicorn's configuration, with the one thing more that our protocol needs to know."""

    client_timeout_seconds: float


class ServiceState(ServerState):
    """What the connections of a server share: uvicorn's, and whether the server ends."""

    is_ending = False
