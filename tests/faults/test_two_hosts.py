"""Two hosts of two workers each on one database, as in production: together they act as one service."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from backend.database.migrations import runner as migrations
from backend.identity.jwt import issue_token
from tests.fixtures.calls.api import new_user
from tests.fixtures.calls.events import changes_of, events_of, stream
from tests.fixtures.calls.feed import Replica, living, sync_token
from tests.fixtures.calls.keys import is_replayed, new_key, said
from tests.fixtures.calls.tasks import create, path_of, revision_of
from tests.fixtures.http.rates import begin_in_one_day, passing, synced, wait_until_synced
from tests.fixtures.identity.tokens import SECRET
from tests.fixtures.postgres.database import execute, scratch_database
from tests.fixtures.postgres.expired import Hoarder, Left
from tests.fixtures.processes.process import Service, environment, run, served
from tests.fixtures.running.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.requirement("FR-187")

HOSTS = WORKERS = 2
LIMIT, TENTH = 500, 50


@pytest.fixture(scope="module")
def url(server_url: str) -> Iterator[str]:
    """An empty database, without any table."""
    with scratch_database(server_url) as url:
        yield url


@pytest.fixture(scope="module")
def env(url: str, folder: Path) -> dict[str, str]:
    """The environment of every host."""
    return environment(folder, DATABASE_URL=url, JWT_SECRET=SECRET, RATE_LIMIT=f"{LIMIT}/day", DATABASE_POOL_SIZE="4")


@pytest.fixture(scope="module")
def hosts(env: dict[str, str], folder: Path) -> Iterator[tuple[Service, ...]]:
    """Two hosts, started at the same moment."""
    begin_in_one_day()
    with ExitStack() as running, ThreadPoolExecutor(HOSTS) as threads:
        starts = [threads.submit(start, running, env, folder) for _ in range(HOSTS)]
        yield tuple(begun.result() for begun in starts)


def start(running: ExitStack, env: dict[str, str], folder: Path) -> Service:
    """Start a host, which stops when the stack closes."""
    return running.enter_context(served("--workers", str(WORKERS), env=env, cwd=folder))


def client_of(host: Service, user_id: str) -> httpx.Client:
    """Return a client of one host; each request uses a new connection, which either worker may accept."""
    headers = {"Authorization": f"Bearer {issue_token(SECRET, user_id, ttl_seconds=600)}"}
    connections = httpx.Limits(max_keepalive_connections=0)
    return httpx.Client(
        base_url=host.address, headers=headers, limits=connections, trust_env=False, timeout=PATIENCE_SECONDS
    )


def on_all(hosts: tuple[Service, ...], user_id: str, times: int, work: Callable[[httpx.Client], Any]) -> list[Any]:
    """Run the same work this many times on each host, all at once; returns the results."""
    all_there = threading.Barrier(len(hosts) * times)

    def do(host: Service) -> Any:
        with client_of(host, user_id) as client:
            all_there.wait(PATIENCE_SECONDS)
            return work(client)

    with ThreadPoolExecutor(len(hosts) * times) as threads:
        return list(threads.map(do, hosts * times))


def test_hosts_that_start_at_once_migrate_once(hosts: tuple[Service, ...], url: str) -> None:
    for host in hosts:
        assert httpx.get(f"{host.address}/health/ready", trust_env=False, timeout=PATIENCE_SECONDS).status_code == 200
        assert "Traceback" not in host.printed

    assert migrations.pending(url) == []
    applied = execute(url, "SELECT migration_id FROM _yoyo_log WHERE operation = 'apply' ORDER BY created_at_utc")
    assert [name for (name,) in applied] == migrations.known()


@pytest.mark.requirement("FR-100", "FR-103")
def test_they_let_hardly_more_than_the_limit_pass(hosts: tuple[Service, ...], url: str) -> None:
    user_id, addresses = new_user(), tuple(host.address for host in hosts)
    unsynced = HOSTS * WORKERS * TENTH

    passed = passing(user_id, addresses, lambda passed: wait_until_synced(url, user_id, passed - unsynced))
    wait_until_synced(url, user_id, passed)
    # Workers that have not yet heard of it let a few more requests pass, and then hear of it.
    while more := passing(user_id, addresses):
        passed += more
        wait_until_synced(url, user_id, passed)

    assert LIMIT <= passed <= LIMIT + (HOSTS * WORKERS - 1) * (TENTH + unsynced)
    assert synced(url, user_id) == passed


def test_a_key_that_is_sent_to_all_at_once_does_one_work(hosts: tuple[Service, ...], user_id: str) -> None:
    def create_one(key: dict[str, str], client: httpx.Client) -> httpx.Response:
        return client.post("/api/tasks", json={"title": "One"}, headers=key)

    for number in range(5):
        answers = on_all(hosts, user_id, 3, partial(create_one, new_key()))

        assert len({said(answer) for answer in answers}) == 1
        assert sorted(map(is_replayed, answers)) == [False] + [True] * 5
        with client_of(hosts[0], user_id) as client:
            assert revision_of(client) == number + 1


def test_of_edits_of_the_same_state_one_wins(hosts: tuple[Service, ...], user_id: str) -> None:
    def edit(address: str, revision: int, client: httpx.Client) -> httpx.Response:
        state = {"If-Match": f'"{revision}"'}
        return client.put(address, json={"title": str(uuid.uuid4())}, headers=state)

    with client_of(hosts[0], user_id) as client:
        task = create(client)
        for revision in range(1, 6):
            answers = on_all(hosts, user_id, 3, partial(edit, path_of(task), revision))

            assert Counter(answer.status_code for answer in answers) == {200: 1, 412: 5}
            assert {answer.json()["data"]["revision"] for answer in answers} == {revision + 1}
            assert len({answer.json()["data"]["title"] for answer in answers}) == 1


@pytest.mark.requirement("FR-148")
def test_a_stream_of_one_host_tells_of_changes_at_the_other(hosts: tuple[Service, ...], user_id: str) -> None:
    one, other = hosts
    with client_of(one, user_id) as follower, client_of(other, user_id) as writer, stream(follower) as response:
        events = events_of(response)
        next(events)
        for number in range(3):
            task = create(writer, str(number))

            (event,) = changes_of(events, 1)  # workers look every second, or nothing would arrive for an hour

            assert event.change == task


def write(host: Service, user_id: str, seed: int) -> None:
    """Make random changes to the user's own tasks."""
    chance, known = random.Random(seed), list[dict[str, Any]]()  # noqa: S311 - no secret
    with client_of(host, user_id) as client:
        for number in range(40):
            kind = chance.choice(("create", "edit", "delete", "restore", "remove"))
            if kind == "create" or not known:
                known.append(create(client, f"{seed}-{number}"))
                continue
            address = path_of(chance.choice(known))
            if kind == "edit":
                client.put(address, json={"description": str(number)})
            elif kind == "restore":
                client.post(f"{address}/restore")
            else:
                client.delete(address, params={"permanent": "true"} if kind == "remove" else {})


