"""Field types accept values from Python code as well as from clients."""

from __future__ import annotations

import uuid

import pytest
from pydantic import ValidationError

from backend.models.task import TaskCreate, TaskUpdate
from backend.models.task_query import TaskQuery

TASK_ID = uuid.UUID("0197c1f0-7a3b-7c4d-8e5f-6a7b8c9d0e1f")


@pytest.mark.requirement("FR-021")
def test_an_id_may_be_a_uuid_or_its_usual_spelling() -> None:
    assert TaskCreate(title="a", id=TASK_ID).id == TASK_ID
    assert TaskCreate.model_validate({"title": "a", "id": str(TASK_ID).upper()}).id == TASK_ID
    with pytest.raises(ValidationError, match="Must be a UUID"):
        TaskCreate.model_validate({"title": "a", "id": TASK_ID.hex})


@pytest.mark.requirement("FR-017")
def test_a_limit_may_be_a_number_or_plain_digits() -> None:
    assert TaskQuery(limit=5).limit == TaskQuery.model_validate({"limit": "5"}).limit == 5
    for limit in (0, 1001, "5.0"):
        with pytest.raises(ValidationError):
            TaskQuery.model_validate({"limit": limit})


@pytest.mark.requirement("FR-025")
def test_a_field_that_was_not_sent_is_known_as_such() -> None:
    assert TaskUpdate.model_validate({}).model_fields_set == set()
    assert TaskUpdate.model_validate({"description": None}).model_fields_set == {"description"}
