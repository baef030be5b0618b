"""The UIDs under which calendars of other programs know tasks: kept with the tasks, so that exports give them back.

Releases that did not keep UIDs took every UID that is a UUID for the id of its task, in whatever form it was written.
Such a task is still found under its id, unless it is known under another UID by now.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Self, TypeVar
from uuid import UUID

from backend.errors import Detail
from backend.formats.rows import OtherUID
from backend.models.task_file import Fate
from backend.services.task_files.import_rules import Link, Placed, Stored
from backend.services.tasks import queries
from backend.services.tasks.loaded import LoadedTasks

Row = TypeVar("Row", Placed, Link)


def variants(rows: Sequence[Row]) -> Iterator[Row]:
    """Yield the rows, each also with the ids that a release before UIDs were kept gave to its task and its parent."""
    for row in rows:
        yield row
        former = row
        for other in row.other_uids:
            former = former.with_id(other.id, other.former_id)
        if former != row:
            yield former


@dataclass(slots=True)
class KnownUIDs:
    """The UIDs of the tasks that some rows are about, by the ids of the tasks."""

    tasks: LoadedTasks
    _stored: dict[UUID, str] = field(default_factory=dict)

    @classmethod
    def load(cls, tasks: LoadedTasks, rows: Sequence[Placed | Link]) -> Self:
        """Read the UIDs of tasks, which takes a round trip; but not of those that can have no other than their id."""
        ids = {other.former_id for row in rows for other in row.other_uids}
        ids.update(row.id for row in rows if isinstance(row, Placed) and row.uid not in {None, str(row.id)})
        existing = [each for each in ids if each in tasks.tasks]
        found = tasks.unit.read(queries.UIDS, task_ids=existing) if existing else ()
        return cls(tasks, {task_id: uid for task_id, uid in found if uid is not None})

    def placed(self, row: Row) -> Row:
        """Return a row or link with the ids that its task and its parent have."""
        for other in row.other_uids:
            if self._has_former_id(other):
                row = row.with_id(other.id, other.former_id)
        return row

    def _has_former_id(self, other: OtherUID) -> bool:
        if other.id in self.tasks.tasks or other.former_id not in self.tasks.tasks:
            return False
        return self._stored.get(other.former_id, other.uid) == other.uid

    def keep(self, row: Placed, result: Stored | Detail) -> None:
        """Keep the UID of a row that was stored, unless its task has it already."""
        if isinstance(result, Detail) or row.uid is None or row.id in self._stored:
            return
        # That of a task of ours is not kept where it is what an export would write anyway.
        if result.fate is Fate.CREATED or row.uid != str(row.id):
            self.tasks.uids[row.id] = self._stored[row.id] = row.uid
