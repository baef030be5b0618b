"""/api/tasks/export: all living tasks as a file."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from backend.api.deps import AnyExport, TaskExports
from backend.api.http.routes import FixedRoute
from backend.api.openapi.files import task_files
from backend.api.openapi.operations import ANYWHERE, errors
from backend.errors import Detail, Forbidden, Unauthorized, ValidationFailed
from backend.models.access_token import Scope
from backend.models.task_file import UNKNOWN_FORMAT, TaskExportQuery

_UNKNOWN = ValidationFailed(details=(Detail("query.format", "enum", UNKNOWN_FORMAT),))

router = APIRouter(
    prefix="/api/tasks",
    tags=["tasks"],
    route_class=FixedRoute,
    responses=ANYWHERE | errors(Unauthorized, Forbidden(Scope.READ), _UNKNOWN),
)


@router.get("/export", response_class=StreamingResponse, responses=task_files("All your tasks, as a file"))
def export_tasks(export: AnyExport, service: TaskExports, query: Annotated[TaskExportQuery, Query()]) -> Response:
    """Export all your tasks by their ids, those in the trash left out: as JSON lines, CSV or iCalendar.

    JSON lines are tasks as they are answered one by one. In CSV, a text that a spreadsheet would take for a formula
    begins with an apostrophe. In iCalendar each task is a VTODO, and times are to the second. An import takes all
    three, and gets the same tasks. What is there all the time is in the file exactly once; what changes meanwhile, as
    it was or as it is.

    When the database goes away under way, the connection is closed before the end, and programs say that the transfer
    was not complete; an iCalendar file then lacks its last line, END:VCALENDAR. Each server exports twice at once for
    you; for once more the answer is 429.
    """
    return export.tasks(service.read(), query.file_format)
