"""One installation for all tests of a process; users of their own keep them apart."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fixtures.deployment import Installation, installation


@pytest.fixture(scope="session")
def installed() -> Iterator[Installation]:
    """The database as compose.yaml sets it up, migrated by its owner."""
    with installation() as made:
        yield made
