"""The rules of an import: each row sets its task to what it says."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from backend.errors import Detail, OutsideList, TooManySubtasks, ValidationFailed
from backend.formats.rows import ROW, OtherUID
from backend.models.task_file import NOTHING_SAID, Fate, ImportedTask
from backend.services.labels.rules import TooManyLabels
from backend.services.task_files.mending import KEPT_TITLE, title_from
from backend.services.tasks.loaded import LoadedTasks
from backend.services.tasks.rules import DATES, IdTaken, Row, TooManyTasks, edited, refuse_contradictions, with_dates
from backend.services.tasks.tree import Tree, restored
from backend.utils.positions import LAST

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_SKEW = timedelta(days=1)  # how far ahead a clock may be: another service's now, or ours at that time

_IMPORTED_BEFORE = Detail(
    ROW,
    "imported_before",
    "An import has made a task of this row before, which has changed since and stays as it is. For a second one, send "
    "the file with a new Idempotency-Key",
)
_DROPPED = "The start and the due date, of which the row omits one, contradict each other: the start was left out"
UNSEEN = Detail(
    "id",
    "precondition_required",
    "It already exists and differs. This service requires an ETag for a change, which no file has: edit it directly",
)


_LATER = {
    name: Detail(name, "moment_dropped", "This is in the future, and was left out")
    for name in ("created_at", "completed_at")
}
_LATE_POSITION = Detail(
    "position", "position_late", "This is after all positions that there can be: the task became the last one"
)
_CYCLE = Detail("parent_id", "parent_cycle", "The task would be below itself: it has no such parent")
_OVERGROWN = {"too_deep", "too_many_subtasks"}
_STAYS = "{}: the task stays where it is, or comes to the top"
_NO_SUBTASK = Detail(ROW, "subtask_missing", "The file names a subtask of this task that is not there: it was left out")


class Placed(NamedTuple):
    """A row with the id of its task, which is made from the row if that names none."""

    id: UUID
    task: ImportedTask
    uid: str | None = None  # under which a calendar knows it
    other_uids: tuple[OtherUID, ...] = ()
    is_foreign: bool = False  # what it says is mended, rather than refused

    @property
    def names_its_task(self) -> bool:
        """Return whether the row itself has the id. Only such a row changes a task."""
        return self.task.id is not None

    def without_parent(self) -> Placed:
        """Return the row as if it did not name its parent."""
        said = self.task.model_dump(exclude_unset=True, exclude={"parent_id"})
        return self._replace(task=ImportedTask.model_construct(**said))

    def with_id(self, old: UUID, new: UUID) -> Placed:
        """Return the row with another id of its task or its parent."""
        is_below = self.task.parent_id == old
        task = self.task.model_copy(update={"parent_id": new}) if is_below else self.task
        return self._replace(id=new if self.id == old else self.id, task=task)


class Link(NamedTuple):
    """A task that a row has as a subtask, with the line of the row."""

    line: int
    id: UUID
    parent_id: UUID
    other_uids: tuple[OtherUID, ...] = ()
    in_same_list: bool = False  # only if both are in one list by then

    def with_id(self, old: UUID, new: UUID) -> Link:
        """Return the link with another id of one of its tasks."""
        task_id, parent_id = (new if each == old else each for each in (self.id, self.parent_id))
        return self._replace(id=task_id, parent_id=parent_id)


class Stored(NamedTuple):
    """What became of a row, and what of it was not kept."""

    fate: Fate
    mends: tuple[Detail, ...] = ()
    awaits: UUID | None = None  # the parent that it names, if that is not there yet
    left: UUID | None = None  # the parent that it names, but has left for another list


def put(tasks: LoadedTasks, row: Placed, made_at: datetime, *, only_adds: bool) -> Stored | Detail:
    """Set the task to what the row says, or return why that is impossible.

    `made_at` is when it is created, if the row does not say. `only_adds`: every change must name the task's ETag, which
    no row does.
    """
    result = _put_or_refused(tasks, row, made_at, only_adds=only_adds)
    if isinstance(result, Detail) and result.code in _OVERGROWN and row.is_foreign and row.task.parent_id:
        stored = _put_or_refused(tasks, row.without_parent(), made_at, only_adds=only_adds)
        told = replace(result, message=_STAYS.format(result.message))
        return stored if isinstance(stored, Detail) else stored._replace(mends=(*stored.mends, told))
    return result


def _put_or_refused(tasks: LoadedTasks, row: Placed, made_at: datetime, *, only_adds: bool) -> Stored | Detail:
    """Do what `put` does, but refuse a parent that the row cannot have."""
    try:
        row, mends = _without_later_times(row, tasks.unit.now) if row.is_foreign else (row, ())
        _refuse_other_times(row.task, tasks.unit.now)
        refuse_contradictions(row.task)
        with tasks.unit.all_or_nothing():
            is_again = not row.names_its_task and row.id in tasks.rows
            fitting, dropped = (row, ()) if is_again else _with_fitting_start(row, tasks.rows.get(row.id))
            result = (_put_again if is_again else _put)(tasks, fitting, made_at, only_adds=only_adds)
        if isinstance(result, Detail):
            return result
        mends += dropped + result.mends + _untitled(row.task, result.fate) + _circular(tasks, row)
        return result._replace(awaits=_awaited(tasks, row), left=_left(tasks, row), mends=mends)
    except (ValidationFailed, OutsideList, IdTaken) as error:
        return error.details[0]
    except (TooManyTasks, TooManyLabels, TooManySubtasks) as error:
        return replace(error.details[0], field=ROW)


def joined(tasks: LoadedTasks, link: Link, *, only_adds: bool) -> Detail | None:
    """Make a task a subtask, if it has no parent of its own; returns why that is impossible."""
    child, parent = tasks.rows.get(link.id), tasks.rows.get(link.parent_id)
    if parent is None or parent.deleted_at is not None:
        return None  # its row was refused
    if child is None or child.deleted_at is not None:
        return _NO_SUBTASK
    if child.parent_id is not None or (link.in_same_list and child.list_id != parent.list_id):
        return None
    if only_adds:
        return UNSEEN
    position = child.position if child.list_id == parent.list_id else LAST
    try:
        with tasks.unit.all_or_nothing():
            kept = tasks.keep(child._replace(parent_id=parent.id, position=position), is_of_file=True)
        return None if kept.parent_id == parent.id else replace(_CYCLE, field=ROW)
    except (ValidationFailed, TooManySubtasks) as error:
        return replace(error.details[0], field=ROW)


def _circular(tasks: LoadedTasks, row: Placed) -> tuple[Detail, ...]:
    """Return what to say about a parent that the row names, if that is below its task or is the task itself."""
    parent = tasks.rows.get(row.task.parent_id) if row.task.parent_id else None
    is_below = parent is not None and row.id in {parent.id, *(each.id for each in tasks.tree.above(parent))}
    return (_CYCLE,) if is_below else ()


def _with_fitting_start(row: Placed, current: Row | None) -> tuple[Placed, tuple[Detail, ...]]:
    """Leave out a start that contradicts the due date, if the row omits one of both: the due date stays as it is."""
    said = row.task.model_dump(include=row.task.model_fields_set & {*DATES})
    is_whole = all(not said.keys().isdisjoint({f"{name}_date", f"{name}_at"}) for name in ("due", "start"))
    if current is None or is_whole or not said:
        return row, ()
    try:
        with_dates(current, said)
    except ValidationFailed as error:
        (detail,) = error.details
        if detail.code in {"start_and_due_differ", "start_after_due"}:
            task = row.task.model_copy(update={"start_date": None, "start_at": None})
            return row._replace(task=task), (replace(detail, code="start_dropped", message=_DROPPED),)
    return row, ()


def _untitled(task: ImportedTask, fate: Fate) -> tuple[Detail, ...]:
    """Return what to say about the title of a row without one. A row that omits it leaves that of a task alone."""
    if task.title is not None:
        return ()
    if fate is Fate.CREATED:
        return title_from(task.description)[1]
    return (KEPT_TITLE,) if "title" in task.model_fields_set else ()


def _awaited(tasks: LoadedTasks, row: Placed) -> UUID | None:
    """Return the parent of a row's task, if the row names it and it is not there."""
    parent_id = tasks.rows[row.id].parent_id
    return parent_id if parent_id == row.task.parent_id and parent_id not in tasks.rows else None


