"""A listing of a thousand tasks passes through the worker as Postgres wrote it: never parsed or serialized again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

import pytest

from backend.config import Settings
from backend.database.engine import Connection
from tests.fixtures.calls.api import API, serve
from tests.fixtures.calls.feed import sync_token
from tests.fixtures.postgres.database import execute

pytestmark = pytest.mark.requirement("FR-197")

TASKS = 1000
TITLE = 'Ü "quoted" \\ / \u2028 end'
FILL = """
INSERT INTO users (id, revision, task_count) VALUES (%s, 1, %s);
INSERT INTO tasks (user_id, id, title, revision) SELECT %s, gen_random_uuid(), %s, 1 FROM generate_series(1, %s)
"""
# Functions that parse JSON, in Python or in C.
READERS = {"loads", "raw_decode", "scan_once", "validate_json", "from_json"}


class Called:
    """Records the names of called functions, in Python and C, in every thread started after it."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def note(self, frame: FrameType, event: str, function: Any) -> None:
        """Receive profiling events."""
        if event in {"call", "c_call"}:
            self.names.add(frame.f_code.co_name if event == "call" else function.__name__)


@pytest.fixture
def called() -> Iterator[Called]:
    called, before = Called(), threading.getprofile()
    threading.setprofile(called.note)
    yield called
    threading.setprofile(before)


@pytest.fixture
def live(settings: Settings, called: Called, monkeypatch: pytest.MonkeyPatch) -> Iterator[API]:
    """A service of this test alone without background work, whose function calls are recorded."""
    monkeypatch.setattr("backend.api.main.SYNC_SECONDS", 3600)
    monkeypatch.setattr("backend.api.main.FIRST_PURGE_SECONDS", 3600)
    with serve(settings) as running:
        called.names.clear()
        yield running


@pytest.fixture
def read(live: API, monkeypatch: pytest.MonkeyPatch) -> list[list[Any]]:
    """The results of that service's queries, statement by statement: rows as the driver returns them."""
    answers: list[list[Any]] = []
    send = Connection.send

    def noting(connection: Connection, *arguments: Any) -> list[Any]:
        rows = send(connection, *arguments)
        if connection.engine is live.app.state.sessions.engine:  # services of other tests may work in the background
            answers.append(rows)
        return rows

    monkeypatch.setattr(Connection, "send", noting)
    return answers


def test_a_long_listing_leaves_as_postgres_wrote_it(
    live: API, read: list[list[Any]], database_url: str, user_id: str
) -> None:
    execute(database_url, FILL, user_id, TASKS, user_id, TITLE, TASKS)
    with live.client(user_id) as client:
        read.clear()
        answer = client.get("/api/tasks", params={"limit": TASKS})

    (((state,), *rows),) = read  # one statement: a row with revision and tag, and one for each task
    data = f"[{','.join(text for (text,) in rows)}]"
    since = sync_token(int(state.split()[0]))
    page = f'"page":{{"limit":1000,"has_more":false,"next_cursor":null,"since":"{since}"}}'
    assert answer.content == f'{{"data":{data},{page}}}'.encode()
    written = execute(database_url, "SELECT to_json(%s::text)::text", TITLE)[0][0]
    assert data.count(f'"title":{written}') == TASKS


def test_nobody_reads_the_json_of_a_listing(live: API, called: Called, database_url: str, user_id: str) -> None:
    execute(database_url, FILL, user_id, TASKS, user_id, TITLE, TASKS)
    with live.client(user_id) as client:
        assert client.get("/api/me").status_code == 200  # the token is cached from now on
        called.names.clear()
        assert client.get("/api/tasks", params={"limit": TASKS}).status_code == 200
        of_the_list = set(called.names)
        assert client.post("/api/tasks", json={"title": "a"}).status_code == 201

    assert "fetchmany" in of_the_list
    assert not READERS & of_the_list
    assert READERS & called.names  # request bodies are parsed: a parser would have been recorded
