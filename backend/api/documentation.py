"""How operations and their answers are documented: statuses, headers, examples."""

from __future__ import annotations

import json
from typing import Any

from fastapi.sse import format_sse_event
from pydantic import BaseModel

from backend.api.conditions import malformed
from backend.api.export import JSON_LINES
from backend.api.responses import (
    REQUEST_ID_EXAMPLE,
    CurrentTaskAnswer,
    ErrorAnswer,
    TaskAnswer,
    TaskListAnswer,
    envelope,
    example_of,
)
from backend.errors import (
    Detail,
    InternalError,
    PayloadTooLarge,
    PreconditionFailed,
    PreconditionRequired,
    RateLimited,
    RequestTimeout,
    ServiceUnavailable,
    TaskAPIError,
    UnsupportedMediaType,
    ValidationFailed,
)
from backend.models.task import TaskPublic

Responses = dict[int | str, dict[str, Any]]

_TEXT = {"type": "string"}
_HEADERS = {
    "X-Request-Id": {"description": "Names this request in our logs", "schema": _TEXT, "required": True},
    "RateLimit-Policy": {
        "description": "How many requests (q) you may send in how many seconds (w)",
        "schema": {"type": "string"},
        "example": '"user";q=600;w=60',
    },
    "RateLimit": {
        "description": "How many requests you have left (r), and the seconds until that changes (t)",
        "schema": {"type": "string"},
        "example": '"user";r=599;t=42',
    },
}
_ETAG_HEADER = {
    "ETag": {
        "description": "The task's revision, quoted: for If-Match and If-None-Match",
        "schema": _TEXT,
        "required": True,
        "example": '"42"',
    }
}
_LIST_ETAG_HEADER = {
    "ETag": {
        "description": "Another one after each change of any of your tasks: for If-None-Match",
        "schema": _TEXT,
        "required": True,
        "example": '"42-7-1795253400123456"',
    }
}
_LINK_HEADER = {
    "Link": {
        "description": 'The first page (`rel="first"`), and the next one where there is one (`rel="next"`)',
        "schema": _TEXT,
        "required": True,
        "example": '</api/tasks?limit=50>; rel="first", </api/tasks?limit=50&cursor=AAAA>; rel="next"',
    }
}
_LOCATION_HEADER = {"Location": {"description": "Where the new task is", "schema": _TEXT, "required": True}}
_ERROR_HEADERS = {
    "WWW-Authenticate": {
        "description": "`Bearer`, and what is wrong with the token",
        "schema": _TEXT,
        "required": True,
    },
    "Retry-After": {"description": "Seconds to wait", "schema": {"type": "integer"}, "required": True},
    **_ETAG_HEADER,
}
_FILE_HEADER = {
    "Content-Disposition": {
        "description": "The name of the file",
        "schema": _TEXT,
        "required": True,
        "example": 'attachment; filename="task-api-export.jsonl"',
    }
}
_REPLAYED_HEADER = {
    "Idempotency-Replayed": {
        "description": "`true` when this is the stored answer to an earlier request with the same Idempotency-Key",
        "schema": _TEXT,
    }
}
# What may be missing from an answer.
OPTIONAL_HEADERS = frozenset(_REPLAYED_HEADER)


def success(
    status: int,
    description: str,
    model: type[BaseModel] | None = None,
    *,
    created: bool = False,
    replayed: bool = False,
) -> Responses:
    """Document a good answer; its example is made of the examples of its fields."""
    headers = {**_HEADERS}
    if model is TaskAnswer:
        headers |= _ETAG_HEADER
    if model is TaskListAnswer:
        headers |= _LIST_ETAG_HEADER | _LINK_HEADER
    if created:
        headers |= _LOCATION_HEADER
    if replayed:
        headers |= _REPLAYED_HEADER
    answer: dict[str, Any] = {"description": description, "headers": headers}
    if model is not None:
        answer |= {"model": model, "content": {"application/json": {"example": example_of(model)}}}
    return {status: answer}


def event_stream(description: str) -> Responses:
    """Document an answer that is a stream of server-sent events; its example is one of them."""
    example = format_sse_event(data_str=json.dumps(example_of(TaskPublic)), id="42").decode()
    event = {"type": "object", "properties": {"data": _TEXT, "id": _TEXT, "retry": {"type": "integer"}}}
    content = {"text/event-stream": {"itemSchema": event, "example": example}}
    return {200: {"description": description, "headers": _HEADERS, "content": content}}


def json_lines(description: str, kinds: dict[str, type[BaseModel]]) -> Responses:
    """Document an answer that is a file of JSON lines, by the `type` of a line; its example has one of each."""
    line = {"oneOf": [_line_schema(kind, model) for kind, model in kinds.items()]}
    example = "".join(json.dumps({"type": kind, "data": example_of(model)}) + "\n" for kind, model in kinds.items())
    content = {JSON_LINES: {"itemSchema": line, "example": example}}
    return {200: {"description": description, "headers": _HEADERS | _FILE_HEADER, "content": content}}


def _line_schema(kind: str, model: type[BaseModel]) -> dict[str, Any]:
    properties = {"type": {"type": "string", "const": kind}, "data": model.model_json_schema()}
    return {"type": "object", "required": list(properties), "properties": properties}


def errors(*kinds: type[TaskAPIError] | TaskAPIError) -> Responses:
    """Document the errors that an operation can answer with; an error itself is also the example."""
    known = [kind() if isinstance(kind, type) else kind for kind in kinds]
    return {error.status: _documented(error) for error in known}


def _documented(error: TaskAPIError) -> dict[str, Any]:
    headers = {name: _ERROR_HEADERS[name] for name in error.headers if name in _ERROR_HEADERS}
    example = envelope(error, REQUEST_ID_EXAMPLE)
    if error.data is not None:
        example["data"] = json.loads(error.data)
    return {
        "model": ErrorAnswer if error.data is None else CurrentTaskAnswer,
        "description": error.message,
        "headers": {**_HEADERS, **headers},
        "content": {"application/json": {"example": example}},
    }


ANYWHERE = errors(RateLimited, InternalError, ServiceUnavailable)  # what any operation can answer
WITH_BODY = errors(RequestTimeout, PayloadTooLarge, UnsupportedMediaType)  # what one that takes a body can answer too
UNKNOWN_PARAMETER = ValidationFailed(
    details=(Detail("query.verbose", "extra_forbidden", "Extra inputs are not permitted"),)
)
NOT_MODIFIED: Responses = {304: {"description": "You have it already", "headers": {**_HEADERS, **_ETAG_HEADER}}}
LIST_NOT_MODIFIED: Responses = {304: {**NOT_MODIFIED[304], "headers": {**_HEADERS, **_LIST_ETAG_HEADER}}}
CHANGED_SINCE = PreconditionFailed(json.dumps(example_of(TaskPublic)), 42)
# What an operation can answer that changes a task, and takes If-Match.
CONDITIONAL = errors(malformed("If-Match"), CHANGED_SINCE, PreconditionRequired)
