"""The database whose schema is inspected."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from backend.database.migrations import runner as migrations
from tests.fixtures.postgres.database import scratch_database


@pytest.fixture(scope="module")
def schema_url(server_url: str) -> Iterator[str]:
    """A freshly migrated database, unaffected by what other tests do to the shared ones."""
    with scratch_database(server_url) as url:
        migrations.apply(url)
        yield url
