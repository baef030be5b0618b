"""Request headers as parameters of dependencies, and the error for a malformed one."""

from __future__ import annotations

from typing import Any

from fastapi import Header
from pydantic import WithJsonSchema

from backend.errors import BadRequest, Detail

MAX_HEADER_BYTES = 32 * 1024  # of all headers of a request together
# The default of a header. Its type leaves None out, because the framework inspects a union in every request.
ABSENT: Any = None


def header(name: str, description: str, *, example: str, text_format: str, max_length: int = MAX_HEADER_BYTES) -> Any:
    """Return the framework's parameter for a header, of the type `list[str]`: a header may be repeated.

    The format is documented only. The dependency judges the value, so that the answer is 400 and not 422.
    """
    schema = {"type": "string", "maxLength": max_length, "format": text_format}
    parameter = Header(alias=name, title=name, description=description)
    parameter.metadata.append(WithJsonSchema(schema | {"description": description, "examples": [example]}))
    return parameter


def filled(lines: list[str] | None) -> list[str]:
    """Return the non-empty values of a header: some tools send an empty line when they mean none.

    Lines of blanks count as empty too, because the server strips leading blanks.
    """
    return [line for line in lines or () if line]


def malformed_header(name: str, code: str, message: str) -> BadRequest:
    """Return the error that names a header."""
    return BadRequest(message, details=(Detail(f"header.{name}", code, message),))
