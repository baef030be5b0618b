"""The change feed: what a client can request, and what it contains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, WithJsonSchema
from pydantic_core import PydanticCustomError

from backend.models import sync_token
from backend.models.base import Input, described
from backend.models.fields import UUID_EXAMPLE, PlainInteger, Revision
from backend.models.sync_token import START, SyncToken
from backend.models.task import MAX_LIMIT

_SINCE = "`page.next_since` of the previous page, or the `id` of an event; omit it to get everything"

MALFORMED_SINCE = "Must be a sync token: send next_since unchanged, or leave since out to start again"


def _sync_token(text: str) -> str:
    """Refuse text that is not a sync token."""
    try:
        SyncToken.read(text)
    except ValueError:
        raise PydanticCustomError("sync_token_invalid", MALFORMED_SINCE) from None
    return text


Since = Annotated[
    str,
    AfterValidator(_sync_token),
    WithJsonSchema(
        {
            "type": "string",
            "maxLength": sync_token.MAX_LENGTH,
            "pattern": sync_token.PATTERN,
            "examples": [sync_token.EXAMPLE],
        }
    ),
]


class StreamQuery(Input):
    """Where the stream starts."""

    since: Since = described(_SINCE, sync_token.EXAMPLE, default_factory=lambda: str(START))

    @property
    def sync_token(self) -> SyncToken:
        """Return `since` as a sync token."""
        return SyncToken.read(self.since)


class ChangesQuery(StreamQuery):
    """Which part of the feed to return."""

    limit: PlainInteger = described("Maximum number of changes to return", 50, default=MAX_LIMIT, ge=1, le=MAX_LIMIT)


class DeletedTask(BaseModel):
    """A task that is in the trash or permanently deleted."""

    id: UUID = described("The task's id", UUID_EXAMPLE)
    deleted: Literal[True] = described("Always `true`; active tasks do not have this field", True)
    revision: Revision = described("The number of the change that deleted it", 43)


@dataclass(frozen=True, slots=True)
class Change:
    """One change as JSON text, and the sync token of a client that has seen it."""

    sync_token: SyncToken
    json: str


@dataclass(frozen=True, slots=True)
class ChangePage:
    """Changes, oldest first, and the sync token to continue with."""

    changes: tuple[Change, ...]
    next_since: SyncToken
    has_more: bool
