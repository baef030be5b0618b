"""Through a transaction pooler all users share one server connection, and none leaves anything for the next.

test_row_level_security.py, which also runs through a pooler, checks that row-level security alone keeps them apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import psycopg2
import pytest
from pydantic import SecretStr
from sqlalchemy import make_url

from backend.config import Settings
from backend.database.engine import Engine
from backend.database.errors import StatementRefused
from backend.database.migrations import runner as migrations
from backend.database.session import SessionFactory
from backend.errors import Conflict, ServiceUnavailable
from backend.models.task import TaskCreate
from backend.services.account.service import UserService
from backend.services.tasks.rules import TaskNotFound
from tests.fixtures.calls.api import API, new_user, serve
from tests.fixtures.calls.erasure import erase
from tests.fixtures.calls.keys import assert_replays, new_key, said
from tests.fixtures.calls.tasks import MISSING_ID, Task, create, error_of, path_of, read
from tests.fixtures.postgres.database import database_owned_by, execute
from tests.fixtures.postgres.logins import DATABASE_DEFAULTS, LOGINS, database_of
from tests.fixtures.postgres.migrating import APPLY, FILES, at_once, start
from tests.fixtures.postgres.pooler import pooled
from tests.fixtures.postgres.statements import noted_statements, run
from tests.fixtures.postgres.tenant_statements import TIMEOUT_SECONDS, tasks_of, use_everything

USERS = 6
ROUNDS = 8
# Settings that PgBouncer itself tracks and restores for each client.
TRACKED = {"application_name", "client_encoding", "DateStyle", "TimeZone", "standard_conforming_strings"}

STATE = """
SELECT pg_backend_pid(), session_user::text, current_user::text, coalesce(current_setting('app.user_id', true), ''),
       current_setting('statement_timeout'), current_setting('TimeZone')
"""
LEFT_BEHIND = """
SELECT 'setting', name FROM pg_settings WHERE source = 'session' AND name <> ALL (%s)
UNION ALL SELECT 'prepared statement', name FROM pg_prepared_statements
UNION ALL SELECT 'cursor', name FROM pg_cursors WHERE name <> ''
UNION ALL SELECT 'channel', name FROM pg_listening_channels() AS name
UNION ALL SELECT 'lock', locktype FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory'
UNION ALL SELECT 'temporary table', relname FROM pg_class WHERE relpersistence = 't' AND pg_table_is_visible(oid)
"""


@dataclass(frozen=True)
class Login:
    """A login, and the direct and pooled addresses of its database."""

    directly: str
    through_pooler: str

    def left_for_the_next_client(self) -> tuple[Any, ...]:
        """Return the state of the one server connection as a new client sees it."""
        plain = make_url(self.through_pooler).set(drivername="postgresql").render_as_string(hide_password=False)
        with closing(psycopg2.connect(plain)) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            cursor.execute(LEFT_BEHIND, (list(TRACKED),))
            assert cursor.fetchall() == []
            cursor.execute(STATE)
            (state,) = cursor.fetchall()
            return tuple(state)

    def untouched(self) -> tuple[Any, ...]:
        """Return its state before anything has happened."""
        state = self.left_for_the_next_client()
        login = make_url(self.directly).username
        assert state[1:] == (login, login, "", DATABASE_DEFAULTS["statement_timeout"], DATABASE_DEFAULTS["TimeZone"])
        return state


def _login(server_url: str, kind: str) -> Iterator[Login]:
    with database_of(server_url, LOGINS[kind]) as url, pooled(url) as through_pooler:
        yield Login(url, through_pooler)


@pytest.fixture(scope="module", params=LOGINS)
def login(request: pytest.FixtureRequest, server_url: str, database_url: str) -> Iterator[Login]:
    """Each kind of login in turn."""
    assert database_url  # creates the role task_api on this server
    yield from _login(server_url, request.param)


@pytest.fixture(scope="module")
def neon(server_url: str, database_url: str) -> Iterator[Login]:
    """A login like Neon's."""
    assert database_url
    yield from _login(server_url, "neon")


@pytest.fixture
def served(neon: Login, settings: Settings) -> Iterator[API]:
    """The service behind the pooler."""
    with serve(settings.model_copy(update={"database_url": SecretStr(neon.through_pooler)})) as running:
        yield running


@pytest.mark.requirement("FR-086", "FR-505")
def test_the_whole_life_of_a_task_works_and_leaves_nothing(login: Login) -> None:
    before = login.untouched()

    use_everything(login.through_pooler)

    assert login.left_for_the_next_client() == before


@pytest.mark.requirement("FR-086", "FR-015")
def test_a_statement_that_fails_leaves_nothing(login: Login) -> None:
    before, user = login.untouched(), new_user()
    engine = Engine(login.through_pooler, pool_size=1, timeout_seconds=TIMEOUT_SECONDS)
    tasks, sessions = tasks_of(engine, user), SessionFactory(engine)
    task = tasks.create(TaskCreate(title="Mine"))

    with pytest.raises(Conflict):
        tasks.create(TaskCreate(id=task.id, title="Again"))
    assert login.left_for_the_next_client() == before
    with pytest.raises(TaskNotFound):
        tasks.delete(uuid4())
    assert login.left_for_the_next_client() == before
    with pytest.raises(StatementRefused, match="ck_tasks_title_length"):
        tasks.create(TaskCreate.model_construct(id=None, title="a" * 501, description=None, completed=False))
    assert login.left_for_the_next_client() == before
    with pytest.raises(ServiceUnavailable), sessions(user) as session:
        run(session, "SET LOCAL statement_timeout = '10ms'; SELECT pg_sleep(5)")
    assert login.left_for_the_next_client() == before
    with sessions(user) as session:
        assert run(session, STATE)[0][2:4] == ("task_api", user)
    assert login.left_for_the_next_client() == before
    assert (tasks.get(task.id), UserService(sessions, user).get().revision) == (task, 1)
    engine.dispose()


