"""Stores the rows of files, part by part."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain
from uuid import UUID

from sqlmodel import select

from backend.database.giving_way import in_turns
from backend.database.retry import reads, repeatable
from backend.database.session import Sessions
from backend.errors import Conflict, Detail, PreconditionRequired, TooManyChanges, TooManySubtasks
from backend.formats.rows import ROW
from backend.models.base import Input
from backend.models.tables import users
from backend.models.task_file import AnyFormat, Fate, FileFormat
from backend.services.registry import BRINGING
from backend.services.resources.parameters import USER_ID
from backend.services.task_files.import_rules import UNSEEN, Link, Placed, Stored, joined, put
from backend.services.task_files.uids import UID_ELSEWHERE, KnownUIDs, variants
from backend.services.tasks.loaded import LoadedTasks
from backend.services.tasks.named import Names
from backend.services.unit_of_work import unit_of_work

Results = list[Stored | Detail]

UTC = "UTC"
_OUTSIDE = Detail(
    ROW, "outside_list", "Your personal access token is limited to one list: import this with another token"
)
ZONE = select(users.c.timezone).where(users.c.id == USER_ID)


@dataclass(frozen=True, slots=True)
class ImportService:
    """Stores rows for one user with at most `max_tasks` tasks. A part takes two or three round trips."""

    sessions: Sessions
    user_id: str
    max_tasks: int
    only_adds: bool = False

    def zone_of(self, file_format: AnyFormat) -> str:
        """Return the zone of times that name none: that of the account, or UTC. Only calendars have such times."""
        return self._zone_of() if file_format is FileFormat.CALENDAR else UTC

    @reads
    def _zone_of(self) -> str:
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

    def join(self, links: Sequence[Link]) -> list[Detail | None]:
        """Make tasks subtasks where they have no parent of their own; returns what is in the way of each."""
        try:
            return self._join(links)
        except (TooManySubtasks, TooManyChanges) as error:
            if len(links) == 1:
                return [replace(error.details[0], field=ROW)]
            middle = len(links) // 2
            return self.join(links[:middle]) + self.join(links[middle:])

    def bring(self, kind: str, row: Input) -> Stored | Detail:
        """Make what is no task be as a line of an account's export says, or return why that is impossible."""
        if self.sessions.list_id is not None:
            return _OUTSIDE
        try:
            return Stored(BRINGING[kind](self.sessions, self.user_id).bring(row, only_adds=self.only_adds))
        except PreconditionRequired:
            return UNSEEN
        except Conflict as error:
            return replace(error.details[0], field=ROW)

    @repeatable
    def _store(self, rows: Sequence[Placed], tried: set[UUID]) -> Results:
        """Store rows at once. `tried` has the new tasks of a try whose connection was lost: it may have made them."""
        with unit_of_work(self.sessions, self.user_id) as unit:
            possible = [*variants(rows, unit.list_id)]
            names = Names.of(((row.id, row.task) for row in possible), restores=True, adopts=True)
            tasks = LoadedTasks.load(unit, {row.id for row in possible}, self.max_tasks, names)
            known = KnownUIDs.load(tasks, rows)
            # A time of its own for each, so that lists have them in the order of the file.
            times = (tasks.unit.now - timedelta(microseconds=later) for later in reversed(range(len(rows))))
            results = self._put(tasks, known, zip(rows, times, strict=True))
            rows = rows[: len(results)]
            results = [_first(result) if row.id in tried else result for row, result in zip(rows, results, strict=True)]
            tried.update(row.id for row, result in zip(rows, results, strict=True) if _is_made(row, result))
        return results

    @repeatable
    def _join(self, links: Sequence[Link]) -> list[Detail | None]:
        with unit_of_work(self.sessions, self.user_id) as unit:
            parents = {(link.id, link.parent_id) for link in variants(links, unit.list_id)}
            tasks = LoadedTasks.load(
                unit, {*chain(*parents)}, self.max_tasks, Names(parents=parents, changes_trees=True)
            )
            known = KnownUIDs.load(tasks, links)
            return [joined(tasks, known.placed(link), only_adds=self.only_adds) for link in in_turns(links)]

    def _put(self, tasks: LoadedTasks, known: KnownUIDs, rows: Iterable[tuple[Placed, datetime]]) -> Results:
        """Put rows as long as there is room for their changes, at least the first one."""
        results: Results = []
        for row, at in in_turns(rows):
            placed = known.placed(row)
            try:
                result = put(tasks, placed, at, only_adds=self.only_adds)
            except TooManyChanges as error:
                if results:
                    break
                result = replace(error.details[0], field=ROW)
            known.keep(placed, result)
            if isinstance(result, Stored) and placed.uid != row.uid:
                result = result._replace(mends=(*result.mends, UID_ELSEWHERE))
            results.append(result)
        return results


def _is_made(row: Placed, result: Stored | Detail) -> bool:
    return not row.names_its_task and isinstance(result, Stored) and result.fate is Fate.CREATED


def _first(result: Stored | Detail) -> Stored | Detail:
    """Return what the first try has made of a row."""
    return result._replace(fate=Fate.CREATED, mends=()) if isinstance(result, Stored) else result
