"""Row-level security alone keeps foreign rows out, whatever login the service uses."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import closing, nullcontext
from typing import Any

import psycopg2
import pytest
from psycopg2.errors import InsufficientPrivilege
from sqlalchemy import make_url

from backend.database.engine import SERVER_SHARE, Engine
from backend.database.session import SessionFactory
from backend.errors import Conflict, ServiceUnavailable
from backend.models.task import TaskCreate
from backend.services.account.lines import PARTS
from tests.fixtures.calls.api import new_user
from tests.fixtures.postgres.logins import DATABASE_DEFAULTS, LOGINS, database_of
from tests.fixtures.postgres.pooler import pooled
from tests.fixtures.postgres.statements import run, send
from tests.fixtures.postgres.tenant_statements import (
    CONDITIONAL,
    OF_NEWCOMERS,
    STATEMENTS,
    TIMEOUT_SECONDS,
    Owner,
    hits_for_the_owner,
    hits_without_protection,
    rolled_back,
    run_as_user,
    tasks_of,
    use_everything,
)

NOBODY = ""
# Each table with the column that names the owner of a row.
TABLES = {"users": "id", **dict.fromkeys((part.table.name for part in PARTS.values()), "user_id")}


@pytest.fixture(scope="module", params=LOGINS)
def login_url(request: pytest.FixtureRequest, server_url: str, database_url: str) -> Iterator[str]:
    """A migrated database, owned by each kind of login in turn."""
    assert database_url  # creates the role task_api on this server
    with database_of(server_url, LOGINS[request.param]) as url:
        yield url


@pytest.fixture(scope="module", params=["directly", "through a pooler"])
def engine(request: pytest.FixtureRequest, login_url: str) -> Iterator[Engine]:
    """The engine as the service builds it, with one connection that all requests share."""
    with pooled(login_url) if request.param == "through a pooler" else nullcontext(login_url) as url:
        engine = Engine(url, pool_size=1, timeout_seconds=TIMEOUT_SECONDS)
        yield engine
        engine.dispose()


@pytest.fixture(scope="module")
def owner(login_url: str, engine: Engine) -> Owner:
    """An owner whom the tests share: each of them shows that nothing of the owner has changed."""
    return Owner.with_task(login_url, engine)


@pytest.fixture(scope="module")
def newcomer(login_url: str, engine: Engine) -> Owner:
    """An owner who has not registered yet."""
    return Owner.with_task(login_url, engine, signs_in=False)


@pytest.mark.requirement("FR-013")
def test_every_statement_says_whose_rows_it_means() -> None:
    found = {"tasks.queries.GET", "tasks.queries.NAMED", "tasks.queries.INSERT", "account.service.DELETE"}
    assert found <= STATEMENTS.keys()
    for statement in STATEMENTS.values():
        assert "%(principal)s" in statement.sql, statement.name
        assert statement.has_condition or "INSERT INTO" in statement.sql, statement.name


@pytest.mark.requirement("FR-013", "FR-085", "FR-086")
@pytest.mark.parametrize("name", CONDITIONAL)
def test_a_statement_without_its_condition_hits_no_foreign_row(owner: Owner, name: str) -> None:
    statement, stranger, before = STATEMENTS[name], new_user(), owner.rows()
    tasks_of(owner.engine, stranger).create(TaskCreate(title="Mine"))
    parameters = owner.parameters(statement, principal=stranger)
    assert hits_without_protection(owner, statement.without_condition, parameters)

    seen = run_as_user(owner.engine, stranger, statement.without_condition, parameters, statement.types)

    assert not owner.is_hit(seen, owner.rows(), before)


@pytest.mark.requirement("FR-013", "FR-085", "FR-086")
@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_about_the_wrong_user_hits_no_foreign_row(owner: Owner, newcomer: Owner, name: str) -> None:
    owner = newcomer if name in OF_NEWCOMERS else owner
    statement, before = STATEMENTS[name], owner.rows()
    parameters = owner.parameters(statement, principal=owner.id)
    if "INSERT INTO tasks" in statement.sql:
        parameters["new_id"] = str(uuid.uuid4())  # its own id is taken
    assert hits_without_protection(owner, statement.sql, parameters) or name == "loading.LOCK"  # which only locks

    seen = run_as_user(owner.engine, new_user(), statement.sql, parameters, statement.types)

    assert not owner.is_hit(seen, owner.rows(), before)


@pytest.mark.requirement("FR-013", "FR-085", "FR-086")
@pytest.mark.parametrize("name", CONDITIONAL)
def test_the_row_level_security_alone_still_serves_the_owner(owner: Owner, name: str) -> None:
    statement = STATEMENTS[name]

    assert hits_for_the_owner(owner, statement.without_condition, owner.parameters(statement, principal=owner.id))


@pytest.mark.requirement("FR-014", "FR-085", "FR-086")
@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_without_a_user_hits_no_row(owner: Owner, name: str) -> None:
    statement, before = STATEMENTS[name], owner.rows()
    counted = _counted(owner.url)

    for principal in (owner.id, NOBODY):
        parameters = owner.parameters(statement, principal)
        # Right after a request of the owner, on the same connection.
        assert tasks_of(owner.engine, owner.id).get(owner.task_id).id == owner.task_id
        seen = run_as_user(owner.engine, NOBODY, statement.without_condition, parameters, statement.types)

        assert not owner.is_hit(seen, owner.rows(), before)
    assert _counted(owner.url) == counted


def _counted(url: str) -> tuple[int, ...]:
    """Count the rows of each table."""
    counts = (f"(SELECT count(*) FROM {table})" for table in TABLES)  # noqa: S608 - our own
    with rolled_back(url) as cursor:
        cursor.execute(f"SELECT {', '.join(counts)}")
        counted: tuple[int, ...] = cursor.fetchone()
        return counted


@pytest.mark.requirement("FR-014", "FR-085", "FR-086")
@pytest.mark.parametrize("setting", ["SELECT", "SELECT set_config('app.user_id', '', false)"])
def test_the_role_of_requests_sees_nothing_while_no_user_is_set(owner: Owner, setting: str) -> None:
    before = owner.rows()
    plain = make_url(owner.url).set(drivername="postgresql").render_as_string(hide_password=False)
    with closing(psycopg2.connect(plain)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(f"SET ROLE task_api; {setting}")
        for table, owner_column in TABLES.items():
            cursor.execute(f"SELECT * FROM {table}")  # noqa: S608 - all of it is ours
            assert cursor.fetchall() == []
            cursor.execute(f"UPDATE {table} SET {owner_column} = {owner_column}")  # noqa: S608
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
    """Read the settings of the one connection directly."""
    (state,) = send(engine, _STATE)
    return tuple(state)


@pytest.mark.requirement("FR-015", "FR-086")
def test_no_setting_of_a_request_stays_on_the_connection(owner: Owner) -> None:
    sessions, engine = SessionFactory(owner.engine), owner.engine
    tasks = tasks_of(engine, owner.id)
    process, *untouched = _state(engine)
    login = make_url(owner.url).username
    assert untouched == [login, "none", "", "77s", DATABASE_DEFAULTS["TimeZone"]]

    with sessions(owner.id) as session:
        (inside,) = run(session, _STATE)
        timeout = f"{TIMEOUT_SECONDS * SERVER_SHARE * 1000:.0f}ms"
        assert tuple(inside) == (process, "task_api", "task_api", owner.id, timeout, "UTC")
    assert _state(engine) == (process, *untouched)
    tasks.get(owner.task_id)
    assert _state(engine) == (process, *untouched)
    with pytest.raises(Conflict):
        tasks.create(TaskCreate(id=owner.task_id, title="Again"))
    assert _state(engine) == (process, *untouched)
    with pytest.raises(ServiceUnavailable), sessions(owner.id) as session:
        run(session, "SET LOCAL statement_timeout = '10ms'; SELECT pg_sleep(5)")
    assert _state(engine) == (process, *untouched)


@pytest.mark.requirement("FR-013")
def test_every_login_can_serve(login_url: str) -> None:
    use_everything(login_url)
