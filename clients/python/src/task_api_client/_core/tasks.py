"""The calls of tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Optional

from task_api_client._core.context import Context
from task_api_client._core.reading import read
from task_api_client._core.sending import change, path_of
from task_api_client._core.sending import get as reading
from task_api_client._core.sessions import content_of, data_of, send
from task_api_client._core.steps import Call, Give, Loop, Request
from task_api_client.errors import NotFound, PreconditionFailed
from task_api_client.inputs import (
    FileFormat,
    IfMatch,
    NewTaskFields,
    Operation,
    SubtaskQuery,
    TaskChanges,
    TaskFilter,
    TaskPlace,
    TaskQuery,
)
from task_api_client.values import ImportReport, Page, PageInfo, Result, StatusCounts, Task

if TYPE_CHECKING:
    from typing_extensions import Unpack

PAGE_TASKS = 1000
KINDS = {"jsonl": "application/jsonl", "csv": "text/csv", "ics": "text/calendar"}


def _page(context: Context, path: str) -> Call[Page]:
    content = yield from content_of(context, reading(path))
    return Page([read(Task, item) for item in content["data"]], read(PageInfo, content["page"]))


def _task(context: Context, request: Request) -> Call[Task]:
    return read(Task, (yield from data_of(context, request)))


def list_page(context: Context, **query: Unpack[TaskQuery]) -> Call[Page]:
    """List tasks: one page of them."""
    return (yield from _page(context, path_of("tasks", query=query)))


def all_tasks(context: Context, **query: Unpack[TaskFilter]) -> Loop[Task]:
    """Go through all tasks that a listing finds, over all its pages."""
    cursor: Optional[str] = None
    while True:
        asked = {"limit": PAGE_TASKS, **query, "cursor": cursor}
        page = yield from _page(context, path_of("tasks", query=asked))
        for task in page.tasks:
            yield Give(task)
        cursor = page.page.next_cursor
        if cursor is None:
            return


def subtasks(context: Context, task_id: str, **query: Unpack[SubtaskQuery]) -> Call[Page]:
    """List the subtasks of a task: one page of them."""
    return (yield from _page(context, path_of("tasks", task_id, "subtasks", query=query)))


def counts(context: Context, **query: Unpack[TaskFilter]) -> Call[StatusCounts]:
    """Count the tasks of each status that a listing finds."""
    asked = {**query, "limit": 1, "include_counts": True}
    page = yield from _page(context, path_of("tasks", query=asked))
    found = page.page.counts
    assert found is not None  # noqa: S101 - we have asked for them
    return found


def get(context: Context, task_id: str) -> Call[Task]:
    """Read a task. Raises NotFound."""
    return (yield from _task(context, reading(path_of("tasks", task_id))))


def create(context: Context, title: str, **fields: Unpack[NewTaskFields]) -> Call[Task]:
    """Create a task, once, even if an answer is lost."""
    return (yield from _task(context, change("POST", path_of("tasks"), {"title": title, **fields})))


def update(
    context: Context, task_id: str, *, if_match: Optional[IfMatch] = None, **changes: Unpack[TaskChanges]
) -> Call[Task]:
    """Edit a task: what is not named stays. With `if_match`, the task as you have seen it, nobody's edit is lost.

    Raises PreconditionFailed, which has the task as it is now, if it has changed since.
    """
    request = change("PATCH", path_of("tasks", task_id), dict(changes), if_match)
    try:
        return (yield from _task(context, request))
    except PreconditionFailed as problem:
        if problem.unsure and problem.task is not None and _has(problem.task, dict(changes)):
            return problem.task  # the answer to the first try was lost, and the next met the task as that had left it
        raise


def _has(task: Task, changes: dict[str, Any]) -> bool:
    """Tell whether a task has what an edit sets."""
    return all(str(getattr(task, name, task.extra.get(name))) == str(value) for name, value in changes.items())


def complete(
    context: Context,
    task_id: str,
    completed: bool = True,  # noqa: FBT001, FBT002 - complete(id, False) reads well
    *,
    cascade: Optional[bool] = None,
    if_match: Optional[IfMatch] = None,
) -> Call[Task]:
    """Complete a task, or reopen it; its subtasks too, unless `cascade` is False."""
    body = {"completed": completed, **({} if cascade is None else {"cascade": cascade})}
    return (yield from _task(context, change("PATCH", path_of("tasks", task_id, "complete"), body, if_match)))


def toggle(context: Context, task_id: str, *, if_match: Optional[IfMatch] = None) -> Call[Task]:
    """Complete a task that is open, reopen one that is completed: once, even if an answer is lost."""
    return (yield from _task(context, change("PATCH", path_of("tasks", task_id, "complete"), None, if_match)))


def remove(
    context: Context, task_id: str, *, permanent: bool = False, if_match: Optional[IfMatch] = None
) -> Call[None]:
    """Move a task to the trash, or remove it for good."""
    path = path_of("tasks", task_id, query={"permanent": permanent or None})
    yield from removal(context, change("DELETE", path, None, if_match))


def removal(context: Context, request: Request) -> Call[None]:
    """Send a deletion. One that has been carried out has succeeded, also if its answer was lost."""
    try:
        yield from send(context, request)
    except NotFound as problem:
        if not problem.unsure:
            raise


def restore(context: Context, task_id: str, *, if_match: Optional[IfMatch] = None) -> Call[Task]:
    """Take a task out of the trash."""
    return (yield from _task(context, change("POST", path_of("tasks", task_id, "restore"), None, if_match)))


def move(
    context: Context, task_id: str, *, if_match: Optional[IfMatch] = None, **place: Unpack[TaskPlace]
) -> Call[Task]:
    """Move a task after or before another, into a list, under a task; without any of these, to the end."""
    return (yield from _task(context, change("POST", path_of("tasks", task_id, "move"), dict(place), if_match)))


def batch(context: Context, operations: Sequence[Operation], *, atomic: bool = True) -> Call[list[Result]]:
    """Carry out up to 100 operations at once: all or none of them, unless `atomic` is False."""
    body = {"operations": list(operations), "atomic": atomic}
    results = yield from data_of(context, change("POST", path_of("tasks", "batch"), body))
    return [read(Result, result) for result in results]


def import_file(context: Context, content: bytes, *, kind: FileFormat = "jsonl") -> Call[ImportReport]:
    """Import a file of JSON lines, CSV or iCalendar."""
    request = change("POST", path_of("tasks", "import"))
    headers = {**request.headers, "Content-Type": KINDS[kind]}
    return read(ImportReport, (yield from data_of(context, replace(request, content=content, headers=headers))))


def export_file(context: Context, *, kind: FileFormat = "jsonl", list_id: Optional[str] = None) -> Call[bytes]:
    """Export the tasks, or those of a list, as a file."""
    path = path_of("tasks", "export", query={"format": kind, "list_id": list_id})
    return (yield from send(context, reading(path))).content


def request(context: Context, method: str, path: str, *, body: Any = None) -> Call[Any]:
    """Send any other call, such as ("GET", "/api/me"); returns what `data` holds."""
    asked = reading(path) if method == "GET" else change(method, path, body)
    return (yield from data_of(context, asked))
