"""What tests of hostile use share."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.fixtures.tasks import Task, create, everything_of


@pytest.fixture
def task(client: httpx.Client) -> Iterator[Task]:
    """Give a task, and see afterwards that nothing of the user's has changed."""
    task = create(client, "as it was", description="as it was")
    before = everything_of(client)
    yield task
    assert everything_of(client) == before
