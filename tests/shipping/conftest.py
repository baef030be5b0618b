"""One installation for all tests of a process; each test uses its own users."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fixtures.processes.deployment import Installation, installation


@pytest.fixture(scope="session")
def installed() -> Iterator[Installation]:
    """The database as set up by compose.yaml, migrated by its owner."""
    with installation() as made:
        yield made
