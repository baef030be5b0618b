"""The second wall: Postgres refuses foreign rows by itself, whoever the service logs in as."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from psycopg2.errors import InsufficientPrivilege
from sqlalchemy import Connection, Engine, make_url
from sqlalchemy.exc import DBAPIError

from backend.database.embedded import EmbeddedPostgres
from backend.database.engine import build_engine
from backend.database.session import SessionFactory
from backend.errors import Conflict, ServiceUnavailable, TaskNotFound
from backend.models.task import TaskCreate, TaskUpdate
from backend.services.task_service import TaskService
from backend.services.user_service import UserService
from tests.fixtures.api import new_user
from tests.fixtures.database import execute
from tests.fixtures.walls import DATABASE_DEFAULTS, LOGINS, Statement, database_of, statements

NOBODY = ""
REVISION = 987_654_321  # of the owner: a number that no answer to anybody else can hold by chance
REFUSALS = {"42501", "23514"}  # row-level security; the check that a user id is not empty
TIMEOUT_SECONDS = 5

STATEMENTS = {name: statement for name, statement in statements().items() if statement.touches_our_tables}
CONDITIONAL = [name for name, statement in STATEMENTS.items() if statement.has_condition]


@pytest.fixture(scope="module", params=LOGINS)
def login_url(request: pytest.FixtureRequest, server_url: str, database_url: str) -> Iterator[str]:
    """A migrated database that belongs to each kind of login in turn."""
    assert database_url  # which has brought the role task_api to this server
    with database_of(server_url, LOGINS[request.param]) as url:
        yield url


@pytest.fixture(scope="module")
def engine(login_url: str) -> Iterator[Engine]:
    """The engine as the service builds it, with one connection that every request has to share."""
    engine = build_engine(login_url, pool_size=1, timeout_seconds=TIMEOUT_SECONDS)
    yield engine
    engine.dispose()


@dataclass(frozen=True)
class Owner:
    """A user with a task, and what others might try with it."""

    url: str
    engine: Engine
    id: str = field(default_factory=new_user)
    task_id: uuid.UUID = field(default_factory=uuid.uuid4)

    @property
    def title(self) -> str:
        return f"A secret of {self.id}"

    def rows(self) -> list[tuple[Any, ...]]:
        """Read everything that is stored of the owner, past every wall."""
        return execute(self.url, _ROWS, self.id, self.id)

    def parameters(self, statement: Statement, caller: str) -> dict[str, Any]:
        """Fill in a statement so that it hits the owner's task; a new name has to be added here."""
        values: dict[str, Any] = {
            "caller": caller,
            "task": str(self.task_id),
            "after": datetime(9999, 1, 1, tzinfo=UTC),
            "most": 1000,
            "new_title": "Stolen",
            "new_description": "Stolen",
            "has_new_description": True,
            "new_completed": True,
        }
        needed = {name for name, value in statement.constants.items() if value is None}
        return {**statement.constants, **{name: values[name] for name in needed}}

    def is_hit(self, seen: str, rows: list[tuple[Any, ...]], before: list[tuple[Any, ...]]) -> bool:
        """Tell whether something of the owner was read or changed."""
        return self.title in seen or str(REVISION) in seen or rows != before


_ROWS = """
SELECT to_jsonb(users) FROM users WHERE id = %s
UNION ALL SELECT to_jsonb(tasks) FROM tasks WHERE user_id = %s
"""


@pytest.fixture
def owner(login_url: str, engine: Engine) -> Owner:
    owner = Owner(login_url, engine)
    TaskService(SessionFactory(engine), owner.id).create(TaskCreate(id=owner.task_id, title=owner.title))
    execute(login_url, "UPDATE users SET revision = %s WHERE id = %s", REVISION, owner.id)
    return owner


def _through_the_wall(engine: Engine, user_id: str, sql: str, parameters: dict[str, Any]) -> str:
    """Run SQL as a request of this user does; returns what it answers, or nothing when it is refused."""
    with SessionFactory(engine)(user_id) as session:
        return _answer(session.connection(), sql, parameters)


