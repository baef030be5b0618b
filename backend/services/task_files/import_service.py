"""Stores the rows of files, part by part."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlmodel import select
from uuid_utils.compat import uuid7

from backend.database.retry import reads, repeatable
from backend.database.session import Sessions
from backend.errors import Detail, TooManyChanges, TooManySubtasks
from backend.formats.rows import ROW
from backend.models.tables import users
from backend.models.task_file import FileFormat, ImportedTask
from backend.services.task_files.import_rules import Fate, Placed, put
from backend.services.tasks.loaded import LoadedTasks
from backend.services.tasks.names import Names
from backend.services.unit_of_work import USER_ID, unit_of_work

Fates = list[Fate | Detail]

UTC = "UTC"
ZONE = select(users.c.timezone).where(users.c.id == USER_ID)


@dataclass(frozen=True, slots=True)
class ImportService:
    """Stores rows for one user with at most `max_tasks` tasks. A part takes two or three round trips."""

    sessions: Sessions
    user_id: str
    max_tasks: int
    only_adds: bool = False
    new_id: Callable[[], UUID] = uuid7

    def zone_of(self, file_format: FileFormat) -> str:
        """Return the zone of times that name none: that of the account, or UTC. Only calendars have such times."""
        return self._zone() if file_format is FileFormat.CALENDAR else UTC

    @reads
    def _zone(self) -> str:
        with self.sessions(self.user_id) as session:
            rows = session.exec(ZONE, params={"principal": self.user_id})
        return next((zone for (zone,) in rows if zone), UTC)

    def store(self, tasks: Sequence[ImportedTask]) -> Fates:
        """Set each task to what its row says, in order; returns the result of each row.

        A task without an id is new: it gets one before the first try, so that a retry does not create it again.
        """
        return self._store_some([Placed(task.id or self.new_id(), task.id is None, task) for task in tasks])

    def _store_some(self, rows: Sequence[Placed]) -> Fates:
        """Store rows at once or, if the trees around them or the changes are too many for that, in halves."""
        try:
            return self._store(rows)
        except (TooManySubtasks, TooManyChanges) as error:
            if len(rows) == 1:
                return [replace(error.details[0], field=ROW)]
            middle = len(rows) // 2
            return self._store_some(rows[:middle]) + self._store_some(rows[middle:])

    @repeatable
    def _store(self, rows: Sequence[Placed]) -> Fates:
        with unit_of_work(self.sessions, self.user_id) as unit:
            names = Names.of(((row.id, row.task) for row in rows), restores=True, adopts=True)
            tasks = LoadedTasks.load(unit, {row.id for row in rows}, self.max_tasks, names)
            fates = [put(tasks, row, only_adds=self.only_adds) for row in rows]
            tasks.store()
        return fates
