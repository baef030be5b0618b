"""Field types: of input, which they check before any other code sees it, and of answers, for the OpenAPI document.

Texts, arrays and integers of answers have bounds, too: generators of clients and linters of contracts want them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from pydantic import (
    AfterValidator,
    BeforeValidator,
    FailFast,
    Field,
    GetJsonSchemaHandler,
    Strict,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, PydanticCustomError

from backend.identity.claims import MAX_USER_ID_LENGTH
from backend.models.values.etags import MAX_REVISION
from backend.models.values.label_names import MAX_LABEL_LENGTH, MAX_LABELS_OF_TASK, distinct_labels
from backend.models.values.search_text import has_word
from backend.utils.plain_words import BLANK
from backend.utils.positions import MAX_POSITION_LENGTH, is_position
from backend.utils.visible_text import WHITE as _WHITE
from backend.utils.visible_text import has_controls, is_visible

MAX_TITLE_LENGTH = 500
TITLE_KEY_LENGTH = 100  # characters of a title that lists are sorted by
MAX_DESCRIPTION_LENGTH = 10_000
MAX_NAME_LENGTH = 100
MAX_LIST_NAME_LENGTH = 200
MAX_SEARCH_LENGTH = 500
MAX_IDS = 100

HASH_EXAMPLE = "\\x" + "5f" * 32
UUID_EXAMPLE = "0197c1f0-7a3b-7c4d-8e5f-6a7b8c9d0e1f"
POSITION_EXAMPLE = "p17952534001234560000421"

_CANONICAL_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
_DIGITS = re.compile(r"[0-9]{1,9}", re.ASCII)

_NO_LABEL = r"\u0000-\u001f\u007f-\u009f,"
_LABEL_ITSELF = rf"[^{_NO_LABEL}{_WHITE}]([^{_NO_LABEL}]{{0,{MAX_LABEL_LENGTH - 2}}}[^{_NO_LABEL}{_WHITE}])?"
_LABEL = rf"[{_WHITE}]*{_LABEL_ITSELF}[{_WHITE}]*"
_A_LABEL = re.compile(_LABEL)
_IN_NO_LABEL = re.compile(rf"[{_NO_LABEL}]")

CONTROL_CHARACTER = "Must not contain control characters other than tabs and line breaks"
NOT_IN_ADDRESSES = {".", ".."}  # in a path, they stand for its folder and for the one above: no client sends them
DOTS = "A label must not be . or .., which an address cannot name"

_COLOR = "^#[0-9a-fA-F]{6}$"

_FLAGS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Format:
    """Documents a format of our own. It tells programs that not every text is valid, and is shorter than a pattern."""

    name: str

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), "format": self.name}


def without_nul(text: str) -> str:
    """Refuse NUL, which Postgres cannot store. Pydantic itself refuses lone surrogates."""
    if "\x00" in text:
        raise PydanticCustomError("nul_character", "Text must not contain NUL characters")
    return text


def _seen(text: str) -> str:
    """Refuse a name of which nothing can be seen."""
    if not is_visible(text):
        raise PydanticCustomError("string_too_short", BLANK)
    return text


def _without_controls(text: str) -> str:
    """Refuse control characters: a terminal would obey them, and nobody sees them."""
    if has_controls(text):
        raise PydanticCustomError("control_character", CONTROL_CHARACTER)
    return text


def is_canonical_uuid(text: str) -> bool:
    """Return whether a text is a UUID in its canonical spelling."""
    return _CANONICAL_UUID.fullmatch(text) is not None


def _canonical_uuid(value: object) -> UUID:
    """Accept only the canonical spelling; pydantic would also accept braces, `urn:uuid:` and 32 bare digits."""
    if isinstance(value, UUID):
        return value
    if not isinstance(value, str) or not is_canonical_uuid(value):
        raise PydanticCustomError("uuid_format", f"Must be a UUID like {UUID_EXAMPLE}")
    return UUID(value)


def _digits(value: object) -> object:
    """Accept plain digits only; pydantic would also accept `1_0`, `5.0`, `+5` and blanks from a query string."""
    if isinstance(value, str):
        if not _DIGITS.fullmatch(value):
            raise PydanticCustomError("int_parsing", "Must be a whole number of at most 9 plain digits")
        return int(value)
    return value


def _true_or_false(value: object) -> object:
    """Accept only the two words of JSON; pydantic would also accept `yes`, `on`, `1` and `T` from a query string."""
    if isinstance(value, str):
        if value not in _FLAGS:
            raise PydanticCustomError("bool_parsing", "Must be true or false")
        return _FLAGS[value]
    return value


def _comma_separated_ids(value: str) -> str:
    """Refuse anything but 1 to 100 ids in canonical spelling."""
    ids = value.split(",")
    if len(ids) > MAX_IDS:
        raise PydanticCustomError("too_many_ids", "Must be at most 100 ids")
    for each in ids:
        _canonical_uuid(each)
    return value.lower()


def _label(text: str) -> str:
    """Refuse commas, which separate labels, and control characters."""
    if _IN_NO_LABEL.search(text):
        raise PydanticCustomError("label_format", "A label must not contain commas or control characters")
    return text


def _addressed(text: str) -> str:
    """Refuse a label that an address cannot name."""
    if text in NOT_IN_ADDRESSES:
        raise PydanticCustomError("label_format", DOTS)
    return text


def _comma_separated_labels(value: str) -> str:
    """Refuse anything but 1 to 50 labels, and remove the white space around them."""
    names = value.split(",")
    if len(names) > MAX_LABELS_OF_TASK or not all(map(_A_LABEL.fullmatch, names)):
        raise PydanticCustomError(
            "label_format",
            f"Must be 1 to {MAX_LABELS_OF_TASK} labels of 1 to {MAX_LABEL_LENGTH} characters, separated by commas",
        )
    return ",".join(name.strip() for name in names)


def _color(text: str) -> str:
    """Refuse anything but six hexadecimal digits after a #; returns them in lower case."""
    if not re.fullmatch(_COLOR, text):
        raise PydanticCustomError("color_format", "Must be a colour, like #1e90ff")
    return text.lower()


