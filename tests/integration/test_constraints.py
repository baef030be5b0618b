"""The tables repeat what the models promise, for whatever reaches them past the models."""

from __future__ import annotations

import psycopg2
import pytest
from sqlalchemy.exc import IntegrityError

from backend.models.task import TaskCreate
from backend.services.task_service import TaskService
from tests.fixtures.api import API
from tests.fixtures.database import execute

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
    tasks = TaskService(api.app.state.sessions, user_id)
    let_through = TaskCreate.model_construct(id=None, title=title, description=description, completed=False)

    with pytest.raises(IntegrityError, match=constraint):
        tasks.create(let_through)
    assert tasks.list(10).json == "[]"


@pytest.mark.requirement("FR-008", "FR-029")
@pytest.mark.parametrize(
    ("rows", "constraint"),
    [
        ("INSERT INTO users (id) VALUES ('')", "ck_users_id_length"),
        ("INSERT INTO users (id) VALUES (repeat('u', 256))", "ck_users_id_length"),
        ("INSERT INTO users (id, revision) VALUES ('USER', -1)", "ck_users_revision_counts_up"),
        (f"{INSERT} ('USER', gen_random_uuid(), 'a', true, 1)", "ck_tasks_completed_has_time"),
        (f"{INSERT} ('USER', gen_random_uuid(), 'a', false, 0)", "ck_tasks_revision_counts_up"),
        (f"{INSERT} ('USER', gen_random_uuid(), 'a', false, 1)", "fk_tasks_user_id_users"),
    ],
)
def test_a_row_that_cannot_be_is_refused(database_url: str, user_id: str, rows: str, constraint: str) -> None:
    with pytest.raises(psycopg2.IntegrityError, match=constraint):
        execute(database_url, rows.replace("USER", user_id))
