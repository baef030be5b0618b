"""SQLAlchemy's dialect without its questions: a first connection asks nothing that the server has not said already."""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import Connection
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2

URL = "postgresql+quiet://"

_MAJOR = 10000  # libpq writes version 15.18 as 150018


class QuietDialect(PGDialect_psycopg2):
    """Knows what SQLAlchemy would ask in four flights: from the server's greeting, or because we rely on it."""

    driver = "quiet"
    supports_statement_cache = True

    def _get_server_version_info(self, connection: Connection) -> tuple[int, int]:
        version = _info_of(connection).server_version
        return version // _MAJOR, version % _MAJOR

    def _get_default_schema_name(self, _connection: Connection) -> str:
        return "public"  # what no statement of ours depends on

    def get_default_isolation_level(self, _connection: Any) -> Literal["READ COMMITTED"]:
        """Return what is in force where nothing else is asked for: always asked for here."""
        return "READ COMMITTED"

    def _set_backslash_escapes(self, connection: Connection) -> None:
        self._backslash_escapes = _info_of(connection).parameter_status("standard_conforming_strings") == "off"


def _info_of(connection: Connection) -> Any:
    driver = connection.connection.driver_connection
    assert driver is not None  # noqa: S101 - it is connected
    return driver.info


registry.register("postgresql.quiet", __name__, QuietDialect.__name__)
