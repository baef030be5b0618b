"""The tenant filter: a statement's own condition alone keeps one user from another's rows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from backend.database.engine import Engine
from backend.models.task import TaskCreate
from tests.fixtures.calls.api import new_user
from tests.fixtures.postgres.database import scratch_database
from tests.fixtures.postgres.tenant_statements import (
    CONDITIONAL,
    STATEMENTS,
    TIMEOUT_SECONDS,
    Owner,
    hits_without_protection,
    store_answer,
    tasks_of,
)


@pytest.fixture(scope="module")
def module_url(server_url: str, migrated_name: str) -> Iterator[str]:
    """A database of its own: without their condition, statements read the rows of all users."""
    with scratch_database(server_url, migrated_name) as url:
        yield url


@pytest.fixture(scope="module")
def engine(module_url: str) -> Iterator[Engine]:
    engine = Engine(module_url, pool_size=1, timeout_seconds=TIMEOUT_SECONDS)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def owner(module_url: str, engine: Engine) -> Owner:
    """An owner whom the tests share: what would change something is rolled back."""
    return Owner.with_task(module_url, engine)


@pytest.mark.requirement("FR-011")
@pytest.mark.parametrize("name", CONDITIONAL)
def test_a_statement_hits_no_foreign_row_where_row_security_does_not_bind(
    engine: Engine, owner: Owner, name: str
) -> None:
    statement, stranger = STATEMENTS[name], new_user()
    # Otherwise there is nothing to change.
    tasks_of(engine, stranger).create(TaskCreate(id=owner.task_id, title="Mine"))
    store_answer(engine, stranger, owner.key, "Mine")
    parameters = owner.parameters(statement, principal=stranger)

    assert not hits_without_protection(owner, statement.sql, parameters)

    assert hits_without_protection(
        owner, statement.without_condition, parameters
    )  # only the condition kept it from the row
