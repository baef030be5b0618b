"""Stores invented tasks for one user, with times in the past."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from backend.database.retry import repeatable
from backend.database.session import Sessions
from backend.services.samples.tasks import SampleTask
from backend.services.tasks.loaded import LoadedTasks
from backend.services.tasks.named import Names
from backend.services.tasks.rules import Row
from backend.services.unit_of_work import unit_of_work
from backend.utils.priorities import number_of


@dataclass(frozen=True, slots=True)
class SeedService:
    """Stores invented tasks for one user, who has at most `max_tasks` tasks."""

    sessions: Sessions
    user_id: str
    max_tasks: int

    @repeatable
    def add(self, samples: Sequence[SampleTask]) -> int:
        """Store the tasks that do not exist yet, not even in the trash; returns how many these were.

        A task whose list is missing comes into the inbox, and one whose parent is missing has none.
        Raises TooManyTasks or TooManyLabels, and stores none of them, when the account cannot hold them all.
        """
        with unit_of_work(self.sessions, self.user_id) as unit:
            names = Names(
                labels=[name for sample in samples for name in sample.labels],
                lists=tuple({sample.list_id for sample in samples if sample.list_id}),
                parents=[(sample.id, sample.parent_id) for sample in samples if sample.parent_id],
            )
            tasks = LoadedTasks.load(unit, [sample.id for sample in samples], self.max_tasks, names)
            missing = [sample for sample in samples if sample.id not in tasks.rows]
            for sample in missing:
                tasks.add(_placed(_row(sample, unit.now, tasks.lists.living), sample.parent_id, tasks))
        return len(missing)


def _placed(task: Row, parent_id: UUID | None, tasks: LoadedTasks) -> Row:
    """Put a task under its parent, if that is there and on the first level, and into the parent's list."""
    parent = tasks.rows.get(parent_id) if parent_id else None
    if parent is None or parent.deleted_at is not None or parent.parent_id is not None:
        return task
    return task._replace(parent_id=parent.id, list_id=parent.list_id)


def _row(sample: SampleTask, now: datetime, lists: Container[UUID]) -> Row:
    due = None if sample.due is None else (now + sample.due).replace(minute=0, second=0, microsecond=0)
    return Row(
        id=sample.id,
        title=sample.title,
        description=sample.description,
        completed=sample.completed is not None,
        completed_at=None if sample.completed is None else now - sample.completed,
        created_at=now - sample.created,
        updated_at=now - sample.updated,
        deleted_at=None,
        revision=0,
        request_hash=None,
        due_date=due.date() if due and sample.is_due_on_a_day else None,
        due_at=None if sample.is_due_on_a_day else due,
        priority=number_of(sample.priority),
        labels=sample.labels,
        list_id=sample.list_id if sample.list_id in lists else None,
        open_status=sample.open_status.value,
    )
