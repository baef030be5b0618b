"""The drill: dump while the service runs, restore as the document says, and serve the result."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import psycopg2
import pytest
from pydantic import SecretStr
from sqlalchemy import make_url

from backend.config import Settings
from backend.database.migrations import runner as migrations
from tests.fixtures.calls.api import new_user, serve
from tests.fixtures.calls.feed import Replica, living, sync_token
from tests.fixtures.calls.tasks import Task, create, error_of, path_of, revision_of
from tests.fixtures.documents.operations import commands
from tests.fixtures.postgres.database import execute
from tests.fixtures.postgres.logins import LOGINS
from tests.fixtures.processes.deployment import Installation, user_client
from tests.fixtures.processes.servers import plain_server
from tests.fixtures.running.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.requirement("FR-182", "FR-181")

PEOPLE = 2
PASSWORD = "only-for-tests"  # noqa: S105 - it protects nothing


@dataclass
class Person:
    """A user, the tasks that the service confirmed, and what their client had seen before the dump."""

    id: str = field(default_factory=new_user)
    confirmed: list[Task] = field(default_factory=list)
    before: dict[str, Task] = field(default_factory=dict)
    replica: Replica = field(default_factory=Replica)
    revision_after: int = 0


@contextmanager
def _writing(address: str, people: list[Person]) -> Iterator[None]:
    """Let each person create tasks continuously."""
    stop = threading.Event()

    def write(person: Person) -> None:
        with user_client(address, person.id) as client:
            while not stop.is_set():
                person.confirmed.append(create(client, f"{len(person.confirmed)} of {person.id}"))

    threads = [threading.Thread(target=write, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@dataclass(frozen=True)
class Drill:
    """Two people who wrote during the dump, and the installation with the dump."""

    installed: Installation
    settings: Settings
    people: list[Person]

    @contextmanager
    def served_from(self, url: str) -> Iterator[str]:
        """Serve from a restored database; gives the address."""
        with _serving(self.settings, url) as address:
            ready = httpx.get(f"{address}/health/ready", trust_env=False, timeout=PATIENCE_SECONDS)
            assert ready.status_code == 200, ready.text
            yield address


@contextmanager
def _serving(settings: Settings, url: str) -> Iterator[str]:
    with serve(settings.model_copy(update={"database_url": SecretStr(url)})) as api:
        yield api.base_url


@pytest.fixture(scope="module")
def drill(installed: Installation, settings: Settings) -> Drill:
    """Dump the database under load."""
    people = [Person() for _ in range(PEOPLE)]
    with _serving(settings, installed.service_url) as address:
        with _writing(address, people):
            _until(lambda: all(len(person.confirmed) >= 10 for person in people))
            for person in people:
                with user_client(address, person.id) as client:
                    person.replica.pull(client)
                    person.before = {task["id"]: task for task in list(person.confirmed)}
            installed.shell(commands("Backup and restore")[0], DATABASE_DIRECT_URL=installed.owner_url)
            confirmed = [len(person.confirmed) for person in people]
            _until(lambda: all(len(person.confirmed) > n for person, n in zip(people, confirmed, strict=True)))
        for person in people:
            with user_client(address, person.id) as client:
                person.revision_after = revision_of(client)
    return Drill(installed, settings, people)


def _until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _restore(drill: Drill, admin_url: str, owner_url: str) -> str:
    """Restore into a new database of the owner; returns its address for the owner."""
    owner = make_url(owner_url)
    execute(admin_url, f"CREATE DATABASE restored OWNER {owner.username}")
    url = owner.set(database="restored").render_as_string(hide_password=False)
    drill.installed.shell(commands("Backup and restore")[1], RESTORED_DIRECT_URL=url)
    assert migrations.pending(url) == []
    return url


def _has_all_that_was_confirmed(client: httpx.Client, person: Person) -> None:
    """Check that a person has everything up to some moment after the dump began, and nothing later."""
    mine, revision = living(client), revision_of(client)

    assert person.before.items() <= mine.items()
    assert mine == {task["id"]: task for task in person.confirmed[: len(mine)]}
    assert len(mine) == revision < person.revision_after
    assert client.get("/api/tasks?include_total=true&limit=1").json()["page"]["total"] == revision


def _are_kept_apart(address: str, people: list[Person], url: str) -> None:
    first, second = people
    with user_client(address, second.id) as stranger:
        error_of(stranger.get(path_of(first.confirmed[0])), 404, "NOT_FOUND")
    assert execute(url, "SELECT count(*) FROM tasks") == [(0,)]  # the service's login, without a user


def _goes_on(client: httpx.Client, person: Person) -> None:
    """Check that a client can continue syncing, and that one that saw lost changes gets a 410."""
    error_of(client.get("/api/changes", params={"since": sync_token(person.revision_after)}), 410, "GONE")
    create(client, "After the restore")
    while person.replica.pull(client, limit=5):
        pass
    assert person.replica.tasks == living(client)


def test_a_dump_made_under_load_serves_the_same_users_on_the_same_server(drill: Drill) -> None:
    installed = drill.installed
    owner_url = _restore(drill, installed.server.url(), installed.owner_url)
    url = make_url(installed.service_url).set(database="restored").render_as_string(hide_password=False)

    with drill.served_from(url) as address:
        for person in drill.people:
            with user_client(address, person.id) as client:
                _has_all_that_was_confirmed(client, person)
                _goes_on(client, person)
        _are_kept_apart(address, drill.people, url)

        installed.shell(commands("Backup and restore")[2], RESTORED_DIRECT_URL=owner_url)
        for person in drill.people:
            with user_client(address, person.id) as client:
                for seen in (person.replica.since, sync_token(person.revision_after)):
                    error_of(client.get("/api/changes", params={"since": seen}), 410, "GONE")
                fresh, mine = Replica(), living(client)
                while fresh.pull(client):
                    pass
                assert fresh.tasks == mine
                old = {"If-Match": f'"{person.revision_after}"'}
                assert create(client)["revision"] > 1_000_000 > person.revision_after
                assert client.put(path_of(person.confirmed[0]), json={"title": "a"}, headers=old).status_code == 412


def test_a_dump_serves_the_same_users_on_a_server_that_is_set_up_like_a_new_one_of_neon(drill: Drill) -> None:
    with plain_server() as server:
        execute(server.url(), f"CREATE ROLE neondb_owner LOGIN PASSWORD '{PASSWORD}' {LOGINS['neon']}")
        execute(server.url(), "CREATE DATABASE neondb OWNER neondb_owner")
        owner_url = _as("neondb_owner", PASSWORD, server.url())
        with pytest.raises(AssertionError, match='role "task_api" does not exist'):
            drill.installed.shell(commands("Backup and restore")[1], RESTORED_DIRECT_URL=owner_url)
        names = {"DATABASE_DIRECT_URL": owner_url, "SERVICE_PASSWORD": PASSWORD, "NEW_PASSWORD": f"{PASSWORD}-2"}
        drill.installed.shell(commands("Setting up Neon")[0], **names)
        assert execute(_as("task_api_service", PASSWORD, owner_url), "SELECT count(*) FROM tasks") == [(0,)]

        restored_url = _restore(drill, server.url(), owner_url)
        _, new_login, _, drop_old_login = commands("Secrets")
        drill.installed.shell(new_login, **names)
        url = _as("task_api_service_2", names["NEW_PASSWORD"], restored_url)
        with drill.served_from(url) as address:
            drill.installed.shell(drop_old_login, **names)
            for person in drill.people:
                with user_client(address, person.id) as client:
                    _has_all_that_was_confirmed(client, person)
            _are_kept_apart(address, drill.people, url)
        with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
            execute(_as("task_api_service", PASSWORD, restored_url), "SELECT 1")


def _as(login: str, password: str, url: str) -> str:
    """Return the address for another login; the server's own database is replaced by Neon's."""
    other = make_url(url).set(username=login, password=password)
    database = "neondb" if other.database == "postgres" else other.database
    return other.set(database=database).render_as_string(hide_password=False)
