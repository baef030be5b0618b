"""From the URL of a database to the parameters of a connection, in the same way for everything that connects.

libpq reads the address. SQLAlchemy would take `postgresql://` for another driver from 2.1 on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg2
from psycopg2.extensions import parse_dsn

from backend.errors import ConfigurationError

SCHEMES = {"postgres", "postgresql", "postgresql+psycopg2"}
MAX_PORT = 65535
CONNECT_TIMEOUT_SECONDS = 10  # a suspended Neon compute needs a while to wake

# Detect a connection that the network has dropped: while it is idle, and in time to open another.
_KEEP_ALIVE = {"keepalives": 1, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
_MAX_UNACKNOWLEDGED_SECONDS = 5.0
# The hosts of Neon. The first part of a name tells which address it is: that of the pooler ends in -pooler.
_NEON = ".neon.tech"
_NUMBERS = {"connect_timeout", "port", "tcp_user_timeout", *_KEEP_ALIVE}


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


def parameters_for_requests(url: str, timeout_seconds: float) -> dict[str, Any]:
    """Return the parameters of connections on which requests of at most this length run; raises like `read_url`."""
    given = read_url(url)
    connect_seconds = int(given.get("connect_timeout") or 0)  # not positive means no limit, which becomes ours
    return {
        "application_name": "task-api",
        "tcp_user_timeout": round(min(_MAX_UNACKNOWLEDGED_SECONDS, timeout_seconds / 2) * 1000),
        **_KEEP_ALIVE,
        **given,
        "connect_timeout": connect_seconds if connect_seconds > 0 else CONNECT_TIMEOUT_SECONDS,
    }


def each_host(parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return connection parameters for each host in them: libpq tries several itself only when it may block."""
    hosts = _split(parameters, "host")
    addresses, ports = _split(parameters, "hostaddr"), _split(parameters, "port")
    count = max(len(hosts), len(addresses))
    own = {name: value for name, value in parameters.items() if name not in {"host", "hostaddr", "port"}}
    return [
        {**own, **host, **address, **port}
        for host, address, port in zip(
            _for_each(hosts, "host", count),
            _for_each(addresses, "hostaddr", count),
            _for_each(ports, "port", count),
            strict=True,
        )
    ]


def _split(parameters: Mapping[str, Any], name: str) -> list[str]:
    return str(parameters.get(name) or "").split(",")


def _for_each(values: list[str], name: str, count: int) -> list[dict[str, str]]:
    """Give each host its value; a single value is for all hosts."""
    all_values = values * count if len(values) == 1 else values
    return [{name: value} if value else {} for value in all_values]


def is_direct_by_name(host: str) -> bool | None:
    """Return whether a host gives each connection a session of Postgres of its own; None if its name does not tell."""
    if not host.endswith(_NEON):
        return None
    return not host.partition(".")[0].endswith("-pooler")
