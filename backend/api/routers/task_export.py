"""/api/tasks/export: all active tasks as a file."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response
from fastapi.responses import StreamingResponse

from backend.api.deps import AnyExport, of_user
from backend.api.openapi.files import task_files
from backend.api.openapi.operations import errors, invalid
from backend.api.routers.router import Router
from backend.api.routers.tasks import TASKS
from backend.models.task_file import FileFormat, TaskExportQuery
from backend.services.task_files.export_service import TaskExportService

_UNKNOWN = invalid("query.format", "enum", FileFormat.refusal())

router = Router("/api/tasks", "tasks", TASKS)

TaskExports = Annotated[TaskExportService, of_user(TaskExportService)]


@router.get(
    "/export",
    summary="Export tasks as a file",
    response_class=StreamingResponse,
    responses=task_files("All your tasks, as a file") | errors(_UNKNOWN),
)
def export_tasks(export: AnyExport, service: TaskExports, query: Annotated[TaskExportQuery, Query()]) -> Response:
    """Export all your tasks, or those of one list, except those in the trash: as JSON lines, CSV or iCalendar.

    They are in the order of their ids. JSON lines hold tasks as `GET /api/tasks/{task_id}` returns them. In CSV, text
    that a spreadsheet would read as a formula begins with an apostrophe; for Excel, add `bom=true`. In iCalendar each
    task is a VTODO, and times are precise to the second. You can import all three and get the same tasks. A task that
    exists throughout the export appears exactly once. A task that changes meanwhile appears in its old or new state.

    If the database becomes unavailable during the export, the connection is closed early, and clients report an
    incomplete transfer; an iCalendar file then lacks its last line, END:VCALENDAR. A server runs two of your exports at
    a time, and answers 429 to a third.
    """
    with export.slot() as slot:
        return export.tasks(service.read(query.file_format, query.list_id), query).holding(slot)
