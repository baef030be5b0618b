"""Sessions that see one list only: row-level security keeps all else out, whatever statements they run."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg2
import pytest
from psycopg2.errors import InsufficientPrivilege
from sqlalchemy import make_url

from backend.database.engine import Engine
from backend.database.guard import guard_for, guard_values
from backend.database.session import SessionFactory
from backend.models.task import TaskCreate
from backend.services.tasks.service import TaskService
from tests.fixtures.postgres.list_statements import Sharer
from tests.fixtures.postgres.statements import run
from tests.fixtures.postgres.tenant_statements import MAX_TASKS, STATEMENTS, TIMEOUT_SECONDS, rolled_back, run_as_user

pytestmark = pytest.mark.requirement("FR-356")


@pytest.fixture(scope="module")
def engine(database_url: str) -> Iterator[Engine]:
    engine = Engine(database_url, pool_size=1, timeout_seconds=TIMEOUT_SECONDS)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def owner(database_url: str, engine: Engine) -> Sharer:
    """An owner whom the tests share: what would change something is rolled back."""
    return Sharer.with_task(database_url, engine)


@pytest.fixture
def own_owner(database_url: str, engine: Engine) -> Sharer:
    """An owner of the test's own, who may be changed."""
    return Sharer.with_task(database_url, engine)


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_hits_nothing_outside(own_owner: Sharer, name: str) -> None:
    statement, owner = STATEMENTS[name], own_owner
    before, parameters = owner.rows(), owner.parameters(STATEMENTS[name], owner.id)

    seen = run_as_user(owner.engine, owner.id, statement.sql, parameters)

    assert not owner.is_hit(seen, owner.rows(), before)


# What hides rows of other lists, and a statement that hits some of these if only the user's are hidden.
_BY_LIST = {
    "tasks": "tasks.queries.GET",
    "lists": "lists.queries.GET",
    "tombstones": "changes.queries.CHANGES_OF_LIST",
    "idempotency_keys": "idempotency.ANSWERED",
}
_OF_USER = "user_id = (SELECT nullif(current_setting('app.user_id', true), ''))"


@pytest.mark.parametrize("table", _BY_LIST)
def test_without_its_policy_a_table_leaks(owner: Sharer, table: str) -> None:
    everything, statement = f"SELECT * FROM {table}", STATEMENTS[_BY_LIST[table]]  # noqa: S608 - our own
    parameters = owner.parameters(statement, owner.id) | {"since": 0}
    for is_widened in (False, True):
        with rolled_back(owner.url) as cursor:
            before = owner.rows_by(cursor)
            if is_widened:
                cursor.execute(f"ALTER POLICY own_list ON {table} USING ({_OF_USER}) WITH CHECK ({_OF_USER})")
            _enter(cursor, owner)
            cursor.execute(everything)
            seen = str(cursor.fetchall())
            assert owner.is_hit(seen, before, before) is is_widened
            cursor.execute(statement.sql, parameters)
            seen = str(cursor.fetchall()) if cursor.description else ""
            cursor.execute("RESET ROLE")
            assert owner.is_hit(seen, owner.rows_by(cursor), before) is is_widened


@pytest.mark.parametrize("table", ["users", "labels"])
def test_without_its_policy_a_table_shows_other_users(owner: Sharer, own_owner: Sharer, table: str) -> None:
    column = "id" if table == "users" else "user_id"
    for is_widened in (False, True):
        with rolled_back(owner.url) as cursor:
            if is_widened:
                cursor.execute(f"ALTER POLICY own_list ON {table} USING (true)")
            _enter(cursor, owner)
            cursor.execute(f"SELECT {column} FROM {table}")  # noqa: S608 - our own
            assert ((own_owner.id,) in cursor.fetchall()) is is_widened


def _enter(cursor: Any, owner: Sharer) -> None:
    """Become what the session of a request with a token for the shared list is."""
    cursor.execute(guard_for(owner.shared_id), guard_values(owner.id, owner.shared_id, 60_000))


