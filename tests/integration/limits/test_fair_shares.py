"""Each user gets only a share of a worker, so that others find free resources."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any

import pytest

from backend.api.middleware import limits
from backend.config import Settings
from backend.server.pipelining import PipeliningProtocol
from backend.server.slow_reader import PAUSING_BYTES
from backend.utils.turns import MAX_BEGUN, Beginnings
from tests.fixtures.calls.api import API, new_user, serve
from tests.fixtures.calls.tasks import create, error_of
from tests.fixtures.http.attacks import LITTLE_BYTES
from tests.fixtures.http.connection import Connection, connection_to, head
from tests.fixtures.postgres.database import execute
from tests.fixtures.postgres.locks import row_locked
from tests.fixtures.running.waiting import until

BODY = b'{"title": "a"}'
JSON = {"Content_Type": "application/json"}
BODIES = 4  # of the largest kind, for which the worker has memory
LARGEST_BYTES = 1024 * 1024
RECEIVE_BYTES = 64 * 1024  # what the system buffers before anybody reads
LONG_TASKS = 200  # of 40 kB: far more than a page may hold


@pytest.fixture
def small(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[API]:
    """A service with small limits."""
    monkeypatch.setattr(limits, "BODIES", BODIES)
    with serve(settings.model_copy(update={"max_concurrent_requests": 4})) as running:
        yield running


@pytest.fixture
def unhurried(settings: Settings) -> Iterator[API]:
    """A service in which no deadline passes before all long answers are written, however busy the machine is."""
    with serve(settings.model_copy(update={"request_timeout_seconds": 300, "client_timeout_seconds": 300})) as running:
        yield running


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def writers(database_url: str) -> list[str]:
    """Users with more tasks than a page holds."""
    users = [new_user() for _ in range(2)]
    for user_id in users:
        execute(
            database_url,
            """
            INSERT INTO users (id, revision, task_count) VALUES (%s, 1, %s);
            INSERT INTO tasks (user_id, id, title, description, revision)
            SELECT %s, gen_random_uuid(), 'long', repeat('😀', 10000), 1 FROM generate_series(1, %s)
            """,
            user_id, LONG_TASKS, user_id, LONG_TASKS,
        )  # fmt: skip
    return users


def beginning(user_id: str, size: int) -> bytes:
    """Return the start of a create with a body of this size, which remains incomplete."""
    return head(user_id, "POST /api/tasks", **JSON, Content_Length=str(size)) + BODY[:-1]


def room_of(api: API) -> dict[str, int]:
    """Return how much of the memory for bodies each user has."""
    layer = api.app.middleware_stack
    while not isinstance(layer, limits.BodyLimit):
        layer = layer.app  # type: ignore[union-attr]
    return layer.room.taken


def unread_of(api: API) -> dict[str, int]:
    """Return how much each user has left unread."""
    taken: dict[str, int] = api.app.state.connection_limiter.unread.taken
    return taken


def list_of(user_id: str) -> bytes:
    """Request the longest possible response."""
    return head(user_id, "GET /api/tasks?limit=1000")


@pytest.mark.requirement("FR-260")
def test_a_request_is_in_hand_only_when_its_body_is_there(small: API, stack: ExitStack, user_id: str) -> None:
    arriving = [stack.enter_context(connection_to(small)) for _ in range(20)]
    for connection in arriving:
        connection.send(beginning(user_id, len(BODY)))
    until(lambda: room_of(small).get(user_id, 0) >= len(arriving) * limits.REQUEST_BYTES)

    for name in (user_id, new_user()):
        with small.client(name) as client:
            assert client.get("/api/tasks").status_code == 200
    for connection in arriving:
        connection.send(BODY[-1:])
        assert connection.answer().status_code == 201
    until(lambda: room_of(small) == {})


@pytest.mark.requirement("FR-261")
@pytest.mark.parametrize("chunked", [False, True], ids=["declared", "chunked"])
def test_a_user_has_a_share_of_the_memory_for_bodies(
    small: API, stack: ExitStack, user_id: str, *, chunked: bool
) -> None:
    request = beginning(user_id, LARGEST_BYTES)
    if chunked:
        request = head(user_id, "POST /api/tasks", **JSON, Transfer_Encoding="chunked") + b"1\r\n{\r\n"
    arriving = [stack.enter_context(connection_to(small)) for _ in range(BODIES // 2)]
    for connection in arriving:
        connection.send(request)
    until(lambda: room_of(small).get(user_id, 0) > BODIES // 2 * LARGEST_BYTES)

    with connection_to(small) as one_too_many:
        one_too_many.send(request)
        refused = one_too_many.answer()
        error_of(refused, 503, "SERVICE_UNAVAILABLE")
        assert int(refused.headers["Retry-After"]) >= 1
    assert all(connection.is_silent() for connection in arriving)
    with small.client(user_id) as same, small.client(new_user()) as other:
        assert same.get("/api/tasks").status_code == 200
        create(other, description="x" * 10_000)
    stack.close()
    until(lambda: room_of(small) == {})
    with small.client(user_id) as same:
        create(same)


@pytest.mark.requirement("FR-261")
def test_a_file_to_import_takes_no_memory_because_it_is_not_kept(small: API, stack: ExitStack, user_id: str) -> None:
    importing = stack.enter_context(connection_to(small))
    file = {"Content_Type": "application/jsonl", "Content_Length": str(BODIES * LARGEST_BYTES)}
    importing.send(head(user_id, "POST /api/tasks/import", **file) + b"{")
    until(lambda: user_id in room_of(small))
    assert room_of(small) == {user_id: limits.REQUEST_BYTES}


@pytest.mark.requirement("FR-260")
def test_a_user_has_a_share_of_what_may_be_in_hand(
    settings: Settings, stack: ExitStack, user_id: str, database_url: str
) -> None:
    few = settings.model_copy(update={"database_pool_size": 1, "max_concurrent_requests": 4})
    with serve(few) as running, running.client(user_id) as client, running.client(new_user()) as other:
        create(client)
        with row_locked(database_url, user_id) as wait_for:
            in_hand = [stack.enter_context(connection_to(running)) for _ in range(2)]
            for connection in in_hand:
                connection.send(beginning(user_id, len(BODY)) + BODY[-1:])
            wait_for(1)
            until(lambda: running.app.state.in_hand.taken == {user_id: 2})
            error_of(client.get("/api/tasks"), 503, "SERVICE_UNAVAILABLE")
            third = stack.enter_context(connection_to(running))
            third.send(head(other_id := new_user()))  # waits for its turn, and is not refused
            until(lambda: running.app.state.in_hand.taken.get(other_id) == 1)
        assert [connection.answer().status_code for connection in [*in_hand, third]] == [201, 201, 200]
        assert other.get("/api/tasks").status_code == 200


@pytest.mark.requirement("FR-262")
def test_who_leaves_much_unread_waits_and_others_do_not(unhurried: API, stack: ExitStack, writers: list[str]) -> None:
    greedy, other = writers
    unread = [connection_with(unhurried, stack, greedy) for _ in range(12)]
    connection_limiter = unhurried.app.state.connection_limiter
    until(lambda: not connection_limiter.unread.may_take(greedy))
    # One more: on a busy machine, all of the others may have begun before.
    unread.append(connection_with(unhurried, stack, greedy))
    until(lambda: connection_limiter.waiting > 0)
    with unhurried.client(other) as client:
        assert client.get("/api/tasks?limit=1000").status_code == 200
    assert connection_limiter.waiting > 0

    assert [connection.answer().status_code for connection in unread] == [200] * len(unread)
    until(lambda: unread_of(unhurried) == {})


@pytest.mark.requirement("FR-262", "FR-263")
def test_a_short_answer_that_is_not_taken_counts_before_the_next_request_begins(
    unhurried: API, stack: ExitStack, user_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with unhurried.client(user_id) as client:
        for _ in range(6):
            create(client, description="x" * 10_000)
        size = len(client.get("/api/tasks?limit=1000").content)
    assert LITTLE_BYTES * 4 < size < PAUSING_BYTES  # two together are more
    monkeypatch.setattr(PipeliningProtocol, "connection_made", with_little_room(PipeliningProtocol.connection_made))
    connection = stack.enter_context(connection_to(unhurried, LITTLE_BYTES))
    connection.send(3 * list_of(user_id))
    until(lambda: user_id in unread_of(unhurried))
    assert unread_of(unhurried)[user_id] <= size

    assert [connection.answer().status_code for _ in range(3)] == [200] * 3
    until(lambda: unread_of(unhurried) == {})


def with_little_room(
    connection_made: Callable[[PipeliningProtocol, asyncio.Transport], None],
) -> Callable[[PipeliningProtocol, asyncio.Transport], None]:
    """Limit how much of a response the system buffers before the client reads."""

    def made(protocol: PipeliningProtocol, transport: asyncio.Transport) -> None:
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, LITTLE_BYTES)
        connection_made(protocol, transport)

    return made


@pytest.mark.requirement("FR-262")
def test_when_too_much_is_unread_the_connections_of_who_has_most_of_it_are_cut(
    unhurried: API, stack: ExitStack, writers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    greedy, other = writers
    monkeypatch.setattr(
        unhurried.app.state.connection_limiter, "_may_begin", lambda _: True
    )  # only the worker's bound counts
    kept = connection_with(unhurried, stack, greedy)
    until(lambda: unread_of(unhurried).get(greedy, 0) > 4_000_000)
    cut = connection_with(unhurried, stack, greedy)
    until(lambda: unread_of(unhurried).get(greedy, 0) > 8_000_000)
    monkeypatch.setattr(unhurried.app.state.connection_limiter.unread, "free", 1_000_000)
    one = connection_with(unhurried, stack, other)
    until(lambda: unread_of(unhurried).get(other, 0) > 4_000_000)

    assert unread_of(unhurried)[greedy] < 5_000_000
    assert one.answer().status_code == 200
    assert kept.answer().status_code == 200
    assert 0 < len(cut.read_all()) < 4_000_000


def connection_with(api: API, stack: ExitStack, user_id: str) -> Connection:
    """Request a long response, and leave it unread."""
    connection = stack.enter_context(connection_to(api, RECEIVE_BYTES))
    connection.send(list_of(user_id))
    return connection


@pytest.mark.requirement("FR-264")
def test_requests_of_a_crowd_begin_in_rounds_and_in_turn() -> None:
    async def run() -> list[str]:
        beginnings, begun = Beginnings(), list[str]()
        for number in range(10 * MAX_BEGUN):
            begin(beginnings, begun, "crowd" if number else "first")
        begin(beginnings, begun, "another")
        assert begun == ["first", *["crowd"] * (MAX_BEGUN - 1)]
        rounds = 0
        while "another" not in begun:
            rounds += 1
            await asyncio.sleep(0)
            assert len(begun) <= MAX_BEGUN * (rounds + 1)
        assert rounds == 1
        for _ in range(10):
            await asyncio.sleep(0)
        assert len(begun) == 10 * MAX_BEGUN + 1
        begin(beginnings, begun, "last")
        return begun

    begun = asyncio.run(run())
    assert begun[-1] == "last"
    assert begun.index("another") < MAX_BEGUN + 2


def begin(beginnings: Beginnings, begun: list[str], sender: str) -> None:
    """Start a request of this sender, now or when its turn comes."""
    if beginnings.may_begin():
        begun.append(sender)
    else:
        beginnings.put_off(sender, lambda: begun.append(sender))


@pytest.mark.requirement("FR-264")
def test_a_request_whose_client_leaves_before_its_turn_does_not_begin() -> None:
    protocol = object.__new__(PipeliningProtocol)  # without a connection: whatever begins would miss it
    cycle: Any = SimpleNamespace(disconnected=True)

    protocol._begin(cycle, app=cycle)
