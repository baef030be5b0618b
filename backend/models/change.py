"""The change feed: what a client can request, and what it contains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from backend.models.base import COMMA_SEPARATED, Choice, Input, choice_of, chosen, described, optional
from backend.models.fields import PlainInteger
from backend.models.task_query import MAX_LIMIT
from backend.models.values import sync_token
from backend.models.values.sync_token import START, SyncToken

_SINCE = (
    "`page.next_since` of the previous page, `page.since` of a listing, or the `id` of an event; `now` to get only "
    "what changes from now on; omit it to get everything"
)

MALFORMED_SINCE = "Must be a sync token or now: send next_since unchanged, or leave since out to start again"


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
            "format": "sync-token",
            "examples": [sync_token.EXAMPLE],
        }
    ),
]


class ChangeType(Choice):
    """What has changed."""

    TASK = "task"
    LABEL = "label"
    LIST = "list"


KINDS = (*(each.value for each in ChangeType), "moved")  # of what is gone: a task may have moved out of a list


def _types(text: str) -> str:
    """Read types separated by commas; returns each of them once, in our order."""
    types = chosen(text, ChangeType)
    return ",".join(each for each in ChangeType if each in types)


Types = Annotated[str, AfterValidator(_types), choice_of(ChangeType), COMMA_SEPARATED]


class StreamQuery(Input):
    """Where the stream starts, and what it reports."""

    since: Since = described(_SINCE, sync_token.EXAMPLE, default_factory=lambda: str(START))
    types: Types = optional(
        "What to report. Each change then says its type. Omit it to "
        "get tasks without a type. Send the same types as long as you follow; to get another type, start again without "
        "`since`",
        ChangeType.TASK.value,
    )

    @property
    def sync_token(self) -> SyncToken:
        """Return `since` as a sync token."""
        return SyncToken.read(self.since)


class ChangesQuery(StreamQuery):
    """Which part of the feed to return."""

    limit: PlainInteger = described("Maximum number of changes to return", 50, default=MAX_LIMIT, ge=1, le=MAX_LIMIT)


@dataclass(frozen=True, slots=True)
class Change:
    """One change as JSON text, and the sync token of a client that has seen it; `type` if it was asked for."""

    sync_token: SyncToken
    json: str
    type: str | None = None


@dataclass(frozen=True, slots=True)
class ChangePage:
    """Changes, oldest first, and the sync token to continue with."""

    changes: tuple[Change, ...]
    next_since: SyncToken
    has_more: bool
