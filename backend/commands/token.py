"""task-api token: a bearer token, for development and tests."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pydantic import SecretStr

from backend.config import Settings, load_settings
from backend.errors import ConfigurationError
from backend.identity.jwt import issue_token
from backend.identity.shared_secret import development_secret


def run(options: argparse.Namespace) -> None:
    """Print a token for a user."""
    settings = load_settings()
    if settings.environment == "production" or settings.jwt_jwks_url:
        raise ConfigurationError(
            "this command makes tokens for development only. In production and with JWT_JWKS_URL, get them from your "
            "issuer"
        )
    file = _secret_file(settings)
    is_new = not settings.jwt_secret and not file.exists()
    token = issue(with_key(settings), options.user, options.ttl)
    if is_new:
        print(f"task-api: made {file.absolute()}. Only a service with this DATA_DIR accepts the token", file=sys.stderr)
    print(token)


def with_key(settings: Settings) -> Settings:
    """Add the development secret if a key is missing: for tokens of any user, or for the sign-in beside an issuer.

    Production always has its keys by then.
    """
    has_keys = settings.jwt_secret or (settings.jwt_jwks_url and (settings.sign_in_secret or not settings.signs_in))
    if settings.environment == "production" or has_keys:
        return settings
    if settings.jwt_jwks_url:
        secret = development_secret(settings.data_dir / "sign-in-secret")
        return settings.model_copy(update={"sign_in_secret": SecretStr(secret)})
    return settings.model_copy(update={"jwt_secret": SecretStr(development_secret(_secret_file(settings)))})


def _secret_file(settings: Settings) -> Path:
    return settings.data_dir / "jwt-secret"


def issue(settings: Settings, user_id: str, ttl_seconds: int) -> str:
    """Make a token that a service with these settings accepts."""
    assert settings.jwt_secret is not None  # noqa: S101 - the callers have made sure
    return issue_token(
        settings.jwt_secret.get_secret_value(),
        user_id,
        ttl_seconds=ttl_seconds,
        issuer=settings.jwt_issuer,
        audience=next(iter(settings.jwt_audience), None),
        authorized_party=next(iter(settings.jwt_authorized_parties), None),
    )
