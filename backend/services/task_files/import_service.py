"""Stores the rows of files, part by part."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from uuid_utils.compat import uuid7

from backend.database.retry import repeatable
from backend.database.session import NothingChanged, Session, Sessions
from backend.errors import Detail
from backend.models.task_file import ImportedTask
from backend.services.task_files.import_rules import Fate, ImportAccount, Placed
from backend.services.tasks import batch_queries
from backend.services.tasks.rules import Row, Tasks

Fates = list[Fate | Detail]


@dataclass(frozen=True, slots=True)
class ImportService:
    """Stores rows for one user with at most `max_tasks` tasks. A part of any length takes the same few round trips."""

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
        try:
            with self.sessions.transaction(self.user_id) as sessions, sessions(self.user_id) as session:
                return self._put(session, rows)
        except NothingChanged as nothing:
            fates: Fates = nothing.result
            return fates

    def _put(self, session: Session, rows: Sequence[Placed]) -> Fates:
        """Apply the rows in memory, and store the changes; raises when there are none."""
        ((revision, task_count, now),) = session.exec(batch_queries.LOCK, params={"principal": self.user_id})
        params = {"principal": self.user_id, "task_ids": list({row.id for row in rows})}
        before = [Row(*row) for row in session.exec(batch_queries.READ, params=params)]
        tasks = {task.id: task for task in before}
        account = ImportAccount(revision, task_count, now, self.max_tasks, self.only_adds, tasks)
        known = dict(account.tasks)
        fates = [account.put(row) for row in rows]
        if account.revision == revision:
            raise NothingChanged(fates)
        session.exec(batch_queries.STORE_SILENTLY, params=self._changes(account, known))
        return fates

    def _changes(self, account: ImportAccount, known: Tasks) -> dict[str, object]:
        changed = [task for task in account.tasks.values() if task != known.get(task.id)]
        states = [(index, True, *task) for index, task in enumerate(changed)]
        arrays = dict(zip(batch_queries.ARRAYS, map(list, zip(*states, strict=True)), strict=True))
        counters = {"new_revision": account.revision, "new_task_count": account.task_count}
        return {"principal": self.user_id, **counters, **arrays}
