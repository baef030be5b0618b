"""/api/undo, and that of a task: a change is undone, along with all that its request did."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Body, Response

from backend.api.deps import IfMatch, Once, Undos
from backend.api.http.envelope import data_response, tagged_response
from backend.api.openapi.answers import UndoneAnswer
from backend.api.openapi.operations import errors, invalid, success
from backend.api.routers.router import Router
from backend.api.routers.tasks import TASKS, TaskId
from backend.models.activity import REQUEST_ID_EXAMPLE, REQUEST_ID_PATTERN, Undone, UndoRequest
from backend.models.fields import UUID_EXAMPLE
from backend.services.activity.undo_rules import ChangedSince

_ID = UUID(UUID_EXAMPLE)
router = Router("/api/undo", "activity")
of_task = Router("/api/tasks", "activity", TASKS)

_NOT_UNDONE = errors(ChangedSince([("task", _ID)]))
_NO_ID = invalid("request_id", "string_pattern_mismatch", f"Must match {REQUEST_ID_PATTERN}")
_UNDONE = success(200, "How much was undone", UndoneAnswer) | _NOT_UNDONE | errors(_NO_ID)
Request = Annotated[
    UndoRequest,
    Body(
        openapi_examples={
            "undo": {"summary": "What a request did", "value": {"request_id": REQUEST_ID_EXAMPLE}},
        }
    ),
]


@router.post("", summary="Undo what a request did", responses=_UNDONE)
def undo_request(undos: Undos, data: Request, _once: Once) -> Response:
    """Undo all that a request of the last 90 days did to your tasks, labels and lists, by its `X-Request-ID`.

    So a batch, an import, or the deletion of a list with its tasks is undone at once: all of it, or nothing. The answer
    is 409 with `changed_since` in `details` for everything that has changed since, and 409 with `nothing_to_undo` if no
    such request is known. What the request created goes to the trash, but labels that it made stay. What was removed
    for good does not come back.

    To undo the undoing, send the `X-Request-ID` of this answer.
    """
    return data_response(Undone(changes=undos.undo_request(data.request_id)).model_dump_json())


@of_task.post("/{task_id:id}/undo", summary="Undo the last change of a task", responses=TASKS.changed | _NOT_UNDONE)
def undo_task(undos: Undos, task_id: TaskId, expected: IfMatch, _once: Once) -> Response:
    """Undo the last change of one of your tasks, and all that was changed along with it, such as its subtasks.

    A task that was created is then in the trash, and one that was deleted is back. To undo the undoing, send this
    again. The answer is 409 if something else that was changed along has changed since, or if no change of the last 90
    days is known: `details` says which. To undo only what you have seen, send its `ETag` as `If-Match`.
    """
    return tagged_response(undos.undo_task(task_id, expected))
