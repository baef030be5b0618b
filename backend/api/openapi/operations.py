"""Documentation of operations and their answers: statuses, headers and examples."""

from __future__ import annotations

import json
from typing import Any

from fastapi.sse import format_sse_event
from pydantic import BaseModel

from backend.api.http.envelope import (
    REQUEST_ID_EXAMPLE,
    CurrentTaskAnswer,
    ErrorAnswer,
    TaskAnswer,
    TaskPageAnswer,
    envelope,
    example_of,
)
from backend.api.http.preconditions import malformed
from backend.api.openapi.components import in_components
from backend.api.openapi.headers import EVERYWHERE, named
from backend.api.streams.download import JSON_LINES
from backend.errors import (
    UNKNOWN_NAME,
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
from backend.models import sync_token
from backend.models.change import DeletedTask
from backend.models.sync_token import SyncToken
from backend.models.task import TaskPublic

Responses = dict[int | str, dict[str, Any]]

_HEADERS = named(*EVERYWHERE)
_ERROR_HEADERS = named("WWW-Authenticate", "Retry-After", "ETag")
_JSON = "application/json"
_SYNC_TOKEN = {"maxLength": sync_token.MAX_LENGTH, "pattern": sync_token.PATTERN}
_PAUSE = {"minimum": 1, "maximum": 60_000}


def success(
    status: int,
    description: str,
    model: type[BaseModel] | None = None,
    *,
    created: bool = False,
    replayed: bool = False,
) -> Responses:
    """Document a successful answer, with an example built from the examples of its fields."""
    headers = {**_HEADERS}
    if model is TaskAnswer:
        headers |= named("ETag")
    if model is TaskPageAnswer:
        headers |= named("Listing-ETag", "Link")
    if created:
        headers |= named("Location")
    if replayed:
        headers |= named("Idempotency-Replayed")
    answer: dict[str, Any] = {"description": description, "headers": headers}
    if model is not None:
        answer |= {"model": model, "content": {_JSON: {"example": example_of(model)}}}
    return {status: answer}


def event_stream(description: str) -> Responses:
    """Document an answer that is a stream of server-sent events, with one event as its example."""
    task = example_of(TaskPublic)
    example = format_sse_event(data_str=json.dumps(task), id=str(SyncToken(task["revision"]))).decode()
    change = {"anyOf": [in_components(TaskPublic), in_components(DeletedTask)]}
    event = {
        "type": "object",
        "properties": {
            "data": {"type": "string", "format": "json", "contentMediaType": _JSON, "contentSchema": change},
            "id": {"type": "string", "description": "Send it as Last-Event-ID to resume", **_SYNC_TOKEN},
            "retry": {"type": "integer", "description": "Milliseconds to wait before you reconnect", **_PAUSE},
        },
    }
    content = _text_of("text/event-stream", event, example)
    return {200: {"description": description, "headers": _HEADERS, "content": content}}


def json_lines(description: str, kinds: dict[str, type[BaseModel]]) -> Responses:
    """Document an answer that is a file of JSON lines, with one line of each `type` as its example."""
    line = {"oneOf": [_line_schema(kind, model) for kind, model in kinds.items()]}
    example = "".join(json.dumps({"type": kind, "data": example_of(model)}) + "\n" for kind, model in kinds.items())
    content = _text_of(JSON_LINES, line, example)
    return {200: {"description": description, "headers": _HEADERS | named("Content-Disposition"), "content": content}}


def _text_of(kind: str, part: dict[str, Any], example: str) -> dict[str, Any]:
    """Document text that consists of parts. Generated clients treat it as text: a stream never completes."""
    parts = {"type": "array", "items": part}
    schema = {"type": "string", "format": "binary", "contentMediaType": kind, "contentSchema": parts}
    return {kind: {"schema": schema, "example": example}}


def _line_schema(kind: str, model: type[BaseModel]) -> dict[str, Any]:
    properties = {"type": {"type": "string", "const": kind}, "data": in_components(model)}
    return {"type": "object", "required": list(properties), "properties": properties}


def errors(*kinds: type[TaskAPIError] | TaskAPIError) -> Responses:
    """Document the errors that an operation can return, each with itself as the example."""
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
        "content": {_JSON: {"example": example}},
    }


ANYWHERE = errors(RateLimited, InternalError, ServiceUnavailable)  # any operation can return these
WITH_BODY = errors(RequestTimeout, PayloadTooLarge, UnsupportedMediaType)  # and these, if it takes a body
UNKNOWN_PARAMETER = ValidationFailed(details=(Detail("query.verbose", "extra_forbidden", UNKNOWN_NAME),))
NOT_MODIFIED: Responses = {304: {"description": "Your copy is up to date", "headers": _HEADERS | named("ETag")}}
LISTING_NOT_MODIFIED: Responses = {304: {**NOT_MODIFIED[304], "headers": _HEADERS | named("Listing-ETag")}}
CHANGED_SINCE = PreconditionFailed(json.dumps(example_of(TaskPublic)), 42)
# Errors of an operation that changes a task and takes If-Match.
CONDITIONAL = errors(malformed("If-Match"), CHANGED_SINCE, PreconditionRequired)