# Each is refused whatever it names: the role lacks the right, or a policy the row.
_REFUSED = {
    "a task of another list": "INSERT INTO tasks (user_id, id, list_id, title) SELECT %(user)s, %(new)s, %(task)s, 'a'",
    "a task of the inbox": "INSERT INTO tasks (user_id, id, title) VALUES (%(user)s, %(new)s, 'a')",
    "a task's move": "UPDATE tasks SET list_id = %(task)s WHERE id = %(own)s",
    "a task of another user": "UPDATE tasks SET user_id = 'another user' WHERE id = %(own)s",
    "a task's removal": "DELETE FROM tasks WHERE id = %(own)s",
    "a list": "INSERT INTO lists (user_id, id, name) VALUES (%(user)s, %(new)s, 'a')",
    "a list's name": "UPDATE lists SET name = 'a'",
    "an answer of another list": "INSERT INTO idempotency_keys (user_id, key, request_hash) VALUES (%(user)s, 'a', '')",
    "a colour of labels": "SELECT color FROM labels",
    "a label's name": "UPDATE labels SET name = 'a'",
    "a user's zone": "UPDATE users SET timezone = 'UTC'",
    "another user": "INSERT INTO users (id) VALUES ('another user')",
    "the tokens": "SELECT * FROM access_tokens",
}


@pytest.mark.parametrize("what", _REFUSED)
def test_at_a_prompt_the_role_is_refused_all_but_its_list(own_owner: Sharer, what: str) -> None:
    owner = own_owner
    tasks = TaskService(SessionFactory(owner.engine), owner.id, MAX_TASKS)
    own = tasks.create(TaskCreate(title="Inside", list_id=owner.shared_id))
    values = {"user": owner.id, "task": str(owner.task_id), "own": str(own.id), "new": str(uuid.uuid4())}
    with rolled_back(owner.url) as cursor:
        _enter(cursor, owner)
        cursor.execute("SELECT id FROM tasks UNION ALL SELECT id FROM lists ORDER BY 1")
        assert sorted(str(row_id) for (row_id,) in cursor.fetchall()) == sorted([str(own.id), str(owner.shared_id)])
        with pytest.raises(InsufficientPrivilege):
            cursor.execute(_REFUSED[what], values)


_TABLES = ("tasks", "lists", "tombstones", "idempotency_keys")


@pytest.mark.parametrize("settings", ["", "SELECT set_config('app.user_id', %(user)s, false)"])
def test_the_role_sees_nothing_while_no_list_is_set(owner: Sharer, settings: str) -> None:
    before = owner.rows()
    plain = make_url(owner.url).set(drivername="postgresql").render_as_string(hide_password=False)
    with closing(psycopg2.connect(plain)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(f"SET ROLE task_api_list; {settings}", {"user": owner.id})
        for table in _TABLES:
            cursor.execute(f"SELECT * FROM {table}")  # noqa: S608 - all of it is ours
            assert cursor.fetchall() == []
        for table in (*_TABLES, "users", "labels"):
            with pytest.raises(InsufficientPrivilege):
                cursor.execute(f"DELETE FROM {table}")  # noqa: S608
        for table in ("access_tokens", "rate_limits", "_yoyo_migration"):
            with pytest.raises(InsufficientPrivilege):
                cursor.execute(f"SELECT * FROM {table}")  # noqa: S608
    assert owner.rows() == before


def test_only_sessions_of_a_list_may_ask_which_ids_are_taken(owner: Sharer, engine: Engine) -> None:
    named = [str(owner.task_id), str(uuid.uuid4())]
    asking = "SELECT ids_of_tasks(%(ids)s::uuid[])::text[]"
    for user_id, found in ((owner.id, named[:1]), ("another user", None), ("", None)):
        with SessionFactory(engine).limited_to(owner.shared_id)(user_id) as session:
            assert run(session, asking, {"ids": named}) == [(found,)]
    assert run_as_user(engine, owner.id, asking, {"ids": named}) == ""


def test_a_list_of_another_user_shows_nothing(owner: Sharer, own_owner: Sharer, engine: Engine) -> None:
    """Ids of lists are the users' own: two users may have the same one."""
    with SessionFactory(engine).limited_to(owner.task_id)(own_owner.id) as session:
        for table in _TABLES:
            assert run(session, f"SELECT * FROM {table}") == []  # noqa: S608
