"""The rows of a resource that a change has loaded: finds them, counts what the rules make of them, and stores it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Generic, Self
from uuid import UUID

from backend.errors import PreconditionFailed
from backend.models.base import RowDocument
from backend.models.values.etags import Revisions
from backend.services.resources.resource import R, Resource
from backend.services.resources.statements import insert_one, remove_one, update_one
from backend.services.unit_of_work import Rows, UnitOfWork
from backend.utils.postgres_json import to_json


@dataclass(slots=True)
class WorkingSet(Generic[R]):
    """Rows by their ids, what was read beside each, and how many rows the user has."""

    resource: Resource[R]
    unit: UnitOfWork
    count: int
    rows: dict[UUID, R] = field(default_factory=dict)
    beside: dict[UUID, tuple[Any, ...]] = field(default_factory=dict)

    @classmethod
    def load(cls, resource: Resource[R], unit: UnitOfWork, rows: Rows, **params: Any) -> Self:
        """Lock the user's row, and read rows: their stored columns first, and then what else belongs to each."""
        (count,), found = unit.load_all(rows, **params)
        loaded, end = cls(resource, unit, count), len(resource.stored)
        for values in found:
            row = resource.row(*values[:end])
            loaded.rows[row.id] = row
            loaded.beside[row.id] = tuple(values[end:])
        return loaded

    def find(self, row_id: UUID, expected: Revisions | None = None, *, in_trash_too: bool = False) -> R:
        """Return a row; raises what the resource says of one that is missing, or whose revision is not expected."""
        row = self.rows.get(row_id)
        if row is None or (is_in_trash(row) and not in_trash_too):
            raise self.resource.not_found
        if expected is not None and row.revision not in expected:
            raise self.changed_since(row)
        return row

    def add(self, row: R) -> R:
        """Add a new row; raises what the resource says if there is no room."""
        self.resource.refuse_one_more(self.count)
        self.count += 1
        return self._put(insert_one(self.resource), row, self.resource.stored, is_placed=True)

    def keep(self, row: R) -> R:
        """Keep a row as the rules have made it; it counts only if it differs. Only one row of a change may."""
        before = self.rows[row.id]
        if row == before:
            return row
        row = row._replace(updated_at=max(self.unit.now, before.updated_at))
        is_placed = getattr(row, "position", None) != getattr(before, "position", None)
        return self._put(update_one(self.resource), row, ("id", *self.resource.changing), is_placed=is_placed)

    def _put(self, statement: Any, row: R, names: tuple[str, ...], *, is_placed: bool) -> R:
        """Count a change of a row, and store it; if it is placed anew, it gets its position."""
        row = row._replace(revision=self.unit.next_revision())
        if is_placed and "position" in self.resource.stored:
            row = row._replace(position=self.unit.give_position(row.position))  # type: ignore[attr-defined]
        self.rows[row.id] = row
        self.unit.store(statement, **self.resource.values(row, names))
        return row

    def remove(self, row: R) -> R:
        """Remove a row for good, and leave a tombstone; returns the row with the revision of its removal."""
        row = row._replace(revision=self.unit.next_revision())
        del self.rows[row.id]
        self.unit.store(remove_one(self.resource), **self.resource.values(row, ("id",)))
        self.unit.bury(self.resource.kind, row.id, row.revision)
        return row

    def document(self, row: R, *, is_new: bool = False, **beside: Any) -> RowDocument:
        """Return a row as the answer of a change; `beside` are values that clients see and that are not stored."""
        return RowDocument(self._json(row, **beside), row.revision, row.id, is_new)

    def changed_since(self, row: R) -> PreconditionFailed:
        """Return the error that shows how the row is now."""
        return self.resource.changed_since(self._json(row), row.revision)

    def _json(self, row: R, **beside: Any) -> str:
        """Write a row as JSON, byte for byte as Postgres writes it for reads."""
        names = self.resource.public_names(is_in_trash=is_in_trash(row))
        return to_json({name: beside[name] if name in beside else getattr(row, name) for name in names})


def is_in_trash(row: Any) -> bool:
    """Return whether a row is in the trash, if its resource has one."""
    return getattr(row, "deleted_at", None) is not None
