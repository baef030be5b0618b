"""Documentation of task files in each format, as answers and as request bodies."""

from __future__ import annotations

import json
from typing import Any

from backend.api.http.envelope import example_of
from backend.api.openapi.components import in_components
from backend.api.openapi.headers import EVERYWHERE, named
from backend.api.openapi.operations import Responses
from backend.api.streams.download import MEDIA_TYPES as EXPORTED
from backend.api.streams.upload import MEDIA_TYPES as IMPORTED
from backend.formats.csv import CSVWriter
from backend.models.task import TaskPublic
from backend.models.task_file import FileFormat, ImportedTask

_TASK = json.dumps(example_of(TaskPublic), separators=(",", ":")) + "\n"
# A literal, because the iCalendar library is loaded only when it is needed.
CALENDAR_EXAMPLE = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Task API//EN
BEGIN:VTODO
UID:0197c1f0-7a3b-7c4d-8e5f-6a7b8c9d0e1f
DTSTAMP:20261121T093000Z
LAST-MODIFIED:20261121T093000Z
CREATED:20261121T093000Z
SUMMARY:Buy milk
DESCRIPTION:Two litres\\, the fresh one
STATUS:COMPLETED
COMPLETED:20261121T093000Z
PERCENT-COMPLETE:100
END:VTODO
END:VCALENDAR
""".replace("\n", "\r\n")
_EXAMPLES = {
    FileFormat.JSON_LINES: _TASK,
    FileFormat.CSV: CSVWriter.beginning + CSVWriter().write(_TASK),
    FileFormat.CALENDAR: CALENDAR_EXAMPLE,
}


def task_files(description: str) -> Responses:
    """Document an answer that is a task file."""
    kinds = {kind.partition(";")[0]: _file(kind, file_format, TaskPublic) for file_format, kind in EXPORTED.items()}
    headers = named(*EVERYWHERE) | named("Content-Disposition")
    return {200: {"description": description, "headers": headers, "content": kinds}}


def task_file_body(description: str) -> dict[str, Any]:
    """Document a request body that is a task file."""
    kinds = {kind: _file(kind, file_format, ImportedTask) for kind, file_format in IMPORTED.items()}
    return {"requestBody": {"description": description, "required": True, "content": kinds}}


def _file(kind: str, file_format: FileFormat, line: type[TaskPublic | ImportedTask]) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string", "format": "binary", "contentMediaType": kind}
    if file_format is FileFormat.JSON_LINES:
        schema["contentSchema"] = {"type": "array", "items": in_components(line)}
    return {"schema": schema, "example": _EXAMPLES[file_format]}
