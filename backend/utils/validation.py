"""Field types: what a value from outside must look like before anything else sees it."""

from __future__ import annotations

import re
from typing import Annotated
from uuid import UUID, uuid4

from pydantic import AfterValidator, BeforeValidator, Strict, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

TITLE_LENGTH = 500
DESCRIPTION_LENGTH = 10_000

_CANONICAL_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
_DIGITS = re.compile(r"[0-9]{1,9}", re.ASCII)

# The same rules for readers of the contract. No `maxLength` for a title: white space around it does not count.
_WHITE = r"\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_TITLE = rf"^[{_WHITE}]*[^\u0000{_WHITE}]([^\u0000]{{0,{TITLE_LENGTH - 2}}}[^\u0000{_WHITE}])?[{_WHITE}]*$"
_DESCRIPTION = r"^[^\u0000]*$"

_NO_TASK = uuid4()  # nobody can learn it, so nobody can give it to a task


def _without_nul(text: str) -> str:
    """Refuse NUL, which Postgres cannot store. Pydantic itself refuses lone surrogates."""
    if "\x00" in text:
        raise PydanticCustomError("nul_character", "Text must not contain NUL characters")
    return text


def _canonical_uuid(value: object) -> UUID:
    """Read the one usual spelling; pydantic would also take braces, `urn:uuid:` and 32 bare digits."""
    if isinstance(value, UUID):
        return value
    if not isinstance(value, str) or not _CANONICAL_UUID.fullmatch(value):
        raise PydanticCustomError("uuid_format", "Must be a UUID like 0197c1f0-7a3b-7c4d-8e5f-6a7b8c9d0e1f")
    return UUID(value)


def _uuid_or_none_that_exists(value: str) -> UUID:
    """Read an id of a path. One that is malformed is looked for like any other, and found as little."""
    return UUID(value) if _CANONICAL_UUID.fullmatch(value) else _NO_TASK


def _digits(value: object) -> object:
    """Read plain digits only; pydantic would also take `1_0`, `5.0`, `+5` and blanks from a query string."""
    if isinstance(value, str):
        if not _DIGITS.fullmatch(value):
            raise PydanticCustomError("int_parsing", "Must be a whole number in plain digits")
        return int(value)
    return value


Title = Annotated[
    str,
    Strict(),
    StringConstraints(strip_whitespace=True, min_length=1, max_length=TITLE_LENGTH),
    AfterValidator(_without_nul),
    WithJsonSchema({"type": "string", "minLength": 1, "pattern": _TITLE}),
]
Description = Annotated[
    str,
    Strict(),
    StringConstraints(max_length=DESCRIPTION_LENGTH),
    AfterValidator(_without_nul),
    WithJsonSchema({"type": "string", "maxLength": DESCRIPTION_LENGTH, "pattern": _DESCRIPTION}),
]
Flag = Annotated[bool, Strict()]
CanonicalUUID = Annotated[UUID, BeforeValidator(_canonical_uuid)]
PathUUID = Annotated[UUID, BeforeValidator(_uuid_or_none_that_exists)]
PlainInteger = Annotated[int, BeforeValidator(_digits)]
