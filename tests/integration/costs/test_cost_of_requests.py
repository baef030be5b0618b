"""Costs of a request that are the same in every run: statements, threads, and compiled statements."""

from __future__ import annotations

import itertools
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio.to_thread
import httpx
import pytest
from structlog.contextvars import get_contextvars

from backend.api.streams.changes import STREAM_SECONDS, Feed
from backend.database.statements import compile_once, joined
from backend.models.task_query import TaskSort
from backend.services.tasks.listing_filters import CONDITIONS
from backend.services.tasks.listing_queries import Shape, compiled_list
from tests.fixtures.calls.api import API, new_user
from tests.fixtures.calls.erasure import erase
from tests.fixtures.calls.events import changes_of, events_of, stream
from tests.fixtures.calls.feed import sync_token
from tests.fixtures.calls.tasks import create, path_of
from tests.fixtures.postgres.locks import row_locked
from tests.fixtures.postgres.proxy import Proxy
from tests.fixtures.postgres.statements import noted_statements

TASKS = "/api/tasks"
KEY = "Idempotency-Key"
ROUNDS = 3


@dataclass(frozen=True)
class Call:
    """A call. In the path and the body, {living} and {trashed} stand for the ids of the user's two tasks."""

    method: str
    path: str
    status: int = 200
    body: str = ""
    is_keyed: bool = False

    @property
    def messages(self) -> int:
        """How many messages are sent, each one round trip."""
        return 1 if self.method == "GET" else 2

    def request(self, client: httpx.Client) -> httpx.Request:
        """Make the request as a new user, after creating what it needs."""
        living, trashed = create(client), create(client)
        assert client.delete(path_of(trashed)).status_code == 204
        path, body = (
            text.replace("{living}", living["id"]).replace("{trashed}", trashed["id"])
            for text in (self.path, self.body)
        )
        headers = {"Content-Type": "application/json", "X-Request-Id": str(uuid.uuid4())}
        if self.is_keyed:
            headers[KEY] = str(uuid.uuid4())
        return client.build_request(self.method, path, content=body, headers=headers)


TASK = f"{TASKS}/{{living}}"
BATCH = (
    '{"operations": [{"op": "complete", "id": "{living}"}, {"op": "update", "id": "{living}", "data": {"title": "b"}}]}'
)
CALLS = {
    "get": Call("GET", TASK),
    "list": Call("GET", TASKS),
    "create": Call("POST", TASKS, 201, '{"title": "a"}'),
    "put": Call("PUT", TASK, body='{"title": "b"}'),
    "patch": Call("PATCH", TASK, body='{"description": "b"}'),
    "toggle": Call("PATCH", f"{TASK}/complete"),
    "complete": Call("PATCH", f"{TASK}/complete", body='{"completed": true}'),
    "delete": Call("DELETE", TASK, 204),
    "delete for good": Call("DELETE", f"{TASK}?permanent=true", 204),
    "restore": Call("POST", f"{TASKS}/{{trashed}}/restore"),
    "batch": Call("POST", f"{TASKS}/batch", body=BATCH),
    "batch with a key": Call("POST", f"{TASKS}/batch", body=BATCH, is_keyed=True),
    "create with a key": Call("POST", TASKS, 201, '{"title": "a"}', is_keyed=True),
    "toggle with a key": Call("PATCH", f"{TASK}/complete", is_keyed=True),
    "restore with a key": Call("POST", f"{TASKS}/{{trashed}}/restore", is_keyed=True),
}


@dataclass
class Handed:
    """Work that was given to threads, by the id of the request that caused it."""

    works: list[tuple[str | None, str]] = field(default_factory=list)

    def note(self, way: str) -> None:
        """Record work given to threads in this way: services of other tests may do so in the background."""
        self.works.append((get_contextvars().get("request_id"), way))

    def of(self, request: httpx.Request) -> list[str]:
        """List the ways in which this request gave work to threads."""
        return [way for request_id, way in self.works if request_id == request.headers["X-Request-Id"]]


@contextmanager
def noted_threads() -> Iterator[Handed]:
    """Record all work given to threads until the block ends, in any way."""
    handed = Handed()
    with pytest.MonkeyPatch.context() as patched:
        for owner, name in ((anyio.to_thread, "run_sync"), (ThreadPoolExecutor, "submit"), (threading.Thread, "start")):
            _note_calls(patched, handed, owner, name)
        yield handed


def _note_calls(patched: pytest.MonkeyPatch, handed: Handed, owner: object, name: str) -> None:
    function = getattr(owner, name)

    def noting(*arguments: Any, **options: Any) -> Any:
        handed.note(name)
        return function(*arguments, **options)

    patched.setattr(owner, name, noting)


@pytest.mark.requirement("FR-199")
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_a_task_call_is_as_many_messages_as_it_should_be_and_no_thread(proxied: API, proxy: Proxy, call: Call) -> None:
    with proxied.client(new_user()) as client:
        assert client.send(call.request(client)).status_code == call.status
        request, round_trips = call.request(client), proxy.round_trips

        with noted_statements(proxied.app.state.sessions.engine) as sent, noted_threads() as handed:
            response = client.send(request)

    assert response.status_code == call.status
    assert len(sent) == proxy.round_trips - round_trips == call.messages, sent
    assert handed.of(request) == []


