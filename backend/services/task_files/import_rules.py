"""Applies the rows of an import to tasks in memory: each row sets its task to what it says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from backend.errors import Detail, TooManyTasks
from backend.formats.rows import ROW
from backend.models.task_file import ImportedTask
from backend.services.tasks.rules import Row, Tasks

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_SKEW = timedelta(days=1)  # how far ahead a clock may be: another service's now, or ours at that time

_TOO_MANY = Detail(ROW, "too_many_tasks", TooManyTasks.message)
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


@dataclass(slots=True)
class ImportAccount:
    """One user's counters, and the user's tasks that rows name; `now` is the time of the changes."""

    revision: int
    task_count: int
    now: datetime
    max_tasks: int
    only_adds: bool  # set if every change must name the task's ETag, which no row does
    tasks: Tasks

    def put(self, row: Placed) -> Fate | Detail:
        """Set the task to what the row says, or return why that is impossible."""
        if problem := self._out_of_time(row.task):
            return problem
        current = self.tasks.get(row.id)
        if current is None:
            return self._create(row)
        if row.is_new:
            return Fate.CREATED  # by the first try, whose connection was lost: nobody else has this id
        wanted = current._replace(deleted_at=None, **self._changed(current, row.task))
        if wanted == current:
            return Fate.UNCHANGED
        if self.only_adds:
            return _UNSEEN
        self._keep(wanted._replace(updated_at=max(self.now, current.updated_at)))
        return Fate.RESTORED if current.deleted_at else Fate.UPDATED

    def _out_of_time(self, task: ImportedTask) -> Detail | None:
        for name in ("created_at", "completed_at"):
            moment = getattr(task, name)
            if moment is not None and not EARLIEST <= moment <= self.now + _SKEW:
                return Detail(name, "moment_out_of_range", "Must be a time between 1970 and now")
        return None

    def _create(self, row: Placed) -> Fate | Detail:
        if self.task_count >= self.max_tasks:
            return _TOO_MANY
        self.task_count += 1
        said = row.task.said
        is_completed = said.get("completed", False)
        task = Row(
            id=row.id,
            title=row.task.title,
            description=row.task.description,
            completed=is_completed,
            completed_at=self._past(row.task.completed_at) if is_completed else None,
            created_at=self._past(row.task.created_at),
            updated_at=self.now,
            deleted_at=None,
            revision=0,
            request_hash=None,
        )
        self._keep(task)
        return Fate.CREATED

    def _changed(self, current: Row, task: ImportedTask) -> dict[str, Any]:
        """Return the new values. The completion time changes only when `completed` does."""
        said = task.said
        if said.get("completed", current.completed) == current.completed:
            return said
        return {**said, "completed_at": self._past(task.completed_at) if said["completed"] else None}

    def _past(self, moment: datetime | None) -> datetime:
        return self.now if moment is None else min(moment, self.now)

    def _keep(self, task: Row) -> None:
        self.revision += 1
        self.tasks[task.id] = task._replace(revision=self.revision)
