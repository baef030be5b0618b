"""Servers that the fault tests share: each test leaves them running."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from backend.database.migrations import runner as migrations
from tests.fixtures.processes.certificates import Authority
from tests.fixtures.processes.servers import NEON_HOST, Server, plain_server, tls_server


@pytest.fixture(scope="session")
def own_server() -> Iterator[Server]:
    """A server that a test may stop, freeze and kill, with a migrated database and without TLS."""
    with plain_server() as server:
        migrations.apply(server.url())
        yield server


@pytest.fixture(scope="session")
def authority() -> Authority:
    """The authority that signs that server's certificate."""
    return Authority()


@pytest.fixture(scope="session")
def own_tls_server(authority: Authority) -> Iterator[Server]:
    """A server that requires TLS, under a host name like Neon's."""
    with tls_server(authority.certify(NEON_HOST)) as server:
        migrations.apply(server.url(NEON_HOST, sslmode="require"))
        yield server
