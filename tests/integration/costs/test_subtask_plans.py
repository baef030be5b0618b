"""Query plans of subtasks: whatever else the user has, only the tree is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import UUID

import pytest

from backend.database.engine import Engine
from backend.database.migrations import runner as migrations
from backend.database.session import SessionFactory
from backend.models.task_query import SubtasksQuery, TaskQuery
from backend.services.tasks.listing import ListingService
from backend.services.tasks.service import TaskService
from tests.fixtures.postgres import plans
from tests.fixtures.postgres.database import execute
from tests.fixtures.postgres.plans import Node, nodes

pytestmark = pytest.mark.usefixtures("planned")

USER = "a user with trees"
MIGRATION = "0026.look-up-subtasks"
TASKS, IN_TREE = 20_000, 400
TOP = UUID("00000000-0000-7000-8000-000000000001")
# One tree of two levels below the top, and many small ones.
FILL = """
INSERT INTO users (id, revision, task_count) VALUES (%s, 1, %s);
INSERT INTO tasks (user_id, id, title, revision, parent_id, has_subtasks)
SELECT %s, ('00000000-0000-7000-8000-' || lpad(number::text, 12, '0'))::uuid, 'Task ' || number, 1,
       CASE WHEN number BETWEEN 2 AND 21 THEN '00000000-0000-7000-8000-000000000001'
            WHEN number BETWEEN 22 AND 401
            THEN '00000000-0000-7000-8000-' || lpad((2 + number %% 20)::text, 12, '0')
            WHEN number %% 10 BETWEEN 1 AND 4
            THEN '00000000-0000-7000-8000-' || lpad((number - number %% 10)::text, 12, '0') END::uuid,
       number < 22 OR (number > 401 AND number %% 10 = 0)
FROM generate_series(1, %s) AS number
"""

# All subtasks that there are have the same parent.
FILL_ONE = """
INSERT INTO users (id, revision, task_count) VALUES (%s, 1, %s);
INSERT INTO tasks (user_id, id, title, revision, parent_id, has_subtasks)
SELECT %s, ('00000000-0000-7000-8000-' || lpad(number::text, 12, '0'))::uuid, 'Task ' || number, 1,
       CASE WHEN number > 1 THEN '00000000-0000-7000-8000-000000000001' END::uuid, number = 1
FROM generate_series(1, %s) AS number
"""


@pytest.fixture(scope="module", params=["ANALYZE tasks", "SELECT 1"], ids=["analyzed", "new"])
def engine(server_url: str, request: pytest.FixtureRequest) -> Iterator[Engine]:
    """An engine for a database in which a user has trees among 20,000 tasks; Postgres may not have counted them yet."""
    with plans.filled(server_url, FILL, (USER, TASKS, USER, TASKS), request.param) as engine:
        yield engine


def rows_read(found: Node) -> int:
    """Count the rows of tasks that a plan reads or passes over."""
    return sum(
        int((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"])
        for node in nodes(found)
        if node.get("Relation Name") == "tasks"
    )


def most_read(engine: Engine, call: Callable[[], object]) -> int:
    """Return how many rows the statement of a call reads that reads most."""
    return max(rows_read(found) for found in plans.plans(engine, call))


def tasks_of(engine: Engine) -> TaskService:
    return TaskService(SessionFactory(engine), USER, 2 * TASKS)


@pytest.mark.requirement("FR-363")
def test_a_change_of_a_tree_reads_the_tree(engine: Engine) -> None:
    tasks = tasks_of(engine)
    for completed in (True, False):
        # What is found by going up and down is read again for each of both, and once more to be stored.
        read = most_read(engine, lambda: tasks.complete(TOP, completed=completed))  # noqa: B023 - called at once
        assert IN_TREE <= read <= 3 * IN_TREE
    below = UUID(int=TOP.int + 100)
    assert most_read(engine, lambda: tasks.complete(below, completed=True)) <= 2
    assert most_read(engine, lambda: tasks.complete(below, completed=False)) <= 3 * IN_TREE


@pytest.mark.requirement("FR-436")
def test_a_tree_is_looked_up_also_where_all_subtasks_have_the_same_parent(empty_database_url: str) -> None:
    """Statistics from before a migration, too, would say that a parent tells nothing."""
    migrations.apply(empty_database_url)
    while migrations.rollback(empty_database_url) != MIGRATION:
        pass
    execute(empty_database_url, FILL_ONE, USER, IN_TREE, USER, IN_TREE)
    execute(empty_database_url, "ANALYZE tasks")
    migrations.apply(empty_database_url)
    execute(empty_database_url, "ANALYZE tasks")
    engine = Engine(empty_database_url, pool_size=1, timeout_seconds=60)
    try:
        read = most_read(engine, lambda: tasks_of(engine).complete(TOP, completed=True))
    finally:
        engine.dispose()
    assert IN_TREE <= read <= 3 * IN_TREE + 1


@pytest.mark.requirement("FR-364", "FR-365")
def test_subtasks_are_read_from_their_index(engine: Engine) -> None:
    listing = ListingService(SessionFactory(engine), USER)
    query = SubtasksQuery(limit=50).of(TOP)
    assert most_read(engine, lambda: listing.list(query, of_living=True)) <= 21
    assert most_read(engine, lambda: listing.list(TaskQuery(parent_id=str(TOP), limit=10))) <= 20
    # Of ten tasks, four are subtasks: each is passed over by a look at its parent.
    for limit, sort in ((50, "-created_at"), (1000, "-created_at"), (50, "title")):
        tops = TaskQuery(parent_id="none", limit=limit, sort=sort)
        assert most_read(engine, lambda: listing.list(tops)) <= 3 * limit  # noqa: B023 - called at once
    counted = TaskQuery.model_validate({"include": "subtask_counts", "limit": "10"})
    assert most_read(engine, lambda: listing.list(counted)) <= 11 + 10 * 20
    assert most_read(engine, lambda: tasks_of(engine).get(TOP, with_counts=True)) == 21
