"""Sessions that see one list only: their statements alone, and row-level security alone, keep all else out."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest
from psycopg2.errors import InsufficientPrivilege
from sqlalchemy import make_url

from backend.database.engine import Engine
from backend.database.session import SessionFactory
from tests.fixtures.postgres.list_statements import CONDITIONAL, OF_LIST, Sharer, without_list
from tests.fixtures.postgres.statements import run
from tests.fixtures.postgres.tenant_statements import STATEMENTS, TIMEOUT_SECONDS, hits_without_protection, run_as_user

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


def test_statements_of_other_sessions_know_of_no_list() -> None:
    only_in_a_list = {name for name, each in STATEMENTS.items() if "guard_list_id" in each.sql}
    assert {name.partition(",")[0] for name in only_in_a_list} == {
        "changes.queries.CHANGES_OF_LIST",
        "tasks.queries.NAMED_IN_LIST",
        "tasks.queries.STORE_ALL_IN_LIST",
        "tasks.queries.STORE_WITH_UIDS_IN_LIST",
    }


def test_what_reads_or_changes_tasks_and_lists_names_the_list() -> None:
    touching = re.compile(r"\b(FROM|JOIN|UPDATE) (tasks|lists)\b")
    free = {name for name, each in OF_LIST.items() if touching.search(each.sql) and "guard_list_id" not in each.sql}
    never_sent = ("access_tokens.", "account.export_queries.PARTS", "purge.")
    assert {name for name in free if not name.startswith(never_sent)} == set()


@pytest.mark.parametrize("name", CONDITIONAL)
def test_a_statement_hits_nothing_outside_where_row_security_does_not_bind(owner: Sharer, name: str) -> None:
    statement = OF_LIST[name]
    # Its keys begin with the id of the list.
    parameters = owner.parameters(statement, owner.id) | {"name": f"{owner.shared_id}\n{owner.key}"}

    assert not hits_without_protection(owner, statement.sql, parameters)

    assert hits_without_protection(owner, without_list(statement), parameters)  # only the condition kept it out


@pytest.mark.parametrize("name", OF_LIST)
def test_a_statement_without_its_condition_hits_nothing_outside(own_owner: Sharer, name: str) -> None:
    statement, owner = OF_LIST[name], own_owner
    before, parameters = owner.rows(), owner.parameters(OF_LIST[name], owner.id)

    seen = run_as_user(owner.engine, owner.id, without_list(statement), parameters)

    assert not owner.is_hit(seen, owner.rows(), before)


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
