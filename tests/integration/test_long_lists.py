"""A list of a thousand tasks passes through the worker as Postgres wrote it: nothing is done for each task."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import pytest

from backend.config import Settings
from tests.fixtures.api import API, serve
from tests.fixtures.database import execute

pytestmark = pytest.mark.requirement("FR-197")

TASKS = 1000
TITLE = 'Ü "quoted" \\ / \u2028 end'
FILL = """
INSERT INTO users (id, revision, task_count) VALUES (%s, 1, %s);
INSERT INTO tasks (user_id, id, title, revision) SELECT %s, gen_random_uuid(), %s, 1 FROM generate_series(1, %s)
"""
# What reads JSON, in Python or below.
READERS = {"loads", "raw_decode", "scan_once", "validate_json", "from_json"}
# The server may be told more often that an answer of this length has gone out.
SPARE_CALLS = 100


class Profile:
    """Counts calls of functions, in Python and below, in every thread that begins after it."""

    def __init__(self) -> None:
        self.calls: Counter[str] | None = None

    def note(self, frame: FrameType, event: str, function: Any) -> None:
        """Be told what happens."""
        calls = self.calls
        if calls is not None and event in {"call", "c_call"}:
            calls[frame.f_code.co_name if event == "call" else function.__name__] += 1

    @contextmanager
    def counting(self) -> Iterator[Counter[str]]:
        """Count until the block ends."""
        counted: Counter[str] = Counter()
        self.calls = counted
        try:
            yield counted
        finally:
            self.calls = None


@pytest.fixture
def profile() -> Iterator[Profile]:
    profile, before = Profile(), threading.getprofile()
    threading.setprofile(profile.note)
    yield profile
    threading.setprofile(before)


@pytest.fixture
def live(settings: Settings, profile: Profile, monkeypatch: pytest.MonkeyPatch) -> Iterator[API]:
    """A service of this test alone, whose threads are counted, and which does nothing by itself."""
    monkeypatch.setattr("backend.api.main.SETTLE_SECONDS", 3600)
    monkeypatch.setattr("backend.api.main.FIRST_PURGE_SECONDS", 3600)
    with serve(settings) as running:
        assert profile.calls is None  # only what a test asks for is counted
        yield running


def test_a_long_list_costs_no_more_calls_than_a_short_one(
    live: API, profile: Profile, database_url: str, user_id: str
) -> None:
    execute(database_url, FILL, user_id, TASKS, user_id, TITLE, TASKS)
    counted: dict[int, list[Counter[str]]] = {1: [], TASKS: []}
    with live.client(user_id) as client:
        client.event_hooks = {}
        for limit in (1, TASKS) * 4:
            with profile.counting() as calls:
                answer = client.get("/api/tasks", params={"limit": limit})
            assert len(answer.json()["data"]) == limit
            counted[limit].append(calls)

    short, long = (min(counted[limit], key=Counter.total) for limit in (1, TASKS))
    assert short.total() > SPARE_CALLS  # it is counted at all
    assert long.total() <= short.total() + SPARE_CALLS, (long - short).most_common(10)
    assert not READERS & long.keys()


def test_a_list_leaves_as_postgres_wrote_it(live: API, database_url: str, user_id: str) -> None:
    execute(database_url, FILL, user_id, 2, user_id, TITLE, 2)
    rows = execute(database_url, "SELECT row_to_json(tasks)->>'title' FROM tasks WHERE user_id = %s", user_id)
    assert rows == [(TITLE,)] * 2

    with live.client(user_id) as client:
        text = client.get("/api/tasks").text

    written = execute(database_url, "SELECT to_json(%s::text)::text", TITLE)[0][0]
    assert text.count(f'"title":{written}') == 2
    assert '}, {"id":"' in text  # Python writes a blank in both places, or in none
