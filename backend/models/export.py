"""The lines of an export: everything that is stored of one user, as it is in the tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, StringConstraints
from sqlmodel import Field

from backend.models.task import TaskPublic
from backend.models.user import Account

_TIME = "2026-11-21T09:30:00.123456+00:00"
_HASH = "\\x" + "5f" * 32
HexBytes = Annotated[str, StringConstraints(pattern=r"^\\x([0-9a-f]{2})*$")]  # as Postgres writes bytes


def _described(description: str, example: object, **arguments: Any) -> Any:
    return Field(description=description, schema_extra={"examples": [example]}, **arguments)


class ExportedAccount(Account):
    """The account, and what is counted of it."""

    task_count: int = _described("How many tasks you have, deleted ones included", 7)
    purged_revision: int = _described("The number of the last change that a purge has removed", 12)


class ExportedTask(TaskPublic):
    """A task, living or deleted."""

    deleted_at: datetime | None = _described(  # type: ignore[assignment]  # here it is never left out
        "When it was deleted (UTC); null while it lives", _TIME
    )
    request_hash: HexBytes | None = _described("SHA-256 of the request that created it under an id of yours", _HASH)


class RemovedTask(BaseModel):
    """What remains of a task that is gone for good."""

    user_id: str = _described("Whose it was", "user_2NiWoBvBbPfAA")
    id: UUID = _described("The task's id", "0197c1f0-7a3b-7c4d-8e5f-6a7b8c9d0e1f")
    revision: int = _described("The number of the change that removed it", 43)
    deleted_at: datetime = _described("When it was removed (UTC)", _TIME)


class ExportedKey(BaseModel):
    """An Idempotency-Key, and the answer that is kept under it."""

    user_id: str = _described("Whose it is", "user_2NiWoBvBbPfAA")
    key: str = _described("The Idempotency-Key", "0197c1f0-7a3b-7c4d-8e5f-6a7b8c9d0e1f")
    request_hash: HexBytes = _described("SHA-256 of the request", _HASH)
    status: int = _described("The status of the answer", 201)
    headers: str = _described("Its headers, as JSON", "{}")
    body: str = _described("Its body", '{"data":{}}')
    created_at: datetime = _described("When it was answered (UTC)", _TIME)


class ExportEnd(BaseModel):
    """The last line. An export without it is not complete."""

    lines: int = _described("How many lines come before this one", 4)


# What stands in `data`, by the `type` of the line.
LINES: dict[str, type[BaseModel]] = {
    "account": ExportedAccount,
    "task": ExportedTask,
    "removed_task": RemovedTask,
    "idempotency_key": ExportedKey,
    "end": ExportEnd,
}


@dataclass(frozen=True, slots=True)
class ExportPlace:
    """Where a page begins: in which part of the export, and there at the first row whose key is no less than this."""

    part: int
    key: object


@dataclass(frozen=True, slots=True)
class ExportPage:
    """Whole lines, each with its end; and where the next page begins, None behind the last one."""

    lines: str
    next: ExportPlace | None
