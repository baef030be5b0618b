"""What several commands do: read the settings, reach the database, ask whether its schema is there, make a token."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import SecretStr

from backend.config import Settings, load_settings
from backend.utils.auth import development_secret, issue_token
from backend.utils.logs import set_up_logs


def set_up(**chosen: object) -> Settings:
    """Read the settings, and log as they say from now on."""
    settings = load_settings(**chosen)
    set_up_logs(settings.log_level, as_json=settings.environment == "production")
    return settings


@contextmanager
def database(settings: Settings) -> Iterator[str]:
    """Give the database's URL; without one, run an embedded Postgres meanwhile."""
    if settings.database_url:
        yield settings.database_url.get_secret_value()
    else:
        # With what looks after its process: nothing that a service with a database of its own needs.
        from backend.database.embedded import EmbeddedPostgres  # noqa: PLC0415

        with EmbeddedPostgres(settings.data_dir) as url:
            yield url


def migration_url(settings: Settings, url: str) -> str:
    """Prefer the way round the pooler."""
    return settings.database_direct_url.get_secret_value() if settings.database_direct_url else url


def with_key(settings: Settings) -> Settings:
    """Add the development secret where nothing says who signs the tokens; production never gets here without."""
    if settings.jwt_secret or settings.jwt_jwks_url:
        return settings
    secret = development_secret(secret_file(settings))
    return settings.model_copy(update={"jwt_secret": SecretStr(secret)})


def secret_file(settings: Settings) -> Path:
    """Say where the development secret is kept."""
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
