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

# The task as it is after the operation, None when that deleted it, or what went wrong.
Outcome = TaskDocument | TaskAPIError | None


@dataclass(frozen=True, slots=True)
class BatchService:
    """Batches of one user, who has at most `max_tasks` tasks. Each is the same few round trips, however long it is."""

    sessions: Sessions
    user_id: str
    max_tasks: int
    require_if_match: bool = False
    new_id: Callable[[], UUID] = uuid7

    @once_only
    def run(self, batch: Batch) -> list[Outcome]:
        """Do the operations in their order, all or, unless the batch is atomic, those that go well.

        Raises what the first one that fails has met, when the batch is atomic: its details name the operation.
        """
        try:
            with self.sessions.transaction(self.user_id) as sessions, sessions(self.user_id) as session:
                return self._run(session, batch)
        except NothingChanged as nothing:
            outcomes: list[Outcome] = nothing.result
            return outcomes

    def _run(self, session: Session, batch: Batch) -> list[Outcome]:
        """Do the operations and store what they change; raises when nothing is to be kept."""
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
        """Wait for the user's row, and then read the user's tasks of these ids: they stay as they are until the end."""
        ((revision, task_count, now),) = session.exec(batch_queries.LOCK, params={"principal": self.user_id})
        params = {"principal": self.user_id, "task_ids": list(task_ids)}
        rows = [Row(*row) for row in session.exec(batch_queries.READ, params=params)]
        tasks = {row.id: row for row in rows}
        return LoadedTasks(revision, task_count, now, self.max_tasks, self.require_if_match, tasks)

    def _store(self, session: Session, account: LoadedTasks, steps: list[Step], before: Tasks) -> list[Outcome]:
        """Store the account, and each task that was changed as the last change left it; returns what became of each."""
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
        """Say what the last step has met, and which operation that was."""
        step = steps[-1]
        if step.task is not None:
            # What those before it changed is taken back. A task that they made has no state but that.
            step = Step(step.kind, before.get(step.task.id, step.task))
        (error,) = self._store(session, account, [step], before)
        assert isinstance(error, TaskAPIError)  # noqa: S101 - the step is a failure
        place = f"operations.{len(steps) - 1}"
        error.details = (Detail(place, error.code.lower(), error.message), *_under(f"{place}.data", error.details))
        return error


def _under(place: str, details: Iterable[Detail]) -> Iterable[Detail]:
    """Name the fields as those of an operation's data, which alone have something to say."""
    for detail in details:
        field = place if detail.field == "body" else f"{place}.{detail.field}"
        yield Detail(field, detail.code, detail.message)


def _outcome(step: Step, json: str) -> Outcome:
    """Say what became of an operation; its task is written in JSON."""
    if step.task is None or step.kind is Kind.DELETED:
        return step.error
    if step.kind is Kind.CHANGED_SINCE:
        return PreconditionFailed(json, step.task.revision)
    return TaskDocument(json, step.task.revision, step.task.id, is_new=step.kind is Kind.CREATED)
