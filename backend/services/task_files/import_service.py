"""Stores the rows of files, part by part."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import select

from backend.database.retry import reads, repeatable
from backend.database.session import Sessions
from backend.errors import Detail, TooManyChanges, TooManySubtasks
from backend.formats.rows import ROW
from backend.models.tables import users
from backend.models.task_file import FileFormat
from backend.services.task_files.import_rules import Fate, Placed, Stored, put
from backend.services.tasks.loaded import LoadedTasks
from backend.services.tasks.names import Names
from backend.services.unit_of_work import USER_ID, unit_of_work

Results = list[Stored | Detail]

UTC = "UTC"
ZONE = select(users.c.timezone).where(users.c.id == USER_ID)


@dataclass(frozen=True, slots=True)
class ImportService:
    """Stores rows for one user with at most `max_tasks` tasks. A part takes two or three round trips."""

    sessions: Sessions
    user_id: str
    max_tasks: int
    only_adds: bool = False

    def zone_of(self, file_format: FileFormat) -> str:
        """Return the zone of times that name none: that of the account, or UTC. Only calendars have such times."""
        return self._zone() if file_format is FileFormat.CALENDAR else UTC

    @reads
    def _zone(self) -> str:
        with self.sessions(self.user_id) as session:
            rows = session.exec(ZONE, params={"principal": self.user_id})
        return next((zone for (zone,) in rows if zone), UTC)

    def store(self, rows: Sequence[Placed]) -> Results:
        """Set each task to what its row says, in order; returns the result of each row that is stored.

        These are the first ones, unless they are all of them: one unit of work makes a limited number of changes. If
        the trees around the rows are too many for one, it stores them in halves.
        """
        try:
            return self._store(rows, set())
        except TooManySubtasks as error:
            if len(rows) == 1:
                return [replace(error.details[0], field=ROW)]
            middle = len(rows) // 2
            results = self.store(rows[:middle])
            return results if len(results) < middle else results + self.store(rows[middle:])

    @repeatable
    def _store(self, rows: Sequence[Placed], tried: set[UUID]) -> Results:
        """Store rows at once. `tried` has the new tasks of a try whose connection was lost: it may have made them."""
        with unit_of_work(self.sessions, self.user_id) as unit:
            names = Names.of(((row.id, row.task) for row in rows), restores=True, adopts=True)
            tasks = LoadedTasks.load(unit, {row.id for row in rows}, self.max_tasks, names)
            # A time of its own for each, so that lists have them in the order of the file.
            times = (tasks.now - timedelta(microseconds=later) for later in reversed(range(len(rows))))
            results = self._put(tasks, zip(rows, times, strict=True))
            rows = rows[: len(results)]
            results = [_first(result) if row.id in tried else result for row, result in zip(rows, results, strict=True)]
            tried.update(row.id for row, result in zip(rows, results, strict=True) if _is_made(row, result))
            tasks.store()
        return results

    def _put(self, tasks: LoadedTasks, rows: Iterable[tuple[Placed, datetime]]) -> Results:
        """Put rows as long as there is room for their changes, at least the first one."""
        results: Results = []
        for row, at in rows:
            try:
                results.append(put(tasks, row, at, only_adds=self.only_adds))
            except TooManyChanges as error:
                if results:
                    break
                results.append(replace(error.details[0], field=ROW))
        return results


def _is_made(row: Placed, result: Stored | Detail) -> bool:
    return not row.names_its_task and isinstance(result, Stored) and result.fate is Fate.CREATED


def _first(result: Stored | Detail) -> Stored | Detail:
    """Return what the first try has made of a row."""
    return result._replace(fate=Fate.CREATED, mends=()) if isinstance(result, Stored) else result
