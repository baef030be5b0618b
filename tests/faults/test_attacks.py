"""Accounts that send all that RATE_LIMIT lets them at once: nobody else is refused, and the memory has a bound.

The service has the settings that it comes with. What is judged is who is answered what, never how quickly.
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
from backend.models.sync_token import START
from tests.fixtures.api import new_user, serve
from tests.fixtures.attacks import Seen, crowd_of, watched
from tests.fixtures.connection import head
from tests.fixtures.database import execute
from tests.fixtures.events import events_of, stream
from tests.fixtures.locks import row_locked
from tests.fixtures.process import TASK_API, Service, environment, served
from tests.fixtures.tasks import MISSING_ID
from tests.fixtures.tokens import SECRET
from tests.fixtures.waiting import until

pytestmark = pytest.mark.requirement("FR-265")

REQUESTS = 590  # of one account: nearly all that it has in a minute
MAX_BYTES = 400_000_000  # of a worker
ANSWERS = 20  # of the other user, before and while the crowd is there
FEW_DESCRIPTORS = 256
BODY = b'{"title": "a"}'
JSON = {"Content_Type": "application/json"}
LONG_LIST = "/api/tasks?limit=1000"
EDIT = {"op": "update", "id": MISSING_ID, "data": {"description": "x" * 10_000}}
LONG_BATCH = {"atomic": False, "operations": [EDIT] * 100}  # of 1 MiB, nearly
PATIENT_SECONDS = 300.0  # for a machine that is slow and busy


def create(user_id: str) -> bytes:
    """Create a task."""
    return head(user_id, "POST /api/tasks", **JSON, Content_Length=str(len(BODY))) + BODY


def stalled(user_id: str) -> bytes:
    """Begin a create whose body never arrives."""
    return head(user_id, "POST /api/tasks", **JSON, Content_Length="100") + b'{"title": '


def long_list(user_id: str) -> bytes:
    """Ask for 4 MiB."""
    return head(user_id, f"GET {LONG_LIST}")


def two_long_lists(user_id: str) -> bytes:
    """Ask for twice as much, on one connection."""
    return 2 * long_list(user_id)


@pytest.fixture(scope="module", autouse=True)
def _many_connections() -> Iterator[None]:
    """Let this process have as many connections as crowds need."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.fixture(scope="module")
def service(database_url: str) -> Iterator[Service]:
    """A service as it comes, but that a shell has given it few descriptors."""
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
    """Wait until the other user was answered so many times more, and look at how."""
    before = {path: len(answers) for path, answers in seen.answers.items()}
    until(lambda: all(len(answers) >= before[path] + ANSWERS for path, answers in seen.answers.items()))
    assert seen.statuses() == {(seen.path, 200), ("/health/live", 200)}
    assert seen.most_bytes < MAX_BYTES


@dataclass(frozen=True)
class Attack:
    """What each request of a crowd is, and whether its answer is read."""

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
    """What a program of one user may well do is no attack: all of it is answered."""
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