def _answer(connection: Connection, sql: str, parameters: dict[str, Any]) -> str:
    try:
        result = connection.exec_driver_sql(sql, parameters)
    except DBAPIError as error:
        if getattr(error.orig, "pgcode", None) not in REFUSALS:
            raise
        return ""
    # Not the rows themselves: SQLAlchemy's shorten what they hold when they are printed.
    return str([tuple(row) for row in result]) if result.returns_rows else ""


def _without_walls(owner: Owner, sql: str, parameters: dict[str, Any]) -> bool:
    """Tell whether SQL that nothing guards would hit the owner; takes it back."""
    before = owner.rows()
    plain = make_url(owner.url).set(drivername="postgresql").render_as_string(hide_password=False)
    with closing(psycopg2.connect(plain)) as connection, connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        seen = str(cursor.fetchall()) if cursor.description else ""
        cursor.execute(_ROWS, (owner.id, owner.id))
        hit = owner.is_hit(seen, cursor.fetchall(), before)
        connection.rollback()
    return hit


@pytest.mark.requirement("FR-013")
def test_every_statement_says_whose_rows_it_means() -> None:
    assert {"task_queries.GET", "task_queries.CREATE", "user_service.DELETE"} <= STATEMENTS.keys()
    for statement in STATEMENTS.values():
        assert "%(caller)s" in statement.sql, statement.name
        assert statement.has_condition or "INSERT INTO" in statement.sql, statement.name


@pytest.mark.requirement("FR-013")
@pytest.mark.parametrize("name", CONDITIONAL)
def test_a_statement_without_its_condition_hits_no_foreign_row(owner: Owner, name: str) -> None:
    statement, stranger, before = STATEMENTS[name], new_user(), owner.rows()
    TaskService(SessionFactory(owner.engine), stranger).create(TaskCreate(title="Mine"))
    parameters = owner.parameters(statement, caller=stranger)
    assert _without_walls(owner, statement.without_condition, parameters)

    seen = _through_the_wall(owner.engine, stranger, statement.without_condition, parameters)

    assert not owner.is_hit(seen, owner.rows(), before)


@pytest.mark.requirement("FR-013")
@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_about_the_wrong_user_hits_no_foreign_row(owner: Owner, name: str) -> None:
    statement, before = STATEMENTS[name], owner.rows()
    parameters = owner.parameters(statement, caller=owner.id)
    if "INSERT INTO tasks" in statement.sql:
        parameters["task"] = str(uuid.uuid4())  # its own is taken
    assert _without_walls(owner, statement.sql, parameters)

    seen = _through_the_wall(owner.engine, new_user(), statement.sql, parameters)

    assert not owner.is_hit(seen, owner.rows(), before)


@pytest.mark.requirement("FR-013")
@pytest.mark.parametrize("name", CONDITIONAL)
def test_the_second_wall_alone_still_serves_the_owner(owner: Owner, name: str) -> None:
    statement, before = STATEMENTS[name], owner.rows()

    seen = _through_the_wall(
        owner.engine, owner.id, statement.without_condition, owner.parameters(statement, caller=owner.id)
    )

    assert owner.is_hit(seen, owner.rows(), before)


@pytest.mark.requirement("FR-014")
@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_without_a_user_hits_no_row(owner: Owner, name: str) -> None:
    statement, before = STATEMENTS[name], owner.rows()
    counts = "SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM tasks)"
    counted = execute(owner.url, counts)

    for caller in (owner.id, NOBODY):
        parameters = owner.parameters(statement, caller)
        # Right after a request of the owner, on the same connection.
        assert TaskService(SessionFactory(owner.engine), owner.id).get(owner.task_id).id == owner.task_id
        seen = _through_the_wall(owner.engine, NOBODY, statement.without_condition, parameters)
        with owner.engine.connect() as connection:  # which does not even say that there is nobody
            seen += _answer(connection, statement.without_condition, parameters)

        assert not owner.is_hit(seen, owner.rows(), before)
    assert execute(owner.url, counts) == counted