def _position(text: str) -> str:
    """Refuse what is no position, or has no room on one of its sides."""
    if not is_position(text):
        raise PydanticCustomError(
            "position_invalid",
            "Must be a position, as another task or list has it or as fractional indexing makes it, of at most "
            f"{MAX_POSITION_LENGTH} characters",
        )
    return text


def _with_a_word(text: str) -> str:
    """Refuse text without a word to search for."""
    if not has_word(text):
        raise PydanticCustomError("no_word", "Must contain at least one word")
    return text


_OF_NAMES = (AfterValidator(without_nul), AfterValidator(_without_controls), AfterValidator(_seen))
Title = Annotated[
    str,
    Strict(),
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_TITLE_LENGTH),
    *_OF_NAMES,
    Format("name"),
]
Name = Annotated[
    str,
    Strict(),
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_NAME_LENGTH),
    *_OF_NAMES,
    Format("name"),
]
ListName = Annotated[
    str,
    Strict(),
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_LIST_NAME_LENGTH),
    *_OF_NAMES,
    Format("name"),
]
Description = Annotated[
    str,
    Strict(),
    StringConstraints(max_length=MAX_DESCRIPTION_LENGTH),
    AfterValidator(without_nul),
    Format("text"),
]
Flag = Annotated[bool, Strict()]
CanonicalUUID = Annotated[UUID, BeforeValidator(_canonical_uuid)]
QueryFlag = Annotated[bool, BeforeValidator(_true_or_false)]
PlainInteger = Annotated[int, BeforeValidator(_digits)]
# Not a list: the framework would read that from a repeated parameter.
CommaSeparatedIds = Annotated[
    str,
    AfterValidator(_comma_separated_ids),
    WithJsonSchema({"type": "string", "maxLength": 37 * MAX_IDS - 1, "format": "uuids", "examples": [UUID_EXAMPLE]}),
]
SearchText = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_SEARCH_LENGTH),
    AfterValidator(without_nul),
    AfterValidator(_with_a_word),
    Format("words"),
]

# Of a label from before some names were refused.
AnyLabelName = Annotated[
    str,
    Strict(),
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_LABEL_LENGTH),
    AfterValidator(_label),
    Format("label"),
]
LabelName = Annotated[AnyLabelName, AfterValidator(_addressed), AfterValidator(_seen)]
Position = Annotated[
    str,
    Strict(),
    AfterValidator(_position),
    WithJsonSchema(
        {
            "type": "string",
            "minLength": 2,
            "maxLength": MAX_POSITION_LENGTH,
            "format": "position",
            "examples": [POSITION_EXAMPLE],
        }
    ),
]
Color = Annotated[
    str,
    Strict(),
    AfterValidator(_color),
    WithJsonSchema({"type": "string", "maxLength": 7, "pattern": _COLOR}),
]
# Only the first bad label is reported.
LabelNames = Annotated[
    list[LabelName], FailFast(), Field(max_length=MAX_LABELS_OF_TASK), AfterValidator(distinct_labels)
]
# Not a list: the framework would read that from a repeated parameter.
CommaSeparatedLabels = Annotated[
    str,
    AfterValidator(_comma_separated_labels),
    WithJsonSchema({"type": "string", "maxLength": 10_000, "format": "labels", "examples": ["home,errand"]}),
]

# In answers. Tests check each answer against them.
UserId = Annotated[str, StringConstraints(max_length=MAX_USER_ID_LENGTH), Format("text")]
StoredTitle = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TITLE_LENGTH), Format("text")]
StoredName = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME_LENGTH), Format("text")]
StoredListName = Annotated[str, StringConstraints(min_length=1, max_length=MAX_LIST_NAME_LENGTH), Format("text")]
StoredDescription = Annotated[str, StringConstraints(max_length=MAX_DESCRIPTION_LENGTH), Format("text")]
StoredLabel = Annotated[str, StringConstraints(min_length=1, max_length=MAX_LABEL_LENGTH), Format("text")]
StoredPosition = Annotated[str, StringConstraints(min_length=2, max_length=MAX_POSITION_LENGTH), Format("position")]
StoredColor = Annotated[str, StringConstraints(max_length=7, pattern="^#[0-9a-f]{6}$")]
# For people, in one line.
Sentence = Annotated[str, StringConstraints(min_length=1, max_length=500), Format("text")]
Revision = Annotated[int, Field(ge=1, le=MAX_REVISION)]
Count = Annotated[int, Field(ge=0, le=MAX_REVISION)]
LineNumber = Annotated[int, Field(ge=1, le=10**12)]
Hash = Annotated[str, StringConstraints(max_length=66, pattern=r"^\\x[0-9a-f]{64}$")]  # as Postgres writes bytes
