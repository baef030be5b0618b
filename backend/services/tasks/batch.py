"""Many operations on one user's tasks, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from uuid_utils.compat import uuid7

from backend.database.retry import once_only
from backend.database.session import NothingChanged, Session, Sessions
from backend.errors import Detail, PreconditionFailed, TaskAPIError
from backend.models.base import TaskDocument
from backend.models.batch import AnyOperation, Batch, CreateOperation
from backend.services.tasks import batch_queries
from backend.services.tasks.rules import Kind, LoadedTasks, Row, Step, Tasks

# The task after the operation, None if it was deleted, or the error.
Outcome = TaskDocument | TaskAPIError | None


@dataclass(frozen=True, slots=True)
class BatchService:
    """Batches of one user, who has at most `max_tasks` tasks. A batch of any length takes the same few round trips."""

    sessions: Sessions
    user_id: str
    max_tasks: int
    require_if_match: bool = False
    new_id: Callable[[], UUID] = uuid7

    @once_only
    def run(self, batch: Batch) -> list[Outcome]:
        """Do the operations in order: all or none if the batch is atomic, else those that succeed.

        If the batch is atomic, raises the error of the first operation that fails: its details name the operation.
        """
        try:
            with self.sessions.transaction(self.user_id) as sessions, sessions(self.user_id) as session:
                return self._run(session, batch)
        except NothingChanged as nothing:
            outcomes: list[Outcome] = nothing.result
            return outcomes

    def _run(self, session: Session, batch: Batch) -> list[Outcome]:
        """Do the operations and store the changes; raises when there is nothing to keep."""
        operations = [(operation, self._task_id(operation)) for operation in batch.operations]
        account = self._lock(session, {task_id for _, task_id in operations})
        before, revision = dict(account.tasks), account.revision
        steps: list[Step] = []
        for operation, task_id in operations:
            steps.append(account.do(operation, task_id))
            if batch.atomic and steps[-1].is_failure:
                raise self._refusal(session, account, steps, before)
        outcomes = self._store(session, account, steps, before)
        if account.revision == revision:
            raise NothingChanged(outcomes)
        return outcomes

    def _task_id(self, operation: AnyOperation) -> UUID:
        if isinstance(operation, CreateOperation):
            return operation.data.id or self.new_id()
        return operation.id

    def _lock(self, session: Session, task_ids: Iterable[UUID]) -> LoadedTasks:
        """Lock the user's row, then read the user's tasks with these ids: nobody else can change them until the end."""
        ((revision, task_count, now),) = session.exec(batch_queries.LOCK, params={"principal": self.user_id})
        params = {"principal": self.user_id, "task_ids": list(task_ids)}
        rows = [Row(*row) for row in session.exec(batch_queries.READ, params=params)]
        tasks = {row.id: row for row in rows}
        return LoadedTasks(revision, task_count, now, self.max_tasks, self.require_if_match, tasks)

    def _store(self, session: Session, account: LoadedTasks, steps: list[Step], before: Tasks) -> list[Outcome]:
        """Store the account, and the final state of each changed task; returns the outcome of each step."""
        shown = {index: step.task for index, step in enumerate(steps) if step.task is not None}
        last = {task.id: index for index, task in shown.items() if task != before.get(task.id)}
        states = [(index, last.get(task.id) == index, *task) for index, task in shown.items()]
        json: dict[int, str] = {}
        if states:
            arrays = dict(zip(batch_queries.ARRAYS, map(list, zip(*states, strict=True)), strict=True))
            counters = {"new_revision": account.revision, "new_task_count": account.task_count}
            params = {"principal": self.user_id, **counters, **arrays}
            json = dict(session.exec(batch_queries.STORE, params=params))
        return [_outcome(step, json.get(index, "")) for index, step in enumerate(steps)]

    def _refusal(self, session: Session, account: LoadedTasks, steps: list[Step], before: Tasks) -> TaskAPIError:
        """Return the error of the last step; its details name the operation."""
        step = steps[-1]
        if step.task is not None:
            # Show the task from before the batch, which is undone. A task created in the batch has no such state.
            step = Step(step.kind, before.get(step.task.id, step.task))
        (error,) = self._store(session, account, [step], before)
        assert isinstance(error, TaskAPIError)  # noqa: S101 - the step is a failure
        place = f"operations.{len(steps) - 1}"
        error.details = (Detail(place, error.code.lower(), error.message), *_under(f"{place}.data", error.details))
        return error


def _under(place: str, details: Iterable[Detail]) -> Iterable[Detail]:
    """Name the fields as those of an operation's data: only these have details."""
    for detail in details:
        field = place if detail.field == "body" else f"{place}.{detail.field}"
        yield Detail(field, detail.code, detail.message)


def _outcome(step: Step, json: str) -> Outcome:
    """Return the outcome of an operation; `json` is its task."""
    if step.task is None or step.kind is Kind.DELETED:
        return step.error
    if step.kind is Kind.CHANGED_SINCE:
        return PreconditionFailed(json, step.task.revision)
    return TaskDocument(json, step.task.revision, step.task.id, is_new=step.kind is Kind.CREATED)
