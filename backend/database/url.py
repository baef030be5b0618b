"""Reads the address of a database, the same for everything that connects to one."""

from __future__ import annotations

import psycopg2
from psycopg2.extensions import parse_dsn

from backend.errors import ConfigurationError

SCHEMES = {"postgres", "postgresql", "postgresql+psycopg2"}


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
    return parameters
