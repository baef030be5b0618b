"""Field types: of input, which they check before any other code sees it, and of answers, for the OpenAPI document."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, Strict, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from backend.identity.claims import MAX_USER_ID_LENGTH
from backend.models.etags import MAX_REVISION
from backend.models.search_text import has_word

MAX_TITLE_LENGTH = 500
TITLE_KEY_LENGTH = 100  # characters of a title that lists are sorted by
MAX_DESCRIPTION_LENGTH = 10_000
MAX_NAME_LENGTH = 100
MAX_SEARCH_LENGTH = 500
MAX_IDS = 100

UUID_EXAMPLE = "0197c1f0-7a3b-7c4d-8e5f-6a7b8c9d0e1f"
TIME_EXAMPLE = "2026-11-21T09:30:00.123456+00:00"

_CANONICAL_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
_DIGITS = re.compile(r"[0-9]{1,9}", re.ASCII)
# RFC 3339, to the microsecond, with the offsets that Postgres knows.
_MOMENT = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?"
    r"([Zz]|[+-](0[0-9]|1[0-5]):[0-5][0-9])"
)
_A_MOMENT = re.compile(_MOMENT)
_OFFSET_WITHOUT_SIGN = re.compile(r".* [0-9]{2}:[0-9]{2}")

# The same rules for the OpenAPI document. No `maxLength` for a title: white space around it does not count.
_WHITE = r"\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_TRIMMED = rf"^[{_WHITE}]*[^\u0000{_WHITE}]([^\u0000]{{0,%d}}[^\u0000{_WHITE}])?[{_WHITE}]*$"
_WITHOUT_NUL = r"^[^\u0000]*$"

_FLAGS = {"true": True, "false": False}


def _without_nul(text: str) -> str:
    """Refuse NUL, which Postgres cannot store. Pydantic itself refuses lone surrogates."""
    if "\x00" in text:
        raise PydanticCustomError("nul_character", "Text must not contain NUL characters")
    return text


def _canonical_uuid(value: object) -> UUID:
    """Accept only the canonical spelling; pydantic would also accept braces, `urn:uuid:` and 32 bare digits."""
    if isinstance(value, UUID):
        return value
    if not isinstance(value, str) or not _CANONICAL_UUID.fullmatch(value):
        raise PydanticCustomError("uuid_format", f"Must be a UUID like {UUID_EXAMPLE}")
    return UUID(value)


def _digits(value: object) -> object:
    """Accept plain digits only; pydantic would also accept `1_0`, `5.0`, `+5` and blanks from a query string."""
    if isinstance(value, str):
        if not _DIGITS.fullmatch(value):
            raise PydanticCustomError("int_parsing", "Must be a whole number in plain digits")
        return int(value)
    return value


def _true_or_false(value: object) -> object:
    """Accept only the two words of JSON; pydantic would also accept `yes`, `on`, `1` and `T` from a query string."""
    if isinstance(value, str):
        if value not in _FLAGS:
            raise PydanticCustomError("bool_parsing", "Must be true or false")
        return _FLAGS[value]
    return value


def _moment(value: object) -> datetime:
    """Read a moment; pydantic would also accept numbers, and times without an offset, which are ambiguous."""
    text = str(value)
    if _OFFSET_WITHOUT_SIGN.fullmatch(text):
        raise PydanticCustomError("moment_format", "In a URL, + means a space: send %2B instead, or Z for UTC")
    try:
        if _A_MOMENT.fullmatch(text):
            return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):  # no such day, or outside the years 1 to 9999
        pass
    raise PydanticCustomError(
        "moment_format", "Must be a time with an offset and at most 6 decimals, like 2026-11-21T09:30:00.123456Z"
    )


def _comma_separated_ids(value: str) -> str:
    """Refuse anything but 1 to 100 ids in canonical spelling."""
    ids = value.split(",")
    if len(ids) > MAX_IDS:
        raise PydanticCustomError("too_many_ids", "Must be at most 100 ids")
    for each in ids:
        _canonical_uuid(each)
    return value.lower()


def _with_a_word(text: str) -> str:
    """Refuse text without a word to search for."""
    if not has_word(text):
        raise PydanticCustomError("no_word", "Must contain at least one word")
    return text


Title = Annotated[
    str,
    Strict(),
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_TITLE_LENGTH),
    AfterValidator(_without_nul),
    WithJsonSchema({"type": "string", "minLength": 1, "pattern": _TRIMMED % (MAX_TITLE_LENGTH - 2)}),
]
Name = Annotated[
    str,
    Strict(),
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_NAME_LENGTH),
    AfterValidator(_without_nul),
    WithJsonSchema({"type": "string", "minLength": 1, "pattern": _TRIMMED % (MAX_NAME_LENGTH - 2)}),
]
Description = Annotated[
    str,
    Strict(),
    StringConstraints(max_length=MAX_DESCRIPTION_LENGTH),
    AfterValidator(_without_nul),
    WithJsonSchema({"type": "string", "maxLength": MAX_DESCRIPTION_LENGTH, "pattern": _WITHOUT_NUL}),
]
Flag = Annotated[bool, Strict()]
CanonicalUUID = Annotated[UUID, BeforeValidator(_canonical_uuid)]
QueryFlag = Annotated[bool, BeforeValidator(_true_or_false)]
PlainInteger = Annotated[int, BeforeValidator(_digits)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
_ID = _CANONICAL_UUID.pattern
# Not a list: the framework would read that from a repeated parameter.
CommaSeparatedIds = Annotated[
    str,
    AfterValidator(_comma_separated_ids),
    WithJsonSchema(
        {
            "type": "string",
            "maxLength": 37 * MAX_IDS - 1,
            "pattern": f"^{_ID}(,{_ID}){{0,{MAX_IDS - 1}}}$",
            "examples": [UUID_EXAMPLE],
        }
    ),
]
SearchText = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_SEARCH_LENGTH),
    AfterValidator(_without_nul),
    AfterValidator(_with_a_word),
    # Our own format: it tells programs that not every text is valid.
    WithJsonSchema(
        {
            "type": "string",
            "minLength": 1,
            "maxLength": MAX_SEARCH_LENGTH,
            "format": "words",
            "examples": ['milk or "soy drink" -oat'],
        }
    ),
]

# In answers. Tests check each answer against them.
UserId = Annotated[str, StringConstraints(max_length=MAX_USER_ID_LENGTH, pattern=r"^[^\u0000-\u001f\u007f-\u009f]+$")]
StoredTitle = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TITLE_LENGTH, pattern=_WITHOUT_NUL)]
StoredName = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME_LENGTH, pattern=_WITHOUT_NUL)]
StoredDescription = Annotated[str, StringConstraints(max_length=MAX_DESCRIPTION_LENGTH, pattern=_WITHOUT_NUL)]
# For people, in one line.
Sentence = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\u0000-\u001f]+$")]
Revision = Annotated[int, Field(ge=1, le=MAX_REVISION)]
Count = Annotated[int, Field(ge=0, le=MAX_REVISION)]
LineNumber = Annotated[int, Field(ge=1, le=10**12)]
