"""How the contract describes the answers of operations: statuses, headers and examples."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

from pydantic import BaseModel

from backend.api.http.envelope import error_body
from backend.api.middleware.limits import MAX_ADDRESS_BYTES
from backend.api.openapi.answers import (
    ErrorAnswer,
    example_of,
)
from backend.errors import (
    NO_PARAMETERS,
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
from backend.models.activity import MAX_REQUEST_ID, REQUEST_ID_EXAMPLE, REQUEST_ID_PATTERN

Responses = dict[int | str, dict[str, Any]]

_JSON = "application/json"
_MAX_WAIT_SECONDS = 2 * 86400  # the window of a rate per day, and the one before


def _header(
    description: str, example: str, *, pattern: str, max_length: int = 100, required: bool = True
) -> dict[str, Any]:
    schema = {"type": "string", "maxLength": max_length, "pattern": pattern}
    always = {"required": True} if required else {}
    return {"description": description, **always, "schema": schema, "example": example}


# By the names of components: the ETag of a task and the one of a listing differ.
HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-Id": _header(
        "Identifies this request in the server's logs",
        REQUEST_ID_EXAMPLE,
        pattern=REQUEST_ID_PATTERN,
        max_length=MAX_REQUEST_ID,
    ),
    "RateLimit-Policy": _header(
        "How many requests (q) you may send in a window of w seconds",
        '"user";q=600;w=60',
        pattern='^"(user|address)";q=[0-9]+;w=[0-9]+$',
        required=False,
    ),
    "RateLimit": _header(
        "How many requests you have left (r), and the seconds until that changes (t)",
        '"user";r=599;t=42',
        pattern='^"(user|address)";r=[0-9]+;t=[0-9]+$',
        required=False,
    ),
    "Access-Control-Allow-Origin": _header(
        "The origin of the requesting page, if the service allows that origin (CORS_ORIGINS)",
        "https://app.example.com",
        pattern="^https?://[^/ ]+$",
        max_length=300,
        required=False,
    ),
    "ETag": _header(
        "The revision in quotes; for If-Match and If-None-Match",
        '"42"',
        pattern='^"[1-9][0-9]*"$',
        max_length=20,
    ),
    "List-ETag": _header(
        "Changes whenever any of your tasks, labels or lists changes; for If-None-Match",
        '"7a1e3fb28112825d96e27640a26fd66a069632ae15a1ce98a2f4e67ff4b86b9b"',
        pattern='^"(0|[0-9a-f]{64})"$',
    ),
    "Link": _header(
        'The first page (`rel="first"`) and, if there is one, the next page (`rel="next"`)',
        '</api/tasks?limit=50>; rel="first", </api/tasks?limit=50&cursor=AAAA>; rel="next"',
        pattern='^<[^>]+>; rel="first"(, <[^>]+>; rel="next")?$',
        max_length=8 * MAX_ADDRESS_BYTES,  # two addresses, in which some characters are escaped as three
    ),
    "Location": _header(
        "The task's address", "/api/tasks/0197c1f0-7a3b-7c4d-8e5f-6a7b8c9d0e1f", pattern="^/api/[a-z/]+/[0-9a-f-]+$"
    ),
    "Content-Disposition": _header(
        "The file name", 'attachment; filename="task-api-export.jsonl"', pattern='^attachment; filename="[^"]+"$'
    ),
    "WWW-Authenticate": _header("`Bearer`, and what is wrong with the token", "Bearer", pattern="^Bearer( .+)?$"),
    "Retry-After": {
        "description": "Seconds to wait before you retry",
        "required": True,
        "schema": {"type": "integer", "minimum": 1, "maximum": _MAX_WAIT_SECONDS},
        "example": 1,
    },
    "Idempotency-Replayed": {
        "description": "Present if this is the stored answer to an earlier request with the same Idempotency-Key",
        "schema": {"type": "string", "enum": ["true"]},
        "example": "true",
    },
}
# Headers that an answer may lack.
OPTIONAL_HEADERS = frozenset({"Idempotency-Replayed", "Access-Control-Allow-Origin"})
# Headers that a page of an allowed origin may read.
EXPOSED_HEADERS = sorted({name.removeprefix("List-") for name in HEADERS} - {"Access-Control-Allow-Origin"} | {"Allow"})


def named(*names: str) -> dict[str, Any]:
    """Return references to these headers, by the names under which they are sent."""
    return {name.removeprefix("List-"): {"$ref": f"#/components/headers/{name}"} for name in names}


ALWAYS = named("X-Request-Id", "RateLimit-Policy", "RateLimit", "Access-Control-Allow-Origin")
_ERROR_HEADERS = named("WWW-Authenticate", "Retry-After", "ETag")


def success(status: int, description: str, model: type[BaseModel] | None = None, *headers: str) -> Responses:
    """Document a successful answer, with an example built from the examples of its fields."""
    answer: dict[str, Any] = {"description": description, "headers": ALWAYS | named(*headers)}
    if model is not None:
        answer |= {"model": model, "content": {_JSON: {"example": example_of(model)}}}
    return {status: answer}


def or_page(documented: Responses) -> Responses:
    """Return these answers, which browsers get as a page."""
    shown = deepcopy(documented)
    for answer in shown.values():
        schema = {"type": "string", "maxLength": 4000, "pattern": "^<!doctype html>"}
        answer["content"]["text/html"] = {"schema": schema, "example": "<!doctype html>…"}
    return shown


def showing(documented: Responses, data: dict[str, Any]) -> Responses:
    """Return these answers with other values in their examples, such as the request sets.

    A value that the example does not have is left out.
    """
    shown = deepcopy(documented)
    for content in (answer["content"] for answer in shown.values() if "content" in answer):
        example = content[_JSON]["example"]["data"]
        for name, value in data.items():
            if name in example:
                example[name] = value
    return shown


def errors(*kinds: type[TaskAPIError] | TaskAPIError, current: type[BaseModel] = ErrorAnswer) -> Responses:
    """Document the errors that an operation can return. Each error is its own example.

    `current` is the model of an error that shows the current state.
    """
    known = [kind() if isinstance(kind, type) else kind for kind in kinds]
    return {error.status: _documented(error, current) for error in known}


def invalid(field: str, code: str, message: str) -> ValidationFailed:
    """Return the error for one bad field, as the example of an operation's 422."""
    return ValidationFailed(details=(Detail(field, code, message),))


def _documented(error: TaskAPIError, current: type[BaseModel]) -> dict[str, Any]:
    headers = {name: _ERROR_HEADERS[name] for name in error.headers if name in _ERROR_HEADERS}
    example = error_body(error, REQUEST_ID_EXAMPLE)
    if error.data is not None:
        example["data"] = json.loads(error.data)
    return {
        "model": ErrorAnswer if error.data is None else current,
        "description": error.message,
        "headers": {**ALWAYS, **headers},
        "content": {_JSON: {"example": example}},
    }


ANYWHERE = errors(RateLimited, InternalError, ServiceUnavailable)  # any operation can return these
WITH_BODY = errors(RequestTimeout, PayloadTooLarge, UnsupportedMediaType)  # and these, if it takes a body
UNKNOWN_PARAMETER = invalid("query.verbose", "extra_forbidden", NO_PARAMETERS)