@pytest.mark.requirement("FR-014")
@pytest.mark.parametrize("setting", ["SELECT", "SELECT set_config('app.user_id', '', false)"])
def test_the_role_of_requests_sees_nothing_while_no_user_is_set(owner: Owner, setting: str) -> None:
    before = owner.rows()
    plain = make_url(owner.url).set(drivername="postgresql").render_as_string(hide_password=False)
    with closing(psycopg2.connect(plain)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(f"SET ROLE task_api; {setting}")
        for table in ("users", "tasks"):
            cursor.execute(f"SELECT * FROM {table}")  # noqa: S608 - one of two names
            assert cursor.fetchall() == []
            cursor.execute(f"UPDATE {table} SET revision = revision + 1")  # noqa: S608
            assert cursor.rowcount == 0
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608
            assert cursor.rowcount == 0
        with pytest.raises(InsufficientPrivilege):
            cursor.execute("INSERT INTO users (id) VALUES (%s)", (new_user(),))
        with pytest.raises(InsufficientPrivilege):
            cursor.execute("TRUNCATE tasks")

    assert owner.rows() == before


_STATE = """
SELECT pg_backend_pid(), current_user, current_setting('role'), coalesce(current_setting('app.user_id', true), ''),
       current_setting('statement_timeout'), current_setting('TimeZone')
"""


def _state(engine: Engine) -> tuple[Any, ...]:
    """Read the settings of the one connection, with no guard in front."""
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute(_STATE)
        (state,) = cursor.fetchall()
        return tuple(state)
    finally:
        connection.close()


@pytest.mark.requirement("FR-015")
def test_no_setting_of_a_request_stays_on_the_connection(owner: Owner) -> None:
    sessions, engine = SessionFactory(owner.engine), owner.engine
    tasks = TaskService(sessions, owner.id)
    process, *untouched = _state(engine)
    login = make_url(owner.url).username
    assert untouched == [login, "none", "", "77s", DATABASE_DEFAULTS["TimeZone"]]

    with sessions(owner.id) as session:
        inside = session.connection().exec_driver_sql(_STATE, {}).one()
        assert tuple(inside) == (process, "task_api", "task_api", owner.id, "5s", "UTC")
    assert _state(engine) == (process, *untouched)
    tasks.get(owner.task_id)
    assert _state(engine) == (process, *untouched)
    with pytest.raises(Conflict):
        tasks.create(TaskCreate(id=owner.task_id, title="Again"))
    assert _state(engine) == (process, *untouched)
    with pytest.raises(ServiceUnavailable), sessions(owner.id) as session:
        session.connection().exec_driver_sql("SET LOCAL statement_timeout = '10ms'; SELECT pg_sleep(5)", {})
    assert _state(engine) == (process, *untouched)


def _use_everything(url: str) -> None:
    """Let a user do everything once."""
    engine = build_engine(url, pool_size=1, timeout_seconds=TIMEOUT_SECONDS)
    user_id, sessions = new_user(), SessionFactory(engine)
    tasks, users = TaskService(sessions, user_id), UserService(sessions, user_id)
    task = tasks.create(TaskCreate(title="Mine"))
    assert tasks.update(task.id, TaskUpdate(title="Changed")).revision == 2
    assert tasks.complete(task.id, completed=None).revision == 3
    assert "Changed" in tasks.get(task.id).json
    assert "Changed" in tasks.list(10).json
    tasks.delete(task.id)
    with pytest.raises(TaskNotFound):
        tasks.get(task.id)
    assert users.get().revision == 4
    users.erase()
    assert users.get().revision == 0
    engine.dispose()


@pytest.mark.requirement("FR-013")
def test_every_login_can_serve(login_url: str) -> None:
    _use_everything(login_url)


@pytest.mark.requirement("FR-013", "FR-070")
@pytest.mark.parametrize("kind", LOGINS)
def test_every_login_can_set_up_a_server_that_is_new(tmp_path: Path, kind: str) -> None:
    with (
        EmbeddedPostgres(tmp_path) as server_url,
        database_of(server_url, LOGINS[kind], may_become_task_api=False) as url,
    ):
        _use_everything(url)
