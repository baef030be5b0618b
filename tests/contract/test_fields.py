"""Every field that clients may set is known wherever tasks are read, changed, stored or written: a test for each place.

When you add a field to `TaskUpdate`, the place that does not know it yet fails here by its name.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from backend.formats.calendar.reader import CalendarReader
from backend.formats.calendar.writer import CalendarWriter
from backend.formats.csv import COLUMNS, CSVReader, CSVWriter
from backend.formats.jsonl import JSONReader, JSONWriter
from backend.models.task import Task, TaskCreate, TaskPublic, TaskUpdate
from backend.models.task_file import ImportedTask, read_task
from backend.services.tasks import queries, rules
from backend.services.tasks.loaded import task_json
from backend.services.tasks.rules import Row
from tests.fixtures.documents.contract import operations

pytestmark = pytest.mark.requirement("FR-038")

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
VALUES: dict[str, object] = {
    "title": "Buy oat milk",
    "description": "The barista one",
    "completed": True,
    "status": "done",
    "due_at": "2026-11-21T09:30:00+00:00",
    "start_at": "2026-11-20T23:30:00+00:00",
    "timezone": "Europe/Berlin",
    "priority": "low",
    "labels": ["home", "Tax 2026"],
    "list_id": str(UUID(int=7)),
    "position": "i00000000gV",
    "parent_id": str(UUID(int=8)),
}
# Fields that cannot stand beside others, and what a zone needs.
DAYS: dict[str, object] = {"due_date": "2026-11-21", "start_date": "2026-11-20"}
EVERY = VALUES | DAYS
NEEDED: dict[str, dict[str, object]] = {"timezone": {"due_at": VALUES["due_at"]}}
FIELDS = tuple(TaskUpdate.model_fields)
TASK = rules.new_task(UUID(int=1), TaskCreate(title="Buy milk"), NOW)
STORED_AS = {"status": "open_status"}  # a task that is not completed has it stored
TABLE = {column.name for column in Task.__table__.columns if column.computed is None}  # type: ignore[attr-defined]

FORMATS: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "CSV": (CSVWriter, CSVReader),
    "iCalendar": (CalendarWriter, CalendarReader),
    "JSON lines": (JSONWriter, JSONReader),
}
PLACES = {
    "the table": TABLE,
    "a create": TaskCreate.model_fields,
    "an answer": TaskPublic.model_fields,
    "a stored row": Row._fields,
    "a row of an import": ImportedTask.model_fields,
    "the columns of CSV": COLUMNS,
    "the statement of an edit": {name.removeprefix("new_") for name in queries.UPDATE.compile().params},
    "the statement of a create": {name.removeprefix("new_") for name in queries.INSERT.compile().params},
    "the statement of many changes": {name.removeprefix("each_") for name in queries.ARRAYS},
}


def alone(name: str) -> dict[str, object]:
    """Return a field with its value, and what it cannot be without."""
    return {name: EVERY[name]} | NEEDED.get(name, {})


def edited(fields: dict[str, object]) -> Row:
    """Return the task after an edit."""
    return rules.edited(TASK, TaskUpdate.model_validate(fields), NOW)


def test_each_field_has_a_value_here() -> None:
    assert EVERY.keys() == set(FIELDS)


@pytest.mark.parametrize("place", PLACES)
def test_a_place_knows_every_field(place: str) -> None:
    assert [name for name in FIELDS if {name, STORED_AS.get(name)}.isdisjoint(PLACES[place])] == []


def test_a_stored_row_has_every_column() -> None:
    assert {"user_id", *queries.STORED, "uid"} == TABLE


@pytest.mark.parametrize("name", FIELDS)
def test_an_edit_of_one_field_is_a_change_that_is_answered(name: str) -> None:
    task = edited(alone(name))

    assert task != TASK
    assert json.loads(task_json(task, "user"))[name] == EVERY[name]


@pytest.mark.parametrize("name", FIELDS)
def test_a_create_with_another_value_is_another_request(name: str) -> None:
    sent = {"id": str(UUID(int=1)), "title": "Buy milk"}
    sent |= {each: value for each, value in NEEDED.get(name, {}).items() if isinstance(value, str)}
    other = sent | {name: EVERY[name]}

    assert len({rules.request_hash_of(TaskCreate.model_validate(fields)) for fields in (sent, other)}) == 2


@pytest.mark.parametrize("name", FIELDS)
def test_a_row_of_an_import_sets_it(name: str) -> None:
    row = ImportedTask.model_validate({"title": "Buy milk", **alone(name)})

    assert json.loads(task_json(rules.edited(TASK, row, NOW), "user"))[name] == EVERY[name]


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_brings_every_field_back(form: str) -> None:
    for values in (VALUES, VALUES | DAYS | dict.fromkeys(("due_at", "start_at", "timezone"))):
        bring_back(form, values)


@pytest.mark.requirement("FR-496")
@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", FIELDS)
def test_a_file_of_a_task_without_it_clears_it(form: str, name: str) -> None:
    without = TASK._replace(position="i00000000hV")  # every stored task has one
    (row,) = rows_of(form, without)

    cleared = rules.edited(edited(alone(name)), row, NOW)
    assert json.loads(task_json(cleared, "user"))[name] == json.loads(task_json(without, "user"))[name]


@pytest.mark.requirement("FR-496")
def test_the_documented_answer_of_a_create_is_a_new_task() -> None:
    created = operations()["create_task"].document["responses"]["201"]["content"]["application/json"]["example"]["data"]
    new = json.loads(task_json(TASK, "user"))
    decided = {"position"}  # by the service

    assert {name: created[name] for name in FIELDS if name not in decided} == {
        name: new[name] for name in FIELDS if name not in decided
    }


def bring_back(form: str, values: dict[str, object]) -> None:
    """Write a task with these values to a file, and read it."""
    (row,) = rows_of(form, edited(values))

    assert rules.edited(TASK, row, NOW) == edited(values)


def rows_of(form: str, *tasks: Row) -> Iterator[ImportedTask]:
    """Write tasks to a file, and read it."""
    writer, reader = (part() for part in FORMATS[form])
    lines = "".join(f"{task_json(task, 'user')}\n" for task in tasks)
    file = writer.beginning + writer.write(lines) + writer.ending
    for row in filter(None, [*reader.read(file.encode()), *reader.end()]):
        task = read_task(row.fields)
        assert isinstance(task, ImportedTask)
        yield task
