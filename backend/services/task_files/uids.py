"""The UIDs under which calendars of other programs know tasks: kept with the tasks, so that exports give them back.

Releases that did not keep UIDs took every UID that is a UUID for the id of its task, in whatever form it was written.
Such a task is still found under its id, unless it is known under another UID by now.

A token for one list may bring a UID whose task is outside of that list. The row then makes a copy in the list, with an
id that always follows from the list and the task's id.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Self, TypeVar
from uuid import UUID, uuid5

from backend.errors import Detail
from backend.formats.rows import OtherUID
from backend.models.task_file import Fate
from backend.services.task_files.import_rules import Link, Placed, Stored
from backend.services.tasks import queries
from backend.services.tasks.loaded import LoadedTasks

Row = TypeVar("Row", Placed, Link)

UID_ELSEWHERE = Detail(
    "UID", "uid_not_kept", "A task that you do not see has this UID: the task in your list gets another one"
)


def variants(rows: Sequence[Row], list_id: UUID | None) -> Iterator[Row]:
    """Yield the rows, and each again with other ids that its task and its parent may have.

    A release before UIDs were kept gave them other ids, and so does a token for a list to its copies.
    """
    for row in rows:
        yield row
        former = row
        for other in row.other_uids:
            former = former.with_id(other.id, other.former_id)
        if former != row:
            yield former
        if list_id is not None and _may_be_copied(row):
            copied = row
            for each in _ids(row):
                copied = copied.with_id(each, _copy_of(each, list_id))
            yield copied


def _may_be_copied(row: Placed | Link) -> bool:
    """Return whether a row is of a calendar: in other formats, an id is meant as it is."""
    return isinstance(row, Link) or row.is_foreign


def _ids(row: Placed | Link) -> tuple[UUID, ...]:
    parent_id = row.parent_id if isinstance(row, Link) else row.task.parent_id
    return tuple(dict.fromkeys((row.id, parent_id) if parent_id else (row.id,)))


def _copy_of(task_id: UUID, list_id: UUID) -> UUID:
    return uuid5(list_id, str(task_id))


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
        existing = [each for each in ids if each in tasks.rows]
        found = tasks.unit.read(queries.UIDS, task_ids=existing) if existing else ()
        return cls(tasks, {task_id: uid for task_id, uid in found if uid is not None})

    def placed(self, row: Row) -> Row:
        """Return a row or link with the ids that its task and its parent have."""
        for other in row.other_uids:
            if self._has_former_id(other):
                row = row.with_id(other.id, other.former_id)
        list_id = self.tasks.unit.list_id
        if list_id is None or not _may_be_copied(row):
            return row
        for each in _ids(row):
            copy = _copy_of(each, list_id)
            if copy in self.tasks.rows or each in self.tasks.lists.taken:
                row = row.with_id(each, copy)
                row = row._replace(uid=None) if isinstance(row, Placed) and row.id == copy else row
        return row

    def _has_former_id(self, other: OtherUID) -> bool:
        if other.id in self.tasks.rows or other.former_id not in self.tasks.rows:
            return False
        return self._stored.get(other.former_id, other.uid) == other.uid

    def keep(self, row: Placed, result: Stored | Detail) -> None:
        """Keep the UID of a row that was stored, unless its task has it already."""
        if isinstance(result, Detail) or row.uid is None or row.id in self._stored:
            return
        # That of a task of ours is not kept where it is what an export would write anyway.
        if result.fate is Fate.CREATED or row.uid != str(row.id):
            self.tasks.uids[row.id] = self._stored[row.id] = row.uid
