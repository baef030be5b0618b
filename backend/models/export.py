"""The lines of an export that are of no resource, and its pages.

An export has everything stored about a user, as it is in the tables. The line of a resource is in its own module.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, TypeVar
from uuid import UUID

from pydantic import BaseModel, StringConstraints, ValidationError

from backend.errors import Detail
from backend.models.activity import Kept, RequestId
from backend.models.base import Input, described, first_problem
from backend.models.change import KINDS
from backend.models.fields import (
    HASH_EXAMPLE,
    POSITION_EXAMPLE,
    UUID_EXAMPLE,
    Count,
    Hash,
    Revision,
    StoredPosition,
    UserId,
)
from backend.models.user import Account
from backend.models.values.times import TIME_EXAMPLE

Key = Annotated[str, StringConstraints(max_length=292, pattern=r"^([0-9a-f-]{36}\n)?[ -~]+$")]
Kind = Annotated[str, StringConstraints(max_length=max(map(len, KINDS)), pattern=f"^({'|'.join(KINDS)})$")]
Json = Annotated[str, StringConstraints(max_length=10_000_000, pattern=r"^\{.*\}$")]  # the largest batch needs less
Word = Annotated[str, StringConstraints(max_length=100, pattern=r"^[a-z0-9:-]+$")]
_Row = TypeVar("_Row", bound=Input)


class ExportedAccount(Account):
    """The account and its counters."""

    task_count: Count = described("How many tasks you have, including deleted ones", 7)
    purged_revision: Count = described("The number of the last change that a purge removed", 12)
    last_position: StoredPosition | None = described("The greatest that a task or list had, or null", POSITION_EXAMPLE)


class RemovedTask(BaseModel):
    """What remains of a permanently deleted task, label or list, or of a task that has left a list."""

    user_id: UserId = described("The user id of its owner", "user_2NiWoBvBbPfAA")
    id: UUID = described("The id of the task, label or list", UUID_EXAMPLE)
    revision: Revision = described("The number of the change that removed it", 43)
    deleted_at: datetime = described("When it was removed (UTC)", TIME_EXAMPLE)
    kind: Kind = described("Whether it was a `task`, a `label` or a `list`, or a task that was `moved`", "task")
    list_ids: list[UUID] = described(
        "The lists that the task has left, whose followers are told", [UUID_EXAMPLE], max_length=10_000
    )


class ExportedKey(BaseModel):
    """An Idempotency-Key and the answer stored under it."""

    user_id: UserId = described("The user id of its owner", "user_2NiWoBvBbPfAA")
    key: Key = described(
        "The Idempotency-Key, in a request with a token for one list after the list's id", UUID_EXAMPLE
    )
    request_hash: Hash = described("SHA-256 of the request", HASH_EXAMPLE)
    status: int = described("The status of the answer", 201, ge=200, le=599)
    headers: Json = described("The headers of the answer, as JSON", "{}")
    body: Json = described("The body of the answer", '{"data":{}}')
    created_at: datetime = described("When the request was answered (UTC)", TIME_EXAMPLE)


class ExportedEvent(BaseModel):
    """What a change did to a task, a label or a list."""

    user_id: UserId = described("The user id of its owner", "user_2NiWoBvBbPfAA")
    revision: Revision = described("The number of the change", 43)
    at: datetime = described("When it was made (UTC)", TIME_EXAMPLE)
    actor: Word = described("Who made it: `user`, or `token:` and the id of a personal access token", "user")
    via: Word = described("Through what: `api`, `import` or `command`", "api")
    kind: Kind = described("Whether it changed a `task`, a `label` or a `list`", "task")
    entity_id: UUID = described("The id of the task, label or list", UUID_EXAMPLE)
    verb: Word = described("What it did", "completed")
    before: dict[str, Kept] | None = described(
        "The fields that differ, as they were; null if it was not there before", {"completed": False}
    )
    note: dict[str, Kept] | None = described("More about the change, or null", None)
    request_id: RequestId | None = described("The `X-Request-ID` of the request, or null", "req_1")


class ExportEnd(BaseModel):
    """The last line. An export without it is incomplete."""

    lines: Count = described("How many lines come before this one", 10)


@dataclass(frozen=True, slots=True)
class ExportCursor:
    """Where a page begins: in this part of the export, at the first row whose key is not less than `key`."""

    part: int
    key: object


@dataclass(frozen=True, slots=True)
class ExportPage:
    """Whole lines, each with its line end, and where the next page begins; None after the last page."""

    lines: str
    next: ExportCursor | None


def line_of(fields: Mapping[str, object], kinds: Container[str]) -> tuple[str, Mapping[str, object]] | None:
    """Return the type and the data of a line of an account's export, if it is one of these types; else None."""
    kind, data = fields.get("type"), fields.get("data")
    if len(fields) == len(("type", "data")) and isinstance(kind, str) and kind in kinds and isinstance(data, dict):
        return kind, data
    return None


def read_line(model: type[_Row], data: Mapping[str, object]) -> _Row | Detail:
    """Read a row of a line; returns a Detail for the first thing that is wrong with it."""
    try:
        return model.model_validate(dict(data))
    except ValidationError as error:
        return first_problem(error)
