"""Accounts that send everything RATE_LIMIT allows at once: no other user is refused, and memory stays bounded.

The service runs with its default settings. The tests check the responses, never their speed.
"""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pytest

from backend.config import Settings
from backend.models.values.sync_token import START
from tests.fixtures.calls.api import new_user, serve
from tests.fixtures.calls.events import events_of, stream
from tests.fixtures.calls.tasks import MISSING_ID
from tests.fixtures.http.attacks import Seen, crowd_of, watched
from tests.fixtures.http.connection import head
from tests.fixtures.identity.tokens import SECRET
from tests.fixtures.postgres.database import execute
from tests.fixtures.postgres.locks import row_locked
from tests.fixtures.processes.process import TASK_API, Service, environment, served
from tests.fixtures.running.waiting import until

pytestmark = pytest.mark.requirement("FR-265")

REQUESTS = 590  # of one account: nearly its whole quota for a minute
MAX_BYTES = 400_000_000  # of a worker
ANSWERS = 20  # to the other user, before and during the attack
FEW_DESCRIPTORS = 256
BODY = b'{"title": "a"}'
JSON = {"Content_Type": "application/json"}
LONG_LIST = "/api/tasks?limit=1000"
EDIT = {"op": "update", "id": MISSING_ID, "data": {"description": "x" * 10_000}}
LONG_BATCH = {"atomic": False, "operations": [EDIT] * 100}  # nearly 1 MiB
PATIENT_SECONDS = 300.0  # for a slow and busy machine


def create(user_id: str) -> bytes:
    """Create a task."""
    return head(user_id, "POST /api/tasks", **JSON, Content_Length=str(len(BODY))) + BODY


def stalled(user_id: str) -> bytes:
    """Start a create whose body never arrives."""
    return head(user_id, "POST /api/tasks", **JSON, Content_Length="100") + b'{"title": '


def long_list(user_id: str) -> bytes:
    """Request 4 MiB."""
    return head(user_id, f"GET {LONG_LIST}")


def two_long_lists(user_id: str) -> bytes:
    """Request twice as much, on one connection."""
    return 2 * long_list(user_id)


@pytest.fixture(scope="module", autouse=True)
def _many_connections() -> Iterator[None]:
    """Raise this process's limit of open files, for the connections of the crowds."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.fixture(scope="module")
def service(database_url: str) -> Iterator[Service]:
    """A service with default settings, started with few file descriptors."""
    with TemporaryDirectory() as folder:
        env = environment(Path(folder) / "data", DATABASE_URL=database_url, JWT_SECRET=SECRET)
        limited = ("sh", "-c", f'ulimit -S -n {FEW_DESCRIPTORS}; exec "$0" "$@"', *TASK_API, "serve", "--port", "0")
        with served(env=env, cwd=Path(folder), command=limited) as service:
            yield service


@pytest.fixture
def seen(service: Service) -> Iterator[Seen]:
    """What another user sees of it."""
    worker = psutil.Process(service.process.pid)
    with watched(service.address, worker, new_user(), "/api/tasks?limit=1") as seen:
        until(lambda: all(len(answers) >= ANSWERS for answers in seen.answers.values()))
        yield seen


def with_long_lists(database_url: str, user_id: str) -> str:
    """Give a user more tasks than a page holds."""
    execute(
        database_url,
        """
        INSERT INTO users (id, revision, task_count) VALUES (%s, 1, 500);
        INSERT INTO tasks (user_id, id, title, description, revision)
        SELECT %s, gen_random_uuid(), 'long', repeat('é', 5000), 1 FROM generate_series(1, 500)
        """,
        user_id, user_id,
    )  # fmt: skip
    return user_id


def expect_nobody_is_locked_out(seen: Seen) -> None:
    """Wait until the other user has this many more responses, and check them."""
    before = {path: len(answers) for path, answers in seen.answers.items()}
    until(lambda: all(len(answers) >= before[path] + ANSWERS for path, answers in seen.answers.items()))
    assert seen.statuses() == {(seen.path, 200), ("/health/live", 200)}
    assert seen.max_bytes < MAX_BYTES


@dataclass(frozen=True)
class Attack:
    """The request that a crowd sends, and whether it reads the response."""

    request_of: Callable[[str], bytes]
    reads: bool


ATTACKS = {
    "bodies that never arrive": Attack(stalled, reads=True),
    "long answers": Attack(long_list, reads=True),
    "answers that nobody reads": Attack(long_list, reads=False),
    "two of them on a connection": Attack(two_long_lists, reads=False),
}


@pytest.mark.parametrize("accounts", [1, 5])
@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_nobody_is_locked_out(service: Service, seen: Seen, database_url: str, attack: Attack, accounts: int) -> None:
    users = [with_long_lists(database_url, new_user()) for _ in range(accounts)]
    requests = [attack.request_of(user_id) for user_id in users for _ in range(REQUESTS)]
    with crowd_of(service.address, requests, reads=attack.reads):
        expect_nobody_is_locked_out(seen)


@pytest.mark.parametrize("accounts", [1, 5])
def test_nobody_is_locked_out_by_work_that_takes_long(
    service: Service, seen: Seen, database_url: str, accounts: int
) -> None:
    users = [with_long_lists(database_url, new_user()) for _ in range(accounts)]
    requests = [create(user_id) for user_id in users for _ in range(REQUESTS)]
    with ExitStack() as locked:
        for user_id in users:
            locked.enter_context(row_locked(database_url, user_id))
        with crowd_of(service.address, requests, reads=True):
            expect_nobody_is_locked_out(seen)


def test_one_user_may_do_much_at_once(settings: Settings, database_url: str) -> None:
    """Heavy but legitimate use by one user's program is no attack: every request succeeds."""
    user_id = with_long_lists(database_url, new_user())
    patient = settings.model_copy(update={"request_timeout_seconds": PATIENT_SECONDS})
    with serve(patient) as api, ExitStack() as stack:
        threads = stack.enter_context(ThreadPoolExecutor(152))
        clients = [stack.enter_context(api.client(user_id)) for _ in range(10)]
        streams = [events_of(stack.enter_context(stream(client))) for client in clients]
        assert [next(events).id for events in streams] == [str(START)] * len(streams)
        asked = [
            *(threads.submit(clients[number % 10].post, "/api/tasks/batch", json=LONG_BATCH) for number in range(100)),
            *(threads.submit(clients[number % 10].get, LONG_LIST) for number in range(50)),
            *(threads.submit(clients[number].get, "/api/tasks/export?format=jsonl") for number in range(2)),
        ]
        assert {each.result().status_code for each in asked} == {200}
        assert all(next(events).change for events in streams)
