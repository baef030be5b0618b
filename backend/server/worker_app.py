"""The application of a worker process."""

from __future__ import annotations

import gc
import sys

from fastapi import FastAPI

from backend.api.main import create_app
from backend.config import load_settings
from backend.server.memory import keep_freed_memory
from backend.telemetry.logs import set_up_logs

# How long a thread that computes, for an import or export, keeps the event loop waiting each time it has waited itself.
SWITCH_SECONDS = 0.0005


def application() -> FastAPI:
    """Build the application from the environment; every worker process runs this."""
    keep_freed_memory()
    sys.setswitchinterval(SWITCH_SECONDS)
    settings = load_settings()
    set_up_logs(settings.log_level, as_json=settings.environment == "production")
    app = create_app(settings)
    # Existing objects stay alive, so the collector need not scan them whenever a large body creates many new ones.
    gc.freeze()
    return app
