"""Documented request headers, and the error for a malformed one."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from fastapi import Request

from backend.errors import BadRequest, Detail

MAX_HEADER_BYTES = 32 * 1024  # of all headers of a request together

_Value = TypeVar("_Value")
_Dependency = Callable[[Request], Coroutine[Any, Any, _Value]]

_DOCUMENTED: dict[object, dict[str, Any]] = {}  # by the dependency that reads the header


def reads_header(
    name: str, description: str, *, example: str, pattern: str, max_length: int = MAX_HEADER_BYTES
) -> Callable[[_Dependency[_Value]], _Dependency[_Value]]:
    """Document the header that a dependency parses; a framework parameter would slow down every request."""
    schema = {"type": "string", "maxLength": max_length, "pattern": pattern}
    schema |= {"description": description, "examples": [example], "title": name}
    parameter = {"name": name, "in": "header", "required": False, "schema": schema, "description": description}

    def document(dependency: _Dependency[_Value]) -> _Dependency[_Value]:
        _DOCUMENTED[dependency] = parameter
        return dependency

    return document


def documented_headers(dependencies: list[Any]) -> list[dict[str, Any]]:
    """Collect the OpenAPI parameters of the headers that a route's dependencies read."""
    return [_DOCUMENTED[dependency.call] for dependency in dependencies if dependency.call in _DOCUMENTED]


def header_lines(request: Request, name: str) -> list[str]:
    """Return the non-empty values of a header: some tools send an empty line when they mean none.

    Lines of blanks count as empty too, because the server strips leading blanks.
    """
    return [value for value in request.headers.getlist(name) if value]


def malformed_header(name: str, code: str, message: str) -> BadRequest:
    """Return the error that names a header."""
    return BadRequest(message, details=(Detail(f"header.{name}", code, message),))
