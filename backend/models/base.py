"""What all models share: the strict input base, and answers that Postgres has already written as JSON.

Answers are plain pydantic models: a SQLModel inside another model loses `strict` and `extra` when it is validated.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Self, TypeVar
from uuid import UUID

from pydantic import (
    BeforeValidator,
    GetJsonSchemaHandler,
    ModelWrapValidatorHandler,
    PrivateAttr,
    ValidationError,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError, PydanticUndefined
from sqlmodel import Field, SQLModel

from backend.errors import Detail
from backend.models.values.sync_token import START, SyncToken
from backend.utils.plain_words import in_plain_words
from backend.utils.unknown_names import similar_names


def described(description: str, example: object, **arguments: Any) -> Any:
    """Declare a field with a description and an example for the documentation."""
    return Field(description=description, schema_extra={"examples": [example]}, **arguments)


def optional(description: str, example: object) -> Any:
    """Declare a field that may be left out.

    Its default None is never validated, so a null from a client must still fit the type. A factory makes it, because
    `Field(default=None)` would document null as the default of a field that cannot be null.
    """
    return described(description, example, default_factory=lambda: None)


class Input(SQLModel):
    """Client input: only the declared fields are allowed."""

    model_config = {"extra": "forbid"}


class Edit(Input):
    """Changes something whose id the path names. It may be sent back whole: its `read_only` fields are ignored."""

    read_only: ClassVar[frozenset[str]] = frozenset()
    # What it says of its id and owner if it is sent whole; nothing else of what a request must not change is kept.
    _whole: tuple[Any, Any] | None = PrivateAttr(default=None)

    @model_validator(mode="wrap")
    @classmethod
    def _without_what_is_read_only(cls, value: Any, validate: ModelWrapValidatorHandler[Self]) -> Self:
        if not isinstance(value, dict) or cls.read_only.isdisjoint(value):
            return validate(value)
        return validate({name: each for name, each in value.items() if name not in cls.read_only}).naming(value)

    def naming(self, sent: dict[str, Any]) -> Self:
        """Keep what it says of its id and owner, since it was sent whole."""
        self._whole = sent.get("id"), sent.get("user_id")
        return self

    @property
    def named(self) -> tuple[Any, Any] | None:
        """Return the id and the owner that it names, each None if it does not; None alone unless it was sent whole."""
        return self._whole


AnyInput = TypeVar("AnyInput", bound=Input)


def all_optional(model: type[AnyInput]) -> type[AnyInput]:
    """Let every field of an input be left out, whatever its declaration says."""
    for field in model.model_fields.values():
        field.default, field.default_factory = PydanticUndefined, lambda: None
    model.model_rebuild(force=True)
    return model


class Choice(StrEnum):
    """A choice of texts. The contract also gives them names, for languages in which `-title` is not a valid name.

    A field takes texts by `BeforeValidator(X.known, json_schema_input_type=X)`, so that the contract has the choice.
    """

    @classmethod
    def known(cls, text: str) -> str:
        """Refuse an unknown text, and list the known texts."""
        if text not in cls.__members__.values():
            raise PydanticCustomError("enum", f"{cls.refusal()}{_suggestion(text, [*cls])}")
        return text

    @classmethod
    def refusal(cls) -> str:
        """Return the message for an unknown text."""
        return f"Must be one of: {', '.join(cls)}"

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Document the texts and their names."""
        reference = handler(schema)
        handler.resolve_ref_schema(reference)["x-enum-varnames"] = [choice.name for choice in cls]
        return reference


# Marks a parameter that lists words, separated by commas. A program may also repeat it, once for each word.
COMMA_SEPARATED = "comma-separated"
MAX_WORDS = 20


def choice_of(words: type[Choice]) -> BeforeValidator:
    """Document a parameter as a choice of these words. Whoever reads the parameter gets the text as it was sent."""
    documented = Annotated[list[words], Field(min_length=1, max_length=MAX_WORDS)]  # type: ignore[valid-type]
    return BeforeValidator(lambda sent: sent, json_schema_input_type=documented)


def chosen(text: str, words: type[Choice]) -> list[Any]:
    """Read words separated by commas; raises an error that lists the known words."""
    said = text.split(",")
    if len(said) > MAX_WORDS:
        raise PydanticCustomError("enum", f"Must be at most {MAX_WORDS} words")
    if not {*words} >= {*said}:
        raise PydanticCustomError("enum", f"Must be one or more of: {', '.join(words)}, separated by commas")
    return [words(word) for word in said]


def _suggestion(text: object, known: list[str]) -> str:
    """Name the text that was probably meant, if there is one."""
    similar = similar_names(text, known) if isinstance(text, str) else []
    return f"; did you mean {' or '.join(similar)}?" if similar else ""


@dataclass(frozen=True, slots=True)
class Document:
    """One row as JSON text, with its revision."""

    json: str
    revision: int


@dataclass(frozen=True, slots=True)
class RowDocument(Document):
    """One row as JSON text, with its revision and id, and whether it was just made."""

    id: UUID
    is_new: bool = dataclasses.field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Page:
    """Rows as the text of a JSON array, and where the next page starts; next_cursor is None on the last page.

    `tag` changes with every write, and `since` is the sync token of this state. If the client asked for them, `total`
    counts the rows of all pages, and `counts` the rows by status.
    """

    json: str
    limit: int
    next_cursor: str | None
    tag: str
    total: int | None = None
    counts: dict[str, int] | None = None
    since: SyncToken = START


def first_problem(error: ValidationError) -> Detail:
    """Return the first thing that the validator says, in our words."""
    problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return Detail(str(problem["loc"][0]), problem["type"], in_plain_words(problem["type"], problem["msg"]))