@pytest.mark.requirement("FR-503")
def test_what_streams_and_files_ask_the_database_needs_no_thread(proxied: API, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxied.app.state.feed, "stream_seconds", STREAM_SECONDS)
    with proxied.client(new_user()) as client, noted_threads() as handed:
        client.headers["X-Request-Id"] = str(uuid.uuid4())
        with stream(client) as response:
            followed = events_of(response)
            next(followed)
            created = create(client)
            (change,) = changes_of(followed, 1)
        exported = client.get("/api/me/export")
        assert client.get("/health/ready").status_code == 200

    assert change.change == created
    assert exported.status_code == 200
    assert handed.of(exported.request) == []


@pytest.mark.requirement("FR-503")
def test_files_give_threads_only_what_they_compute(proxied: API, monkeypatch: pytest.MonkeyPatch) -> None:
    given = []

    async def noting(work: Callable[..., Any], *arguments: Any, limiter: anyio.CapacityLimiter) -> Any:
        given.append(work)
        return await run_sync(work, *arguments, limiter=limiter)

    run_sync = anyio.to_thread.run_sync
    monkeypatch.setattr(anyio.to_thread, "run_sync", noting)
    with proxied.client(new_user()) as client:
        headers = {"Content-Type": "text/csv", KEY: str(uuid.uuid4())}
        assert client.post(f"{TASKS}/import", content=b"title\na\nb\n", headers=headers).status_code == 200
        assert client.get(f"{TASKS}/export", params={"format": "csv"}).text.count("\n") == 3

    assert {work.__name__ for work in given} == {"reader_of", "next", "writer_of", "write"}


@pytest.mark.requirement("FR-199")
def test_a_worker_answers_others_while_a_request_waits_for_the_database(proxied: API, database_url: str) -> None:
    waiting, threads = new_user(), ThreadPoolExecutor(1)
    with threads, proxied.client(waiting) as client, proxied.client(new_user()) as other:
        blocked, task = CALLS["put"].request(client), create(other)
        with row_locked(database_url, waiting) as wait_for, noted_threads() as handed:
            answer = threads.submit(client.send, blocked)
            wait_for(1)

            assert other.get(path_of(task)).status_code == 200
            assert not answer.done()
        assert answer.result().status_code == 200
    assert handed.of(blocked) == []


@pytest.mark.requirement("FR-199")
def test_the_measure_sees_work_that_is_given_to_a_thread(proxied: API, monkeypatch: pytest.MonkeyPatch) -> None:
    def at_length(*_: object) -> None:
        with ThreadPoolExecutor(1) as threads:
            threads.submit(int).result()

    monkeypatch.setattr(Feed, "wake", at_length)
    with proxied.client(new_user()) as client, noted_threads() as handed:
        request = CALLS["put"].request(client)
        assert client.send(request).status_code == 200

    assert handed.of(request) == ["submit", "start"]


def use_everything(api: API) -> None:
    """Send every kind of request once as a new user."""
    with api.client(new_user()) as client:
        for call in CALLS.values():
            assert client.send(call.request(client)).status_code == call.status
        page = client.get(f"{TASKS}?limit=1").json()["page"]
        for path in (
            f"{TASKS}?limit=1&cursor={page['next_cursor']}",
            f"{TASKS}?sort=title&deleted=true&completed=true&include_total=true&q=milk",
            "/api/changes",
            f"/api/changes?since={sync_token(1)}",
            "/api/changes/stream",
            "/api/me",
            "/api/me/export",
            "/health/ready",
        ):
            assert client.get(path).status_code == 200
        assert erase(client).status_code == 204


def misses() -> list[int]:
    """Return how many statements were built and compiled: for listings, and others."""
    return [cached.cache_info().misses for cached in (compiled_list, compile_once, joined)]


@pytest.mark.requirement("FR-200")
def test_what_was_used_once_is_neither_built_nor_compiled_again(proxied: API) -> None:
    use_everything(proxied)
    built = []
    for _ in range(ROUNDS):  # services of other tests may do some background work for the first time in one round
        before = misses()
        use_everything(proxied)
        built.append(misses() != before)

    assert not all(built)


@pytest.mark.requirement("FR-200")
def test_each_statement_of_the_listings_that_clients_show_is_kept() -> None:
    """Every sort order with all its page variants, and in the default order, one or two filters."""
    ordered = [
        Shape(sort, is_after, in_trash)
        for sort, is_after, in_trash in itertools.product(TaskSort, (False, True), (False, True))
    ]
    filtered = [
        Shape(is_after=is_after, filters=frozenset(names), with_total=with_total, is_short=is_short)
        for names in (*itertools.combinations(CONDITIONS, 1), *itertools.combinations(CONDITIONS, 2))
        for is_after in (False, True)
        for with_total, is_short in ((False, False), (False, True), (True, False))
    ]
    shapes = [*ordered, *filtered]
    for shape in shapes:
        compiled_list(shape)
    before = misses()

    for shape in shapes:
        compiled_list(shape)

    assert misses() == before
