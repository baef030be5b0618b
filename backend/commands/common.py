"""What several commands do: read the settings, reach the database, ask whether its schema is there, make a token."""

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
    """Read the settings, and log as they say from now on."""
    settings = load_settings(**chosen)
    set_up_logs(settings.log_level, as_json=settings.environment == "production")
    for name, meant in misspelt(DotEnvSettingsSource(Settings).env_vars):
        print(
            f"task-api: warning: .env: {name.upper()} is no setting of ours. Did you mean {meant.upper()}?",
            file=sys.stderr,
        )
    return settings


def misspelt(names: Iterable[str]) -> list[tuple[str, str]]:
    """List what is nearly the name of a setting, with that: other variables may be those of other programs."""
    found = ((name, get_close_matches(name, Settings.model_fields, 1, 0.75)) for name in sorted(names))
    return [(name, close[0]) for name, close in found if close and name not in Settings.model_fields]


@contextmanager
def database(settings: Settings, *, must_exist: bool = False) -> Iterator[str]:
    """Give the database's URL; without one, run an embedded Postgres meanwhile.

    Raises ConfigurationError where one that is empty would be made, and would be no help.
    """
    if settings.database_url:
        yield settings.database_url.get_secret_value()
    else:
        # With what looks after its process: nothing that a service with a database of its own needs.
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
    """Tell whether EmbeddedPostgres has made a database in a folder."""
    return (data_dir / "postgres" / "PG_VERSION").exists()


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
