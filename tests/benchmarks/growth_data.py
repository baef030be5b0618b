"""Creates many rows quickly: for a few users whose calls are measured, and for very many others."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from backend.database.migrations import runner as migrations
from tests.benchmarks import data
from tests.fixtures.postgres.database import execute

TASKS = (1, 50, 1_000, 100_000)  # of each measured user
TASKS_OF_OTHERS = 100  # of each
MEASURED, _OTHERS = "grown-", "other-"  # prefixes of user ids
_SHORT_TITLE = "Milk"  # of tasks that nobody reads: most of the time goes into indexing the words

_INDEXES = """
SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
WHERE indrelid = 'tasks'::regclass AND NOT indisprimary
"""
_ADD_USERS = (
    "INSERT INTO users (id, revision, task_count) SELECT %s || number, %s, %s FROM generate_series(%s, %s) AS number"
)
# In primary key order, which is fastest. These users are known to exist, so this is not checked.
_ADD_TASKS = """
SET session_replication_role = replica;
INSERT INTO tasks (user_id, id, title, description, created_at, updated_at, revision)
SELECT %s || owner, ('00000000-0000-7000-8000-' || lpad(to_hex(number), 12, '0'))::uuid, %s || ' ' || number, %s,
    moment, moment, number
FROM generate_series(%s, %s) AS owner, generate_series(1, %s) AS number,
    LATERAL (SELECT '2025-01-01'::timestamptz + make_interval(secs => number) AS moment) AS made
"""


def user_with(tasks: int) -> str:
    """Return the id of the user with this many tasks."""
    return f"{MEASURED}{tasks}"


def task(number: int) -> UUID:
    """Return the id of a task of any of these users."""
    return UUID(f"00000000-0000-7000-8000-{number:012x}")


def users_of(rows: int) -> tuple[int, ...]:
    """Return the task counts of the measured users in a table with this many rows."""
    return tuple(tasks for tasks in TASKS if tasks <= rows // 10)


def fill(url: str, rows: int) -> None:
    """Migrate an empty database, and fill it with this many rows; indexes are built at the end."""
    migrations.apply(url)
    indexes = execute(url, _INDEXES)
    for name, _ in indexes:
        execute(url, f"DROP INDEX {name}")
    for tasks in users_of(rows):
        _add(url, MEASURED, tasks, tasks, tasks)
    others = (rows - sum(users_of(rows))) // TASKS_OF_OTHERS
    halves = ((1, others // 2), (others // 2 + 1, others))
    with ThreadPoolExecutor(len(halves)) as writers:
        list(writers.map(lambda half: _add(url, _OTHERS, half[0], half[1], TASKS_OF_OTHERS), halves))
        list(writers.map(lambda index: execute(url, f"SET maintenance_work_mem = '512MB'; {index[1]}"), indexes))
    execute(url, "VACUUM (ANALYZE) tasks")
    execute(url, "VACUUM (ANALYZE) users")
    execute(url, "CHECKPOINT")  # or it would run while calls are timed


def _add(url: str, prefix: str, first: int, last: int, tasks: int) -> None:
    """Add users with these numbers, each with this many tasks."""
    execute(url, _ADD_USERS, prefix, tasks, tasks, first, last)
    title, description = (data.TITLE, data.DESCRIPTION) if prefix == MEASURED else (_SHORT_TITLE, None)
    execute(url, _ADD_TASKS, prefix, title, description, first, last, tasks)
