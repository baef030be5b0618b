"""The published contract: what the framework writes, plus what generators and linters need."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from fastapi import FastAPI

from backend.api.openapi.components import extra_schemas
from backend.api.openapi.headers import HEADERS

_TAGS = [
    {"name": "tasks", "description": "Your tasks: one at a time, listings and batches."},
    {"name": "changes", "description": "Changes to your tasks, for keeping a copy of them up to date."},
    {"name": "account", "description": "Your account: your stored data, your tokens for scripts, and how to leave."},
    {"name": "start", "description": "Addresses of the API and its documentation."},
    {"name": "health", "description": "Whether the service is healthy."},
]

# Their routes come first, because their paths also match another pattern. Readers want the plain calls first.
_READ_LAST = ("/api/tasks/batch", "/api/tasks/export", "/api/tasks/import")
_LENGTHS = {"uuid": 36, "date-time": 32}  # 2026-11-21T09:30:00.123456+00:00
_INT32 = 2**31 - 1
_VALUES = frozenset({"const", "default", "enum", "example", "examples"})  # their data may look like schemas


class DocumentedApp(FastAPI):
    """An application that publishes a complete contract."""

    def openapi(self) -> dict[str, Any]:
        """Return the contract, building it on the first call."""
        contract = super().openapi()
        if "headers" not in contract["components"]:
            _complete(contract)
        return contract


def _complete(contract: dict[str, Any]) -> None:
    contract["tags"] = _TAGS
    contract["paths"] = dict(sorted(contract["paths"].items(), key=lambda path: path[0] in _READ_LAST))
    contract["components"]["headers"] = deepcopy(HEADERS)
    contract["components"]["schemas"] |= extra_schemas()
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
