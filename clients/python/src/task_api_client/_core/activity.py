"""The calls that tell what was changed, and that undo it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional

from task_api_client._core.context import Context
from task_api_client._core.reading import read
from task_api_client._core.sending import change, path_of
from task_api_client._core.sending import get as reading
from task_api_client._core.sessions import content_of, data_of
from task_api_client._core.steps import Call
from task_api_client.inputs import ActivityQuery, IfMatch, TaskActivityQuery
from task_api_client.values import Activity, Event, Task

if TYPE_CHECKING:
    from typing_extensions import Unpack


def _page(context: Context, path: str) -> Call[Activity]:
    content = yield from content_of(context, reading(path))
    page = content["page"]
    return Activity([read(Event, item) for item in content["data"]], page["has_more"], page["next_cursor"])


def activity(context: Context, **query: Unpack[ActivityQuery]) -> Call[Activity]:
    """List what was changed in the last 90 days, the latest first: one page of it."""
    return (yield from _page(context, path_of("activity", query=query)))


def activity_of(context: Context, task_id: str, **query: Unpack[TaskActivityQuery]) -> Call[Activity]:
    """List what was changed in a task, the latest first: one page of it."""
    return (yield from _page(context, path_of("tasks", task_id, "activity", query=query)))


def undo(context: Context, task_id: str, *, if_match: Optional[IfMatch] = None) -> Call[Task]:
    """Undo the last change of a task, with all that was changed along. Undoing twice does it again."""
    request = change("POST", path_of("tasks", task_id, "undo"), None, if_match)
    return read(Task, (yield from data_of(context, request)))


def undo_request(context: Context, request_id: str) -> Call[int]:
    """Undo all that a request did, whose id an event has; returns how many tasks, labels and lists that changes."""
    undone = yield from data_of(context, change("POST", path_of("undo"), {"request_id": request_id}))
    changes: int = undone["changes"]
    return changes
