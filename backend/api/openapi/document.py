"""The contract as it is published: what the framework writes, and what generators and linters need besides."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from fastapi import FastAPI

from backend.api.openapi.components import extra_schemas
from backend.api.openapi.headers import HEADERS

_TAGS = [
    {"name": "tasks", "description": "Your tasks: single ones, lists and batches."},
    {"name": "changes", "description": "What became of your tasks, to keep a copy of them up to date."},
    {"name": "account", "description": "You: what is stored of you, your tokens for scripts, and how to leave."},
    {"name": "start", "description": "Where things are."},
    {"name": "health", "description": "Whether the service is well."},
]

# Routes of them stand first, because their paths fit the pattern of another. Readers want the plain calls first.
_READ_LAST = ("/api/tasks/batch", "/api/tasks/export", "/api/tasks/import")
_LENGTHS = {"uuid": 36, "date-time": 32}  # 2026-11-21T09:30:00.123456+00:00
_INT32 = 2**31 - 1
_VALUES = frozenset({"const", "default", "enum", "example", "examples"})  # they hold data, which may look like schemas


class DocumentedApp(FastAPI):
    """An application whose contract is complete."""

    def openapi(self) -> dict[str, Any]:
        """Write the contract, or give it again."""
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
            # A field with a default may be left out. Some generators take it for one that is always there, and whoever
            # calls what they wrote would have to send it.
            field.pop("default", None)


def _schemas(part: Any) -> Iterator[dict[str, Any]]:
    """Find everything that says what kind of value it describes."""
    if isinstance(part, list):
        for item in part:
            yield from _schemas(item)
    if isinstance(part, dict):
        if isinstance(part.get("type"), str):
            yield part
        for name, inner in part.items():
            if name not in _VALUES:
                yield from _schemas(inner)
