"""A server with two databases: a thousand users in plain tables, and a million in tables divided by user."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import make_url

from backend.database.embedded.postgres import EmbeddedPostgres
from backend.database.migrations import runner as migrations
from tests.benchmarks.data import DESCRIPTION, TITLE
from tests.fixtures.postgres.database import execute
from tests.fixtures.postgres.partitions import partition

TASKS = 20  # of each user
LOADERS = 2  # sessions that load at once
_MAKING = "growth_in_the_making"

# Restarts make them hold. Nothing is loaded twice, so a crash while loading may lose everything, which saves the log.
LOADING = {"fsync": "off", "wal_level": "minimal", "max_wal_senders": "0", "max_wal_size": "'8GB'", "autovacuum": "off"}
SERVING = {"fsync": "on", "shared_buffers": "'2GB'", "max_connections": "100", "max_wal_size": "'8GB'"}

# As the service stores them. The rows of a user lie apart, because users take turns at creating tasks. Postgres takes
# 0.1 ms to find the words of a task, but all users have the same twenty: they are found once (see `_given_words`).
_LOAD = """
BEGIN;
SET LOCAL session_replication_role = 'replica';
TRUNCATE {schema}.tasks;
WITH texts AS MATERIALIZED (
    SELECT *, {words} AS words
    FROM (SELECT number, '{title} ' || number AS title, '{description}' AS description,
              '2025-01-01'::timestamptz + make_interval(secs => number) AS moment
          FROM generate_series(1, {tasks}) AS number) AS written
)
INSERT INTO {schema}.tasks (user_id, id, title, description, words, completed, completed_at, created_at, updated_at,
    revision, position)
SELECT id,
    ('00000000-0000-7000-8000-' || lpad(to_hex(substr(id, 6)::bigint * 10000 + number), 12, '0'))::uuid,
    title, description, words, number % 3 = 0, CASE WHEN number % 3 = 0 THEN moment END, moment, moment, number,
    'p' || (extract(epoch FROM moment) * 1000000)::bigint || lpad(number::text, 6, '0') || '1'
FROM (SELECT users.id, texts.number AS turn FROM {schema}.users, texts ORDER BY turn) AS turns
    JOIN texts ON number = turn;
COMMIT
"""
_USERS = (
    "INSERT INTO users (id, revision, task_count) SELECT 'user-' || owner, %s, %s FROM generate_series(1, %s) AS owner"
)
_INDEXES = """
SELECT indexrelid::regclass::text, replace(pg_get_indexdef(indexrelid), ' ON ONLY ', ' ON ') FROM pg_index
WHERE indrelid = 'public.tasks'::regclass AND NOT indisprimary
"""
_WORDS = """
SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum
WHERE adrelid = 'public.tasks'::regclass AND attname = 'words'
"""
# In the catalogue: nothing else lets a derived column be given, and then be derived again.
_GIVEN_WORDS = "UPDATE pg_attribute SET attgenerated = %s WHERE attname = 'words' AND attrelid = ANY (%s::regclass[])"


@dataclass(frozen=True, slots=True)
class Population:
    """How many users there are, in tables of how many partitions (0: plain), and how Postgres plans for them."""

    name: str
    users: int
    partitions: int
    plan_cache_mode: str = "auto"

    @property
    def database(self) -> str:
        """Return the name of their database, which two populations may share."""
        return f"growth_{self.users}_{self.partitions}"


def url_of(server: str, population: Population) -> str:
    """Return the address of a population's database, for connections that plan as it says."""
    url = make_url(server).set(database=population.database)
    url = url.update_query_dict({"options": f"-cplan_cache_mode={population.plan_cache_mode}"})
    return url.render_as_string(hide_password=False)


@contextmanager
def running(folder: Path, settings: dict[str, str]) -> Iterator[str]:
    """Run a Postgres with these settings in this folder."""
    with EmbeddedPostgres(folder) as url:
        execute(url, "ALTER SYSTEM RESET ALL")
        for name, value in settings.items():
            execute(url, f"ALTER SYSTEM SET {name} = {value}")
    with EmbeddedPostgres(folder) as url:
        yield url


def fill(folder: Path, populations: Sequence[Population], say: Callable[[str], None]) -> None:
    """Make the databases that are not there yet."""
    with running(folder, {**SERVING, **LOADING, "maintenance_work_mem": "'512MB'"}) as server:
        for population in populations:
            name = population.database
            if not execute(server, "SELECT 1 FROM pg_database WHERE datname = %s", name):
                execute(server, f"DROP DATABASE IF EXISTS {_MAKING}")
                execute(server, f"CREATE DATABASE {_MAKING}")
                url = make_url(server).set(database=_MAKING).render_as_string(hide_password=False)
                _load(url, population, say)
                execute(server, f"ALTER DATABASE {_MAKING} RENAME TO {name}")


def _load(url: str, population: Population, say: Callable[[str], None]) -> None:
    migrations.apply(url)
    if population.partitions:
        partition(url, population.partitions)
    execute(url, _USERS, TASKS, TASKS, population.users)
    indexes = execute(url, _INDEXES)
    execute(url, f"DROP INDEX {', '.join(name for name, _ in indexes)}; ALTER TABLE tasks DROP CONSTRAINT pk_tasks")
    schemas = [f"partition_{number}" for number in range(population.partitions)] or ["public"]
    tables = [f"{schema}.tasks" for schema in schemas]
    ((words,),) = execute(url, _WORDS)
    execute(url, _GIVEN_WORDS, "", tables)
    texts = {"words": words, "title": TITLE, "description": DESCRIPTION, "tasks": TASKS}
    _at_once(url, [_LOAD.format(schema=schema, **texts) for schema in schemas], say)
    execute(url, _GIVEN_WORDS, "s", tables)
    key = "ALTER TABLE tasks ADD CONSTRAINT pk_tasks PRIMARY KEY (user_id, id)"
    _at_once(url, [key], say)
    _at_once(url, [definition for _, definition in indexes], say)
    execute(url, "VACUUM (ANALYZE)")
    execute(url, "CHECKPOINT")


def _at_once(url: str, statements: Sequence[str], say: Callable[[str], None]) -> None:
    with ThreadPoolExecutor(LOADERS) as threads:
        for number, _ in enumerate(threads.map(lambda sql: execute(url, sql), statements), start=1):
            say(f"{number} of {len(statements)}")
