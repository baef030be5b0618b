"""How changed tasks are stored: each by the statement that sets the fewest columns, many by one statement with arrays.

`loaded.py` decides which tasks have changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import Executable

from backend.database.giving_way import in_turns
from backend.services.resources.tombstones import MOVED
from backend.services.tasks import queries, tree_queries
from backend.services.tasks.rules import Row
from backend.services.unit_of_work import UnitOfWork

NO_UIDS: Mapping[UUID, str] = MappingProxyType({})


def store_tasks(
    unit: UnitOfWork, before: Mapping[UUID, Row], changed: list[Row], uids: Mapping[UUID, str] = NO_UIDS
) -> None:
    """Store new and changed tasks, and leave word of those that have left a list; `before` is how they were loaded.

    Some of them get UIDs.
    """
    whole, states = _parted(before, changed, uids)
    if uids:
        _store_with_uids(unit, whole, uids)
    elif len(whole) == 1:
        _store_one(unit, before.get(whole[0].id), whole[0])
    elif whole:
        _store_all(unit, queries.STORE_ALL, queries.ARRAYS, map(_values, whole))
    if states:
        values = ((task.id, *(getattr(task, name) for name in tree_queries.CHANGING)) for task in states)
        _store_all(unit, tree_queries.STORE_STATES, tree_queries.STATES, values)
    _say_moved(unit, before, changed)


def remove_tasks(unit: UnitOfWork, removed: list[Row]) -> None:
    """Remove tasks for good, and leave a tombstone of each."""
    if removed:
        unit.store(tree_queries.REMOVE, **{tree_queries.REMOVED: [task.id for task in removed]})
        for task in in_turns(removed):
            unit.bury("task", task.id, task.revision, task.list_id)


def _store_with_uids(unit: UnitOfWork, tasks: list[Row], uids: Mapping[UUID, str]) -> None:
    rows = ((*_values(task), uids.get(task.id)) for task in tasks)
    _store_all(unit, queries.STORE_WITH_UIDS, (*queries.ARRAYS, queries.UID_ARRAY), rows)


def _values(task: Row) -> tuple[Any, ...]:
    """Return what is stored of a task."""
    return (*task._replace(labels=",".join(task.labels)), task.due_key)  # type: ignore[arg-type]


def _store_all(unit: UnitOfWork, statement: Executable, names: Iterable[str], rows: Iterable[tuple[Any, ...]]) -> None:
    """Store rows by a statement that takes their columns as arrays."""
    columns: dict[str, list[Any]] = {name: [] for name in names}
    for row in in_turns(rows):  # zip(*rows) would take one long turn for all of them
        for column, value in zip(columns.values(), row, strict=True):
            column.append(value)
    unit.store(statement, **columns)


def _parted(before: Mapping[UUID, Row], changed: list[Row], uids: Mapping[UUID, str]) -> tuple[list[Row], list[Row]]:
    """Part changed tasks into those to store as a whole, and those of which only what trees change differs."""
    if len(changed) == 1:
        return changed, []
    whole: list[Row] = []
    states: list[Row] = []
    for task in in_turns(changed):
        was = before.get(task.id)
        has_new_uid = task.id in uids
        is_state = was is not None and not has_new_uid and _different(was, task).issubset(tree_queries.CHANGING)
        (states if is_state else whole).append(task)
    return whole, states


def _say_moved(unit: UnitOfWork, before: Mapping[UUID, Row], changed: list[Row]) -> None:
    """Leave word for the followers of the lists that tasks have left."""
    for task in in_turns(changed):
        was = before.get(task.id)
        if was is not None and was.list_id not in {None, task.list_id}:
            unit.bury(MOVED, task.id, task.revision, was.list_id)


def _store_one(unit: UnitOfWork, before: Row | None, task: Row) -> None:
    choices = queries.INSERTS if before is None else queries.UPDATES
    different = _different(before or Row(task.id, task.created_at, task.updated_at), task)
    names, statement = next(choice for choice in choices if different.issubset(choice[0]))
    unit.store(statement, task=task.id, **{f"new_{name}": getattr(task, name) for name in names})


def _different(before: Row, task: Row) -> set[str]:
    """Return the names of the fields that differ."""
    return {name for name, old, new in zip(Row._fields, before, task, strict=True) if old != new}
