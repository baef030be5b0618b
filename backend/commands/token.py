"""task-api token: a bearer token, for development and tests."""

from __future__ import annotations

import argparse
import sys

from backend.commands.common import issue, secret_file, with_key
from backend.config import load_settings
from backend.errors import ConfigurationError


def run(options: argparse.Namespace) -> None:
    """Print a token for a user."""
    settings = load_settings()
    if settings.environment == "production" or settings.jwt_jwks_url:
        raise ConfigurationError("tokens come from your issuer; this command makes them for development only")
    is_new = not settings.jwt_secret and not secret_file(settings).exists()
    token = issue(with_key(settings), options.user, options.ttl)
    if is_new:
        place = secret_file(settings).absolute()
        print(f"task-api: made {place}: only a service with this DATA_DIR accepts the token", file=sys.stderr)
    print(token)
