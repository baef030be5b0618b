"""What several commands share: they read the settings, reach the database and make tokens."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import DotEnvSettingsSource

from backend.config import Settings, load_settings
from backend.errors import ConfigurationError
from backend.identity.jwt import development_secret, issue_token
from backend.server.signals import EXIT_INTERRUPTED, interrupted_at_once
from backend.telemetry.logs import set_up_logs


def set_up(**chosen: object) -> Settings:
    """Read the settings, and set up logging accordingly."""
    settings = load_settings(**chosen)
    set_up_logs(settings.log_level, as_json=settings.environment == "production")
    for name, meant in misspelt(DotEnvSettingsSource(Settings).env_vars):
        print(
            f"task-api: warning: .env: {name.upper()} is no setting of ours. Did you mean {meant.upper()}?",
            file=sys.stderr,
        )
    return settings


def misspelt(names: Iterable[str]) -> list[tuple[str, str]]:
    """List names that resemble a setting, each with that setting: other names may belong to other programs."""
    found = ((name, get_close_matches(name, Settings.model_fields, 1, 0.75)) for name in sorted(names))
    return [(name, close[0]) for name, close in found if close and name not in Settings.model_fields]


@contextmanager
def database(settings: Settings, *, must_exist: bool = False) -> Iterator[str]:
    """Yield the database's URL; if none is set, run an embedded Postgres until the block ends.

    Raises ConfigurationError if the database `must_exist` but would be created: an empty one would not help.
    """
    if settings.database_url:
        yield settings.database_url.get_secret_value()
    else:
        # This also imports process supervision, which a service with its own database does not need.
        with interrupted_at_once(EXIT_INTERRUPTED):
            from backend.database.embedded.postgres import EmbeddedPostgres  # noqa: PLC0415

        if must_exist and not _is_made(settings.data_dir):
            raise ConfigurationError(
                f"there is no database in {settings.data_dir.absolute()}: run this in the folder of the service, or "
                "set DATA_DIR or DATABASE_URL as the service has it"
            )
        with EmbeddedPostgres(settings.data_dir) as url:
            yield url


def _is_made(data_dir: Path) -> bool:
    """Return whether EmbeddedPostgres has created a database in a folder."""
    return (data_dir / "postgres" / "PG_VERSION").exists()


def migration_url(settings: Settings, url: str) -> str:
    """Return the URL that bypasses the pooler, if one is set."""
    return settings.database_direct_url.get_secret_value() if settings.database_direct_url else url


def with_key(settings: Settings) -> Settings:
    """Add the development secret if no key is set; production always has a key by then."""
    if settings.jwt_secret or settings.jwt_jwks_url:
        return settings
    secret = development_secret(secret_file(settings))
    return settings.model_copy(update={"jwt_secret": SecretStr(secret)})


def secret_file(settings: Settings) -> Path:
    """Return the path of the development secret."""
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
