"""task-api seed, as a process of its own."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg2
import pytest

from backend.services.samples.tasks import sample_task, sample_user
from backend.services.samples.words import LABELS, LISTS
from tests.fixtures.calls.feed import sync_token
from tests.fixtures.identity.tokens import SECRET
from tests.fixtures.postgres.database import execute
from tests.fixtures.processes.process import Service, environment, run, served
from tests.fixtures.running.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.requirement("FR-221")

# The changes of each user, without those that made a label or a list, and the number of tasks.
COUNTERS = """
SELECT id, revision - (SELECT count(*) FROM labels WHERE user_id = users.id)
    - (SELECT count(*) FROM lists WHERE user_id = users.id), task_count
FROM users ORDER BY id
"""
OTHER_LABELS = """
INSERT INTO labels (user_id, id, name, name_key, revision)
SELECT 'alice', gen_random_uuid(), name, name, 1 FROM (SELECT generate_series(1, 1000)::text) AS others (name)
"""
OTHER_LISTS = """
WITH bob AS (INSERT INTO users (id, revision, task_count) VALUES ('bob', 500, 0) RETURNING id)
INSERT INTO lists (user_id, id, name, revision)
SELECT id, gen_random_uuid(), 'another', number FROM bob, generate_series(1, 500) AS number
"""
NUMBERED_TWICE = "SELECT count(*) FROM tasks JOIN labels USING (user_id, revision)"


def seed(url: str, folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return run("seed", *arguments, env=environment(folder / "data", DATABASE_URL=url, **settings), cwd=folder)


def rows(url: str, question: str) -> list[tuple[Any, ...]]:
    connection = psycopg2.connect(url)
    try:
        with connection.cursor() as cursor:
            cursor.execute(question)
            found: list[tuple[Any, ...]] = cursor.fetchall()
            return found
    finally:
        connection.close()


def test_a_database_is_filled_once(empty_database_url: str, tmp_path: Path) -> None:
    url = empty_database_url
    everything = "SELECT * FROM tasks ORDER BY user_id, id"

    first = seed(url, tmp_path, "--users", "12", "--tasks", "30")

    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout == (
        "added 360 tasks\nUsers: alice, bob, carol, dave, erin … user-0012\n"
        "A token for one of them: task-api token alice\n"
    )
    stored = rows(url, everything)
    expected = {
        (user_id, str(sample.id), sample.title, sample.description)
        for user_id in map(sample_user, range(1, 13))
        for sample in (sample_task(1, user_id, number) for number in range(30))
    }
    assert {row[:4] for row in stored} == expected
    assert rows(url, COUNTERS) == [(user_id, 30, 30) for user_id in sorted(map(sample_user, range(1, 13)))]
    assert rows(url, "SELECT count(DISTINCT (user_id, revision)) FROM tasks") == [(360,)]
    assert rows(url, NUMBERED_TWICE) == [(0,)]

    statuses = "SELECT DISTINCT CASE WHEN completed THEN 'done' ELSE open_status END FROM tasks ORDER BY 1"
    assert rows(url, statuses) == [("cancelled",), ("done",), ("in_progress",), ("todo",)]
    assert rows(url, "SELECT count(*) FROM lists WHERE color IS NULL") == [(0,)]
    shared = "SELECT count(*), count(DISTINCT lists.user_id) FROM access_tokens JOIN lists ON lists.id = list_id"
    assert rows(url, f"{shared} WHERE lists.name = 'Groceries'") == [(12, 12)]

    again = seed(url, tmp_path, "--users", "12", "--tasks", "30")

    assert rows(url, shared) == [(12, 12)]

    assert (again.returncode, again.stdout.splitlines()[0]) == (0, "added 0 tasks")
    assert rows(url, everything) == stored
    assert rows(url, COUNTERS) == [(user_id, 30, 30) for user_id in sorted(map(sample_user, range(1, 13)))]


def test_what_is_missing_is_added_and_nothing_else_touched(own_url: str, tmp_path: Path) -> None:
    assert seed(own_url, tmp_path, "--users", "1", "--tasks", "3").stdout.splitlines()[:2] == [
        "added 3 tasks",
        "Users: alice",
    ]
    kept = "SELECT * FROM tasks ORDER BY revision LIMIT 3"
    first = rows(own_url, kept)

    more = seed(own_url, tmp_path, "--users", "1", "--tasks", "4")
    other = seed(own_url, tmp_path, "--users", "1", "--tasks", "4", "--seed", "2")

    assert (more.stdout.splitlines()[0], other.stdout.splitlines()[0]) == ("added 1 task", "added 4 tasks")
    assert rows(own_url, kept) == first
    assert rows(own_url, COUNTERS) == [("alice", 8, 8)]


def seen_by(token: str, service: Service) -> object:
    """Read who a token is for, and how many tasks they have."""
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=service.address, headers=headers, trust_env=False, timeout=PATIENCE_SECONDS) as client:
        counted = client.get("/api/tasks?include_total=true&limit=1").json()["page"]["total"]
        assert counted == 700
        return client.get("/api/me").json()["data"]


@pytest.mark.requirement("FR-317")
def test_a_new_user_finds_the_tasks_by_the_token_that_it_names(tmp_path: Path) -> None:
    """Uses its own database, creates the schema, and needs several steps for one user."""
    env = environment(tmp_path / "data", JWT_SECRET=SECRET)
    done = run("seed", "--users", "1", "--tasks", "700", env=env, cwd=tmp_path)
    assert (done.returncode, done.stdout.splitlines()[0]) == (
        0,
        f"added 700 tasks to the database in {tmp_path / 'data'}",
    )
    command = done.stdout.splitlines()[-1].partition("task-api ")[2].split()
    token = run(*command, env=env, cwd=tmp_path).stdout.strip()

    with served(env=env, cwd=tmp_path) as service:
        assert seen_by(service.token, service) == seen_by(token, service)  # the token that the service prints
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(
            base_url=service.address, headers=headers, trust_env=False, timeout=PATIENCE_SECONDS
        ) as client:
            tasks = client.get("/api/tasks").json()["data"]
            assert client.get("/api/tasks?q=dentist&include_total=true").json()["page"]["total"] > 0
            changes = client.get("/api/changes").json()

    assert len(tasks) == 700
    assert (len(changes["data"]), changes["page"]["next_since"]) == (700, sync_token(700 + len(LABELS) + len(LISTS)))
    created = [datetime.fromisoformat(task["created_at"]) for task in tasks]
    now = datetime.now(UTC)
    assert now - timedelta(days=181) < created[-1] < now - timedelta(days=90)
    assert all(task["created_at"] <= task["updated_at"] <= now.isoformat() for task in tasks)
    assert all(task["completed_at"] == (task["updated_at"] if task["completed"] else None) for task in tasks)


def test_an_account_never_holds_more_than_it_may(own_url: str, tmp_path: Path) -> None:
    allowed = {"MAX_TASKS_PER_USER": "5"}
    too_many = seed(own_url, tmp_path, "--tasks", "6", **allowed)
    assert (too_many.returncode, too_many.stdout) == (1, "")
    assert too_many.stderr == ("task-api: MAX_TASKS_PER_USER allows only 5 tasks. Raise it, or set a lower --tasks\n")
    assert rows(own_url, "SELECT count(*) FROM users") == [(0,)]

    assert seed(own_url, tmp_path, "--users", "1", "--tasks", "3", **allowed).returncode == 0
    others = seed(own_url, tmp_path, "--users", "1", "--tasks", "3", "--seed", "2", **allowed)
    assert (others.returncode, others.stdout) == (1, "")
    assert others.stderr.startswith("task-api: alice also has other tasks, and MAX_TASKS_PER_USER allows only 5.")
    assert rows(own_url, COUNTERS) == [("alice", 3, 3)]


def test_an_account_never_holds_more_labels_than_it_may(own_url: str, tmp_path: Path) -> None:
    execute(own_url, "INSERT INTO users (id, revision, task_count) VALUES ('alice', 1000, 0)")
    execute(own_url, OTHER_LABELS)

    full = seed(own_url, tmp_path, "--users", "1", "--tasks", "50")

    assert (full.returncode, full.stdout) == (1, "")
    assert full.stderr.startswith("task-api: alice also has other labels. You have the maximum number of labels.")
    assert rows(own_url, "SELECT count(*) FROM tasks") == [(0,)]


def test_tasks_are_in_lists_as_far_as_these_may_be_made(own_url: str, tmp_path: Path) -> None:
    in_lists = "SELECT lists.name, count(*) FROM lists LEFT JOIN tasks ON list_id = lists.id GROUP BY 1"
    assert seed(own_url, tmp_path, "--users", "1", "--tasks", "100").returncode == 0
    found = dict(rows(own_url, in_lists))
    assert found.keys() == set(LISTS)
    assert min(found.values()) > 0
    assert sum(found.values()) < 100

    execute(own_url, "UPDATE lists SET deleted_at = now() WHERE name = 'Home'")
    execute(own_url, "UPDATE lists SET deleted_at = now() WHERE name = 'Groceries'")
    execute(own_url, "DELETE FROM access_tokens")
    again = seed(own_url, tmp_path, "--users", "1", "--tasks", "200", "--seed", "2")
    assert (again.returncode, again.stderr) == (0, "")
    assert rows(own_url, "SELECT count(*) FROM access_tokens") == [(0,)]  # a list in the trash is not shared
    assert dict(rows(own_url, in_lists))["Home"] == found["Home"]

    execute(own_url, OTHER_LISTS)
    full = seed(own_url, tmp_path, "--users", "2", "--tasks", "1")
    assert full.returncode == 1
    assert full.stderr.startswith("task-api: bob also has other lists. You have 500 lists, as many as there may be")


def test_production_wants_no_invented_data(own_url: str, tmp_path: Path) -> None:
    done = seed(own_url, tmp_path, ENVIRONMENT="production", JWT_SECRET=SECRET)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(
        "task-api: seed adds sample users and tasks, so it does not run with ENVIRONMENT=production"
    )
    assert rows(own_url, "SELECT count(*) FROM users") == [(0,)]
