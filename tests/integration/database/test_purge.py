"""The purge removes expired rows, and nothing else."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from pydantic import SecretStr

from backend.config import Settings
from backend.database.engine import Engine
from backend.database.migrations import runner as migrations
from backend.database.session import SessionFactory
from backend.errors import ServiceUnavailable
from backend.services import purge as purge_service
from backend.services.loading import KEPT
from backend.services.purge import EVENT_TIME, PURGE, TIMES, TRASH_TIME, Purged, PurgeService, UserPurge
from tests.fixtures.calls.api import new_user, serve
from tests.fixtures.calls.tasks import create, path_of, read, revision_of
from tests.fixtures.postgres.database import execute
from tests.fixtures.postgres.expired import Hoarder, Left, age, purge
from tests.fixtures.postgres.statements import run, transaction
from tests.fixtures.postgres.tenant_statements import run_as_user

pytestmark = pytest.mark.requirement("FR-138")

NOBODY = ""
ACROSS_USERS = (
    "ix_tasks_deleted_at",
    "ix_lists_deleted_at",
    "ix_tombstones_deleted_at",
    "ix_idempotency_keys_created_at",
    "ix_access_tokens_expires_at",
    "ix_sessions_expires_at",
    "ix_events_at",
)


def test_what_is_past_its_time_goes_and_is_counted(engine: Engine, module_url: str) -> None:
    hoarder = Hoarder.with_rows(module_url, tasks=3, lists=1, tombstones=2, keys=4, tokens=1)
    other = Hoarder.with_rows(module_url, keys=1, tokens=2)
    fresh = Hoarder.with_rows(module_url, tasks=1, lists=1, tombstones=1, keys=1, tokens=1, past=False)

    assert purge(engine) == Purged(3, 1, 2, 5, 3)

    assert hoarder.left() == Left(0, 0, 0, 0, 0, task_count=0, revision=6, purged_revision=6)
    assert other.left() == Left(0, 0, 0, 0, 0, task_count=0, revision=0, purged_revision=0)
    assert fresh.left() == Left(1, 1, 1, 1, 1, task_count=1, revision=3, purged_revision=0)
    assert not purge(engine)


@pytest.mark.requirement("FR-611")
def test_events_go_after_90_days_and_nobody_has_missed_anything(engine: Engine, module_url: str) -> None:
    old = Hoarder.with_rows(module_url, events=3)
    fresh = Hoarder.with_rows(module_url, events=2, past=False)

    assert purge(engine) == Purged(events=3)
    assert (old.left().events, old.left().purged_revision) == (0, 0)
    assert fresh.left().events == 2


def test_it_is_said_in_words_what_was_removed() -> None:
    words = "3 tasks, 2 lists, 1 tombstone, 0 keys, 1 token, 0 sessions, 0 events"
    assert str(Purged(3, 2, 1, 0, 1)) == words


def test_living_tasks_and_others_in_the_trash_stay_and_are_still_counted(
    engine: Engine, module_url: str, settings: Settings
) -> None:
    with serve(settings.model_copy(update={"database_url": SecretStr(module_url)})) as api:
        user_id = new_user()
        with api.client(user_id) as client, api.client(new_user()) as stranger:
            living, restored, removed, trashed, late = (create(client, title) for title in "abcde")
            of_another = create(stranger)
            for task in (restored, removed, trashed):
                client.delete(path_of(task))
            age(module_url, user_id, 31)
            restored = client.post(f"{path_of(restored)}/restore").json()["data"]
            client.delete(path_of(removed), params={"permanent": True})  # its tombstone is new
            client.delete(path_of(late))
            revision, tag = revision_of(client), client.get("/api/tasks").headers.get("ETag")

            assert purge(engine) == Purged(tasks=1)

            assert client.post(f"{path_of(trashed)}/restore").status_code == 404
            assert (read(client, living), read(client, restored)) == (living, restored)
            assert client.post(f"{path_of(late)}/restore").status_code == 200
            assert read(stranger, of_another) == of_another
            assert revision_of(client) == revision + 1
            assert tag is None or client.get("/api/tasks").headers["ETag"] != tag
            left = Hoarder(module_url, user_id).left()
            changes = revision + 1
            assert left == Left(3, 0, 1, 0, 0, task_count=3, revision=changes, purged_revision=8, events=changes)
            create(client, id=trashed["id"])  # the id is free again


def test_the_times_are_to_the_microsecond_those_of_the_function(engine: Engine, module_url: str) -> None:
    user_id, sessions = new_user(), SessionFactory(engine)
    execute(module_url, "INSERT INTO users (id, revision, task_count) VALUES (%s, 9, 2)", user_id)
    rows = {
        "INSERT INTO tasks (user_id, id, title, revision, deleted_at) VALUES": "(%s, gen_random_uuid(), 'a', 1, {})",
        "INSERT INTO lists (user_id, id, name, revision, deleted_at) VALUES": "(%s, gen_random_uuid(), 'a', 3, {})",
        "INSERT INTO tombstones (user_id, id, revision, deleted_at) VALUES": "(%s, gen_random_uuid(), 2, {})",
        "INSERT INTO idempotency_keys (user_id, key, request_hash, created_at) VALUES": (
            "(%s, gen_random_uuid(), decode(repeat('00', 32), 'hex'), {})"
        ),
        "INSERT INTO access_tokens (user_id, id, name, scopes, token_hash, created_at, expires_at) VALUES": (
            "(%s, gen_random_uuid(), 'a', ARRAY['tasks:read'], decode(repeat('00', 32), 'hex'), 'epoch', {})"
        ),
        "INSERT INTO sessions (user_id, id, expires_at) VALUES": "(%s, gen_random_uuid(), {})",
        "INSERT INTO events (user_id, actor, via, kind, entity_id, verb, revision, at) VALUES": (
            "(%s, 'user', 'api', 'task', gen_random_uuid(), 'created', "
            "(SELECT count(*) + 1 FROM events WHERE user_id = %s), {})"
        ),
    }
    kept = ("30 days", "30 days", "30 days", "24 hours", "30 days", "30 days", "90 days")
    exactly = [f"now() - interval '{each}'" for each in kept]

    # In one transaction, in which now() does not change.
    with transaction(sessions.engine, user_id, end="COMMIT") as session:
        for (into, values), moment in zip(rows.items(), exactly, strict=True):
            for time_of_row in (moment, f"{moment} - interval '1 microsecond'"):
                run(session, into + values.format(time_of_row).replace("%s", f"'{user_id}'"))
        removed = session.exec(PURGE, params={"principal": user_id, "max_rows": 10})

    assert removed == [(1,) * 7]
    assert Hoarder(module_url, user_id).left() == Left(
        1, 1, 1, 1, 1, task_count=1, revision=9, purged_revision=3, sessions=1, events=1
    )


def test_the_function_and_the_service_name_the_same_times(module_url: str) -> None:
    ((source,),) = execute(module_url, _SOURCE)
    said = re.findall(r"FROM public\.(\w+)\s+WHERE \w+ < now\(\) - interval '([^']+)'", source)

    words = {KEPT: "24 hours", TRASH_TIME: "30 days", EVENT_TIME: "90 days"}
    times = {column.table.name: words[age] for column, age in TIMES.values()}
    assert dict(said) == times
    assert (timedelta(days=30), timedelta(hours=24), timedelta(days=90)) == (TRASH_TIME, KEPT, EVENT_TIME)


_SOURCE = "SELECT prosrc FROM pg_proc WHERE proname = 'users_with_expired_rows'"


def test_more_than_one_statement_removes_goes_bit_by_bit(
    engine: Engine, module_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purge_service, "MAX_PURGED", 4)
    monkeypatch.setattr(purge_service, "MAX_FOUND", 3)
    hoarder, other = (Hoarder.with_rows(module_url, tasks=9, lists=6, tombstones=5, keys=3) for _ in range(2))

    removed, steps = Purged(), PurgeService(SessionFactory(engine)).steps()
    for step in steps:
        assert max(step.tasks, step.lists, step.tombstones, step.keys) <= 4
        removed += step
        left = hoarder.left()
        assert left.task_count == left.tasks
        # A client that has seen the last of the purged changes has missed none of them.
        gone = set(range(1, 21)).difference(*execute(module_url, _REVISIONS, *[hoarder.id] * 3))
        assert left.purged_revision == max(gone, default=0)

    assert removed == Purged(18, 12, 10, 6)
    for user in (hoarder, other):
        assert user.left() == Left(0, 0, 0, 0, 0, task_count=0, revision=20, purged_revision=20)


_REVISIONS = """
SELECT revision FROM tasks WHERE user_id = %s UNION ALL SELECT revision FROM lists WHERE user_id = %s
UNION ALL SELECT revision FROM tombstones WHERE user_id = %s
"""


def test_only_whoever_is_nobody_learns_whose_rows_are_past_their_time(engine: Engine, module_url: str) -> None:
    hoarder = Hoarder.with_rows(module_url, tasks=1, lists=1, tombstones=1, keys=1, tokens=1)
    Hoarder.with_rows(module_url, tasks=1, lists=1, tombstones=1, keys=1, tokens=1, past=False)
    asked = "SELECT users_with_expired_rows(ARRAY[]::text[], 1000)"

    assert run_as_user(engine, NOBODY, asked, {}) == f"[('{hoarder.id}',)]"
    assert run_as_user(engine, hoarder.id, asked, {}) == "[]"
    for table in ("tasks", "lists", "tombstones", "idempotency_keys", "access_tokens"):
        assert run_as_user(engine, NOBODY, f"SELECT user_id FROM {table}", {}) == "[]"  # noqa: S608 - one of these names


@pytest.mark.requirement("FR-125")
def test_a_user_who_is_gone_is_no_error(engine: Engine) -> None:
    assert not UserPurge(SessionFactory(engine), new_user()).step()


def test_it_finds_what_is_past_its_time_by_indexes(empty_database_url: str) -> None:
    url = empty_database_url
    migrations.apply(url)  # never partitioned: tables with few rows are read without an index
    for _ in range(3):
        Hoarder.with_rows(
            url,
            **dict.fromkeys(("tasks", "lists", "tombstones", "keys", "tokens", "sessions", "events"), 2000),
            past=False,
        )
    Hoarder.with_rows(url, tasks=10, lists=10, tombstones=10, keys=10, tokens=10, sessions=10, events=10)
    execute(url, "VACUUM ANALYZE")
    ((source,),) = execute(url, _SOURCE)

    asked = source.replace("LIMIT most", "LIMIT 1000").replace("ALL (passed_over)", "ALL (ARRAY[]::text[])")
    plan = str(execute(url, f"EXPLAIN {asked}"))

    assert "Seq Scan" not in plan
    for index in ACROSS_USERS:
        assert index in plan


def test_a_database_that_is_away_is_service_unavailable() -> None:
    engine = Engine("postgresql://nobody@127.0.0.1:1/nothing", pool_size=1, timeout_seconds=1)
    with pytest.raises(ServiceUnavailable):
        purge(engine)
