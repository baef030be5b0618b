"""The rules of undoing: pure functions from the events of a request to the rows as they were before it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import Table, TypeDecorator

from backend.errors import Conflict, Detail
from backend.models.activity import Verb
from backend.services.resources.resource import Row
from backend.services.tasks.rules import InTree
from backend.services.tasks.tree import Tree

R = TypeVar("R", bound=Row)

# By what a column has, from JSON.
_READ: dict[type, Callable[[str], Any]] = {datetime: datetime.fromisoformat, date: date.fromisoformat, UUID: UUID}


class NothingToUndo(Conflict):
    """No change is known that could be undone."""

    message = (
        "There is nothing to undo: no change of the last 90 days is known here, or it only removed something for good "
        "or made labels, which stay as they are."
    )

    def __init__(self) -> None:
        super().__init__(details=(Detail("body", "nothing_to_undo", self.message),))


class ChangedSince(Conflict):
    """Something is not as the change left it, or has lost what it belonged to, so that the change cannot be undone."""

    message = "Something has changed since, so nothing was undone. The details name what it is."

    def __init__(self, found: Iterable[tuple[str, UUID]]) -> None:
        said = "This {} has changed since, or what it belongs to"
        super().__init__(details=tuple(Detail(str(each), "changed_since", said.format(kind)) for kind, each in found))


class Event(NamedTuple):
    """What is read of an event."""

    revision: int
    kind: str
    entity_id: UUID
    verb: str
    before: dict[str, Any] | None


@dataclass(slots=True)
class Earlier:
    """How a row was before some changes: what the last of them was, and the fields that differ, unless it was new."""

    kind: str
    id: UUID
    revision: int
    fields: dict[str, Any] = field(default_factory=dict)
    is_new: bool = False
    is_gone: bool = False

    def is_as_left(self, row: Row | None) -> bool:
        """Return whether a row is still as the changes have left it."""
        return row is not None and row.revision <= self.revision


def earlier(events: Iterable[Event]) -> list[Earlier]:
    """Return how each row was before these events."""
    found: dict[tuple[str, UUID], Earlier] = {}
    for event in sorted(events, reverse=True):
        row = found.setdefault((event.kind, event.entity_id), Earlier(event.kind, event.entity_id, event.revision))
        row.is_gone = row.is_gone or event.verb == Verb.PURGED
        row.is_new = event.before is None
        row.fields |= event.before or {}
    return [*found.values()]


def typed(table: Table, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of columns, of which events keep the JSON."""
    found = {}
    for name, value in fields.items():
        kind = table.c[name].type
        read = _READ.get((kind.impl_instance if isinstance(kind, TypeDecorator) else kind).python_type)
        found[name] = value if value is None or read is None else read(value)
    return found


def is_in_place(task: InTree, tree: Tree) -> bool:
    """Return whether a task is where the task above it is, and the tasks below it are where it is.

    None of the living ones is below one in the trash.
    """
    parent = tree.parent(task)
    pairs: list[tuple[InTree, InTree]] = [(each, task) for each in tree.subtasks(task.id)]
    if parent is not None:
        pairs.append((task, parent))
    return all(
        below.list_id == above.list_id and (above.deleted_at is None or below.deleted_at is not None)
        for below, above in pairs
    )
