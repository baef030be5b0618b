"""What a database that spreads users over many nodes (Citus, CockroachDB, YugabyteDB) requires of a service.

Every key and index begins with the user, and nothing is shared by all users or tied to a session.
`tests/integration/database/test_partitions.py` runs the statements on such a schema.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from sqlalchemy import make_url

from backend.database.migrations.runner import MIGRATIONS
from tests.fixtures.postgres.catalog import TABLES, owner_column
from tests.fixtures.postgres.database import execute
from tests.fixtures.postgres.tenant_statements import statements

BACKEND = MIGRATIONS.parent / "backend"
PREPARED = BACKEND / "database/prepared.py"
STATEMENTS = {name: statement.sql for name, statement in statements().items()}

# The purge searches by time. Where rows are spread, each node has its part of these indexes and is queried.
ACROSS_USERS = {
    "ix_tasks_deleted_at",
    "ix_lists_deleted_at",
    "ix_tombstones_deleted_at",
    "ix_idempotency_keys_created_at",
    "ix_access_tokens_expires_at",
    "ix_sessions_expires_at",
    "ix_events_at",
}
# An address finds its user, so this table is spread by the address, or not at all.
OF_ADDRESSES = {"uq_email_keys_email_key"}
# It sets how the transaction is committed, and does not affect a row.
VOLATILE = {"rate_limits.store.SYNC": {"set_config"}}

WITHOUT_KEY = """
SELECT pg_class.oid::regclass::text FROM pg_class
WHERE oid = ANY (%s::oid[]) AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = pg_class.oid AND indisprimary)
"""
LEADING_COLUMNS = """
SELECT conrelid::regclass::text, conname, attname
FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
WHERE conrelid = ANY (%s::oid[]) AND contype IN ('p', 'u', 'f', 'x')
UNION ALL
SELECT indrelid::regclass::text, indexrelid::regclass::text, attname
FROM pg_index LEFT JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
WHERE indrelid = ANY (%s::oid[])
"""
REFERENCES = """
SELECT conname, confrelid::regclass::text, attname, confdeltype::text, confupdtype::text
FROM pg_constraint JOIN pg_attribute ON attrelid = confrelid AND attnum = confkey[1] WHERE contype = 'f'
"""
FUNCTIONS = "SELECT DISTINCT proname::text FROM pg_proc WHERE proname = ANY (%s) AND provolatile = 'v'"

# For each kind: a query that finds them, and an example that it would find.
FOREIGN_TO_A_SPREAD_DATABASE = {
    "triggers": (
        "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal",
        "CREATE TRIGGER found BEFORE UPDATE ON tasks EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    ),
    "rules": (
        "SELECT rulename FROM pg_rules WHERE schemaname = 'public'",
        "CREATE RULE found AS ON DELETE TO tasks DO INSTEAD NOTHING",
    ),
    "sequences": (
        "SELECT relname FROM pg_class WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace",
        "ALTER TABLE tasks ADD number bigint GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME found)",
    ),
    "types": (
        "SELECT typname FROM pg_type WHERE typtype IN ('e', 'd') AND typnamespace = 'public'::regnamespace",
        "CREATE TYPE found AS ENUM ('one')",
    ),
    "exclusion constraints": (
        "SELECT conname FROM pg_constraint WHERE contype = 'x'",
        "ALTER TABLE tasks ADD CONSTRAINT found EXCLUDE (user_id WITH =, revision WITH =)",
    ),
    "constraints that wait for the end of a transaction": (
        "SELECT conname FROM pg_constraint WHERE condeferrable",
        "ALTER TABLE tasks ADD CONSTRAINT found UNIQUE (user_id, revision) DEFERRABLE",
    ),
}

# Features that outlive their transaction on a connection, or are outside transactions.
OF_A_SESSION = re.compile(
    r"\bpg_(try_)?advisory_(un)?lock|\b(UN)?LISTEN\b|\bNOTIFY\b|\bpg_notify\b|\bTEMP(ORARY)?\s+(TABLE|VIEW|SEQUENCE)\b"
    r"|(^|;)\s*SET\s+(?!LOCAL\b)|\bset_config\([^;]*?,\s*false\)|\bPREPARE\b|\bWITH\s+HOLD\b|\bDISCARD\b"
    r"|\b(next|curr|set|last)val\b"
)


@pytest.mark.requirement("FR-013", "FR-188")
def test_the_user_leads_every_key_and_index(schema_url: str) -> None:
    ids = {table: id_ for id_, table, _ in execute(schema_url, TABLES)}
    found = execute(schema_url, LEADING_COLUMNS, [*ids.values()], [*ids.values()])

    assert execute(schema_url, WITHOUT_KEY, [*ids.values()]) == []
    assert {table for table, _, _ in found} == ids.keys()
    assert {name for table, name, column in found if column != owner_column(table)} == ACROSS_USERS | OF_ADDRESSES


@pytest.mark.requirement("FR-188")
def test_a_row_belongs_to_rows_of_the_same_user_and_stays_theirs(schema_url: str) -> None:
    references = execute(schema_url, REFERENCES)

    assert references
    for name, table, column, on_delete, on_update in references:  # and the user comes first, as above
        assert column == owner_column(table), name
        assert (on_delete in "acr", on_update) == (True, "a"), name  # not SET NULL or SET DEFAULT


@pytest.mark.requirement("FR-188")
@pytest.mark.parametrize("kind", FOREIGN_TO_A_SPREAD_DATABASE)
def test_there_are_none_of_these(schema_url: str, kind: str) -> None:
    query, example = FOREIGN_TO_A_SPREAD_DATABASE[kind]
    assert execute(schema_url, query) == []

    plain = make_url(schema_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with closing(psycopg2.connect(plain)) as connection, connection.cursor() as cursor:
        cursor.execute(f"{example}; {query}")
        assert cursor.fetchall() == [("found",)]
        connection.rollback()


@pytest.mark.requirement("FR-188")
def test_no_statement_that_writes_calls_a_volatile_function(schema_url: str) -> None:
    writes = {name: sql for name, sql in STATEMENTS.items() if re.search(r"\b(INSERT INTO|UPDATE|DELETE FROM) ", sql)}
    names = ("INSERT", "INSERT_PLAIN", "UPDATE", "UPDATE_TEXTS", "UPDATE_STATE", "STORE_ALL")
    changes = {f"tasks.queries.{name}" for name in names}
    changes |= {f"tasks.tree_queries.{name}" for name in ("STORE_STATES", "REMOVE")}
    changes |= {"unit_of_work.COUNT", "resources.tombstones.BURY"}
    assert writes.keys() >= changes

    called = {name: set(re.findall(r"(\w+)\(", sql)) for name, sql in writes.items()}
    volatile = {name: {call for (call,) in execute(schema_url, FUNCTIONS, [*calls])} for name, calls in called.items()}

    assert {name: calls for name, calls in volatile.items() if calls} == VOLATILE
    assert "now" in called["idempotency.STORE"]  # proves that the search works
    assert execute(schema_url, FUNCTIONS, ["now", "clock_timestamp"]) == [("clock_timestamp",)]


@pytest.mark.requirement("FR-188")
def test_what_is_there_already_is_found_by_its_user() -> None:
    targets = []
    for name, sql in STATEMENTS.items():
        inserted = re.split(r"\bINSERT INTO (\w+) ", sql)[1:]
        for table, rest in zip(inserted[::2], inserted[1::2], strict=True):
            assert ("ON CONFLICT" in rest) is (f"ON CONFLICT ({owner_column(table)}" in rest), name
            targets += re.findall(r"ON CONFLICT \((\w+)", rest)

    assert {"id", "user_id"} == set(targets)


@pytest.mark.requirement("FR-188")
def test_no_update_gives_a_row_to_another_user() -> None:
    changes = re.compile(r"\bUPDATE (?:\w+ )?SET (.+?)(?: FROM | ?WHERE | RETURNING |\)?$)", re.DOTALL)
    sets = {name: changes.findall(sql.replace("\n", " ")) for name, sql in STATEMENTS.items()}

    assert {name for name, found in sets.items() if found} >= {"tasks.queries.UPDATE", "tasks.queries.STORE_ALL"}
    for name, found in sets.items():
        for assignments in found:
            assert not re.search(r"(^|, )(user_id|id) ?=", assignments), name


@pytest.mark.requirement("FR-188")
def test_nothing_is_kept_in_a_session() -> None:
    texts = [*STATEMENTS.items(), *_strings(), *_migrations()]
    assert any("pg_advisory_xact_lock" in text for _, text in texts)  # proves that the search works

    assert [(name, match[0]) for name, text in texts if (match := OF_A_SESSION.search(text))] == []


@pytest.mark.parametrize(
    "text",
    [
        "SELECT pg_advisory_lock(1)",
        "SELECT pg_try_advisory_lock_shared(1)",
        "LISTEN changes",
        "SELECT pg_notify('changes', '')",
        "CREATE TEMPORARY TABLE kept ()",
        "SELECT 1; SET statement_timeout = '5s'",
        "SET ROLE task_api",
        "SELECT set_config('role', 'task_api', true), set_config('app.user_id', %(user)s, false)",
        "PREPARE get AS SELECT 1",
        "DECLARE page CURSOR WITH HOLD FOR SELECT 1",
        "SELECT nextval('numbers')",
    ],
)
def test_what_would_be_kept_in_a_session_is_noticed(text: str) -> None:
    assert OF_A_SESSION.search(text)


@pytest.mark.parametrize("text", ["SELECT pg_advisory_xact_lock(1)", "SET LOCAL x = 1", "UPDATE tasks SET title = 'a'"])
def test_what_ends_with_the_transaction_is_let_be(text: str) -> None:
    assert not OF_A_SESSION.search(text)


def _strings() -> Iterator[tuple[str, str]]:
    """Give every string of the service that is not a docstring; all its SQL is among them.

    What direct connections prepare is left out: no other connection does, and none relies on it.
    """
    for path in sorted(BACKEND.rglob("*.py")):
        if path == PREPARED:
            continue
        tree = ast.parse(path.read_text())
        for text in (node for part in ast.walk(tree) if not isinstance(part, ast.Expr) for node in _constants(part)):
            yield _name(path), text


def _constants(part: ast.AST) -> Iterator[str]:
    for child in ast.iter_child_nodes(part):
        if isinstance(child, ast.Constant) and isinstance(child.value, str):
            yield child.value


def _migrations() -> Iterator[tuple[str, str]]:
    for path in sorted(MIGRATIONS.glob("*.sql")):
        yield _name(path), re.sub(r"--.*", "", path.read_text())


def _name(path: Path) -> str:
    return str(path.relative_to(MIGRATIONS.parent))
