"""Several users who all send completely bad files at once: no other user is refused, and memory stays bounded."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import httpx
import pytest

from backend.formats.rows import MAX_ROW_BYTES
from backend.identity.jwt import issue_token
from backend.models.task_file import MAX_BAD_ROWS
from tests.fixtures.calls.api import new_user
from tests.fixtures.calls.task_files import CALENDAR, CSV, LINES, counts_of, imported, lines_of, report_of, send
from tests.fixtures.identity.tokens import SECRET
from tests.fixtures.processes.process import Service, environment, served
from tests.fixtures.processes.workers import workers_of
from tests.fixtures.running.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.requirement("FR-241", "FR-242")

ATTACKERS = 5  # with two files each
MEGABYTE = 1024 * 1024
MAX_MEMORY = 400 * MEGABYTE
TODO = b"BEGIN:VCALENDAR\nBEGIN:VTODO\n"
STOPPED = {"failed": MAX_BAD_ROWS}


@pytest.fixture(scope="module")
def service(folder: Path) -> Iterator[Service]:
    """A service with default settings and its own Postgres."""
    with served(env=environment(folder / "data", JWT_SECRET=SECRET), cwd=folder) as service:
        yield service


def client_of(service: Service, user_id: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {issue_token(SECRET, user_id, ttl_seconds=3600)}"}
    return httpx.Client(base_url=service.address, headers=headers, trust_env=False, timeout=10 * PATIENCE_SECONDS)


def attack(service: Service, user_id: str, kind: str, file: bytes) -> dict[str, int]:
    """Import a file, and return the counts of its rows."""
    with client_of(service, user_id) as client:
        counts = counts_of(report_of(send(client, file, kind)))
    counts.pop("stopped_at_line", None)
    return counts


@pytest.mark.parametrize(
    ("kind", "file", "expected"),
    [
        (LINES, b"{}\n" * (8 * MEGABYTE // 3), STOPPED),
        (LINES, b"x" * 16 * MEGABYTE, {"failed": 1}),
        (LINES, b"\n" * 8 * MEGABYTE, {}),
        (CSV, b"title\n" + b"a,b\n" * (2 * MEGABYTE), STOPPED),
        (CSV, b"title\n" + (b'"' + b"\n" * MAX_ROW_BYTES) * 2, {"failed": 2}),
        (CALENDAR, TODO + b"UID:\n" * (MEGABYTE // 5), {"failed": 2}),
        (CALENDAR, TODO + b"X-COMMENT:\n" * (MEGABYTE // 2), {"failed": 2}),
    ],
    ids=["bad rows", "one line", "blank lines", "bad cells", "open quotes", "properties", "comments"],
)
def test_others_are_served_while_many_bad_files_are_read(
    service: Service, kind: str, file: bytes, expected: dict[str, int]
) -> None:
    (worker,) = workers_of(service)
    attackers, memory = [new_user() for _ in range(ATTACKERS)], 0
    with ThreadPoolExecutor(2 * ATTACKERS) as threads, client_of(service, new_user()) as client:
        under_way = [threads.submit(attack, service, user_id, kind, file) for user_id in attackers * 2]
        assert imported(client, lines_of({"title": str(number)} for number in range(300))) == {"created": 300}
        while wait(under_way, timeout=0.2).not_done:  # seconds: slower than the rate limit allows
            assert client.get("/health/live").status_code == 200
            assert client.get("/api/tasks?limit=10").status_code == 200
            memory = max(memory, worker.memory_info().rss)
    assert [each.result() for each in under_way] == [expected] * 2 * ATTACKERS
    assert memory < MAX_MEMORY
