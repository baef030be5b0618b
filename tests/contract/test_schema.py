"""The schema: migrations and models agree, and every table has row-level security."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, make_url
from sqlmodel import SQLModel

from backend.database.migrations import runner as migrations
from backend.models.internal.rate_limit import RateLimit
from backend.services import registry
from tests.fixtures.postgres.catalog import TABLES, catalog, owner_column
from tests.fixtures.postgres.database import execute, scratch_database

KEY_LEADS = {table: owner_column(table) for table in SQLModel.metadata.tables}
# Belongs to no user: what workers count. Only a statement that runs for no user sees it.
OF_NO_USER = {RateLimit.__tablename__}

OF_LIST = {"tasks", "lists", "tombstones", "idempotency_keys", "users", "labels"}  # what sessions of one list reach
NOTED = "events"  # they add to it, and read nothing of it
USER = "NULLIF(current_setting('app.user_id'::text, true), ''::text)"
LIST = "(NULLIF(current_setting('app.list_id'::text, true), ''::text))::uuid"
# A policy that compares no column with the setting reads it in a subquery: once, not for each row.
LIST_ONCE = "( SELECT (NULLIF(current_setting('app.list_id'::text, true), ''::text))::uuid AS \"nullif\")"
TEXT_ONCE = "( SELECT NULLIF(current_setting('app.list_id'::text, true), ''::text) AS \"nullif\")"
# What the policies for one list look at beside the user.
OWN_LIST = {
    "tasks": f"(list_id = {LIST})",
    "lists": f"(id = {LIST})",
    "tombstones": f"({LIST_ONCE} = ANY (list_ids))",
    "idempotency_keys": f"starts_with(key, ({TEXT_ONCE} || '\n'::text))",
}

POLICIES = "SELECT tablename, permissive, roles::text[], cmd, qual, with_check FROM pg_policies"
DEFINERS = """
SELECT proname::text, proconfig,
       ARRAY(SELECT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END FROM aclexplode(proacl)), prosrc
FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace
"""
ROLE = """
SELECT rolsuper, rolbypassrls, rolcanlogin, rolcreaterole, rolcreatedb, rolreplication,
       EXISTS (SELECT FROM pg_auth_members WHERE member = pg_roles.oid)
