"""What every model shares: the strict input base, and the answers that Postgres has already written as JSON."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import GetJsonSchemaHandler
from pydantic_core import CoreSchema
from sqlmodel import Field, SQLModel


def described(description: str, example: object, **arguments: Any) -> Any:
    """Say what a field means and how it looks, for the documentation."""
    return Field(description=description, schema_extra={"examples": [example]}, **arguments)


def optional(description: str, example: object) -> Any:
    """Describe a field that may be left out.

    The None that then stands in its place is never validated, so a null that a client sends still has to fit the type;
    made by a factory, it does not show up in the documentation as a default.
    """
    return described(description, example, default_factory=lambda: None)


class Input(SQLModel):
    """What a client may send: the declared fields and no others."""

    model_config = {"extra": "forbid"}


class Choice(StrEnum):
    """Texts of which one is sent. The contract says what each is called, for languages where `-title` is no name."""

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Document the texts and their names."""
        reference = handler(schema)
        handler.resolve_ref_schema(reference)["x-enum-varnames"] = [choice.name for choice in cls]
        return reference


@dataclass(frozen=True, slots=True)
class Document:
    """One row as JSON text, with its revision."""

    json: str
    revision: int


@dataclass(frozen=True, slots=True)
class TaskDocument(Document):
    """One task as JSON text, with its revision and id, and whether it was made just now."""

    id: UUID
    is_new: bool = dataclasses.field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Page:
    """Rows as the text of a JSON array, and where the next page starts; next_cursor is None on the last page.

    `tag` is another one after each change. `total` counts the rows of all pages, where that was asked for.
    """

    json: str
    limit: int
    next_cursor: str | None
    tag: str
    total: int | None = None
