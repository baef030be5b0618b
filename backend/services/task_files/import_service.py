"""Stores the rows of files, part by part."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from uuid_utils.compat import uuid7

from backend.database.retry import repeatable
from backend.database.session import Sessions
from backend.errors import Detail
from backend.models.task_file import ImportedTask
from backend.services.task_files.import_rules import Fate, Placed, put
from backend.services.tasks.loaded import LoadedTasks
from backend.services.unit_of_work import unit_of_work

Fates = list[Fate | Detail]


@dataclass(frozen=True, slots=True)
class ImportService:
    """Stores rows for one user with at most `max_tasks` tasks. A part of any length takes two round trips."""

    sessions: Sessions
    user_id: str
    max_tasks: int
    only_adds: bool = False
    new_id: Callable[[], UUID] = uuid7

    def store(self, tasks: Sequence[ImportedTask]) -> Fates:
        """Set each task to what its row says, in order; returns the result of each row.

        A task without an id is new: it gets one before the first try, so that a retry does not create it again.
        """
        return self._store([Placed(task.id or self.new_id(), task.id is None, task) for task in tasks])

    @repeatable
    def _store(self, rows: Sequence[Placed]) -> Fates:
        with unit_of_work(self.sessions, self.user_id) as unit:
            tasks = LoadedTasks.load(unit, {row.id for row in rows}, self.max_tasks)
            fates = [put(tasks, row, only_adds=self.only_adds) for row in rows]
            tasks.store()
        return fates
