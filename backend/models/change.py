"""What a client asks the feed of changes for, and what is in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel
from sqlmodel import Field

from backend.models.base import Input
from backend.models.fields import FeedPosition, PlainInteger
from backend.models.task import MAX_LIMIT
from backend.models.values import FARTHEST, Revision

_SINCE = "`page.revision` of the page before, or the `id` of an event; 0, or left out: everything"


def _described(description: str, example: object, **arguments: Any) -> Any:
    return Field(description=description, schema_extra={"examples": [example]}, **arguments)


class StreamQuery(Input):
    """Where the stream begins."""

    since: FeedPosition = _described(_SINCE, 41, default=0, ge=-FARTHEST, le=FARTHEST)


class ChangesQuery(StreamQuery):
    """Which part of the feed to answer."""

    limit: PlainInteger = _described("Most changes to answer", 50, default=MAX_LIMIT, ge=1, le=MAX_LIMIT)


class DeletedTask(BaseModel):
    """A task that is in the trash or gone for good."""

    id: UUID = _described("The task's id", "0197c1f0-7a3b-7c4d-8e5f-6a7b8c9d0e1f")
    deleted: Literal[True] = _described("That it is deleted; a living task does not have this", True)
    revision: Revision = _described("The number of the change that deleted it", 43)


@dataclass(frozen=True, slots=True)
class Change:
    """One change as JSON text, and the position of whoever has seen it."""

    position: int
    json: str


@dataclass(frozen=True, slots=True)
class ChangePage:
    """Changes, oldest first, and the position from which to go on."""

    changes: tuple[Change, ...]
    position: int
    has_more: bool