@pytest.mark.requirement("FR-086")
def test_what_would_leave_something_is_noticed(neon: Login) -> None:
    """Tests the check itself: the next client finds what a session sets."""
    for spoil, restore in [
        ("SET lock_timeout = '1s'", "RESET lock_timeout"),
        ("PREPARE mine AS SELECT 1", "DEALLOCATE mine"),
        ("SELECT pg_advisory_lock(1)", "SELECT pg_advisory_unlock(1)"),
    ]:
        execute(neon.through_pooler, spoil)
        with pytest.raises(AssertionError):
            neon.left_for_the_next_client()
        execute(neon.through_pooler, restore)
    before = neon.untouched()
    execute(neon.through_pooler, "SELECT set_config('app.user_id', 'left', false)")
    assert neon.left_for_the_next_client() != before
    execute(neon.through_pooler, "SELECT set_config('app.user_id', '', false)")


def _works_alone(api: API, name: str) -> None:
    """Use the service as one of many users, and see only this user's tasks."""
    with api.client(name) as client:
        _works(client, name)


def _works(client: httpx.Client, name: str) -> None:
    mine: list[Task] = []
    for number in range(ROUNDS):
        mine.insert(0, create(client, f"{number} of {name}"))
        assert [task["title"] for task in client.get("/api/tasks").json()["data"]] == [task["title"] for task in mine]
        assert client.post("/api/tasks", json={"title": "again", "id": mine[0]["id"]}).status_code == 409
        toggled = client.patch(f"{path_of(mine[0])}/complete", headers=new_key())
        assert said(client.send(toggled.request)) == said(toggled)
        mine[0] = client.patch(path_of(mine[0]), json={"description": name}).json()["data"]
        assert read(client, mine[0]) == mine[0]
        account = client.get("/api/me").json()["data"]
        assert (account["id"], account["revision"]) == (name, 3 * (number + 1))


@pytest.mark.requirement("FR-086")
def test_users_who_share_one_server_connection_at_once_see_only_their_own(served: API, neon: Login) -> None:
    before, names = neon.untouched(), [new_user() for _ in range(USERS)]

    with ThreadPoolExecutor(USERS) as threads:
        for done in [threads.submit(_works_alone, served, name) for name in names]:
            done.result()

    assert neon.left_for_the_next_client() == before
    owners = "SELECT user_id, count(*) FROM tasks WHERE user_id = ANY (%s) GROUP BY 1"
    assert sorted(execute(neon.directly, owners, names)) == sorted((name, ROUNDS) for name in names)


SESSION_STATE = re.compile(
    r"\b(SET|RESET|DISCARD|LISTEN|UNLISTEN|PREPARE|EXECUTE|DEALLOCATE|DECLARE|LOAD|TEMP|TEMPORARY)\b(?! LOCAL)"
    r"|pg_(try_)?advisory_lock|set_config\([^()]*, false\)",
    re.IGNORECASE,
)


@pytest.mark.requirement("FR-086", "FR-015")
def test_nothing_is_ever_set_for_longer_than_a_statement(served: API) -> None:
    with noted_statements(served.app.state.sessions.engine) as noted, served.client(new_user()) as client:
        task = create(client)
        for method, path in [("GET", "/api/tasks"), ("GET", "/api/me"), ("GET", "/health/ready")]:
            assert client.request(method, path).status_code == 200
        assert client.put(path_of(task), json={"title": "b"}).status_code == 200
        assert client.patch(f"{path_of(task)}/complete").status_code == 200
        assert_replays(client, client.post("/api/tasks", json={"title": "a"}, headers=new_key()))
        error_of(client.post(f"/api/tasks/{MISSING_ID}/restore", headers=new_key()), 404, "NOT_FOUND")
        assert client.delete(path_of(task)).status_code == 204
        assert erase(client).status_code == 204

    sent = [sql for sql, _ in noted if sql not in {"COMMIT", "ROLLBACK"}]
    assert len(sent) >= 8
    for statement in sent:
        roles = statement.count("SET LOCAL role ")  # readiness looks at both, and returns
        idle = statement.startswith("BEGIN")  # how long a transaction may be idle
        order = "enable_sort = off" in statement
        assert statement.count("SET LOCAL ") == (1 if statement.endswith("; COMMIT") else 5 + roles + idle + order)
        # The SET of an UPDATE is allowed.
        assert not SESSION_STATE.search(re.sub(r"UPDATE (\w+ )?SET", "UPDATE", statement)), statement
    assert all(map(SESSION_STATE.search, ["SET x = 1", "PREPARE a AS", "set_config('role', 'a', false)"]))
    assert not SESSION_STATE.search("SET LOCAL x = 1")


@pytest.mark.requirement("FR-086", "FR-062")
def test_migrations_can_be_applied_and_taken_back_through_the_pooler(neon: Login, server_url: str) -> None:
    with database_owned_by(neon.directly, server_url) as url:
        given = make_url(neon.through_pooler).set(database=make_url(url).database)
        through_pooler = given.render_as_string(hide_password=False)

        assert sorted(at_once([start(APPLY, through_pooler) for _ in range(3)])) == [[], [], FILES]
        assert all(migration.applied for migration in migrations.status(through_pooler))
        assert execute(through_pooler, LEFT_BEHIND, list(TRACKED)) == []
        assert [migrations.rollback(through_pooler) for _ in FILES] == FILES[::-1]
        assert execute(through_pooler, LEFT_BEHIND, list(TRACKED)) == []
