"""task-api openapi: the contract."""

from __future__ import annotations

import argparse
import json
import secrets

from pydantic import SecretStr

from backend.api.main import create_app
from backend.config import Settings


def run(_options: argparse.Namespace) -> None:
    """Print the contract."""
    # Not read from the environment: the contract is the same however the service is set up.
    settings = Settings.model_construct(
        database_url=SecretStr("postgresql://"), jwt_secret=SecretStr(secrets.token_urlsafe(48))
    )
    print(json.dumps(create_app(settings).openapi(), indent=2, ensure_ascii=False))
