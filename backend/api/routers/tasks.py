"""/api/tasks: the canonical example. A new resource copies this file, its service and its models."""

from __future__ import annotations

from typing import Annotated

from fastapi import Body, Path, Query, Request, Response

from backend.api.deps import IfMatch, IfNoneMatch, Once, OnlyNew, Tasks, of_user
from backend.api.http.envelope import not_modified, page_response, read_response, tagged_response
from backend.api.openapi.answers import TaskListAnswer
from backend.api.openapi.operations import errors, invalid, showing, success
from backend.api.openapi.resources import Documented
from backend.api.routers.router import Router
from backend.errors import BadRequest, Conflict, NoRoom
from backend.models.base import RowDocument
from backend.models.fields import UUID_EXAMPLE, CanonicalUUID
from backend.models.move import BOTH, TaskMove
from backend.models.task import TaskCompletion, TaskCreate, TaskUpdate
from backend.models.task_query import DeleteQuery, Included, ReadQuery, SubtasksQuery, TaskQuery
from backend.models.values.times import TIME_EXAMPLE
from backend.services.labels.rules import TooManyLabels
from backend.services.tasks import queries
from backend.services.tasks.listing import ListingService
from backend.utils.plain_words import BLANK

TASKS = Documented(
    queries.TASKS, "task", "Your tasks: one at a time, listings and batches.", new=TaskCreate, has_tag=True
)
router = Router("/api/tasks", "tasks", TASKS)

Listing = Annotated[ListingService, of_user(ListingService)]
TaskId = Annotated[CanonicalUUID, Path(description="The task's id", examples=["0197c1f0-7a3b-7c4d-8e5f-6a7b8c9d0e1f"])]
NewTask = Annotated[
    TaskCreate,
    Body(
        openapi_examples={
            "short": {"summary": "A title is enough", "value": {"title": "Buy milk"}},
            "long": {
                "summary": "With more fields",
                "value": {
                    "id": "0197c1f0-7a3b-7c4d-8e5f-6a7b8c9d0e1f",
                    "title": "Buy milk",
                    "description": "Two litres, the fresh one",
                    "completed": False,
                    "due_date": "2026-11-21",
                    "priority": "high",
                },
            },
        }
    ),
]
TaskEdit = Annotated[
    TaskUpdate,
    Body(
        openapi_examples={
            "edit": {
                "summary": "Change some fields",
                "value": {"title": "Buy oat milk", "description": "Two litres"},
            },
            "finish": {"summary": "Change one field", "value": {"completed": True}},
        }
    ),
]
Completion = Annotated[
    TaskCompletion,
    # Without a body it is None. A type that allows None would also document `null` as a body, which is rejected.
    Body(
        default_factory=lambda: None,
        openapi_examples={"set": {"summary": "Complete it, whatever its state", "value": {"completed": True}}},
    ),
]
Place = Annotated[
    TaskMove,
    Body(
        openapi_examples={
            "end": {"summary": "To the end of its list", "value": {}},
            "after": {"summary": "After another task", "value": {"after": UUID_EXAMPLE}},
            "list": {"summary": "To the end of another list", "value": {"list_id": UUID_EXAMPLE}},
        }
    ),
]
_MERGE_PATCH = {
    "application/merge-patch+json": {
        "schema": {"$ref": "#/components/schemas/TaskUpdate"},
        "example": {"title": "Buy oat milk"},
    }
}
_TOO_LONG = invalid("query.limit", "less_than_equal", "Must be less than or equal to 1000")
_NOT_INCLUDED = invalid("query.include", "enum", Included.refusal())
_BLANK = invalid("title", "string_too_short", BLANK)
_DONE = {"completed_at": TIME_EXAMPLE, "status": "done"}
_MOVED = {"position": "p17952534001234560000421V"}
_NO_PLACE = invalid("before", "after_or_before", BOTH)
_NO_QUERY_FLAG = invalid("query.permanent", "bool_parsing", "Must be true or false")
_NO_FLAG = invalid("completed", "bool_type", "Must be true or false; in JSON, without quotes")


