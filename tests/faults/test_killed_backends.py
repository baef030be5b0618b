"""The server kills connections under load, one after the other: reads succeed anyway."""

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

from backend.identity.jwt import issue_token
from tests.fixtures.api import new_user
from tests.fixtures.servers import Server
from tests.fixtures.tokens import SECRET
from tests.fixtures.waiting import PATIENCE_SECONDS, until
from tests.fixtures.workers import served_by

CLIENTS = 10
KILLS = 300
ANSWERS_BETWEEN = 3  # responses between two kills: each connection lives for about 30 responses
KILL_ONE = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'task-api' ORDER BY random() LIMIT 1
"""


@contextmanager
def reading(address: str, user_id: str) -> Iterator[list[int]]:
    """Let clients read continuously while the block runs; yields the list of statuses that they fill."""
    statuses: list[int] = []
    ended = threading.Event()
    headers = {"Authorization": f"Bearer {issue_token(SECRET, user_id, ttl_seconds=600)}"}

    def read(client: httpx.Client, paths: Iterator[str]) -> None:
        while not ended.is_set():
            statuses.append(client.get(next(paths)).status_code)

    with (
        httpx.Client(base_url=address, headers=headers, trust_env=False, timeout=PATIENCE_SECONDS) as client,
        ThreadPoolExecutor(CLIENTS) as threads,
    ):
        made = client.post("/api/tasks", json={"title": "a"}).json()["data"]["id"]
        paths = ["/api/tasks?limit=5", f"/api/tasks/{made}", "/api/me", "/api/changes"]
        clients = [threads.submit(read, client, cycle(paths[number % 4 :] + paths)) for number in range(CLIENTS)]
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
        until(lambda: len(statuses) > CLIENTS * 10)
        while killed < KILLS:
            before = len(statuses)
            cursor.execute(KILL_ONE)
            killed += cursor.rowcount
            until(lambda: len(statuses) >= before + ANSWERS_BETWEEN)  # noqa: B023 - it is asked at once

    assert set(statuses) == {200}
