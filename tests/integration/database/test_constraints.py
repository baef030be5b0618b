"""The database enforces the models' rules again, for anything that bypasses the models."""

from __future__ import annotations

import psycopg2
import pytest
from pydantic import SecretStr

from backend.config import Settings
from backend.database.errors import StatementRefused, reason
from backend.database.migrations import runner as migrations
from backend.models.task import TaskCreate
from backend.models.task_query import TaskQuery
from tests.fixtures.calls.api import API, new_user, serve
from tests.fixtures.calls.tasks import error_of
from tests.fixtures.postgres.database import execute
from tests.fixtures.postgres.tenant_statements import listing_of, tasks_of
from tests.fixtures.telemetry.logs import events

PRIVATE = "nobody-may-read-this"
INSERT = "INSERT INTO tasks (user_id, id, title, completed, revision) VALUES"


@pytest.mark.requirement("FR-031", "FR-052")
@pytest.mark.parametrize(
    ("title", "description", "constraint"),
    [
        ("", None, "ck_tasks_title_length"),
        ("a" * 501, None, "ck_tasks_title_length"),
        ("a", "a" * 10_001, "ck_tasks_description_length"),
    ],
)
def test_a_text_that_the_models_let_through_is_refused_and_is_no_conflict(
    api: API, user_id: str, title: str, description: str | None, constraint: str
) -> None:
    engine = api.app.state.sessions.engine
    tasks = tasks_of(engine, user_id)
    let_through = TaskCreate.model_construct(id=None, title=title, description=description, completed=False)

    with pytest.raises(StatementRefused, match=constraint):
        tasks.create(let_through)
    assert listing_of(engine, user_id).list(TaskQuery()).json == "[]"


@pytest.mark.requirement("FR-008", "FR-029")
@pytest.mark.parametrize(
    ("rows", "constraint"),
    [
        ("INSERT INTO users (id) VALUES ('')", "ck_users_id_length"),
        ("INSERT INTO users (id) VALUES (repeat('u', 256))", "ck_users_id_length"),
        # A counter below zero violates both of its constraints, and Postgres names the first.
        ("INSERT INTO users (id, revision) VALUES ('USER', -1)", "ck_users_purged_revision_was_reached"),
        ("INSERT INTO users (id, revision, purged_revision) VALUES ('USER', 1, 2)", "ck_users_purged_revision_was_"),
        ("INSERT INTO users (id, task_count) VALUES ('USER', -1)", "ck_users_task_count_not_negative"),
        (f"{INSERT} ('USER', gen_random_uuid(), 'a', true, 1)", "ck_tasks_completed_has_time"),
        (f"{INSERT} ('USER', gen_random_uuid(), 'a', false, 0)", "ck_tasks_revision_counts_up"),
        (f"{INSERT} ('USER', gen_random_uuid(), 'a', false, 1)", "fk_tasks_user_id_users"),
    ],
)
def test_a_row_that_cannot_be_is_refused(database_url: str, user_id: str, rows: str, constraint: str) -> None:
    with pytest.raises(psycopg2.IntegrityError, match=constraint):
        execute(database_url, rows.replace("USER", user_id))


@pytest.mark.requirement("FR-108", "FR-107")
def test_a_row_that_is_refused_is_not_in_the_log(
    settings: Settings, empty_database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    migrations.apply(empty_database_url)
    execute(empty_database_url, "ALTER TABLE tasks ADD CONSTRAINT no_secrets CHECK (title !~ 'nobody')")
    # With row-level security on, Postgres itself hides the row from other users.
    execute(empty_database_url, "ALTER TABLE tasks DISABLE ROW LEVEL SECURITY")
    changes = {"database_url": SecretStr(empty_database_url)}
    with serve(settings.model_copy(update=changes)) as api, api.client(new_user()) as client:
        response = client.post("/api/tasks", json={"title": PRIVATE, "description": PRIVATE})
        token = client.headers["Authorization"].removeprefix("Bearer ")

    error = error_of(response, 500, "INTERNAL_ERROR")
    assert "no_secrets" not in response.text
    (failed,) = events(caplog, "request_failed")
    assert failed["request_id"] == error["request_id"]
    refusal = 'CheckViolation (23514): new row for relation "tasks" violates check constraint "no_secrets"'
    assert refusal in failed["exception"]
    assert failed["exception"].startswith("Traceback")
    assert [words for words in (PRIVATE, token, "DETAIL") if words in caplog.text] == []


@pytest.mark.requirement("FR-108")
def test_a_value_that_a_message_quotes_is_left_out(database_url: str) -> None:
    with pytest.raises(psycopg2.DataError, match=PRIVATE) as refused:
        execute(database_url, "SELECT %s::uuid", PRIVATE)

    assert reason(refused.value) == "InvalidTextRepresentation (22P02)"


@pytest.mark.requirement("FR-108")
@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://u:letmein@127.0.0.1:1/d", "Connection refused"),
        ("postgresql://u:letmein/1@127.0.0.1/d", "…"),
    ],
)
def test_a_connection_that_cannot_be_made_is_explained_without_its_address(url: str, words: str) -> None:
    with pytest.raises(psycopg2.OperationalError) as failed:
        psycopg2.connect(url)

    assert words in reason(failed.value)
    assert "letmein" not in reason(failed.value)
