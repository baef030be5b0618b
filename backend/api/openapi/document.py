"""The published contract: what the framework writes, plus what generators and linters need."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from backend.api.openapi.files import schemas_of_parts
from backend.api.openapi.operations import HEADERS

DESCRIPTION = """
Each user's own tasks, isolated from other users. On [/docs](/docs), press **Authorize** and paste a bearer token to
try each operation. [/redoc](/redoc) is for reading.

A success is `{"data": …}`, a list adds `page`, and every error is `{"error": {code, message, request_id, details}}`.
Branch on `code`, show `message`, and quote `request_id` when you ask for help;
`specs/errors.md` of the project lists every code. Unknown fields and parameters
of `/api` are rejected, not ignored. Times are UTC.

In addition to the errors each operation lists, a request that is too slow or too large is answered 408, 413, 414 or
431.
"""
TAGS = [
    {"name": "tasks", "description": "Your tasks: one at a time, listings and batches."},
    {"name": "changes", "description": "Changes to your tasks, for keeping a copy of them up to date."},
    {"name": "account", "description": "Your account: your stored data, your tokens for scripts, and how to leave."},
    {"name": "start", "description": "Addresses of the API and its documentation."},
    {"name": "health", "description": "Whether the service is healthy."},
]

_LENGTHS = {"uuid": 36, "date-time": 32}  # 2026-11-21T09:30:00.123456+00:00
_INT32 = 2**31 - 1
_VALUES = frozenset({"const", "default", "enum", "example", "examples"})  # their data may look like schemas


def completed(contract: dict[str, Any]) -> dict[str, Any]:
    """Complete the framework's contract, unless that has been done."""
    if "headers" in contract["components"]:
        return contract
    contract["components"]["headers"] = deepcopy(HEADERS)
    contract["components"]["schemas"] |= schemas_of_parts()
    for schema in _schemas(contract):
        if schema.get("format") in _LENGTHS:
            schema.setdefault("maxLength", _LENGTHS[schema["format"]])
        if schema.get("type") == "integer":
            greatest = max(abs(schema.get(end, _INT32 + 1)) for end in ("minimum", "maximum"))
            schema.setdefault("format", "int32" if greatest <= _INT32 else "int64")
    for model in contract["components"]["schemas"].values():
        for field in model.get("properties", {}).values():
            # A field with a default may be omitted. Some generators treat it as always present, and callers of the
            # generated code would have to send it.
            field.pop("default", None)
    return contract


def _schemas(part: Any) -> Iterator[dict[str, Any]]:
    """Yield every schema that has a `type`."""
    if isinstance(part, list):
        for item in part:
            yield from _schemas(item)
    if isinstance(part, dict):
        if isinstance(part.get("type"), str):
            yield part
        for name, inner in part.items():
            if name not in _VALUES:
                yield from _schemas(inner)
