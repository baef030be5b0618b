"""How changed tasks are stored: a single task by the statement that sets the fewest columns, many tasks from arrays.

`loaded.py` decides which tasks have changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Executable

from backend.database.giving_way import in_turns
from backend.services.resources.tombstones import MOVED
from backend.services.tasks import queries, tree_queries
from backend.services.tasks.rules import InTree, Neighbour, Row
from backend.services.unit_of_work import UnitOfWork

Changed = tuple[Row | None, Row]  # a task as it was loaded, None if there was none, and as it is now


def store_tasks(
    unit: UnitOfWork,
    named: list[Changed],
    neighbours: list[tuple[Neighbour | None, Neighbour]],
    uids: Mapping[UUID, str],
) -> None:
    """Store new and changed tasks, and leave word of those that have left a list. Some of them get UIDs."""
    whole, states = _parted(named, uids) if neighbours or len(named) > 1 else (named, [])
    if uids:
        rows = ((*_values(task), uids.get(task.id)) for _, task in whole)
        _store_all(unit, queries.STORE_WITH_UIDS, (*queries.ARRAYS, queries.UID_ARRAY), rows)
    elif len(whole) == 1:
        _store_one(unit, *whole[0])
    elif whole:
        _store_all(unit, queries.STORE_ALL, queries.ARRAYS, (_values(task) for _, task in whole))
    states += [task for _, task in neighbours]
    if states:
        values = ((task.id, *(getattr(task, name) for name in tree_queries.CHANGING)) for task in states)
        _store_all(unit, tree_queries.STORE_STATES, tree_queries.STATES, values)
    _say_moved(unit, [*named, *neighbours])


def remove_tasks(unit: UnitOfWork, removed: list[UUID]) -> None:
    """Remove tasks for good."""
    if removed:
        unit.store(tree_queries.REMOVE, **{tree_queries.REMOVED: removed})


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


def _parted(named: list[Changed], uids: Mapping[UUID, str]) -> tuple[list[Changed], list[InTree]]:
    """Part changed tasks: some are stored as a whole, and of the rest only what trees change differs."""
    whole: list[Changed] = []
    states: list[InTree] = []
    for before, task in in_turns(named):
        has_new_uid = task.id in uids
        if before is not None and not has_new_uid and _different(before, task).issubset(tree_queries.CHANGING):
            states.append(task)
        else:
            whole.append((before, task))
    return whole, states


def _say_moved(unit: UnitOfWork, changed: Iterable[tuple[InTree | None, InTree]]) -> None:
    """Leave word for the followers of the lists that tasks have left."""
    for before, task in in_turns(changed):
        if before is not None and before.list_id not in {None, task.list_id}:
            unit.bury(MOVED, task.id, task.revision, before.list_id)


def _store_one(unit: UnitOfWork, before: Row | None, task: Row) -> None:
    choices = queries.INSERTS if before is None else queries.UPDATES
    different = _different(before or Row(task.id, task.created_at, task.updated_at), task)
    names, statement = next(choice for choice in choices if different.issubset(choice[0]))
    unit.store(statement, task=task.id, **{f"new_{name}": getattr(task, name) for name in names})


def _different(before: Row, task: Row) -> set[str]:
    """Return the names of the fields that differ."""
    return {name for name, old, new in zip(Row._fields, before, task, strict=True) if old != new}
