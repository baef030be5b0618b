"""Rows spread by user: with every table hash-partitioned, a request's statement touches one partition of each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from backend.database.engine import Engine
from backend.database.migrations import runner as migrations
from backend.database.session import Session, SessionFactory
from backend.services.account.lines import PARTS
from backend.services.health import rls_check
from tests.fixtures.calls.api import new_user
from tests.fixtures.postgres.catalog import catalog
from tests.fixtures.postgres.database import execute, scratch_database
from tests.fixtures.postgres.expired import Hoarder
from tests.fixtures.postgres.partitions import partition
from tests.fixtures.postgres.statements import run, transaction
from tests.fixtures.postgres.tenant_statements import OF_NEWCOMERS, Owner, Statement, statements, use_everything

COUNT = 16
_OF_USERS = ("users", *(part.table.name for part in PARTS.values()))
STATEMENTS = statements()
# Not from requests: workers run these for all users from time to time, in the background.
ACROSS_USERS = {
    "purge.FIND": "asks who has something past its time",
    "rate_limits.store.SYNC": "adds up the requests of many users",
    "rate_limits.store.SWEEP": "removes the counters of everybody",
}

# Their table is not spread by user.
OF_ADDRESSES = {"sign_in.queries.ADD_KEY", "sign_in.queries.FIND"}

# The rows that a transaction has read and changed so far, by partition, including the work of foreign keys.
TOUCHED = """
SELECT relname::text, schemaname::text, seq_scan + coalesce(idx_scan, 0) + n_tup_ins + n_tup_upd + n_tup_del
FROM pg_stat_xact_user_tables WHERE starts_with(schemaname, 'partition_')
"""
PARTITION_OF = "SELECT tableoid::regclass::text FROM users WHERE id = %s"
BESIDES = """
SELECT relname::text, relowner::regrole::text, relrowsecurity, relforcerowsecurity, relacl::text FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') ORDER BY 1
"""
POLICIES = "SELECT * FROM pg_policies ORDER BY tablename, policyname"


@pytest.fixture(scope="module")
def partitioned_url(server_url: str) -> Iterator[str]:
    """A database whose tables are all partitioned."""
    with scratch_database(server_url) as url:
        migrations.apply(url)
        partition(url, COUNT)
        yield url


@pytest.fixture(scope="module")
def engine(partitioned_url: str) -> Iterator[Engine]:
    engine = Engine(partitioned_url, pool_size=1, timeout_seconds=60)
    yield engine
    engine.dispose()


def touched(session: Session) -> dict[tuple[str, str], int]:
    """Count the rows read and changed in each partition of each table."""
    return {(table, place): count for table, place, count in run(session, TOUCHED)}


def places(
    engine: Engine, user_id: str, statement: Statement, parameters: dict[str, Any], *, is_bound: bool = True
) -> dict[str, set[str]]:
    """Run a statement as a request does; return the partitions of each table that it plans to use or touches.

    `is_bound`: row-level security binds it, as it does each request.
    """
    role = "" if is_bound else "SET LOCAL role = 'none'; "
    with transaction(engine, user_id) as session:
        if parameters.get("guard_list_id"):
            session.list_id = UUID(parameters["guard_list_id"])
        before = touched(session)
        explain = f"{role}EXPLAIN (ANALYZE, VERBOSE, FORMAT JSON) {statement.sql}"
        ((plan,),) = run(session, explain, parameters)
        done = {place for place, count in touched(session).items() if count > before.get(place, 0)}
    found: dict[str, set[str]] = {}
    for table, place in done | set(_relations(plan[0]["Plan"])):
        found.setdefault(table, set()).add(place)
    return found


def _relations(node: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Walk over a plan; a partitioned table itself is named where new rows are routed, and stores none."""
    if "Relation Name" in node and node["Schema"] != "public":
        yield node["Relation Name"], node["Schema"]
    for child in node.get("Plans", ()):
        yield from _relations(child)


