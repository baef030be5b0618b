"""Copies that follow the change feed during writes: in the end they are exact."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from backend.config import Settings
from backend.models.values.sync_token import SyncToken
from tests.fixtures.calls.api import API, serve
from tests.fixtures.calls.events import events_of, stream
from tests.fixtures.calls.feed import Replica, living, sync_token
from tests.fixtures.calls.tasks import Task, create, path_of, revision_of
from tests.fixtures.running.waiting import PATIENCE_SECONDS

WRITERS = 4
CHANGES_OF_EACH = 75


@pytest.fixture(scope="module")
def live(settings: Settings) -> Iterator[API]:
    """A service whose streams look often."""
    with serve(settings) as running:
        running.app.state.feed.poll_seconds = 0.05
        yield running


def write(live: API, user_id: str, seed: int) -> None:
    """Make random changes to the user's own tasks and to leftovers of others; missing tasks are fine."""
    chance, known = random.Random(seed), list[Task]()  # noqa: S311 - no secret
    with live.client(user_id) as client:
        for number in range(CHANGES_OF_EACH):
            kind = chance.choice(("create", "create", "edit", "complete", "delete", "restore", "remove", "again"))
            task = chance.choice(known or [{"id": None}])
            if kind == "create" or task["id"] is None:
                known.append(client.post("/api/tasks", json={"title": f"{seed}-{number}"}).json()["data"])
            elif kind == "edit":
                client.put(path_of(task), json={"description": str(number)})
            elif kind == "complete":
                client.patch(f"{path_of(task)}/complete")
            elif kind == "restore":
                client.post(f"{path_of(task)}/restore")
            elif kind == "again":
                client.post("/api/tasks", json={"id": task["id"], "title": f"{seed}-{number}"})
            else:
                client.delete(path_of(task), params={"permanent": "true"} if kind == "remove" else {})


def follow_pages(live: API, user_id: str, written: Event) -> Replica:
    """Read the feed in small pages until writing ends, and once more afterwards."""
    replica, chance = Replica(), random.Random(0)  # noqa: S311 - no secret
    with live.client(user_id) as client:
        is_last = False
        while not is_last:
            is_last = written.is_set()
            while replica.pull(client, chance.randint(1, 5)):
                pass
    return replica


def follow_stream(live: API, user_id: str, written: Event) -> tuple[Replica, int]:
    """Follow a stream that breaks off repeatedly; returns the copy, and the number of interruptions."""
    replica, chance, times, last_id = Replica(), random.Random(1), 0, ""  # noqa: S311 - no secret
    deadline = time.monotonic() + PATIENCE_SECONDS
    with live.client(user_id) as client:
        while not (written.is_set() and last_id == sync_token(revision_of(client))):
            assert time.monotonic() < deadline
            times += 1
            with stream(client, last_event_id=last_id) as response:
                events = events_of(response)
                for _ in range(chance.randint(1, 30)):
                    event = next(events)
                    last_id = event.id or last_id
                    if event.change:
                        replica.apply(event.change)
                    if written.is_set() and last_id == sync_token(revision_of(client)):
                        break
    return replica, times


@pytest.mark.requirement("FR-146", "FR-148")
def test_copies_are_exact_whatever_happens_meanwhile(live: API, user_id: str) -> None:
    written = Event()
    with ThreadPoolExecutor(WRITERS + 2) as threads:
        pages = threads.submit(follow_pages, live, user_id, written)
        streamed = threads.submit(follow_stream, live, user_id, written)
        writers = [threads.submit(write, live, user_id, seed) for seed in range(WRITERS)]
        for writer in writers:
            writer.result(PATIENCE_SECONDS)
        written.set()
        with live.client(user_id) as client:
            last = create(client)  # or a copy that had seen everything would wait for one more
        replica, (other, times) = pages.result(PATIENCE_SECONDS), streamed.result(PATIENCE_SECONDS)

    with live.client(user_id) as client:
        replica.pull(client)  # it may have stopped before the last task existed
        tasks = living(client)
        assert replica.tasks == tasks
        assert {**other.tasks, last["id"]: last} == tasks  # so may the other
        assert len(tasks) > WRITERS
        revision = revision_of(client)
        assert replica.since == sync_token(revision)
        assert revision > WRITERS * CHANGES_OF_EACH / 2
    assert times > 3


@pytest.mark.requirement("FR-146", "FR-145")
def test_what_comes_again_does_no_harm(live: API, user_id: str) -> None:
    write(live, user_id, seed=9)
    with live.client(user_id) as client:
        replica = Replica()
        while replica.pull(client, 2):
            replica.since = sync_token(max(0, SyncToken.read(replica.since).revision - 3))
            replica.pull(client, 7)

        assert replica.tasks == living(client)
        assert replica.tasks


def test_a_copy_notices_what_is_missing(live: API, user_id: str) -> None:
    """Checks the test itself: a follower that skips a change ends with a different copy."""
    with live.client(user_id) as client:
        replica = Replica()
        for number in range(3):
            assert client.post("/api/tasks", json={"title": str(number)}).is_success
        replica.since = sync_token(1)
        replica.pull(client)

        assert replica.tasks != living(client)
