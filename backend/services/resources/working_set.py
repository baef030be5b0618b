"""The rows of a resource that a change has loaded: finds them, and counts and stores what the rules make of them."""

from __future__ import annotations

from typing import Any, Generic
from uuid import UUID

from backend.database.giving_way import in_turns
from backend.errors import Detail, PreconditionFailed
from backend.models.base import RowDocument
from backend.models.values.etags import Revisions
from backend.services.loading import Found
from backend.services.resources.resource import R, Resource
from backend.services.resources.statements import insert_all, insert_one, remove_one, update_all, update_one
from backend.services.unit_of_work import UnitOfWork
from backend.utils.postgres_json import to_json

_IN_TRASH = "This id is that of a {} in the trash; restore it, or choose another id"


class WorkingSet(Generic[R]):
    """Rows by their ids, what was read beside each, and how many rows the user has (`number`).

    The unit of work stores what has changed when it ends.
    """

    def __init__(self, resource: Resource[R], unit: UnitOfWork, found: Found[R]) -> None:
        self.resource = resource
        self.unit = unit
        self.number: int = found.once.get("number", 0)
        self.rows: dict[UUID, R] = {row.id: row for row in found.rows}
        self.beside: dict[UUID, dict[str, Any]] = dict(zip(self.rows, found.beside, strict=False))
        self._before: dict[UUID, R | None] = {}  # rows that have changed, as they were loaded; None stands for none
        self._changes: list[tuple[UUID, R | None]] = []  # each with the row before it
        unit.join(self)

    def find(self, row_id: UUID, expected: Revisions | None = None, *, in_trash_too: bool = False) -> R:
        """Return a row; raises what the resource says of one that is missing, or whose revision is not expected."""
        row = self.rows.get(row_id)
        if row is None or (is_in_trash(row) and not in_trash_too):
            raise self.resource.not_found
        if expected is not None and row.revision not in expected:
            raise self.changed_since(row)
        return row

    def create(self, new: R, *, only_new: bool = False) -> RowDocument:
        """Add a new row, or return the one with its id if the same request has made it before.

        Raises a conflict when another row has the id, or a row in the trash. Raises the resource's `changed_since` when
        the id names a row and must not (`only_new`), and what `add` raises.
        """
        existing = self.rows.get(new.id)
        if existing is None:
            return self.document(self.add(new), is_new=True)
        if is_in_trash(existing):
            raise self.resource.conflict(details=(Detail("id", "in_trash", _IN_TRASH.format(self.resource.kind)),))
        if only_new:
            raise self.changed_since(existing)
        request_hash = _request_hash(new)
        # Nobody else has an id that we chose: then it was the first try of this request, whose connection was lost.
        if request_hash is not None and _request_hash(existing) != request_hash:
            raise self.resource.conflict
        return self.document(existing, is_new=request_hash is None)

    def add(self, row: R) -> R:
        """Add a new row; raises what the resource says if there is no room."""
        self.resource.refuse_one_more(self.number)
        return self.count(row)

    def keep(self, row: R) -> R:
        """Keep a row as the rules have made it; it counts only if it differs."""
        return row if row == self.rows[row.id] else self.count(row)

    def count(self, row: R) -> R:
        """Count and note a change: the row gets the next revision and, if it is placed anew, its position.

        The time of its change is now, and never goes back.
        """
        before = self.rows.get(row.id)
        values: dict[str, Any] = {"revision": self.unit.next_revision()}
        if before is not None:
            values["updated_at"] = max(self.unit.now, before.updated_at)
        position = getattr(row, "position", None)
        if position is not None and (before is None or position != getattr(before, "position", None)):
            values["position"] = self.unit.give_position(position)
        row = row._replace(**values)
        self.put(row)
        self.unit.note(self.resource.kind, row.id, row.revision, before, row)
        return row

    def remove(self, row: R) -> R:
        """Remove a row for good, and leave a tombstone; returns the row with the revision of its removal."""
        before, row = row, row._replace(revision=self.unit.next_revision())
        self._change(row.id, None)
        self.unit.note(self.resource.kind, row.id, row.revision, before, None)
        self.unit.bury(self.resource.kind, row.id, row.revision, getattr(row, "list_id", None))
        return row

    def put(self, row: R) -> None:
        """Put a row in the place of what it was, without counting that."""
        self._change(row.id, row)

    def _change(self, row_id: UUID, row: R | None) -> None:
        before = self.rows.get(row_id)
        self._before.setdefault(row_id, before)
        self._changes.append((row_id, before))
        self._set(row_id, row)

    def _set(self, row_id: UUID, row: R | None) -> None:
        """Set what a row is now; None stands for none. Every change, and the undoing of each, comes by here."""
        self.number += (row is not None) - (row_id in self.rows)
        if row is None:
            del self.rows[row_id]
        else:
            self.rows[row_id] = row

    def savepoint(self) -> int:
        """Return what `undo` takes to make the rows as they are now."""
        return len(self._changes)

    def undo(self, savepoint: int) -> None:
        """Undo the changes since a savepoint. The later ones are gone."""
        while len(self._changes) > savepoint:
            self._set(*self._changes.pop())

    def before(self, row_id: UUID) -> R | None:
        """Return a row as it was loaded; None if there was none."""
        return self._before[row_id] if row_id in self._before else self.rows.get(row_id)

    def changed(self) -> list[tuple[R | None, R]]:
        """Return the rows that differ from what was loaded, each behind what it was then; None stands for none."""
        found: list[tuple[R | None, R]] = []
        for row_id, before in in_turns(self._before.items()) if self._before else ():
            row = self.rows.get(row_id)
            if row is not None and row != before:
                found.append((before, row))
        return found

    def removed(self) -> list[UUID]:
        """Return the ids of the rows that were loaded, and are gone."""
        return [row_id for row_id, before in self._before.items() if before is not None and row_id not in self.rows]

    def store(self) -> None:
        """Store the changes: new rows at once, changed rows too, and one row that was removed."""
        if not self._before:
            return
        changed, resource = self.changed(), self.resource
        new = [row for before, row in changed if before is None]
        old = [row for before, row in changed if before is not None]
        if len(new) == 1:
            self.unit.store(insert_one(resource), **resource.values(new[0], resource.stored))
        elif new:
            self.unit.store(insert_all(resource), **resource.columns(new, resource.arrays))
        if len(old) == 1:
            self.unit.store(update_one(resource), **resource.values(old[0], ("id", *resource.changing)))
        elif old:
            self.unit.store(update_all(resource), **resource.columns(old, resource.changed_arrays))
        for row_id in self.removed():
            self.unit.store(remove_one(resource), **{f"{resource.kind}__id": row_id})

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


def _request_hash(row: Any) -> bytes | None:
    """Return what identifies the request that made a row; None if that did not choose the id."""
    request_hash: bytes | None = row.request_hash
    return request_hash
