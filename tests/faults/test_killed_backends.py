"""The server kills connections under load, again and again: reads succeed anyway.

A read is tried five times (FR-258). So that no run needs luck, a read meets at most four kills: after two of them, the
next wait until each client has been answered.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import cycle
from pathlib import Path

import httpx
import psycopg2
import pytest

from backend.database.retry import READ_TRIES
from backend.identity.jwt import issue_token
from tests.fixtures.calls.api import new_user
from tests.fixtures.identity.tokens import SECRET
from tests.fixtures.processes.servers import Server
from tests.fixtures.processes.workers import served_by
from tests.fixtures.running.waiting import PATIENCE_SECONDS, until

CLIENTS = 10
KILLS = 200
KILLED_AT_ONCE = (READ_TRIES - 1) // 2
KILL_SOME = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name = 'task-api' ORDER BY random() LIMIT %s
"""


@contextmanager
def reading(address: str, user_id: str) -> Iterator[list[list[int]]]:
    """Let clients read continuously while the block runs; yields the lists of statuses that they fill."""
    statuses: list[list[int]] = [[] for _ in range(CLIENTS)]
    ended = threading.Event()
    headers = {"Authorization": f"Bearer {issue_token(SECRET, user_id, ttl_seconds=600)}"}

    def read(client: httpx.Client, number: int, paths: Iterator[str]) -> None:
        while not ended.is_set():
            statuses[number].append(client.get(next(paths)).status_code)

    with (
        httpx.Client(base_url=address, headers=headers, trust_env=False, timeout=PATIENCE_SECONDS) as client,
        ThreadPoolExecutor(CLIENTS) as threads,
    ):
        made = client.post("/api/tasks", json={"title": "a"}).json()["data"]["id"]
        paths = ["/api/tasks?limit=5", f"/api/tasks/{made}", "/api/me", "/api/changes"]
        clients = [
            threads.submit(read, client, number, cycle(paths[number % 4 :] + paths)) for number in range(CLIENTS)
        ]
        try:
            yield statuses
        finally:
            ended.set()
        for one in clients:
            one.result()


@pytest.mark.requirement("FR-258", "FR-156")
def test_every_read_is_answered(tmp_path: Path, own_server: Server) -> None:
    """The real service on its real event loop. A read that hangs fails its client."""
    killed = 0
    with (
        closing(psycopg2.connect(own_server.url())) as connection,
        served_by(1, tmp_path, own_server.url()) as service,
        reading(service.address, new_user()) as statuses,
        connection.cursor() as cursor,
    ):
        connection.autocommit = True
        while killed < KILLS:
            before = [len(own) for own in statuses]
            until(lambda: all(len(own) > number for own, number in zip(statuses, before, strict=True)))  # noqa: B023
            cursor.execute(KILL_SOME, (KILLED_AT_ONCE,))
            killed += cursor.rowcount

    assert {status for own in statuses for status in own} == {200}
