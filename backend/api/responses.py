"""What leaves the service: the envelope round data, the envelope round errors, and how both are documented."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel, Field
from starlette.responses import Response

from backend.errors import (
    Detail,
    InternalError,
    PayloadTooLarge,
    RateLimited,
    RequestTimeout,
    ServiceUnavailable,
    TaskAPIError,
    UnsupportedMediaType,
    ValidationFailed,
)
from backend.models.base import Document, Page
from backend.models.task import CURSOR_EXAMPLE, TaskPublic
from backend.models.user import Account

_COMPACT = (",", ":")
MAX_DETAILS = 20
MAX_FIELD_NAME = 100

REQUEST_ID_EXAMPLE = "01a1fbb3bfe271ac8551a3b5a5ffebf9"


def example_of(model: type[BaseModel]) -> dict[str, Any]:
    """Put the examples of a model's fields together."""
    return {name: (field.examples or [None])[0] for name, field in model.model_fields.items()}


class TaskAnswer(BaseModel):
    """One task."""

    data: TaskPublic = Field(description="The task", examples=[example_of(TaskPublic)])


class PageInfo(BaseModel):
    """Where this page ends."""

    limit: int = Field(description="Most tasks that this page could hold", examples=[50])
    has_more: bool = Field(description="Whether more tasks follow", examples=[True])
    next_cursor: str | None = Field(
        description="Send it as `cursor` for the next page; null on the last", examples=[CURSOR_EXAMPLE]
    )


class TaskListAnswer(BaseModel):
    """One page of tasks, newest first."""

    data: list[TaskPublic] = Field(description="The tasks of this page", examples=[[example_of(TaskPublic)]])
    page: PageInfo = Field(description="Where this page ends", examples=[example_of(PageInfo)])


class AccountAnswer(BaseModel):
    """The caller's account."""

    data: Account = Field(description="The account", examples=[example_of(Account)])


class ErrorDetail(BaseModel):
    """One thing that is wrong with the request."""

    field: str = Field(description="Where: a body field, or `query.` and a parameter", examples=["title"])
    code: str = Field(description="What, for programs", examples=["string_too_short"])
    message: str = Field(description="What, for people", examples=["String should have at least 1 character"])


class ErrorBody(BaseModel):
    """What went wrong."""

    code: str = Field(description="Stable, for programs", examples=["VALIDATION_ERROR"])
    message: str = Field(description="For people", examples=["The request has invalid or unknown fields; see details."])
    request_id: str = Field(description="Quote it when you ask for help", examples=[REQUEST_ID_EXAMPLE])
    details: list[ErrorDetail] = Field(
        description="Field by field, where that is known", examples=[[example_of(ErrorDetail)]]
    )


class ErrorAnswer(BaseModel):
    """Every error, of every status."""

    error: ErrorBody = Field(description="What went wrong", examples=[example_of(ErrorBody)])


def document_response(document: Document, *, status: int = 200, **headers: str) -> Response:
    """Answer one row that Postgres wrote as JSON."""
    return _json_response(f'{{"data":{document.json}}}', status, headers)


def task_response(document: Document, *, status: int = 200, **headers: str) -> Response:
    """Answer one task, tagged with its revision: a strong ETag (RFC 9110, section 8.8.3)."""
    return document_response(document, status=status, ETag=f'"{document.revision}"', **headers)


def page_response(page: Page) -> Response:
    """Answer one page of a list."""
    info = {"limit": page.limit, "has_more": page.next_cursor is not None, "next_cursor": page.next_cursor}
    return _json_response(f'{{"data":{page.json},"page":{json.dumps(info, separators=_COMPACT)}}}', 200, {})


def error_response(error: TaskAPIError, request_id: str) -> Response:
    """Answer an error in the envelope."""
    return _json_response(json.dumps(_envelope(error, request_id), separators=_COMPACT), error.status, error.headers)


def _json_response(text: str, status: int, headers: dict[str, str]) -> Response:
    return Response(text, status, headers, media_type="application/json")


def _envelope(error: TaskAPIError, request_id: str) -> dict[str, Any]:
    details = [
        {"field": _bounded(item.field), "code": item.code, "message": item.message}
        for item in error.details[:MAX_DETAILS]
    ]
    return {"error": {"code": error.code, "message": error.message, "request_id": request_id, "details": details}}


def _bounded(field: str) -> str:
    """Keep the name of an unknown field, which is the client's own word, short and encodable."""
    return field[:MAX_FIELD_NAME].encode("utf-8", "replace").decode()


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
    "ETag": {"description": "The task's revision, quoted", "schema": _TEXT, "required": True, "example": '"42"'}
}
_LOCATION_HEADER = {"Location": {"description": "Where the new task is", "schema": _TEXT, "required": True}}
_ERROR_HEADERS = {
    "WWW-Authenticate": {
        "description": "`Bearer`, and what is wrong with the token",
        "schema": _TEXT,
        "required": True,
    },
    "Retry-After": {"description": "Seconds to wait", "schema": {"type": "integer"}, "required": True},
}


def success(status: int, description: str, model: type[BaseModel] | None = None, *, created: bool = False) -> Responses:
    """Document a good answer; its example is made of the examples of its fields."""
    headers = {**_HEADERS}
    if model is TaskAnswer:
        headers |= _ETAG_HEADER
    if created:
        headers |= _LOCATION_HEADER
    answer: dict[str, Any] = {"description": description, "headers": headers}
    if model is not None:
        answer |= {"model": model, "content": {"application/json": {"example": example_of(model)}}}
    return {status: answer}


def errors(*kinds: type[TaskAPIError] | TaskAPIError) -> Responses:
    """Document the errors that an operation can answer with; an error itself is also the example."""
    known = [kind() if isinstance(kind, type) else kind for kind in kinds]
    return {error.status: _documented(error) for error in known}


def _documented(error: TaskAPIError) -> dict[str, Any]:
    headers = {name: _ERROR_HEADERS[name] for name in error.headers if name in _ERROR_HEADERS}
    example = _envelope(error, REQUEST_ID_EXAMPLE)
    return {
        "model": ErrorAnswer,
        "description": error.message,
        "headers": {**_HEADERS, **headers},
        "content": {"application/json": {"example": example}},
    }


ANYWHERE = errors(RateLimited, InternalError, ServiceUnavailable)  # what any operation can answer
WITH_BODY = errors(RequestTimeout, PayloadTooLarge, UnsupportedMediaType)  # what one that takes a body can answer too
UNKNOWN_PARAMETER = ValidationFailed(
    details=(Detail("query.verbose", "extra_forbidden", "Extra inputs are not permitted"),)
)
