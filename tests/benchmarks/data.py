"""The initial tasks of every contender: the same for all, and restored after each round.

Their content follows from their numbers, so that a load generator in any language knows it: task 7 of user 12.
"""

from __future__ import annotations

from uuid import UUID

from tests.fixtures.postgres.database import execute

USERS = 100
TASKS = 50  # per user
TITLE = "Buy milk and bread on the way home"
DESCRIPTION = "Two litres of the fresh one; the bread from the baker at the corner, if he is still open"

_LOADED_BEFORE = "2025-02-01"  # anything newer was created in a round

_LOAD_USERS = """
INSERT INTO users (id, revision, task_count)
SELECT 'user-' || owner, %s, %s FROM generate_series(1, %s) AS owner
"""
_LOAD_TASKS = """
INSERT INTO tasks (user_id, id, title, description, completed, completed_at, created_at, updated_at, revision,
    position)
SELECT
    'user-' || owner,
    ('00000000-0000-7000-8000-' || lpad(to_hex(owner * 10000 + number), 12, '0'))::uuid,
    %s || ' ' || number, %s, number %% 3 = 0, CASE WHEN number %% 3 = 0 THEN moment END, moment, moment, number,
    'p' || (extract(epoch FROM moment) * 1000000)::bigint || lpad(number::text, 6, '0') || '1'
FROM generate_series(1, %s) AS owner, generate_series(1, %s) AS number,
    LATERAL (SELECT '2025-01-01'::timestamptz + make_interval(secs => number) AS moment) AS made
"""
_RESTORE = f"""
DELETE FROM tasks WHERE created_at > '{_LOADED_BEFORE}';

DELETE FROM events;

UPDATE users SET task_count = {TASKS} WHERE task_count <> {TASKS};
"""  # noqa: S608 - of our own words alone


def user(number: int) -> str:
    """Return the id of a user."""
    return f"user-{number}"


def task(owner: int, number: int) -> UUID:
    """Return the id of a user's task, given both numbers."""
    return UUID(f"00000000-0000-7000-8000-{owner * 10000 + number:012x}")


def load(url: str) -> None:
    """Fill a migrated database."""
    execute(url, _LOAD_USERS, TASKS, TASKS, USERS)
    execute(url, _LOAD_TASKS, TITLE, DESCRIPTION, USERS, TASKS)
    execute(url, "VACUUM (ANALYZE) tasks, users")


def restore(url: str) -> None:
    """Undo a round's changes, and clean up after them."""
    execute(url, _RESTORE)
    execute(url, "VACUUM tasks, users, events")
