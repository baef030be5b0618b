"""/api/activity, and that of a task: what changes did."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request, Response

from backend.api.deps import of_user
from backend.api.http.envelope import events_response
from backend.api.openapi.answers import ActivityAnswer
from backend.api.openapi.operations import errors, invalid, success
from backend.api.routers.router import Router
from backend.api.routers.tasks import TASKS, TaskId
from backend.errors import BadRequest
from backend.models.activity import MAX_EVENTS, ActivityQuery, EventsQuery
from backend.services.activity.service import ActivityService

router = Router("/api/activity", "activity")
of_task = Router("/api/tasks", "activity", TASKS)

Activity = Annotated[ActivityService, of_user(ActivityService)]
_TOO_MANY = invalid("query.limit", "less_than_equal", f"Must be less than or equal to {MAX_EVENTS}")
_PAGE = success(200, "A page of events", ActivityAnswer, "Link") | errors(BadRequest, _TOO_MANY)


@router.get("", summary="List what was changed", responses=_PAGE)
def list_activity(request: Request, activity: Activity, query: Annotated[ActivityQuery, Query()]) -> Response:
    """List what was changed in your tasks, labels and lists in the last 90 days, the latest first.

    Each event says when and by whom, what was done, and how the fields that differ were before. When `page.has_more` is
    true, send `page.next_cursor` as `cursor` to get the next page. To follow changes as they happen, read
    `GET /api/changes`.
    """
    return events_response(activity.list(query), request)


@of_task.get("/{task_id:id}/activity", summary="List what was changed in a task", responses=_PAGE)
def list_task_activity(
    request: Request, activity: Activity, task_id: TaskId, query: Annotated[EventsQuery, Query()]
) -> Response:
    """List what was changed in one of your tasks in the last 90 days, the latest first.

    Events stay when the task is gone for good, without its texts.
    """
    return events_response(activity.of_task(task_id, query), request)
