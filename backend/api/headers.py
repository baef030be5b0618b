"""Request headers that the contract documents, and what is answered when one is malformed."""

from __future__ import annotations

from typing import Any

from fastapi import Header

from backend.errors import BadRequest, Detail


def documented_header(name: str, description: str, *, example: str, pattern: str) -> Any:
    """Document a header that a client may send. Whoever takes it reads it from the request, and judges it.

    Without a default of None, which would document null as a value. The pattern is documented, and not checked.
    """
    return Header(
        default_factory=lambda: None,
        alias=name,
        description=description,
        examples=[example],
        json_schema_extra={"pattern": pattern},
    )


def malformed_header(name: str, code: str, message: str) -> BadRequest:
    """Make the error that names a header."""
    return BadRequest(message, details=(Detail(f"header.{name}", code, message),))
