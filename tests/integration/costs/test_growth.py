"""A call reads as many blocks with many tasks as with few, even when Postgres' statistics are out of date."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from uuid import UUID, uuid4

import pytest

from backend.database.engine import Engine
from backend.database.migrations import runner as migrations
from backend.database.session import SessionFactory
from backend.models import tables
from backend.models.task import TaskCreate, TaskUpdate
from backend.models.task_query import TaskSort
from backend.services.tasks.listing import ListingService
from backend.services.tasks.service import TaskService
from tests.fixtures.postgres.database import execute
from tests.fixtures.postgres.partitions import migrated_database
from tests.fixtures.postgres.plans import blocks_touched, listing_by, place_at

pytestmark = pytest.mark.usefixtures("planned")

LIMIT = 50
FEW = LIMIT + 2  # so that a middle page is full, too
MANY = 20_000
OTHERS = 100 * FEW
# In a larger table, each index may have one more level and a full block more, and the table another block, too.
SPARE_BLOCKS = 2 * (1 + len(tables.tasks.indexes) + 1)  # the key is an index

SMALL = "a user with a page of tasks"
GROWN = "a user with one task, until there were many"
NEW = "a user who came later"

# A few tasks of one user, each in a block with tasks of many others, who have one each.
FILL = """
INSERT INTO users (id, revision, task_count) SELECT 'user ' || number, 1, 1 FROM generate_series(1, %s) AS number;
INSERT INTO users (id, revision, task_count) VALUES (%s, %s, %s);
INSERT INTO tasks (user_id, id, title, revision)
SELECT CASE number %% 100 WHEN 0 THEN %s ELSE 'user ' || number END, gen_random_uuid(),
       'Title ' || md5(number::text), 1
FROM generate_series(1, %s) AS number
"""
GROW = """
INSERT INTO users (id, revision, task_count) VALUES (%s, 1, %s)
ON CONFLICT (id) DO UPDATE SET task_count = excluded.task_count;
INSERT INTO tasks (user_id, id, title, completed, completed_at, created_at, updated_at, revision)
SELECT %s, gen_random_uuid(), 'Title ' || md5(number::text), number %% 6 = 0, CASE number %% 6 WHEN 0 THEN moment END,
       moment, moment, 1
