"""Stores invented tasks for one user, with the statements of a batch and times in the past."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from backend.database.retry import repeatable
from backend.database.session import Sessions
from backend.errors import TooManyTasks
from backend.services.samples.tasks import SampleTask
from backend.services.tasks import batch_queries
from backend.services.tasks.rules import Row


@dataclass(frozen=True, slots=True)
class SeedService:
    """Stores invented tasks for one user, who has at most `max_tasks` tasks."""

    sessions: Sessions
    user_id: str
    max_tasks: int

    @repeatable
    def add(self, samples: Sequence[SampleTask]) -> int:
        """Store the tasks that do not exist yet, not even in the trash; returns how many these were.

        Raises TooManyTasks, and stores none of them, when the account cannot hold them all.
        """
        with self.sessions.transaction(self.user_id) as sessions, sessions(self.user_id) as session:
            ((revision, task_count, now),) = session.exec(batch_queries.LOCK, params={"principal": self.user_id})
            wanted = {"principal": self.user_id, "task_ids": [sample.id for sample in samples]}
            known = {Row(*row).id for row in session.exec(batch_queries.READ, params=wanted)}
            missing = [sample for sample in samples if sample.id not in known]
            if not missing:
                return 0
            if task_count + len(missing) > self.max_tasks:
                raise TooManyTasks
            states = [(index, True, *_row(sample, now, revision + 1 + index)) for index, sample in enumerate(missing)]
            arrays = dict(zip(batch_queries.ARRAYS, map(list, zip(*states, strict=True)), strict=True))
            counters = {"new_revision": revision + len(missing), "new_task_count": task_count + len(missing)}
            session.exec(batch_queries.STORE_SILENTLY, params={"principal": self.user_id, **counters, **arrays})
        return len(missing)


def _row(sample: SampleTask, now: datetime, revision: int) -> Row:
    return Row(
        id=sample.id,
        title=sample.title,
        description=sample.description,
        completed=sample.completed is not None,
        completed_at=None if sample.completed is None else now - sample.completed,
        created_at=now - sample.created,
        updated_at=now - sample.updated,
        deleted_at=None,
        revision=revision,
        request_hash=None,
    )
