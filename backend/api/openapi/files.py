"""How the contract describes files and streams. They are text and no JSON object, but their parts have schemas."""

from __future__ import annotations

import json
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from backend.api.openapi.answers import example_of
from backend.api.openapi.operations import ALWAYS, Responses, named
from backend.api.openapi.resources import CHANGES
from backend.api.streams.download import JSON_LINES
from backend.api.streams.download import MEDIA_TYPES as EXPORTED
from backend.api.streams.file_types import MEDIA_TYPES as IMPORTED
from backend.formats.csv import CSVWriter
from backend.formats.fields import FIELDS
from backend.models.base import Input
from backend.models.task import TaskPublic
from backend.models.task_file import FileFormat, ImportedTask, ReadFormat

Schema = dict[str, Any]

_TASK = json.dumps(example_of(TaskPublic), separators=(",", ":")) + "\n"


def _properties(*, of_text: bool) -> str:
    """Write those fields of the example that are plain properties of a calendar."""
    values = example_of(TaskPublic)
    plain = {name: field for name, field in FIELDS.items() if field.property and field.is_text is of_text}
    written = {each.property: "" if values[name] is None else each.write(values[name]) for name, each in plain.items()}
    return "\n".join(f"{name}:{value}".replace(",", "\\,") for name, value in written.items())


# Not by the writer: the iCalendar library is loaded only when it is needed.
CALENDAR_EXAMPLE = f"""\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Task API//EN
BEGIN:VTODO
UID:0197c1f0-7a3b-7c4d-8e5f-6a7b8c9d0e1f
DTSTAMP:20261121T093000Z
LAST-MODIFIED:20261121T093000Z
X-TASK-API-CREATED:2026-11-21T09:30:00.123456+00:00
CREATED:20261121T093000Z
{_properties(of_text=True)}
STATUS:NEEDS-ACTION
DUE;VALUE=DATE:20261121
DTSTART;VALUE=DATE:20261121
X-TASK-API-TIMEZONE:
PRIORITY:1
CATEGORIES:home,errand
{_properties(of_text=False)}
X-TASK-API-PARENT:
END:VTODO
END:VCALENDAR
""".replace("\n", "\r\n")
_EXAMPLES = {
    FileFormat.JSON_LINES: _TASK,
    FileFormat.CSV: CSVWriter.beginning + CSVWriter().write(_TASK),
    FileFormat.CALENDAR: CALENDAR_EXAMPLE,
}
_PLACE = "#/components/schemas/{model}"
_parts: dict[str, type[BaseModel]] = {}


def event_stream(description: str) -> Responses:
    """Document an answer that is a stream of server-sent events, by what the `data` of an event holds.

    OpenAPI 3.1 cannot say more of a stream. Generators that know streams make an iterator over these values.
    """
    content = {"schema": {"anyOf": [_part(model) for model in CHANGES]}, "example": example_of(TaskPublic)}
    return {200: {"description": description, "headers": ALWAYS, "content": {"text/event-stream": content}}}


def json_lines(description: str, kinds: dict[str, type[BaseModel]]) -> Responses:
    """Document an answer that is a file of JSON lines, with one line of each `type` as its example."""
    line = {"oneOf": [_line(kind, model) for kind, model in kinds.items()]}
    example = "".join(json.dumps({"type": kind, "data": example_of(model)}) + "\n" for kind, model in kinds.items())
    return _file(description, {JSON_LINES: _text(JSON_LINES, example, line)})


def task_files(description: str) -> Responses:
    """Document an answer that is a task file."""
    return _file(
        description,
        {kind.partition(";")[0]: _tasks(kind, file_format, TaskPublic) for file_format, kind in EXPORTED.items()},
    )


def task_file_body(description: str) -> dict[str, Any]:
    """Document a request body that is a task file."""
    content = {
        kind: _array() if file_format is ReadFormat.JSON else _tasks(kind, FileFormat(file_format), ImportedTask)
        for kind, file_format in IMPORTED.items()
    }
    return {"requestBody": {"description": description, "required": True, "content": content}}


def schemas_of_parts() -> dict[str, Schema]:
    """Return the schemas of all models that describe a part of a text, and of the models they reference."""
    models: list[tuple[type[BaseModel], Literal["serialization", "validation"]]]
    models = [(model, "validation" if issubclass(model, Input) else "serialization") for model in _parts.values()]
    schemas: dict[str, Schema] = models_json_schema(models, ref_template=_PLACE)[1]["$defs"]
    return schemas


def _part(model: type[BaseModel]) -> Schema:
    """Return a reference to a model, and note that the contract must have its schema."""
    _parts[model.__name__] = model
    return {"$ref": _PLACE.format(model=model.__name__)}


def _text(kind: str, example: str, part: Schema | None) -> dict[str, Any]:
    """Document text that consists of parts. Generated clients treat it as text."""
    schema: Schema = {"type": "string", "format": "binary", "contentMediaType": kind}
    if part is not None:
        schema["contentSchema"] = {"type": "array", "items": part}
    return {"schema": schema, "example": example}


def _line(kind: str, model: type[BaseModel]) -> Schema:
    properties = {"type": {"type": "string", "const": kind}, "data": _part(model)}
    return {"type": "object", "required": list(properties), "properties": properties}


def _tasks(kind: str, file_format: FileFormat, line: type[TaskPublic | ImportedTask]) -> dict[str, Any]:
    return _text(kind, _EXAMPLES[file_format], _part(line) if file_format is FileFormat.JSON_LINES else None)


def _array() -> dict[str, Any]:
    """Document a JSON array of tasks, whose elements are those of a listing."""
    task = {name: value for name, value in example_of(TaskPublic).items() if name in ImportedTask.model_fields}
    return {"schema": {"type": "array", "items": _part(ImportedTask)}, "example": [task]}


def _file(description: str, content: dict[str, Any]) -> Responses:
    return {200: {"description": description, "headers": ALWAYS | named("Content-Disposition"), "content": content}}