FROM generate_series(1, %s) AS number, LATERAL (SELECT now() - number * interval '1 minute') AS at (moment)
"""
MIGRATION = "0010.plan-alike-for-all"
STATISTICS = "SELECT 1 FROM pg_stats WHERE tablename = 'tasks' AND attname = 'user_id'"
SOME_TASK = "SELECT id FROM tasks WHERE user_id = %s ORDER BY id LIMIT 1 OFFSET %s"


@pytest.fixture(scope="module")
def url(server_url: str) -> Iterator[str]:
    """A database in which Postgres expects one task per user; one user has a page of them."""
    with migrated_database(server_url) as url:
        execute(url, FILL, OTHERS, SMALL, FEW, FEW, SMALL, OTHERS)
        grow(url, GROWN, 1)
        execute(url, "VACUUM ANALYZE users, tasks")
        yield url


@pytest.fixture(scope="module")
def engine(url: str) -> Iterator[Engine]:
    """An engine for that database."""
    engine = Engine(url, pool_size=1, timeout_seconds=60)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def with_few(engine: Engine, url: str) -> dict[str, int]:
    """The blocks that calls read while there are few tasks."""
    return blocks_read(engine, url, SMALL, FEW)


def grow(url: str, user_id: str, count: int) -> None:
    """Give a user this many more tasks."""
    execute(url, GROW, user_id, count, user_id, count)


def blocks_read(engine: Engine, url: str, user_id: str, count: int) -> dict[str, int]:
    """Count the blocks that each call reads for a user with this many tasks: one task, pages, and a new task."""
    sessions = SessionFactory(engine)
    tasks, lists = TaskService(sessions, user_id, max_tasks=10 * MANY), ListingService(sessions, user_id)
    task = UUID(str(execute(url, SOME_TASK, user_id, count // 2)[0][0]))
    new_task = TaskCreate(title="a")

    def updating() -> int:
        edit = TaskUpdate(title=uuid4().hex)
        return blocks_touched(engine, lambda: tasks.update(task, edit), new_title=uuid4().hex)

    def toggling() -> int:
        # Counted when it is sent again: with another time, or a block with room would spare it all indexes.
        return blocks_touched(engine, lambda: tasks.toggle(task), new_updated_at=datetime.now(UTC))

    read = {
        "get": blocks_touched(engine, lambda: tasks.get(task)),
        "update": least(updating),
        "toggle": least(toggling),
        "create": least(lambda: blocks_touched(engine, lambda: tasks.create(new_task), new_id=uuid4())),
    }
    for sort in TaskSort:
        first = listing_by(sort, limit=LIMIT)
        middle = first.model_copy(update={"cursor": place_at(engine, user_id, sort, (count - LIMIT) // 2)})
        read[f"first page by {sort}"] = blocks_touched(engine, partial(lists.list, first))
        read[f"page in the middle by {sort}"] = blocks_touched(engine, partial(lists.list, middle))
    return read


def least(count: Callable[[], int]) -> int:
    """Return the least of three counts of a change: now and then one has to split full pages of several indexes."""
    return min(count() for _ in range(3))


def assert_reads_no_more(read: dict[str, int], with_few: dict[str, int]) -> None:
    """Check that no call reads more than with few tasks, except for the cost of a larger table."""
    assert {name: count for name, count in read.items() if count > with_few[name] + SPARE_BLOCKS} == {}


@pytest.mark.requirement("FR-195", "FR-508")
def test_a_call_reads_as_much_with_many_tasks_as_with_few(engine: Engine, url: str, with_few: dict[str, int]) -> None:
    grow(url, GROWN, MANY)

    assert_reads_no_more(blocks_read(engine, url, GROWN, MANY), with_few)  # while Postgres expects one task
    execute(url, "VACUUM tasks")
    assert_reads_no_more(blocks_read(engine, url, GROWN, MANY), with_few)
    execute(url, "ANALYZE tasks")
    assert_reads_no_more(blocks_read(engine, url, GROWN, MANY), with_few)


@pytest.mark.requirement("FR-195")
def test_others_with_many_tasks_cost_nothing(engine: Engine, url: str, with_few: dict[str, int]) -> None:
    assert with_few["get"] <= SPARE_BLOCKS
    # A change is five statements, each of which finds its rows anew, and it writes into all indexes.
    assert max(with_few[name] for name in ("update", "toggle", "create")) <= 3 * SPARE_BLOCKS
    assert max(with_few.values()) <= FEW + SPARE_BLOCKS
    grow(url, NEW, MANY)
    execute(url, "ANALYZE tasks")

    assert_reads_no_more(blocks_read(engine, url, SMALL, FEW), with_few)


@pytest.mark.requirement("FR-195")
def test_a_user_who_comes_when_all_others_are_known_costs_no_more(own_url: str, with_few: dict[str, int]) -> None:
    grow(own_url, GROWN, MANY // 2)
    execute(own_url, "VACUUM ANALYZE tasks")
    grow(own_url, NEW, MANY)
    engine = Engine(own_url, pool_size=1, timeout_seconds=60)

    read = blocks_read(engine, own_url, NEW, MANY)

    engine.dispose()
    assert_reads_no_more(read, with_few)


@pytest.mark.requirement("FR-195")
def test_what_postgres_believed_of_users_before_is_forgotten(empty_database_url: str) -> None:
    migrations.apply(empty_database_url)
    while migrations.rollback(empty_database_url) != MIGRATION:
        pass
    grow(empty_database_url, GROWN, FEW)
    execute(empty_database_url, "ANALYZE tasks")
    assert len(execute(empty_database_url, STATISTICS)) == 1

    migrations.apply(empty_database_url)
    assert not execute(empty_database_url, STATISTICS)
    execute(empty_database_url, "ANALYZE tasks")
    assert not execute(empty_database_url, STATISTICS)
