"""Parses the URL of a database, in the same way for everything that connects."""

from __future__ import annotations

import psycopg2
from psycopg2.extensions import parse_dsn

from backend.errors import ConfigurationError

SCHEMES = {"postgres", "postgresql", "postgresql+psycopg2"}
MAX_PORT = 65535
_NUMBERS = {
    "connect_timeout",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "port",
    "tcp_user_timeout",
}


def read_url(url: str) -> dict[str, str]:
    """Return the connection parameters of a URL as Neon, libpq or SQLAlchemy write it.

    Raises ConfigurationError, which never repeats a part of the URL.
    """
    scheme, _, rest = url.partition("://")
    if scheme not in SCHEMES:
        raise ConfigurationError("DATABASE_URL must look like postgresql://user:password@host/database.")
    try:
        parameters: dict[str, str] = parse_dsn(f"postgresql://{rest}")
    except psycopg2.ProgrammingError:
        raise ConfigurationError(
            "DATABASE_URL cannot be read: it must look like postgresql://user:password@host/database, with special "
            "characters percent-encoded and only parameters that libpq knows."
        ) from None
    for name in sorted(_NUMBERS & parameters.keys()):
        # Only `port` may be a list: one for each host.
        for number in parameters[name].split(",") if name == "port" else [parameters[name]]:
            _check_number(name, number)
    return parameters


def _check_number(name: str, number: str) -> None:
    """Refuse values that libpq would refuse only when it connects; an empty one means the default."""
    try:
        value = int(number or "1")
    except ValueError:
        raise ConfigurationError(f"DATABASE_URL: {name} must be a whole number.") from None
    if name == "port" and not 0 < value <= MAX_PORT:
        raise ConfigurationError(f"DATABASE_URL: port must be a number from 1 to {MAX_PORT}.")