@router.post(
    "", summary="Create a task", status_code=201, responses=TASKS.made | TASKS.made_before | errors(Conflict, _BLANK)
)
def create_task(tasks: Tasks, data: NewTask, only_new: OnlyNew, _once: Once) -> Response:
    """Create a task.

    Only `title` is required. To make double clicks and retries safe, send your own `id` (a UUID) or an
    `Idempotency-Key`: repeating the request then creates no second task. With an `id`, a repeat is answered 200 with
    the current task; with a key, exactly as the first time.

    With `parent_id` it becomes a subtask: it comes into the list of that task.

    The answer is 409 if the `id` belongs to another task, or to one in the trash. It is also 409 if your account is
    full: the code in `details` is then `too_many_tasks`, or `too_many_labels` if it would make too many labels, or
    `too_many_subtasks` if there are 1,000 tasks below one already.
    """
    return _created(tasks.create(data, only_new=only_new))


def _created(task: RowDocument) -> Response:
    return tagged_response(task, status=201 if task.is_new else 200, Location=f"/api/tasks/{task.id}")


@router.get(
    "",
    summary="List, filter and search tasks",
    responses=success(200, "A page of your tasks", TaskListAnswer, "List-ETag", "Link") | errors(BadRequest, _TOO_LONG),
)
def list_tasks(
    request: Request, listing: Listing, query: Annotated[TaskQuery, Query()], known: IfNoneMatch
) -> Response:
    """List your tasks, newest first, or filter them and sort them differently.

    A listing holds the tasks that match every filter. When `page.has_more` is true, send `page.next_cursor` as `cursor`
    to get the next page, or follow the `Link` header. No task appears twice or goes missing because others come or go
    between pages.

    Send the `ETag` that you have as `If-None-Match`: if none of your tasks has changed, you get 304 immediately. A
    listing with `overdue` changes with time, and is always answered in full.
    """
    page = listing.list(query, known.known)
    if known.match_weakly(page.tag) and not query.changes_with_time:
        return not_modified(page.tag)
    return page_response(page, request)


@router.get("/{task_id:id}", summary="Read a task", responses=TASKS.read | errors(_NOT_INCLUDED))
def get_task(tasks: Tasks, task_id: TaskId, query: Annotated[ReadQuery, Query()], known: IfNoneMatch) -> Response:
    """Read one of your tasks.

    With `include=subtask_counts`, it is always answered in full: the counts change with other tasks, and the `ETag`
    does not.
    """
    with_counts = query.include is not None
    task = tasks.get(task_id, with_counts=with_counts)
    return tagged_response(task) if with_counts else read_response(task, known)


@router.put(
    "/{task_id:id}", summary="Edit a task (the fields sent)", responses=TASKS.changed | errors(TooManyLabels, _BLANK)
)
def update_task(tasks: Tasks, task_id: TaskId, expected: IfMatch, data: TaskEdit) -> Response:
    """Edit one of your tasks.

    Omitted fields keep their values, so that a form never clears what it does not show. `"description": null` clears
    the description. An edit that changes nothing leaves `updated_at` and `revision` unchanged. If you send both
    `status` and `completed`, the one that differs from the stored task counts; if both differ, they must agree.
    `labels` replace all labels of the task; the answer is 409 if that would make too many labels.

    A `parent_id` makes it a subtask, and null takes it from its parent. All tasks below it go with it to another list.
    If the edit completes or reopens it, others of its tree change along, as with `PATCH /api/tasks/{task_id}/complete`.

    You can send a whole task back with some fields changed: what only the service sets (`created_at`, `revision` and
    so on) is ignored. An `id` or a `user_id` that is not this task's is refused.

    Send the `ETag` that you have as `If-Match` to avoid overwriting an edit that was made since you read the task.
    """
    return tagged_response(tasks.update(task_id, data, expected))


@router.patch(
    "/{task_id:id}",
    summary="Edit a task (merge patch)",
    openapi_extra={"requestBody": {"content": _MERGE_PATCH}},
    responses=TASKS.changed | errors(TooManyLabels, _BLANK),
)
def patch_task(tasks: Tasks, task_id: TaskId, expected: IfMatch, data: TaskEdit) -> Response:
    """Change only the fields you send, as a JSON merge patch (RFC 7396).

    The body can be `application/json` or `application/merge-patch+json`.
    """
    return tagged_response(tasks.update(task_id, data, expected))


