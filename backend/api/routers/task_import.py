"""/api/tasks/import: tasks from a file."""

from __future__ import annotations

from fastapi import APIRouter, Response

from backend.api.deps import ImportServices, NoConditions, Once, TaskFile
from backend.api.openapi.answers import ImportAnswer
from backend.api.openapi.files import task_file_body
from backend.api.openapi.operations import ANYWHERE, WITH_BODY, errors, success
from backend.api.routes import UnlimitedRoute
from backend.api.streams.upload import unknown_type
from backend.errors import BadRequest, Forbidden, Unauthorized
from backend.formats.csv import NO_TITLE
from backend.formats.rows import unreadable
from backend.models.access_token import Scope

router = APIRouter(
    prefix="/api/tasks",
    tags=["tasks"],
    route_class=UnlimitedRoute,
    responses=ANYWHERE | errors(Unauthorized, Forbidden(Scope.WRITE)),
)


@router.post(
    "/import",
    summary="Import tasks from a file",
    dependencies=[NoConditions],
    responses=success(200, "The result of the import", ImportAnswer)
    | WITH_BODY
    | errors(BadRequest, unknown_type(), unreadable(NO_TITLE)),
    openapi_extra=task_file_body("Tasks as JSON lines, CSV or iCalendar; the Content-Type says which"),
)
async def import_tasks(file: TaskFile, service: ImportServices, once: Once) -> Response:
    """Import tasks from JSON lines, CSV (with column names in the first row) or iCalendar, in UTF-8.

    A row with an `id` (in iCalendar, a `UID` of any form) makes that task match the row: the task is created, edited,
    restored from the trash, or left alone if it already matches. You can therefore repeat an import, and an exported
    file creates the same tasks in any account. Later rows win. A row without an `id` creates a task once, however often
    you send the file, and changes no task: one that you have edited since stays as it is. To create second copies, send
    a new `Idempotency-Key`. Where a deployment requires `If-Match`, an import changes no existing task, and rejects a
    row that would. In addition to the fields for creating a task, rows may have `created_at`, which applies to new
    tasks, and `completed_at`. Other exported fields are ignored. A row with an unknown field is rejected. Omitted
    fields keep their values. A task may come before its parent; if that never comes, the task has none, and `warnings`
    says so.

    A row whose meaning is clear is mended rather than rejected, and `warnings` says what was not kept as the file
    says. Entries that are no tasks, like the events of a calendar, are counted as `skipped`.

    Each rejected row is reported with its line, and all others are stored, part by part, while the file arrives.
    After 10000 rejected rows the import stops: `stopped_at_line` is the line of the first row that was not
    processed, and nothing from there on is stored. Correct the file and send it again.

    An import that is cut short (401, 408, 413, 503) has stored what came before; send the file again, with the same
    `Idempotency-Key` if it had one. You can run two imports at a time on each server; one more is answered 429.
    """
    return await file.run(service, once)
