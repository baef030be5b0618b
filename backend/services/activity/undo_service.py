"""Undoing what one request did to a user's tasks, labels and lists."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from backend.database.giving_way import in_turns
from backend.database.retry import once_only
from backend.database.session import Sessions
from backend.errors import TooManyChanges, TooManySubtasks, ValidationFailed
from backend.models.base import RowDocument
from backend.models.values.etags import Revisions
from backend.models.values.label_names import key_of_label, name_key_of
from backend.services.activity import queries
from backend.services.activity.undo_rules import (
    ChangedSince,
    Earlier,
    Event,
    NothingToUndo,
    R,
    earlier,
    is_in_place,
    typed,
)
from backend.services.labels.queries import LABELS
from backend.services.labels.rules import Row as Label
from backend.services.lists.queries import LISTS
from backend.services.lists.rules import Row as List
from backend.services.resources.working_set import WorkingSet
from backend.services.tasks import queries as task_queries
from backend.services.tasks.loaded import MAX_CHANGES, LoadedTasks
from backend.services.tasks.named import Names
from backend.services.tasks.rules import Row
from backend.services.tasks.tree import refuse_overgrown
from backend.services.unit_of_work import UnitOfWork, unit_of_work


@dataclass(frozen=True, slots=True)
class UndoService:
    """Makes rows again what they were before a change: all of them, or none.

    It takes up to eight round trips, each for all rows at once. It joins `unit`, if there is one.
    """

    sessions: Sessions
    user_id: str
    max_tasks: int
    unit: UnitOfWork | None = None

    @once_only
    def undo_request(self, request_id: str) -> int:
        """Undo all that requests with this id did; returns how many rows it changed.

        Raises NothingToUndo, ChangedSince and TooManyChanges.
        """
        with unit_of_work(self.sessions, self.user_id, joined=self.unit) as unit:
            found = unit.load(queries.OF_REQUEST, undone_request=request_id, max_rows=MAX_CHANGES + 1)
            self._undo(unit, found.rows)
            return unit.changes

    @once_only
    def undo_task(self, task_id: UUID, expected: Revisions | None = None) -> RowDocument:
        """Undo the last change of a task, and all that was changed along with it.

        Raises TaskNotFound, what the revision asks for, NothingToUndo, ChangedSince and TooManyChanges.
        """
        with unit_of_work(self.sessions, self.user_id, joined=self.unit) as unit:
            found = unit.load(queries.LAST_OF_TASK, entity=task_id, max_rows=MAX_CHANGES + 1)
            tasks = self._undo(unit, found.rows, task_id, expected)
            return tasks.document(tasks.find(task_id, in_trash_too=True))

    def _undo(
        self, unit: UnitOfWork, events: list[Event], task_id: UUID | None = None, expected: Revisions | None = None
    ) -> LoadedTasks:
        if len(events) > MAX_CHANGES:
            raise TooManyChanges
        rows = earlier(in_turns(events))
        of_kind = {kind: [row for row in rows if row.kind == kind] for kind in ("task", "list", "label")}
        tasks = self._tasks(unit, of_kind["task"], [task_id] if task_id else [])
        if task_id is not None:
            tasks.find(task_id, expected, in_trash_too=True)
        if not any(row.is_gone or row.kind != "label" or not row.is_new for row in rows):
            raise NothingToUndo
        gone = [row for row in rows if row.is_gone]
        if gone:
            raise NothingToUndo if len(gone) == len(rows) else ChangedSince((row.kind, row.id) for row in gone)
        _Undoing(unit, tasks, of_kind).run()
        return tasks

    def _tasks(self, unit: UnitOfWork, rows: list[Earlier], others: Collection[UUID]) -> LoadedTasks:
        """Load the tasks, the trees around them, and what they had before."""
        ids = {*(row.id for row in rows), *others}
        before = [(row.id, typed(task_queries.TASKS.table, row.fields)) for row in rows]
        names = Names(
            labels=[name for _, fields in before for name in fields.get("labels", ())],
            lists=tuple(fields["list_id"] for _, fields in before if fields.get("list_id")),
            parents={(each, fields["parent_id"]) for each, fields in before if fields.get("parent_id")},
            changes_trees=True,
            again=ids,
        )
        return LoadedTasks.load(unit, ids, self.max_tasks, names)


@dataclass(frozen=True, slots=True)
class _Undoing:
    """The undoing of the changes of rows, by their kinds."""

    unit: UnitOfWork
    tasks: LoadedTasks
    earlier: dict[str, list[Earlier]]

    def run(self) -> None:
        """Make all rows what they were; raises ChangedSince if that cannot be."""
        labels, lists = self._labels(), self._lists()
        trashed = {row.id for row in lists if row.deleted_at is not None}
        living = (self.tasks.lists.living | {row.id for row in lists}) - trashed
        done = self._as_before(self.tasks, sorted(self.earlier["task"], key=self._order), {row.name for row in labels})
        lists_there = living | self._lists_there(done, living)
        misfits = [
            task for task in in_turns(done) if not (self._has_list(task, living, lists_there) and self._fits(task))
        ]
        if misfits:
            raise ChangedSince(("task", task.id) for task in misfits)
        if trashed:
            ids = {"trashed_lists": [*trashed], "undone_tasks": [task.id for task in done]}
            filled = self.unit.read(queries.FILLED_SINCE, **ids)
            if filled:
                raise ChangedSince(("list", list_id) for list_id, _ in filled)

    def _order(self, row: Earlier) -> int:
        """Put new tasks last, from the highest level to the lowest: they go where the tasks above them are by then."""
        task = self.tasks.rows.get(row.id)
        return 1 + len(self.tasks.tree.above(task)) if row.is_new and task is not None else 0

    def _as_before(self, working: WorkingSet[R], rows: Iterable[Earlier], known: Collection[str] = ()) -> list[R]:
        """Make rows what they were; raises ChangedSince. `known` are labels that are there when all is undone."""
        changed = [(row.kind, row.id) for row in rows if not row.is_as_left(working.rows.get(row.id))]
        if changed:
            raise ChangedSince(changed)
        done = []
        for row in in_turns(rows):
            now = working.rows[row.id]
            was = now._replace(**self._fields(working, row, known))
            done.append(now if was == now else working.count(was))
        return done

    def _fields(self, working: WorkingSet[Any], row: Earlier, known: Collection[str]) -> dict[str, Any]:
        """Return the columns that an undone row gets. What was new goes to the trash."""
        if row.is_new:
            trashed = {"deleted_at": working.rows[row.id].deleted_at or self.unit.now}
            parent = self.tasks.tree.parent(working.rows[row.id]) if row.kind == "task" else None
            return trashed if parent is None else {**trashed, "list_id": parent.list_id}
        fields = typed(working.resource.table, row.fields)
        if row.kind == "label" and "name" in fields:
            fields["name_key"] = name_key_of(fields["name"])
        if "labels" in fields:
            labels = self.tasks.labels
            spelled = [name if name in known else labels.spelled([name])[0] for name in fields["labels"]]
            labels.make(name for name in spelled if name not in known)
            fields["labels"] = spelled
        return fields

    def _lists_there(self, tasks: Iterable[Row], living: Collection[UUID]) -> set[UUID]:
        """Return which lists of tasks in the trash are there, perhaps in the trash as well.

        The list that a task has until now is there: that is not read.
        """
        in_trash = [task for task in tasks if task.deleted_at is not None]
        found = {before.list_id for task in in_trash if (before := self.tasks.before(task.id)) and before.list_id}
        unknown = {task.list_id for task in in_trash if task.list_id is not None} - found - {*living}
        if unknown:
            rows = self.unit.read(queries.LISTS_THERE, undone_lists=[*unknown])
            found.update(list_id for list_id, _ in rows)
        return found

    def _has_list(self, task: Row, living: Collection[UUID], there: Collection[UUID]) -> bool:
        """Return whether a task's list is there, and is not in the trash while the task is not."""
        return task.list_id is None or task.list_id in (living if task.deleted_at is None else there)

    def _fits(self, task: Row) -> bool:
        """Return whether a task can be where it was in its tree."""
        before, tree = self.tasks.before(task.id), self.tasks.tree
        if task.parent_id is not None and (before is None or before.parent_id != task.parent_id):
            if task.id in {each.parent_id for each in (task, *tree.above(task))}:
                return False
            try:
                refuse_overgrown(task, tree)
            except (ValidationFailed, TooManySubtasks):
                return False
        return is_in_place(task, tree)

    def _lists(self) -> list[List]:
        rows = self.earlier["list"]
        if not rows:
            return []
        found = self.unit.load(queries.LISTS_BY_ID, undone_lists=[row.id for row in rows])
        return self._as_before(WorkingSet(LISTS, self.unit, found), rows)

    def _labels(self) -> list[Label]:
        """Make labels what they were. Those that were new stay: other tasks may carry them."""
        rows = [row for row in self.earlier["label"] if not row.is_new]
        if not rows:
            return []
        ids = [row.id for row in rows]
        labels = WorkingSet(LABELS, self.unit, self.unit.load(queries.LABELS_BY_ID, undone_labels=ids))
        keys = {row.id: key_of_label(row.fields["name"]) for row in rows if "name" in row.fields}
        if keys:
            others = self.unit.read(queries.LABELS_IN_THE_WAY, label_keys=[*keys.values()], undone_labels=ids)
            now = {key_of_label(label.name): label.id for label in labels.rows.values()}
            in_the_way = [now[key] for label_id, key in keys.items() if now.get(key, label_id) != label_id]
            if others or in_the_way:
                raise ChangedSince(("label", label_id) for label_id in (*(each for each, _ in others), *in_the_way))
        return self._as_before(labels, rows)
