"""How the application is served: the one place that sets up uvicorn."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from backend.api.protocol import BoundedProtocol, ServerConfig
from backend.config import Settings

SHUTDOWN_GRACE_SECONDS = 10


def server_config(app: FastAPI | str, settings: Settings, **options: Any) -> ServerConfig:
    """Set up the server for an application, or for the name of a function that builds one (`factory=True`)."""
    config = ServerConfig(
        app,
        http=BoundedProtocol,
        ws="none",
        forwarded_allow_ips=settings.trusted_proxies,
        log_config=None,
        access_log=False,  # our own has the request id and the user
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_GRACE_SECONDS,
        **options,
    )
    config.client_timeout_seconds = settings.client_timeout_seconds
    return config
