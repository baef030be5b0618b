"""The application as a process of its own serves it."""

from __future__ import annotations

import gc

from fastapi import FastAPI

from backend.api.main import create_app
from backend.config import load_settings
from backend.telemetry.logs import set_up_logs


def application() -> FastAPI:
    """Build the application from the environment: what every worker process runs."""
    settings = load_settings()
    set_up_logs(settings.log_level, as_json=settings.environment == "production")
    app = create_app(settings)
    # What is there by now stays. The collector need not look through it whenever a large body makes many objects.
    gc.freeze()
    return app