@router.patch(
    "/{task_id:id}/complete",
    summary="Complete or reopen a task",
    responses=showing(TASKS.changed, _DONE) | errors(_NO_FLAG),
)
def complete_task(tasks: Tasks, task_id: TaskId, expected: IfMatch, _once: Once, data: Completion) -> Response:
    """Complete or reopen one of your tasks.

    Without a body the call toggles the task. `{"completed": true}` or `{"completed": false}` sets its state, which is
    safe to repeat: use it when a request may be sent twice, or send an `Idempotency-Key`. Completing leads to the
    status `done`, reopening a completed task to `todo`; a task that is not completed keeps its status. PATCH and POST
    do the same.

    Completing a task completes the open tasks below it, and reopening it reopens those that were completed along with
    it, and the completed tasks above it. With `"cascade": false`, only the task itself changes.
    """
    if data is None:
        return tagged_response(tasks.toggle(task_id, expected))
    return tagged_response(tasks.complete(task_id, expected, completed=data.completed, cascade=data.cascade))


@router.post(
    "/{task_id:id}/complete",
    summary="Complete or reopen a task, with POST",
    responses=showing(TASKS.changed, _DONE) | errors(_NO_FLAG),
)
def post_complete_task(tasks: Tasks, task_id: TaskId, expected: IfMatch, once: Once, data: Completion) -> Response:
    """Do what `PATCH /api/tasks/{task_id}/complete` does, for clients that cannot send PATCH."""
    return complete_task(tasks, task_id, expected, once, data)


@router.delete(
    "/{task_id:id}",
    summary="Delete a task (to the trash, or for good)",
    status_code=204,
    responses=TASKS.removed | errors(_NO_QUERY_FLAG),
)
def delete_task(tasks: Tasks, task_id: TaskId, expected: IfMatch, query: Annotated[DeleteQuery, Query()]) -> Response:
    """Delete one of your tasks.

    The task moves to the trash, with all tasks below it, and counts as missing from then on: deleting it again is
    answered 404. You can restore it for 30 days. With `permanent=true` it is deleted permanently, even if it is already
    in the trash, and so are all tasks below it.
    """
    (tasks.remove if query.permanent else tasks.delete)(task_id, expected)
    return Response(status_code=204)


@router.post("/{task_id:id}/restore", summary="Restore a task from the trash", responses=TASKS.changed)
def restore_task(tasks: Tasks, task_id: TaskId, expected: IfMatch, _once: Once) -> Response:
    """Restore one of your tasks from the trash.

    The tasks below it that went to the trash along with it come back, too, and so do those above it. What comes back
    has no parent any more if that is gone for good. A task that is not in the trash is returned unchanged, so this call
    is safe to repeat.
    """
    return tagged_response(tasks.restore(task_id, expected))


@router.post(
    "/{task_id:id}/move",
    summary="Move a task to another place",
    responses=showing(TASKS.changed, _MOVED) | errors(NoRoom, _NO_PLACE),
)
def move_task(tasks: Tasks, task_id: TaskId, expected: IfMatch, _once: Once, data: Place) -> Response:
    """Move one of your tasks to another place in its list, or into another list.

    Send the id of the task that it should stand directly `after` or `before`; with neither, it moves to the end of the
    list. With `list_id` it moves into that list, in which the other task must be, too, and with `parent_id` under that
    task. It gets a `position` between its neighbours. Where neighbours have equal positions, some tasks get a new
    position. The tasks below it go to the same list, and are last there; no other task changes. A task that already
    stands there is returned unchanged, so this call is safe to repeat. `GET /api/tasks?list_id=…&sort=position` lists a
    list in this order.
    """
    return tagged_response(tasks.move(task_id, data, expected))


@router.get(
    "/{task_id:id}/subtasks",
    summary="List the subtasks of a task",
    responses=success(200, "A page of the task's subtasks", TaskListAnswer, "List-ETag", "Link")
    | errors(BadRequest, _TOO_LONG),
)
def list_subtasks(
    request: Request, listing: Listing, task_id: TaskId, query: Annotated[SubtasksQuery, Query()], known: IfNoneMatch
) -> Response:
    """List the subtasks of one of your tasks, those on the next level, in the order of their positions.

    `GET /api/tasks?parent_id=…` lists them, too, and takes filters. Pages and the `ETag` are like those of
    `GET /api/tasks`.
    """
    page = listing.list(query.of(task_id), known.known, of_living=True)
    return not_modified(page.tag) if known.match_weakly(page.tag) else page_response(page, request)
