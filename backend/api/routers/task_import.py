"""/api/tasks/import: tasks out of a file."""

from __future__ import annotations

from fastapi import APIRouter, Response

from backend.api.deps import ImportServices, TaskFile
from backend.api.http.envelope import ImportAnswer, import_response
from backend.api.http.preconditions import NoConditions
from backend.api.http.routes import UnlimitedRoute
from backend.api.openapi.files import task_file_body
from backend.api.openapi.operations import ANYWHERE, WITH_BODY, errors, success
from backend.api.streams.upload import unknown_type
from backend.errors import BadRequest, Forbidden, Unauthorized
from backend.formats.csv import NO_TITLE
from backend.formats.rows import unreadable
from backend.models.access_token import Scope
from backend.utils.greenlets import wait_for

router = APIRouter(
    prefix="/api/tasks",
    tags=["tasks"],
    route_class=UnlimitedRoute,
    responses=ANYWHERE | errors(Unauthorized, Forbidden(Scope.WRITE)),
)


@router.post(
    "/import",
    dependencies=[NoConditions],
    responses=success(200, "What became of the rows", ImportAnswer)
    | WITH_BODY
    | errors(BadRequest, unknown_type(), unreadable(NO_TITLE)),
    openapi_extra=task_file_body("Tasks as JSON lines, CSV or iCalendar; the Content-Type says which"),
)
def import_tasks(file: TaskFile, service: ImportServices) -> Response:
    """Import tasks from JSON lines, CSV (with the names of the columns in the first row) or iCalendar, in UTF-8.

    A row with an `id` (in iCalendar, a `UID` of whatever form) makes that task be as the row says: it is created,
    edited, brought back from the trash, or left alone if it is like that already. So an import can be repeated, and a
    file that was exported here makes the same tasks in any account. Later rows win. Where a deployment asks for
    `If-Match`, an import changes no task that is there, and a row that would is bad. A row without an `id` makes a new
    task each time. Besides what a task is created with, rows may have `created_at`, which counts for new tasks, and
    `completed_at`. What else an export has is ignored; a field that does not exist makes a row bad. One that is left
    out keeps its value.

    Each bad row is reported with its line, and all the others are stored: part by part, while the file arrives. After
    10000 bad rows the import stops: `stopped_at_line` is the line of the first row that it did not look at, and nothing
    from there on is stored. Correct the file and send it again.

    An import that is broken off (401, 408, 413, 503) has stored what came before; send the file again. Each server
    imports twice at once for you; for once more the answer is 429.
    """
    return import_response(wait_for(file.run(service)))