@pytest.mark.requirement("FR-189")
@pytest.mark.parametrize("name", sorted(STATEMENTS.keys() - ACROSS_USERS.keys() - OF_ADDRESSES))
def test_a_statement_of_a_request_touches_one_partition(partitioned_url: str, engine: Engine, name: str) -> None:
    statement = STATEMENTS[name]
    owner = Owner.with_task(partitioned_url, engine, signs_in=name not in OF_NEWCOMERS)
    ((place,),) = execute(partitioned_url, PARTITION_OF, owner.id)
    parameters = owner.parameters(statement, principal=owner.id)
    if "new_id" in parameters:
        parameters["new_id"] = str(uuid4())  # its own id is taken

    found = places(engine, owner.id, statement, parameters)

    assert found
    assert found == {table: {place.partition(".")[0]} for table in found}  # a user's rows share one partition


@pytest.mark.requirement("FR-189")
@pytest.mark.parametrize("name", ["loading.LOCK"])
def test_nor_does_the_first_write_of_a_user(partitioned_url: str, engine: Engine, name: str) -> None:
    statement, owner = STATEMENTS[name], Owner(partitioned_url, engine)

    found = places(engine, owner.id, statement, owner.parameters(statement, principal=owner.id))

    assert "users" in found
    assert len(set().union(*found.values())) == 1


@pytest.mark.requirement("FR-189")
def test_erasing_an_account_touches_one_partition_of_every_table_that_has_its_rows(
    partitioned_url: str, engine: Engine
) -> None:
    statement, owner = STATEMENTS["account.service.DELETE"], Owner.with_task(partitioned_url, engine)

    found = places(engine, owner.id, statement, owner.parameters(statement, principal=owner.id))

    assert {table: len(places) for table, places in found.items()} == dict.fromkeys(_OF_USERS, 1)


@pytest.mark.requirement("FR-189")
def test_one_that_does_not_say_whose_rows_it_means_is_noticed(partitioned_url: str, engine: Engine) -> None:
    get, owner = STATEMENTS["tasks.queries.GET"], Owner.with_task(partitioned_url, engine)
    forgetful = Statement(get.name, get.without_condition)

    bound, free = (
        places(engine, owner.id, forgetful, owner.parameters(get, principal=owner.id), is_bound=is_bound)
        for is_bound in (True, False)
    )

    assert len(bound["tasks"]) == 1  # the policy says it, too
    assert len(free["tasks"]) == COUNT


@pytest.mark.requirement("FR-189")
@pytest.mark.parametrize("name", ACROSS_USERS)
def test_what_goes_across_users_says_so(engine: Engine, partitioned_url: str, name: str) -> None:
    many = [new_user() for _ in range(100)]
    for user_id in many[:50]:
        execute(partitioned_url, "INSERT INTO rate_limits VALUES (%s, 'epoch', 1)", user_id)
    Hoarder.with_rows(partitioned_url, tombstones=1)
    values = {
        "max_rows": 1000,
        "passed_over": [],
        "ids": many,
        "seconds": [0] * len(many),
        "counts": [1] * len(many),
        "current": 0,
        "previous": 0,
        "oldest": 1,
    }

    found = places(engine, "", STATEMENTS[name], values)

    assert found
    assert all(len(places) > 1 for places in found.values())


@pytest.mark.requirement("FR-189")
def test_everything_works_and_the_row_level_security_stands(partitioned_url: str, engine: Engine) -> None:
    use_everything(partitioned_url)

    assert rls_check.find_gaps(SessionFactory(engine)) == []
    for number in range(20):
        execute(partitioned_url, "INSERT INTO users (id) VALUES (%s)", f"{number} of {uuid4()}")
    used = execute(partitioned_url, "SELECT DISTINCT tableoid::regclass::text FROM users")
    assert len(used) > 1  # users are spread


@pytest.mark.requirement("FR-189")
def test_partitioned_tables_are_what_they_were_otherwise(server_url: str) -> None:
    with scratch_database(server_url) as url:
        migrations.apply(url)
        before = catalog(url), execute(url, BESIDES), execute(url, POLICIES)
        partition(url, COUNT)
        after = catalog(url), execute(url, BESIDES), execute(url, POLICIES)

    after[0]["indexes"] = [
        (table, sql.replace(" ON ONLY ", " ON "), valid) for table, sql, valid in after[0]["indexes"]
    ]
    assert after == before
