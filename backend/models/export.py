"""The lines of an export: everything stored about a user, as it is in the tables. And what an import reads of them."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, TypeVar
from uuid import UUID

from pydantic import BaseModel, StringConstraints, ValidationError

from backend.errors import Detail
from backend.formats.rows import MAX_UID_LENGTH
from backend.models.access_token import AccessTokenPublic
from backend.models.base import Input, described, first_problem
from backend.models.change import KINDS
from backend.models.fields import (
    POSITION_EXAMPLE,
    UUID_EXAMPLE,
    CanonicalUUID,
    Color,
    Count,
    Format,
    LabelName,
    Revision,
    StoredColor,
    StoredLabel,
    StoredListName,
    StoredPosition,
    UserId,
)
from backend.models.list import ListCreate
from backend.models.task import TaskColumns
from backend.models.user import Account
from backend.models.values.times import TIME_EXAMPLE, Moment

_HASH = "\\x" + "5f" * 32
Hash = Annotated[str, StringConstraints(max_length=66, pattern=r"^\\x[0-9a-f]{64}$")]  # as Postgres writes bytes
Key = Annotated[str, StringConstraints(max_length=292, pattern=r"^([0-9a-f-]{36}\n)?[ -~]+$")]
Kind = Annotated[str, StringConstraints(max_length=max(map(len, KINDS)), pattern=f"^({'|'.join(KINDS)})$")]
UID = Annotated[str, StringConstraints(min_length=1, max_length=MAX_UID_LENGTH), Format("text")]
Json = Annotated[str, StringConstraints(max_length=10_000_000, pattern=r"^\{.*\}$")]  # the largest batch needs less
_Row = TypeVar("_Row", bound=Input)


class ExportedAccount(Account):
    """The account and its counters."""

    task_count: Count = described("How many tasks you have, including deleted ones", 7)
    purged_revision: Count = described("The number of the last change that a purge removed", 12)
    last_position: StoredPosition | None = described("The greatest that a task or list had, or null", POSITION_EXAMPLE)


class ExportedTask(TaskColumns):
    """A task, active or deleted."""

    deleted_at: datetime | None = described("When it was deleted (UTC); null if it is not deleted", TIME_EXAMPLE)
    request_hash: Hash | None = described("SHA-256 of the request that created it with your own id", _HASH)
    uid: UID | None = described("The UID under which an imported calendar knows it, or null", "task-1@example.com")


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


class ExportedLabel(BaseModel):
    """A label."""

    user_id: UserId = described("The user id of its owner", "user_2NiWoBvBbPfAA")
    id: UUID = described("The label's id", UUID_EXAMPLE)
    name: StoredLabel = described("The label's name", "home")
    color: StoredColor | None = described("Its colour, or null", None)
    created_at: datetime = described("When it was made (UTC)", TIME_EXAMPLE)
    updated_at: datetime = described("When it last changed (UTC)", TIME_EXAMPLE)
    revision: Revision = described("The number of its last change", 41)


class ExportedList(BaseModel):
    """A list, active or deleted."""

    user_id: UserId = described("The user id of its owner", "user_2NiWoBvBbPfAA")
    id: UUID = described("The list's id", UUID_EXAMPLE)
    name: StoredListName = described("The list's name", "Groceries")
    color: StoredColor | None = described("Its colour, or null", None)
    archived_at: datetime | None = described("When it was archived (UTC), or null", None)
    created_at: datetime = described("When it was created (UTC)", TIME_EXAMPLE)
    updated_at: datetime = described("When it last changed (UTC)", TIME_EXAMPLE)
    deleted_at: datetime | None = described("When it was deleted (UTC); null if it is not deleted", None)
    revision: Revision = described("The number of its last change", 42)
    request_hash: Hash | None = described("SHA-256 of the request that created it with your own id", _HASH)
    position: StoredPosition = described("Where it stands among the lists", POSITION_EXAMPLE)


class ExportedKey(BaseModel):
    """An Idempotency-Key and the answer stored under it."""

    user_id: UserId = described("The user id of its owner", "user_2NiWoBvBbPfAA")
    key: Key = described(
        "The Idempotency-Key, in a request with a token for one list after the list's id", UUID_EXAMPLE
    )
    request_hash: Hash = described("SHA-256 of the request", _HASH)
    status: int = described("The status of the answer", 201, ge=200, le=599)
    headers: Json = described("The headers of the answer, as JSON", "{}")
    body: Json = described("The body of the answer", '{"data":{}}')
    created_at: datetime = described("When the request was answered (UTC)", TIME_EXAMPLE)


class ExportedAccessToken(AccessTokenPublic):
    """A personal access token, without the token itself."""

    user_id: UserId = described("The user id of its owner", "user_2NiWoBvBbPfAA")


class ExportEnd(BaseModel):
    """The last line. An export without it is incomplete."""

    lines: Count = described("How many lines come before this one", 9)


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


class ImportedLabel(Input):
    """A label as a line of an export describes it. In an existing label, an omitted colour stays as it is."""

    id: CanonicalUUID = described("The label's id", UUID_EXAMPLE)
    name: LabelName = described("The label's name", "home")
    color: Color | None = described("Its colour, or null", None, default_factory=lambda: None)


class _Archive(Input):
    """When a list was archived, which decides only whether it is."""

    archived_at: Moment | None


class ImportedList(ListCreate):
    """A list as a line of an export describes it. In an existing list, omitted fields keep their values."""

    id: CanonicalUUID = described("The list's id", UUID_EXAMPLE)


def line_of(fields: Mapping[str, object], kinds: Container[str]) -> tuple[str, Mapping[str, object]] | None:
    """Return the type and the data of a line of an account's export, if it is one of these types; else None."""
    kind, data = fields.get("type"), fields.get("data")
    if len(fields) == len(("type", "data")) and isinstance(kind, str) and kind in kinds and isinstance(data, dict):
        return kind, data
    return None


def read_label(data: Mapping[str, object]) -> ImportedLabel | Detail:
    """Read a label; returns a Detail for the first thing that is wrong with it."""
    return _read(ImportedLabel, data, ignored=ExportedLabel.model_fields.keys() - ImportedLabel.model_fields.keys())


def read_list(data: Mapping[str, object]) -> ImportedList | Detail:
    """Read a list; returns a Detail for the first thing that is wrong with it."""
    said = dict(data)
    if "archived_at" in data:
        archive = _read(_Archive, data, ignored=data.keys() - {"archived_at"})
        if isinstance(archive, Detail):
            return archive
        said["archived"] = archive.archived_at is not None
    return _read(ImportedList, said, ignored=ExportedList.model_fields.keys() - ImportedList.model_fields.keys())


def _read(model: type[_Row], data: Mapping[str, object], ignored: set[str]) -> _Row | Detail:
    try:
        return model.model_validate({name: value for name, value in data.items() if name not in ignored})
    except ValidationError as error:
        return first_problem(error)