FROM pg_roles WHERE rolname IN ('task_api', 'task_api_list')
"""
GRANTS = """
SELECT relname::text, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END, privilege_type, is_grantable
FROM pg_class, aclexplode(relacl) WHERE relnamespace = 'public'::regnamespace AND grantee <> relowner
"""
OWNED = """
SELECT classid::regclass, objid FROM pg_shdepend
WHERE refobjid IN ('task_api'::regrole, 'task_api_list'::regrole) AND deptype = 'o'
"""
COLUMNS = """
SELECT attrelid::regclass::text, attname::text, grantee::regrole::text, privilege_type
FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid, aclexplode(attacl)
WHERE relnamespace = 'public'::regnamespace
"""


def _connect(url: str) -> Iterator[Connection]:
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg2"))
    with engine.begin() as connection:
        yield connection
    engine.dispose()


@pytest.fixture
def migrated(schema_url: str) -> Iterator[Connection]:
    """A connection to the migrated database."""
    yield from _connect(schema_url)


@pytest.fixture
def declared_url(empty_database_url: str) -> str:
    """A database built from the models."""
    for connection in _connect(empty_database_url):
        SQLModel.metadata.create_all(connection)
    return empty_database_url


@pytest.mark.requirement("FR-070")
@pytest.mark.parametrize("part", ["columns", "constraints", "indexes", "others"])
def test_migrations_build_what_the_models_declare(schema_url: str, declared_url: str, part: str) -> None:
    built = catalog(schema_url)[part]

    assert bool(built) == (part != "others")
    assert built == catalog(declared_url)[part]


@pytest.mark.requirement("FR-070")
@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("columns", "ALTER TABLE users ALTER id TYPE varchar(255)"),
        ("columns", "ALTER TABLE tasks ALTER completed DROP DEFAULT"),
        ("columns", "ALTER TABLE tasks ALTER completed DROP NOT NULL"),
        ("columns", "ALTER TABLE tasks ADD colour text"),
        ("constraints", "ALTER TABLE tasks DROP CONSTRAINT ck_tasks_title_length"),
        ("constraints", "ALTER TABLE tasks RENAME CONSTRAINT ck_tasks_title_length TO ck_tasks_title"),
        ("indexes", "DROP INDEX ix_tasks_user_id_revision"),
        ("indexes", "CREATE INDEX ON tasks (user_id, title)"),
        ("others", "CREATE VIEW mine AS SELECT * FROM tasks"),
    ],
)
def test_a_difference_is_noticed(schema_url: str, declared_url: str, part: str, change: str) -> None:
    execute(declared_url, change)

    assert catalog(declared_url)[part] != catalog(schema_url)[part]


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    return kind != "table" or name is None or "yoyo" not in name


@pytest.mark.requirement("FR-070")
def test_alembic_finds_no_difference_either(migrated: Connection) -> None:
    options = {"compare_type": True, "compare_server_default": True, "include_name": _is_ours}
    context = MigrationContext.configure(migrated, opts=options)

    assert compare_metadata(context, SQLModel.metadata) == []


@pytest.mark.requirement("FR-268")
def test_every_table_is_registered(schema_url: str) -> None:
    """What is not registered is neither checked for row-level security nor exported."""
    assert {table for _, table, _ in execute(schema_url, TABLES)} == {table.name for table in registry.TABLES}


@pytest.mark.requirement("FR-070")
def test_rolling_everything_back_leaves_nothing(server_url: str) -> None:
    with scratch_database(server_url) as url:
        applied = migrations.apply(url)
        assert [migrations.rollback(url) for _ in applied] == applied[::-1]
        assert migrations.rollback(url) is None
        assert not any(catalog(url).values())
        assert migrations.apply(url) == applied


@pytest.mark.requirement("FR-013")
def test_every_table_has_row_level_security_for_reading_and_writing(schema_url: str) -> None:
    tables = {name: is_secured for _, name, is_secured in execute(schema_url, TABLES)}
    assert tables == dict.fromkeys(KEY_LEADS, True)

    of_user = [row for row in execute(schema_url, POLICIES) if row[2] == ["task_api"]]
    policies = {table: rest for table, *rest in of_user}
    assert len(of_user) == len(policies)  # two would be joined with OR, which no index serves
    assert policies.keys() == tables.keys()
    for table, (permissive, roles, command, reads, writes) in policies.items():
        assert (permissive, roles, command) == ("PERMISSIVE", ["task_api"], "ALL")
        assert reads == writes
        assert reads == (f"({USER} IS NULL)" if table in OF_NO_USER else f"({KEY_LEADS[table]} = {USER})")


@pytest.mark.requirement("FR-356")
def test_the_policies_for_one_list_look_at_the_list_too(schema_url: str) -> None:
    others = [row for row in execute(schema_url, POLICIES) if row[2] != ["task_api"]]
    (noting,) = (row for row in others if row[0] == NOTED)
    assert noting[1:] == ("PERMISSIVE", ["task_api_list"], "INSERT", None, f"({KEY_LEADS[NOTED]} = {USER})")
    others.remove(noting)
    assert sorted(table for table, *_ in others) == sorted(OF_LIST)
    for table, permissive, roles, command, reads, writes in others:
        assert (permissive, roles, command) == ("PERMISSIVE", ["task_api_list"], "ALL")
        assert writes in {None, reads}
        of_user = f"({KEY_LEADS[table]} = {USER})"
        assert reads == (f"({of_user} AND {OWN_LIST[table]})" if table in OWN_LIST else of_user)


@pytest.mark.requirement("FR-356")
def test_one_function_tells_sessions_of_a_list_which_ids_are_taken_and_nobody_else(schema_url: str) -> None:
    ((settings, access, source),) = [rest for name, *rest in execute(schema_url, DEFINERS) if name == "ids_of_tasks"]

    assert settings == ["search_path=pg_catalog, pg_temp"]
    assert "task_api_list" in access
    assert not {"PUBLIC", "task_api"} & set(access)
    assert "user_id = nullif(current_setting('app.user_id', true), '')" in source


@pytest.mark.requirement("FR-138", "FR-014", "FR-544")
@pytest.mark.parametrize("name", ["users_with_expired_rows", "credentials_of"])
def test_two_functions_bypass_row_level_security_for_no_user_only(schema_url: str, name: str) -> None:
    found = {name: rest for name, *rest in execute(schema_url, DEFINERS)}
    assert found.keys() == {"users_with_expired_rows", "credentials_of", "ids_of_tasks"}
    settings, access, source = found[name]

    assert settings == ["search_path=pg_catalog, pg_temp"]
    assert not {"PUBLIC", "task_api_list"} & set(access)
    assert "task_api" in access
    assert source.count("nullif(current_setting('app.user_id', true), '') IS NULL") == source.count("SELECT")


@pytest.mark.requirement("FR-013")
def test_the_role_of_requests_may_do_nothing_else(schema_url: str) -> None:
    assert execute(schema_url, ROLE) == [(False,) * 7] * 2
    assert execute(schema_url, OWNED) == []


@pytest.mark.requirement("FR-013")
def test_nobody_but_the_roles_of_requests_is_granted_anything_and_they_only_rows(schema_url: str) -> None:
    rights = ("SELECT", "INSERT", "UPDATE", "DELETE")  # no TRUNCATE, which bypasses row-level security
    ours = {(table, "task_api", right, False) for table in KEY_LEADS for right in rights}

    of_list = {(table, "task_api_list", "SELECT", False) for table in OF_LIST - {"labels"}}
    of_list |= {(table, "task_api_list", "INSERT", False) for table in ("labels", NOTED)}
    of_list |= {
        (table, "task_api_list", right, False)
        for table in ("tasks", "idempotency_keys")
        for right in ("INSERT", "UPDATE")
    }

    assert set(execute(schema_url, GRANTS)) == ours | of_list | {("_yoyo_migration", "task_api", "SELECT", False)}
    assert set(execute(schema_url, COLUMNS)) == {
        *(("labels", name, "task_api_list", "SELECT") for name in ("user_id", "name", "name_key", "match_key")),
        *(("users", name, "task_api_list", "UPDATE") for name in ("revision", "task_count", "last_position")),
        ("users", "id", "task_api_list", "INSERT"),
    }
