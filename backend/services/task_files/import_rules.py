"""The rules of an import: each row sets its task to what it says."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from backend.errors import (
    Detail,
    IdTaken,
    OutsideList,
    TooManyLabels,
    TooManySubtasks,
    TooManyTasks,
    ValidationFailed,
)
from backend.formats.rows import ROW
from backend.models.task_file import ImportedTask
from backend.services.tasks.loaded import LoadedTasks
from backend.services.tasks.rules import Row, edited, refuse_contradictions
from backend.services.tasks.tree import Tree, restored

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_SKEW = timedelta(days=1)  # how far ahead a clock may be: another service's now, or ours at that time

_UNSEEN = Detail(
    "id",
    "precondition_required",
    "This task already exists and differs. This service requires an ETag for a change, and a file cannot send one",
)


class Placed(NamedTuple):
    """A row with the id of its task, which we choose if the row names none."""

    id: UUID
    is_new: bool
    task: ImportedTask


class Fate(StrEnum):
    """The result of a row, named like its count in the report."""

    CREATED = "created"
    UPDATED = "updated"
    RESTORED = "restored"
    UNCHANGED = "unchanged"


def put(tasks: LoadedTasks, row: Placed, *, only_adds: bool) -> Fate | Detail:
    """Set the task to what the row says, or return why that is impossible.

    `only_adds`: every change must name the task's ETag, which no row does.
    """
    try:
        _refuse_other_times(row.task, tasks.now)
        refuse_contradictions(row.task)
        with tasks.all_or_nothing():
            return _put(tasks, row, only_adds=only_adds)
    except (ValidationFailed, OutsideList, IdTaken) as error:
        return error.details[0]
    except (TooManyTasks, TooManyLabels, TooManySubtasks) as error:
        return replace(error.details[0], field=ROW)


def _put(tasks: LoadedTasks, row: Placed, *, only_adds: bool) -> Fate | Detail:
    current = tasks.tasks.get(row.id)
    if current is not None and row.is_new:
        return Fate.CREATED  # by the first try, whose connection was lost: nobody else has this id
    wanted = _wanted(tasks, row)  # refuses what no task can be, before anything changes
    if only_adds and current is not None:
        return Fate.UNCHANGED if wanted == current else _UNSEEN
    parent = tasks.tasks.get(row.task.parent_id) if row.task.parent_id else None
    if parent is None or parent.deleted_at is None or only_adds:
        return _stored(tasks, current, wanted)
    tasks.restore(parent)
    return _stored(tasks, current, _wanted(tasks, row))  # it may have come back along with its parent


def _stored(tasks: LoadedTasks, current: Row | None, wanted: Row) -> Fate:
    """Add or keep a task as its row sets it; `current` is how it was before the row."""
    if current is None:
        tasks.add(wanted, is_of_file=True)
        return Fate.CREATED
    kept = tasks.keep(wanted, cascades=False, is_of_file=True)
    if current.deleted_at is not None:
        return Fate.RESTORED
    return Fate.UNCHANGED if kept == current else Fate.UPDATED


def _wanted(tasks: LoadedTasks, row: Placed) -> Row:
    """Return the task as the row sets it."""
    current = tasks.tasks.get(row.id)
    if current is None:
        return new_task(row.id, row.task, tasks.now)
    return tasks.spelled(changed(current, row.task, tasks.now, tasks.lists, tasks.tree))


def _refuse_other_times(task: ImportedTask, now: datetime) -> None:
    """Raise ValidationFailed for a time that no task can have."""
    for name in ("created_at", "completed_at"):
        moment = getattr(task, name)
        if moment is not None and not EARLIEST <= moment <= now + _SKEW:
            detail = Detail(name, "moment_out_of_range", "Must be a time between 1970 and now")
            raise ValidationFailed(details=(detail,))


def new_task(task_id: UUID, task: ImportedTask, now: datetime) -> Row:
    """Return the task that a row creates."""
    return edited(Row(task_id, _past(task.created_at, now), now), task, _past(task.completed_at, now))


def changed(current: Row, task: ImportedTask, now: datetime, lists: Container[UUID], tree: Tree) -> Row:
    """Return a task as a row sets it, out of the trash. The completion time changes only when `completed` does."""
    return edited(restored(current, lists, tree), task, _past(task.completed_at, now))


def _past(moment: datetime | None, now: datetime) -> datetime:
    return now if moment is None else min(moment, now)