def _left(tasks: LoadedTasks, row: Placed) -> UUID | None:
    """Return the parent that a row names, if its task has left it for another list. A later row may bring it there."""
    task, parent = tasks.rows[row.id], tasks.rows.get(row.task.parent_id) if row.task.parent_id else None
    is_left = parent is not None and task.parent_id is None and task.list_id != parent.list_id
    return parent.id if parent is not None and is_left else None


def _put_again(tasks: LoadedTasks, row: Placed, made_at: datetime, *, only_adds: bool) -> Stored | Detail:
    """Leave the task as it is that an import has made of this row before; if it is in the trash, bring it back."""
    current = tasks.rows[row.id]
    if current.deleted_at is not None and only_adds:
        return UNSEEN
    fate = Fate.UNCHANGED
    if current.deleted_at is not None:
        current, fate = tasks.restore(current), Fate.RESTORED
    return Stored(fate, () if _is_as_said(tasks, current, row, made_at) else (_IMPORTED_BEFORE,))


def _is_as_said(tasks: LoadedTasks, current: Row, row: Placed, made_at: datetime) -> bool:
    try:
        return _wanted(tasks, row, made_at) == current
    except ValidationFailed:  # it has changed so much that the row would contradict it
        return False


def _put(tasks: LoadedTasks, row: Placed, made_at: datetime, *, only_adds: bool) -> Stored | Detail:
    current = tasks.rows.get(row.id)
    wanted = _wanted(tasks, row, made_at)  # refuses what no task can be, before anything changes
    if only_adds and current is not None:
        return Stored(Fate.UNCHANGED) if wanted == current else UNSEEN
    parent = tasks.rows.get(row.task.parent_id) if row.task.parent_id else None
    if parent is None or parent.deleted_at is None or only_adds:
        return _stored(tasks, current, wanted)
    tasks.restore(parent)
    return _stored(tasks, current, _wanted(tasks, row, made_at))  # it may have come back along with its parent


