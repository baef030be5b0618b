"""/api/tasks/batch: operations on many tasks in one request."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import Body, Request, Response

from backend.api.deps import Batches, NoConditions, Once
from backend.api.http.envelope import batch_response
from backend.api.http.request_state import request_id_of
from backend.api.openapi.answers import BatchAnswer, example_of
from backend.api.openapi.operations import errors, invalid, success
from backend.api.routers.router import Router
from backend.api.routers.tasks import TASKS
from backend.errors import Conflict, Detail, PreconditionFailed, PreconditionRequired, TaskAPIError
from backend.models.batch import Batch
from backend.models.task import TaskPublic
from backend.services.tasks.rules import TaskNotFound
from backend.utils.plain_words import TOO_FEW

router = Router("/api/tasks", "tasks", TASKS)

_ID = "0197c1f0-7a3b-7c4d-8e5f-6a7b8c9d0e1f"


def _batch(summary: str, *operations: dict[str, Any], **fields: bool) -> dict[str, Any]:
    return {"summary": summary, "value": {"operations": list(operations), **fields}}


Operations = Annotated[
    Batch,
    Body(
        openapi_examples={
            "create": _batch(
                "Create two tasks",
                {"op": "create", "data": {"title": "Buy milk"}},
                {"op": "create", "data": {"title": "Buy bread", "completed": True}},
            ),
            "update": _batch("Edit if unchanged", {"op": "update", "id": _ID, "data": {"title": "B"}, "if_match": 42}),
            "complete": _batch(
                "Complete and reopen",
                {"op": "complete", "id": _ID},
                {"op": "complete", "id": _ID, "data": {"completed": False}, "if_match": "*"},
            ),
            "delete": _batch("Delete if unchanged", {"op": "delete", "id": _ID, "if_match": '"42"'}, atomic=False),
            "restore": _batch("Restore", {"op": "restore", "id": _ID}, atomic=True),
            "subtask": _batch(
                "Create a task with a subtask",
                {"op": "create", "ref": "trip", "data": {"title": "Trip"}},
                {"op": "create", "parent_ref": "trip", "data": {"title": "Pack"}},
            ),
        }
    ),
]


def _of_third(error: TaskAPIError) -> TaskAPIError:
    """Return the error as reported for the third operation."""
    error.details = (Detail("operations.2", error.code.lower(), error.message),)
    return error


_NO_OPERATIONS = invalid("operations", "too_short", TOO_FEW)


@router.post(
    "/batch",
    summary="Change up to 100 tasks at once",
    dependencies=[NoConditions],
    responses=success(200, "The result of each operation", BatchAnswer)
    | errors(
        _of_third(TaskNotFound()),
        _of_third(Conflict()),
        _of_third(PreconditionFailed(json.dumps(example_of(TaskPublic)), 42)),
        _of_third(PreconditionRequired()),
        _NO_OPERATIONS,
        current=TASKS.current,
    ),
)
def batch_tasks(batches: Batches, request: Request, data: Operations, _once: Once) -> Response:
    """Create, edit, complete, delete and restore up to 100 tasks in one request.

    Operations run in order, and each sees the effects of those before it. Each works like the separate call, except
    that `complete` without `data` completes and never toggles. `if_match` works like the header If-Match, for one task.
    A `create` with a `ref` lets later operations point at its task, by `ref` in place of `id`, or by `parent_ref`.

    All or nothing: when an operation fails, nothing is changed, the answer is that of the separate call, and `details`
    name the operation (`operations.2`). A request makes at most 10,000 changes, counting tasks that go along; more are
    409 with `too_many_changes` in `details`. With `"atomic": false` operations have results of their own, and what
    succeeds is kept.
    """
    return batch_response(batches.run(data), request_id_of(request))
