"""Many operations on a user's tasks, in one unit of work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from uuid_utils.compat import uuid7

from backend.database.giving_way import in_turns
from backend.database.retry import once_only
from backend.database.session import Sessions
from backend.errors import Detail, PreconditionFailed, PreconditionRequired, TaskAPIError, ValidationFailed
from backend.models.base import RowDocument
from backend.models.batch import (
    AnyOperation,
    Batch,
    CompleteOperation,
    CreateOperation,
    DeleteOperation,
    RestoreOperation,
    UpdateOperation,
)
from backend.services.tasks import rules
from backend.services.tasks.loaded import LoadedTasks
from backend.services.tasks.named import Names
from backend.services.tasks.rules import Row
from backend.services.tasks.service import create_in
from backend.services.unit_of_work import UnitOfWork, unit_of_work

# The task after the operation, None if it was deleted, or the error.
Outcome = RowDocument | TaskAPIError | None
Operations = list[tuple[AnyOperation, UUID]]  # each with the id of its task

_UNKNOWN = "No earlier operation creates a task with this ref"
_TAKEN = "An earlier operation already creates a task with this ref: choose another one"


@dataclass(frozen=True, slots=True)
class BatchService:
    """Batches of one user, who has at most `max_tasks` tasks. A batch takes two round trips, or three.

    A batch joins `unit`, if there is one.
    """

    sessions: Sessions
    user_id: str
    max_tasks: int
    require_if_match: bool = False
    unit: UnitOfWork | None = None
    new_id: Callable[[], UUID] = uuid7

    @once_only
    def run(self, batch: Batch) -> list[Outcome]:
        """Do the operations in order: all or none if the batch is atomic, and otherwise whatever succeeds.

        If the batch is atomic, raises the error of the first operation that fails: its details name the operation.
        """
        operations = _pointed([(operation, self._task_id(operation)) for operation in batch.operations])
        with unit_of_work(self.sessions, self.user_id, joined=self.unit) as unit:
            ids = {task_id for _, task_id in operations}
            tasks = LoadedTasks.load(unit, ids, self.max_tasks, _names(operations))
            outcomes: list[Outcome] = []
            for operation, task_id in in_turns(operations):
                try:
                    with unit.all_or_nothing():
                        outcomes.append(self._do(tasks, operation, task_id))
                except TaskAPIError as error:
                    if batch.atomic:
                        raise _refusal(tasks, error, len(outcomes), task_id) from None
                    # Its frames would keep all that was computed: the garbage collector would take long for that.
                    outcomes.append(error.with_traceback(None))
        return outcomes

    def _task_id(self, operation: AnyOperation) -> UUID | None:
        """Return the id that an operation names or gets; None if it points at the task of another operation."""
        if isinstance(operation, CreateOperation):
            return operation.data.id or self.new_id()
        return operation.id

    def _do(self, tasks: LoadedTasks, operation: AnyOperation, task_id: UUID) -> Outcome:
        """Do one operation on the task with this id; raises what the same single call raises."""
        if isinstance(operation, CreateOperation):
            return create_in(tasks, operation.data, task_id)
        if self.require_if_match and operation.if_match is None:
            raise PreconditionRequired
        if isinstance(operation, UpdateOperation):
            rules.refuse_another(operation.data, task_id, self.user_id)
        expected = None if operation.if_match is None else operation.if_match.revisions
        current = tasks.find(task_id, expected, in_trash_too=isinstance(operation, RestoreOperation))
        if isinstance(operation, RestoreOperation):
            return tasks.document(tasks.restore(current))
        is_alone = isinstance(operation, CompleteOperation) and not operation.data.cascade
        task = tasks.keep(_changed(current, operation, tasks), cascades=not is_alone)
        return None if isinstance(operation, DeleteOperation) else tasks.document(task)


def _names(operations: Operations) -> Names:
    """Return what the operations name."""
    kinds = {type(operation) for operation, _ in operations}
    times = Counter(task_id for _, task_id in operations)
    names = Names.of(
        ((task_id, each.data) for each, task_id in operations if isinstance(each, CreateOperation | UpdateOperation)),
        restores=RestoreOperation in kinds,
        changes_trees=not kinds.isdisjoint({CompleteOperation, DeleteOperation}),
        adopts=any(isinstance(each, CreateOperation) and each.data.id is not None for each, _ in operations),
    )
    return names._replace(again={task_id for task_id, number in times.items() if number > 1})


def _changed(task: Row, operation: UpdateOperation | CompleteOperation | DeleteOperation, tasks: LoadedTasks) -> Row:
    if isinstance(operation, DeleteOperation):
        return rules.trashed(task, tasks.unit.now)
    if isinstance(operation, CompleteOperation):
        return rules.with_completion(task, completed=operation.data.completed, at=tasks.unit.now)
    return rules.edited(task, operation.data, tasks.unit.now)


def _refusal(tasks: LoadedTasks, error: TaskAPIError, index: int, task_id: UUID) -> TaskAPIError:
    """Return the error of an operation; its details name the operation."""
    # Show the task from before the batch, which is undone. A task created in the batch has no such state.
    if isinstance(error, PreconditionFailed) and (before := tasks.before(task_id)) is not None:
        error = tasks.changed_since(before)
    place = f"operations.{index}"
    error.details = (Detail(place, error.code.lower(), error.message), *_under(f"{place}.data", error.details))
    return error


def _under(place: str, details: Iterable[Detail]) -> Iterable[Detail]:
    """Name fields as parts of an operation's data: nothing else has details."""
    for detail in details:
        field = place if detail.field == "body" else f"{place}.{detail.field}"
        yield Detail(field, detail.code, detail.message)


def _pointed(operations: Iterable[tuple[AnyOperation, UUID | None]]) -> Operations:
    """Let operations point at the tasks that their references name; raises ValidationFailed for unknown references."""
    found: Operations = []
    ids: dict[str, UUID] = {}
    for index, (operation, given) in enumerate(operations):
        task_id = _id_of(ids, operation.ref, f"operations.{index}.ref") if given is None else given
        if isinstance(operation, CreateOperation | UpdateOperation) and operation.parent_ref is not None:
            operation.data.parent_id = _id_of(ids, operation.parent_ref, f"operations.{index}.parent_ref")
        if isinstance(operation, CreateOperation) and operation.ref is not None:
            if operation.ref in ids:
                raise ValidationFailed(details=(Detail(f"operations.{index}.ref", "ref_taken", _TAKEN),))
            ids[operation.ref] = task_id
        found.append((operation, task_id))
    return found


def _id_of(ids: Mapping[str, UUID], ref: str | None, field: str) -> UUID:
    task_id = ids.get(ref or "")
    if task_id is None:
        raise ValidationFailed(details=(Detail(field, "ref_unknown", _UNKNOWN),))
    return task_id