@pytest.mark.requirement("FR-146")
def test_a_copy_that_follows_now_one_and_now_the_other_is_exact(hosts: tuple[Service, ...], user_id: str) -> None:
    replica = Replica()
    with ThreadPoolExecutor(2 * HOSTS) as threads, ExitStack() as clients:
        followers = cycle([clients.enter_context(client_of(host, user_id)) for host in hosts])
        writers = [threads.submit(write, host, user_id, seed) for seed, host in enumerate(hosts * 2)]
        for _ in range(100):  # only this many, as followers have a limit, too
            replica.pull(next(followers), limit=3)
            time.sleep(0.03)
            if all(writer.done() for writer in writers):
                break
        for writer in writers:
            writer.result()
        while replica.pull(next(followers)):
            pass

        revision = revision_of(next(followers))
        assert replica.since == sync_token(revision)
        assert revision > 40
        assert replica.tasks == living(next(followers))
        assert replica.tasks


@pytest.mark.requirement("FR-138")
def test_purges_on_all_at_once_do_no_harm(
    hosts: tuple[Service, ...], env: dict[str, str], url: str, folder: Path
) -> None:
    hoarders = [Hoarder.with_rows(url, tasks=30, tombstones=20, keys=10) for _ in range(10)]
    with client_of(hosts[0], hoarders[0].id) as client:
        kept = create(client, "Kept")

        with ThreadPoolExecutor(HOSTS) as threads:
            done = list(threads.map(lambda _: run("purge", env=env, cwd=folder), hosts))

        assert [(each.returncode, each.stderr) for each in done] == [(0, "")] * HOSTS
        assert client.get(path_of(kept)).json()["data"] == kept
    left = [hoarder.left() for hoarder in hoarders]
    assert left[0] == Left(1, 0, 0, 0, 0, task_count=1, revision=51, purged_revision=50, events=1)
    assert set(left[1:]) == {Left(0, 0, 0, 0, 0, task_count=0, revision=50, purged_revision=50)}


def test_a_host_that_dies_takes_nothing_along_that_it_has_acknowledged(
    hosts: tuple[Service, ...], env: dict[str, str], folder: Path, user_id: str
) -> None:
    acknowledged, sent = list[str](), list[str]()

    def write_until_it_is_gone(client: httpx.Client) -> None:
        with suppress(httpx.TransportError):
            for _ in range(80):
                id_ = str(uuid.uuid4())
                sent.append(id_)
                create(client, "Task", id=id_)
                acknowledged.append(id_)

    with ExitStack() as running, ThreadPoolExecutor(4) as threads:
        dying = start(running, env, folder)
        writers = [
            threads.submit(write_until_it_is_gone, running.enter_context(client_of(host, user_id)))
            for host in (hosts[0], dying) * 2
        ]
        while len(acknowledged) < 40:
            time.sleep(0.01)
            assert not all(writer.done() for writer in writers)
        for process in dying.family:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        for writer in writers:
            writer.result(PATIENCE_SECONDS)
    with client_of(hosts[1], user_id) as client:
        found = living(client)

        assert set(acknowledged) <= found.keys() <= set(sent)
        assert len(sent) - len(acknowledged) <= 2  # those in progress at the host that died
        assert sorted(task["revision"] for task in found.values()) == list(range(1, len(found) + 1))
        assert revision_of(client) == len(found)
