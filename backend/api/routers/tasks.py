"""/api/tasks: the canonical example. A new resource copies this file, its service and its models."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Response

from backend.api.body import StrictRoute
from backend.api.deps import NoQuery, NoRepetition, Tasks
from backend.api.responses import (
    ANYWHERE,
    UNKNOWN_PARAMETER,
    WITH_BODY,
    TaskAnswer,
    TaskListAnswer,
    errors,
    page_response,
    success,
    task_response,
)
from backend.errors import (
    BadRequest,
    Conflict,
    Detail,
    TaskNotFound,
    Unauthorized,
    ValidationFailed,
)
from backend.models.task import TaskCompletion, TaskCreate, TaskQuery, TaskUpdate
from backend.utils.validation import PathUUID

router = APIRouter(
    prefix="/api/tasks",
    tags=["tasks"],
    route_class=StrictRoute,
    responses=ANYWHERE | errors(Unauthorized, UNKNOWN_PARAMETER),
)

TaskId = Annotated[PathUUID, Path(description="The task's id", examples=["0197c1f0-7a3b-7c4d-8e5f-6a7b8c9d0e1f"])]
NewTask = Annotated[
    TaskCreate,
    Body(
        openapi_examples={
            "short": {"summary": "A title is enough", "value": {"title": "Buy milk"}},
            "long": {
                "summary": "With everything",
                "value": {
                    "id": "0197c1f0-7a3b-7c4d-8e5f-6a7b8c9d0e1f",
                    "title": "Buy milk",
                    "description": "Two litres, the fresh one",
                    "completed": False,
                },
            },
        }
    ),
]
TaskEdit = Annotated[
    TaskUpdate,
    Body(
        openapi_examples={
            "edit": {"summary": "Change some fields", "value": {"title": "Buy oat milk", "description": "Two litres"}},
            "finish": {"summary": "Change one field", "value": {"completed": True}},
        }
    ),
]
Completion = Annotated[
    TaskCompletion,
    # Without a body it is None. A type that says so would also document `null` as a body, which is refused.
    Body(
        default_factory=lambda: None,
        openapi_examples={"set": {"summary": "Complete it, whatever it was", "value": {"completed": True}}},
    ),
]
_MERGE_PATCH = {
    "application/merge-patch+json": {
        "schema": {"$ref": "#/components/schemas/TaskUpdate"},
        "example": {"title": "Buy oat milk"},
    }
}
_TOO_LONG = ValidationFailed(
    details=(Detail("query.limit", "less_than_equal", "Input should be less than or equal to 1000"),)
)
_BLANK = ValidationFailed(details=(Detail("title", "string_too_short", "String should have at least 1 character"),))
_NO_FLAG = ValidationFailed(details=(Detail("completed", "bool_type", "Input should be a valid boolean"),))


@router.get(
    "",
    dependencies=[NoRepetition],
    responses=success(200, "A page of your tasks", TaskListAnswer) | errors(BadRequest, _TOO_LONG),
)
def list_tasks(tasks: Tasks, query: Annotated[TaskQuery, Query()]) -> Response:
    """List your tasks, newest first.

    A page holds up to `limit` tasks. When `page.has_more` is true, send `page.next_cursor` as `cursor` to get the next
    page. Tasks that are created or deleted meanwhile never make another one appear twice or not at all.
    """
    return page_response(tasks.list(query.limit, query.cursor))


@router.post(
    "",
    status_code=201,
    dependencies=[NoQuery],
    responses=success(201, "The new task", TaskAnswer, created=True) | WITH_BODY | errors(Conflict, _BLANK),
)
def create_task(tasks: Tasks, data: NewTask) -> Response:
    """Create a task.

    Only `title` is needed. Send your own `id` (a UUID) to be safe against double clicks and repeated requests: an id
    that you used before answers 409 instead of making a second task. So does an account that is full: the code in
    `details` is then `too_many_tasks`.
    """
    task = tasks.create(data)
    return task_response(task, status=201, Location=f"/api/tasks/{task.id}")


@router.get("/{task_id}", dependencies=[NoQuery], responses=success(200, "The task", TaskAnswer) | errors(TaskNotFound))
def get_task(tasks: Tasks, task_id: TaskId) -> Response:
    """Read one of your tasks."""
    return task_response(tasks.get(task_id))


@router.put(
    "/{task_id}",
    dependencies=[NoQuery],
    responses=success(200, "The task as it is now", TaskAnswer) | WITH_BODY | errors(TaskNotFound, _BLANK),
)
def update_task(tasks: Tasks, task_id: TaskId, data: TaskEdit) -> Response:
    """Edit one of your tasks.

    A field that is left out keeps its value, so that a form never wipes what it does not show. `"description": null`
    clears the description. An edit that changes nothing leaves `updated_at` and `revision` as they are.
    """
    return task_response(tasks.update(task_id, data))


@router.patch(
    "/{task_id}",
    dependencies=[NoQuery],
    openapi_extra={"requestBody": {"content": _MERGE_PATCH}},
    responses=success(200, "The task as it is now", TaskAnswer) | WITH_BODY | errors(TaskNotFound, _BLANK),
)
def patch_task(tasks: Tasks, task_id: TaskId, data: TaskEdit) -> Response:
    """Change exactly the fields you send: a JSON merge patch (RFC 7396).

    Accepted as `application/json` and as `application/merge-patch+json`.
    """
    return task_response(tasks.update(task_id, data))


@router.patch(
    "/{task_id}/complete",
    dependencies=[NoQuery],
    responses=success(200, "The task as it is now", TaskAnswer) | WITH_BODY | errors(TaskNotFound, _NO_FLAG),
)
def complete_task(tasks: Tasks, task_id: TaskId, data: Completion) -> Response:
    """Complete one of your tasks, or reopen it.

    Without a body it toggles. With `{"completed": true}` or `{"completed": false}` it sets, which is safe to repeat:
    prefer it when a request may be sent twice.
    """
    return task_response(tasks.complete(task_id, completed=data.completed if data else None))


@router.delete(
    "/{task_id}",
    status_code=204,
    dependencies=[NoQuery],
    responses=success(204, "It is in the trash") | errors(TaskNotFound),
)
def delete_task(tasks: Tasks, task_id: TaskId) -> Response:
    """Delete one of your tasks.

    It moves to the trash and counts as missing from then on; deleting it again answers 404.
    """
    tasks.delete(task_id)
    return Response(status_code=204)
