"""The kinds of lines in an account's export: first the account, then a kind for every table of users, then the end.

The table email_keys has none: it says what the line of the credentials does.
"""

from __future__ import annotations

from typing import NamedTuple

from pydantic import BaseModel
from sqlalchemy import Table

from backend.models.export import ExportedAccount, ExportedEvent, ExportedKey, ExportEnd, RemovedTask
from backend.models.sign_in.exported import ExportedCredentials, ExportedSession
from backend.models.tables import credentials, events, idempotency_keys, sessions, tombstones
from backend.services.registry import RESOURCES


class Part(NamedTuple):
    """A table, and the model of a line that has one of its rows."""

    table: Table
    line: type[BaseModel]


_COUNTED = {resource.kind: Part(resource.table, resource.exported) for resource in RESOURCES if resource.is_counted}
_OTHERS = {resource.kind: Part(resource.table, resource.exported) for resource in RESOURCES if not resource.is_counted}
# By the type of the line, in the order in which an export has them.
PARTS: dict[str, Part] = {
    **_COUNTED,
    "removed_task": Part(tombstones, RemovedTask),
    "idempotency_key": Part(idempotency_keys, ExportedKey),
    **_OTHERS,
    "credentials": Part(credentials, ExportedCredentials),
    "session": Part(sessions, ExportedSession),
    "event": Part(events, ExportedEvent),
}
# The model of `data`, by the type of the line.
LINES: dict[str, type[BaseModel]] = {
    "account": ExportedAccount,
    **{kind: part.line for kind, part in PARTS.items()},
    "end": ExportEnd,
}
