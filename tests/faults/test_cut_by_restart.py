"""A restart interrupts requests: clients notice, no acknowledged change is lost, and retrying is safe."""

from __future__ import annotations

import signal
import threading
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from backend.identity.jwt import issue_token
from tests.fixtures.calls.api import new_user
from tests.fixtures.calls.events import events_of, stream
from tests.fixtures.calls.exports import give_large_tasks
from tests.fixtures.calls.feed import Replica, living
from tests.fixtures.calls.task_files import EXPORT, IMPORT, LINES, imported, lines_of
from tests.fixtures.calls.tasks import error_of
from tests.fixtures.http.connection import connection_to, head
from tests.fixtures.http.load import RESET, load_on
from tests.fixtures.identity.tokens import SECRET
from tests.fixtures.postgres.database import execute
from tests.fixtures.processes.process import Service
from tests.fixtures.processes.workers import processes_in, served_by
from tests.fixtures.running.waiting import PATIENCE_SECONDS, until

pytestmark = pytest.mark.requirement("FR-250")

ROWS = 600
SENT = 400  # rows before the restart: the first part is full, and stored
LARGE = 300  # tasks of 40 KB: more than the system buffers for a client that does not read
LAST_CHUNK = b"\r\n0\r\n\r\n"


@contextmanager
def client_of(service: Service, user_id: str) -> Iterator[httpx.Client]:
    token = issue_token(SECRET, user_id, ttl_seconds=86400)
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=service.address, headers=headers, trust_env=False, timeout=PATIENCE_SECONDS) as client:
        yield client


@dataclass
class Follower:
    """A client that copies its tasks from a stream, until the stream ends or breaks off."""

    copy: Replica = field(default_factory=Replica)
    is_cut: bool = False

    def follow(self, client: httpx.Client, until_like: dict[str, object] | None = None) -> None:
        """Continue after the last complete event."""
        try:
            with stream(client, last_event_id=self.copy.since) as response:
                for event in events_of(response):
                    if event.change is not None:
                        self.copy.apply(event.change)
                    self.copy.since = event.id or self.copy.since
                    if until_like is not None and self.copy.tasks == until_like:
                        return
        except (httpx.RemoteProtocolError, httpx.ReadError):
            self.is_cut = True


def rows() -> list[bytes]:
    """Write the lines of a file whose tasks have their own ids."""
    tasks = ({"id": str(uuid.uuid4()), "title": f"Task {number}"} for number in range(ROWS))
    return lines_of(tasks).encode().splitlines(keepends=True)


def end(service: Service, folder: Path, how: signal.Signals) -> None:
    """Stop a service: gracefully, or by killing all its processes at once, as when its machine dies."""
    for process in processes_in(folder) if how is signal.SIGKILL else ():
        process.kill()
    service.process.send_signal(how)
    service.process.wait(PATIENCE_SECONDS)
    until(lambda: processes_in(folder) == [])


@pytest.mark.parametrize(
    ("how", "workers"), [(signal.SIGTERM, 1), (signal.SIGKILL, 2)], ids=["ended in order", "killed with its workers"]
)
def test_what_a_restart_cuts_is_told_and_can_be_done_again(
    tmp_path: Path, database_url: str, how: signal.Signals, workers: int
) -> None:
    writing, importing, exporting = new_user(), new_user(), new_user()
    give_large_tasks(database_url, exporting, LARGE)
    file, follower = rows(), Follower()

    with served_by(workers, tmp_path, database_url) as service, ExitStack() as stack:
        export = stack.enter_context(connection_to(service.address, receive_bytes=64 * 1024))
        export.send(head(exporting, f"GET {EXPORT}"))
        assert export.read_some(1) == 1
        sending = stack.enter_context(connection_to(service.address))
        length = str(len(b"".join(file)))
        sending.send(head(importing, f"POST {IMPORT}", Content_Type=LINES, Content_Length=length))
        sending.send(b"".join(file[:SENT]))
        until(lambda: count(database_url, importing) > 0)
        following = threading.Thread(target=follower.follow, args=(stack.enter_context(client_of(service, writing)),))
        following.start()
        load = stack.enter_context(load_on(service.address, writing))
        until(lambda: len(follower.copy.tasks) > 0)

        end(service, tmp_path, how)
        following.join(PATIENCE_SECONDS)

        assert not export.read_all().endswith(LAST_CHUNK)
        answers = sending.answers_until_closed()
        if how is signal.SIGTERM:
            (answer,) = answers
            error_of(answer, 503, "SERVICE_UNAVAILABLE")
            assert load.lost(but_for=RESET) == []
        assert follower.is_cut == (how is signal.SIGKILL)
    assert 0 < count(database_url, importing) < ROWS
    assert load.created() <= count(database_url, writing) <= load.created() + len(load.lost())

    with served_by(workers, tmp_path, database_url) as service, ExitStack() as stack:
        client = stack.enter_context(client_of(service, importing))
        before = count(database_url, importing)
        assert imported(client, b"".join(file)) == {"created": ROWS - before, "unchanged": before}
        assert imported(client, b"".join(file)) == {"unchanged": ROWS}
        client = stack.enter_context(client_of(service, writing))
        follower.follow(client, until_like=all_of(client))
        assert follower.copy.tasks == all_of(client)
        complete = stack.enter_context(connection_to(service.address))
        complete.send(head(exporting, f"GET {EXPORT}", Connection="close"))
        content = complete.read_all()
        assert content.endswith(LAST_CHUNK)
        assert content.count(b'"title":"large"') == LARGE


def count(url: str, user_id: str) -> int:
    """Count a user's tasks."""
    ((found,),) = execute(url, "SELECT count(*) FROM tasks WHERE user_id = %s", user_id)
    return int(found)


def all_of(client: httpx.Client) -> dict[str, object]:
    """Read all living tasks of a user."""
    return dict(living(client))
