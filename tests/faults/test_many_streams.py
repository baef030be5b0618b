"""A thousand streams of a hundred users at one worker: others are served, and all resources are released."""

from __future__ import annotations

import asyncio
import signal
import uuid
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest

from backend.api.streams.changes import MAX_STREAMS, MAX_STREAMS_OF_ONE_USER
from backend.identity.jwt import issue_token
from backend.utils.descriptors import raise_limit
from tests.fixtures.calls.api import new_user
from tests.fixtures.calls.events import STREAM
from tests.fixtures.http.connection import head
from tests.fixtures.identity.tokens import SECRET
from tests.fixtures.postgres.database import execute
from tests.fixtures.processes.process import TASK_API, Service, environment, served
from tests.fixtures.running.waiting import PATIENCE_SECONDS, eventually

pytestmark = pytest.mark.requirement("FR-253")

USERS = MAX_STREAMS // MAX_STREAMS_OF_ONE_USER
FEW_FILES = 256  # a typical limit of a shell: fewer than there are streams
MAX_BYTES_EACH = 200_000  # of memory; actual use is about a quarter of that
SOME_FILES = 40  # connections to the database and other open files
AT_ONCE = 100  # streams opened at a time: far fewer than a worker accepts requests
ENDED = f"GET {STREAM} 200 "  # in the log line of a stream that has ended
LAST_CHUNK = b"\r\n0\r\n\r\n"
_CHANGE = """
INSERT INTO users (id, revision, task_count) VALUES (%s, 1, 1);
INSERT INTO tasks (user_id, id, title, revision) VALUES (%s, %s, 'from elsewhere', 1)
"""


@pytest.fixture
def service(tmp_path: Path, database_url: str) -> Iterator[Service]:
    """A service of one worker that was started with a low limit of open files."""
    raise_limit()  # this process holds the clients
    env = environment(tmp_path / "data", DATABASE_URL=database_url, JWT_SECRET=SECRET, RATE_LIMIT_ANONYMOUS="1/day")
    few = ("sh", "-c", f'ulimit -Sn {FEW_FILES}; exec "$@"', "sh")
    with served(env=env, cwd=tmp_path, command=(*few, *TASK_API, "serve", "--port", "0")) as running:
        yield running


@dataclass
class Follower:
    """The client of a stream."""

    user_id: str
    reader: StreamReader
    writer: StreamWriter

    @classmethod
    async def of(cls, service: Service, user_id: str) -> Follower:
        """Open a stream; when the service is full for a moment, as on a busy machine, try again like any client."""
        url = httpx.URL(service.address)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                reader, writer = await asyncio.open_connection(url.host, url.port)
                writer.write(head(user_id, f"GET {STREAM}"))
                answer = await reader.readuntil(b"\r\n\r\n")
                if answer.startswith(b"HTTP/1.1 200 "):
                    return cls(user_id, reader, writer)
                writer.close()
                assert answer.startswith(b"HTTP/1.1 503 "), answer
                await asyncio.sleep(1)

    async def hear(self, text: str) -> None:
        """Wait for data on the stream."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.reader.readuntil(text.encode())

    async def rest(self) -> bytes:
        """Read to the end."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.reader.read()


@asynccontextmanager
async def crowd(service: Service, user_ids: list[str]) -> AsyncIterator[list[Follower]]:
    """Give each of these users the maximum number of streams, until the block ends."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def open_one(user_id: str) -> Follower:
        async with turn:
            return await Follower.of(service, user_id)

    users = [user_id for user_id in user_ids for _ in range(MAX_STREAMS_OF_ONE_USER)]
    followers = await asyncio.gather(*map(open_one, users))
    yield followers
    for follower in followers:
        follower.writer.close()
    await asyncio.gather(*(follower.writer.wait_closed() for follower in followers), return_exceptions=True)


def asked(service: Service, user_id: str, method: str = "GET", path: str = "/api/tasks") -> httpx.Response:
    """Send one request, and disconnect."""
    headers = {"Authorization": f"Bearer {issue_token(SECRET, user_id, ttl_seconds=600)}"}
    body = {"title": f"of {user_id}"} if method == "POST" else None
    address = f"{service.address}{path}"
    return httpx.request(method, address, json=body, headers=headers, trust_env=False, timeout=PATIENCE_SECONDS)


async def _story(service: Service, log: Path, database_url: str) -> None:
    process, users, other = psutil.Process(service.process.pid), [new_user() for _ in range(USERS)], new_user()
    assert (await asyncio.to_thread(asked, service, other)).status_code == 200
    files, memory = process.num_fds(), process.memory_info().rss

    async with crowd(service, users) as followers:
        assert process.memory_info().rss - memory < MAX_STREAMS * MAX_BYTES_EACH
        for user_id, status in (users[0], 429), (other, 503):
            assert (await asyncio.to_thread(asked, service, user_id, path=STREAM)).status_code == status
        for method, status in [("POST", 201), ("GET", 200)] * 5:
            assert (await asyncio.to_thread(asked, service, other, method)).status_code == status

        here, elsewhere = users[1], users[2]
        assert (await asyncio.to_thread(asked, service, here, "POST")).status_code == 201
        await asyncio.to_thread(execute, database_url, _CHANGE, elsewhere, elsewhere, str(uuid.uuid4()))
        for user_id, text in (here, f"of {here}"), (elsewhere, "from elsewhere"):
            await asyncio.gather(*(each.hear(text) for each in followers if each.user_id == user_id))
    await eventually(lambda: process.num_fds() < files + SOME_FILES)
    await eventually(lambda: log.read_text().count(ENDED) == MAX_STREAMS)  # only then are all slots free again

    async with crowd(service, users[3:]) as followers:
        ended = asyncio.gather(*(follower.rest() for follower in followers))
        assert await asyncio.to_thread(service.stop, signal.SIGTERM) == 0
        for rest in await ended:
            assert rest.endswith(LAST_CHUNK)
            assert b"data:" not in rest


def test_a_worker_has_a_thousand_streams(service: Service, tmp_path: Path, database_url: str) -> None:
    (log,) = tmp_path.glob("serve-*.log")
    asyncio.run(_story(service, log, database_url))
