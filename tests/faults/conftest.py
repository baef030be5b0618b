"""Servers that the tests of faults share: each of them leaves them running."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from backend.database.migrations import runner as migrations
from tests.fixtures.certificates import Authority
from tests.fixtures.servers import NEON_HOST, Server, plain_server, tls_server


@pytest.fixture(scope="session")
def own_server() -> Iterator[Server]:
    """A server that a test may stop, freeze and kill, with a migrated database. It knows no TLS."""
    with plain_server() as server:
        migrations.apply(server.url())
        yield server


@pytest.fixture(scope="session")
def authority() -> Authority:
    """Whoever signs for that server's name."""
    return Authority()


@pytest.fixture(scope="session")
def own_tls_server(authority: Authority) -> Iterator[Server]:
    """One that asks for TLS, and is called as Neon calls its own."""
    with tls_server(authority.certify(NEON_HOST)) as server:
        migrations.apply(server.url(NEON_HOST, sslmode="require"))
        yield server
