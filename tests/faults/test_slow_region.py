"""In a region far from its database, a read takes one round trip longer, a change two, and nothing takes more."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.fixtures.calls.api import API, new_user
from tests.fixtures.calls.tasks import Task, create, path_of
from tests.fixtures.postgres.proxy import Proxy

DELAY_SECONDS = 0.03
TIMES = 3

READS = {"list", "get"}
CALLS: dict[str, Callable[[httpx.Client, Task], httpx.Response]] = {
    "list": lambda client, _task: client.get("/api/tasks"),
    "create": lambda client, _task: client.post("/api/tasks", json={"title": "a"}),
    "get": lambda client, task: client.get(path_of(task)),
    "put": lambda client, task: client.put(path_of(task), json={"title": "b"}),
    "patch": lambda client, task: client.patch(path_of(task), json={"description": "b"}),
    "complete": lambda client, task: client.patch(path_of(task) + "/complete"),
    "delete": lambda client, task: client.delete(path_of(task)),
}


@pytest.fixture
def far(proxied: API, proxy: Proxy) -> Iterator[httpx.Client]:
    """A client of a service with one warm connection to a distant database."""
    with proxied.client(new_user()) as client:
        create(client)
        yield client
        proxy.delay_seconds = 0


@pytest.mark.requirement("FR-164")
@pytest.mark.parametrize("name", CALLS)
def test_a_read_takes_one_round_trip_more_and_a_change_two(far: httpx.Client, proxy: Proxy, name: str) -> None:
    call, round_trips = CALLS[name], 1 if name in READS else 2
    tasks = [create(far, str(number)) for number in range(TIMES)]
    proxy.delay_seconds = DELAY_SECONDS
    before = proxy.round_trips

    shortest = min(seconds(far, call, task) for task in tasks)

    # Counts round trips, because measured time includes other work on this machine. Each takes the delay both ways.
    assert proxy.round_trips - before == TIMES * round_trips
    assert shortest >= 2 * DELAY_SECONDS * round_trips


def seconds(client: httpx.Client, call: Callable[[httpx.Client, Task], httpx.Response], task: Task) -> float:
    """Make a call; returns how long it took."""
    began = time.perf_counter()
    response = call(client, task)
    assert response.is_success
    return time.perf_counter() - began
