"""A change writes the columns that differ, and few others: what is stored is what was answered."""

from __future__ import annotations

from typing import Any

import pytest

from backend.database.engine import Engine
from backend.models.task import TaskCreate, TaskUpdate
from tests.fixtures.calls.api import new_user
from tests.fixtures.postgres.statements import noted_statements
from tests.fixtures.postgres.tenant_statements import tasks_of

pytestmark = pytest.mark.requirement("FR-038")

DUE = {"due_at": "2026-11-21T09:30:00Z", "timezone": "Europe/Berlin"}
FIELDS: dict[str, dict[str, Any]] = {
    "title": {"title": "Bread"},
    "description": {"description": "Two"},
    "done": {"completed": True},
    "status": {"status": "cancelled"},
    "due": DUE,
    "start": {"start_date": "2026-11-21"},
    "priority": {"priority": "low"},
    "labels": {"labels": ["home", "errand"]},
    "title and priority": {"title": "Bread", "priority": "low"},
    "title and status": {"title": "Bread", "status": "in_progress"},
    "everything": {
        "title": "Bread",
        "description": "Two",
        "completed": True,
        **DUE,
        "priority": "high",
        "labels": ["a"],
    },
}
CHANGED = {
    "title": "Milk",
    "description": "Three",
    "status": "in_progress",
    "due_date": "2026-12-01",
    "priority": "high",
}


@pytest.mark.parametrize("fields", FIELDS.values(), ids=FIELDS)
def test_a_new_task_is_stored_as_it_was_answered(engine: Engine, fields: dict[str, Any]) -> None:
    tasks = tasks_of(engine, new_user())

    created = tasks.create(TaskCreate.model_validate({"title": "Milk", **fields}))

    assert tasks.get(created.id).json == created.json


@pytest.mark.parametrize("before", [{"title": "Milk"}, CHANGED], ids=["plain", "changed"])
@pytest.mark.parametrize("fields", FIELDS.values(), ids=FIELDS)
def test_a_changed_task_is_stored_as_it_was_answered(
    engine: Engine, fields: dict[str, Any], before: dict[str, Any]
) -> None:
    tasks = tasks_of(engine, new_user())
    task = tasks.create(TaskCreate.model_validate(before))

    after = tasks.update(task.id, TaskUpdate.model_validate({"start_date": None, "due_date": None, **fields}))

    assert after.revision > task.revision
    assert tasks.get(task.id).json == after.json


def test_a_plain_task_and_its_plain_changes_write_few_columns(engine: Engine) -> None:
    tasks = tasks_of(engine, new_user())
    with noted_statements(engine) as sent:
        task = tasks.create(TaskCreate(title="Milk"))
        tasks.update(task.id, TaskUpdate(title="Bread"))
        tasks.complete(task.id, completed=True)

    written = [sql for sql, _ in sent if "new_" in sql]
    assert len(written) == 3
    assert not [sql for sql in written if "new_due_key" in sql or "new_labels" in sql]
    assert ["new_title" in sql for sql in written] == [True, True, False]
    assert ["new_completed_at" in sql for sql in written] == [False, False, True]