def _stored(tasks: LoadedTasks, current: Row | None, wanted: Row) -> Stored:
    """Add or keep a task as its row sets it; `current` is how it was before the row."""
    if current is None:
        return Stored(Fate.CREATED, _moved(wanted, tasks.add(wanted, is_of_file=True)))
    kept = tasks.keep(wanted, cascades=False, is_of_file=True)
    mends = _moved(wanted, kept)
    if current.deleted_at is not None:
        return Stored(Fate.RESTORED, mends)
    return Stored(Fate.UNCHANGED if kept == current else Fate.UPDATED, mends)


def _moved(wanted: Row, stored: Row) -> tuple[Detail, ...]:
    """Return what to tell of a task that has got another position than its row wants."""
    return (_LATE_POSITION,) if LAST != wanted.position > stored.position else ()


def _wanted(tasks: LoadedTasks, row: Placed, made_at: datetime) -> Row:
    """Return the task as the row sets it."""
    current = tasks.rows.get(row.id)
    if current is None:
        return new_task(row.id, row.task, tasks.unit.now, made_at)
    return tasks.spelled(changed(current, row.task, tasks.unit.now, tasks.lists.living, tasks.tree))


def _without_later_times(row: Placed, now: datetime) -> tuple[Placed, tuple[Detail, ...]]:
    """Leave out when a task was created or completed, if that is yet to come; returns the row, and what was mended."""
    said = {name: getattr(row.task, name) for name in _LATER}
    later = [name for name, moment in said.items() if moment is not None and moment > now + _SKEW]
    task = row.task.model_copy(update=dict.fromkeys(later)) if later else row.task
    return row._replace(task=task), tuple(_LATER[name] for name in later)


def _refuse_other_times(task: ImportedTask, now: datetime) -> None:
    """Raise ValidationFailed for a time that no task can have."""
    for name in ("created_at", "completed_at"):
        moment = getattr(task, name)
        if moment is not None and not EARLIEST <= moment <= now + _SKEW:
            detail = Detail(name, "moment_out_of_range", "Must be a time between 1970 and now")
            raise ValidationFailed(details=(detail,))


def new_task(task_id: UUID, task: ImportedTask, now: datetime, made_at: datetime) -> Row:
    """Return the task that a row creates, at `made_at` if the row does not say when.

    Raises ValidationFailed if the row says nothing about it.
    """
    if task.model_fields_set <= {"id"}:
        raise ValidationFailed(details=(NOTHING_SAID,))
    created_at = made_at if task.created_at is None else min(task.created_at, now)
    title, _ = title_from(task.description)
    return edited(Row(task_id, created_at, now, title), task, _past(task.completed_at, now))


def changed(current: Row, task: ImportedTask, now: datetime, lists: Container[UUID], tree: Tree) -> Row:
    """Return a task as a row sets it, out of the trash. The completion time changes only when `completed` does."""
    return edited(restored(current, lists, tree), task, _past(task.completed_at, now))


def _past(moment: datetime | None, now: datetime) -> datetime:
    return now if moment is None else min(moment, now)
