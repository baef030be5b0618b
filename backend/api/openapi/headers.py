"""Response headers in the contract: each is described once in the components and referenced where it is sent."""

from __future__ import annotations

from typing import Any

from backend.api.http.envelope import MAX_REQUEST_ID, REQUEST_ID_EXAMPLE, REQUEST_ID_PATTERN
from backend.api.middleware.limits import MAX_ADDRESS_BYTES

_MAX_WAIT_SECONDS = 2 * 86400  # the window of a rate per day, and the one before


def _header(
    description: str, example: object, *, pattern: str, max_length: int = 100, is_always_there: bool = True
) -> dict[str, Any]:
    schema = {"type": "string", "maxLength": max_length, "pattern": pattern}
    required = {"required": True} if is_always_there else {}
    return {"description": description, **required, "schema": schema, "example": example}


# By component name: the ETag of a task and that of a listing are different headers.
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
        is_always_there=False,
    ),
    "RateLimit": _header(
        "How many requests you have left (r), and the seconds until that changes (t)",
        '"user";r=599;t=42',
        pattern='^"(user|address)";r=[0-9]+;t=[0-9]+$',
        is_always_there=False,
    ),
    "Access-Control-Allow-Origin": _header(
        "The origin of the requesting page, if the service allows that origin (CORS_ORIGINS)",
        "https://app.example.com",
        pattern="^https?://[^/ ]+$",
        max_length=300,
        is_always_there=False,
    ),
    "ETag": _header(
        "The task's revision in quotes; for If-Match and If-None-Match",
        '"42"',
        pattern='^"[1-9][0-9]*"$',
        max_length=20,
    ),
    "Listing-ETag": _header(
        "Changes whenever any of your tasks changes; for If-None-Match",
        '"42-7-1795253400123456"',
        pattern='^"[0-9-]+"$',
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
EVERYWHERE = ("X-Request-Id", "RateLimit-Policy", "RateLimit", "Access-Control-Allow-Origin")


def named(*names: str) -> dict[str, Any]:
    """Return references to these headers, by the names under which they are sent."""
    return {name.removeprefix("Listing-"): {"$ref": f"#/components/headers/{name}"} for name in names}
