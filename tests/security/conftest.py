"""Fixtures for tests of hostile use."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.fixtures.calls.labels import put
from tests.fixtures.calls.lists import make
from tests.fixtures.calls.tasks import Task, create, everything_of


@pytest.fixture
def task(client: httpx.Client) -> Iterator[Task]:
    """Give a task, and a list and a label of its id, and check afterwards that none of the user's data has changed."""
    task = create(client, "as it was", description="as it was")
    make(client, id=task["id"])
    put(client, task["id"])
    before = everything_of(client)
    yield task
    assert everything_of(client) == before
