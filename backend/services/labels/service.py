"""Everything that users may do with one of their labels, on all tasks that carry it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from operator import attrgetter
from uuid import UUID

from uuid_utils.compat import uuid7

from backend.database.retry import reads, repeatable
from backend.database.session import Sessions
from backend.errors import PreconditionRequired
from backend.models.base import RowDocument
from backend.models.label import ImportedLabel, LabelPut, LabelUpdate
from backend.models.task_file import Fate
from backend.models.values.label_names import key_of_label, name_key_of
from backend.services.labels import queries as label_queries
from backend.services.labels import rules
from backend.services.labels.rules import LabelExists, LabelNotFound, Row
from backend.services.resources.reading import Listed, all_rows
from backend.services.resources.working_set import WorkingSet
from backend.services.tasks import bulk
from backend.services.unit_of_work import UnitOfWork, unit_of_work


class _Loaded(WorkingSet[Row]):
    """The labels that a change names, each with the numbers of its tasks: the living ones, and all."""

    def look_up(self, name: str) -> Row | None:
        """Return the label with a name, or None.

        Labels that were two before may have the same key: so each is looked up by its `name_key` first.
        """
        same = sorted((row for row in self.rows.values() if key_of_label(row.name) == key_of_label(name)), key=_by_name)
        return next((row for row in same if row.name_key == name_key_of(name)), same[0] if same else None)

    def named(self, name: str) -> Row:
        """Return the label with a name; raises LabelNotFound."""
        found = self.look_up(name)
        if found is None:
            raise LabelNotFound
        return found

    def make(self, name: str, data: LabelPut, label_id: UUID) -> RowDocument:
        """Make a label; raises TooManyLabels."""
        return self.document(self.add(rules.new_label(label_id, name, data, self.unit.now)), is_new=True, task_count=0)

    def change(self, label: Row, data: LabelPut) -> RowDocument:
        """Do what a request says to a label and to the tasks that carry it; raises LabelExists."""
        wanted = rules.edited(label, data)
        if wanted.name != label.name and self._has_another(wanted):
            raise LabelExists
        kept = self.keep(wanted)
        living, everything = self._carrying(label)
        if kept.name != label.name:
            bulk.rename_label(self.unit, label.name, kept.name, everything)
        return self.document(kept, task_count=living)

    def _has_another(self, label: Row) -> bool:
        key = key_of_label(label.name)
        return any(other.id != label.id and key_of_label(other.name) == key for other in self.rows.values())

    def take_off(self, label: Row) -> None:
        """Remove a label, and take it off the tasks that carry it."""
        self.remove(label)
        bulk.take_off_label(self.unit, label.name, self._carrying(label)[1])

    def _carrying(self, label: Row) -> tuple[int, int]:
        """Return how many living tasks carry a label, and how many do with those in the trash."""
        living, everything = self.beside[label.id]["numbers"]
        return living, everything


_by_name = attrgetter("name")


@dataclass(frozen=True, slots=True)
class LabelService:
    """One user's labels. A read is one round trip to the database, a change is two, however many tasks it concerns.

    A change joins `unit`, if there is one.
    """

    sessions: Sessions
    user_id: str
    unit: UnitOfWork | None = None
    new_id: Callable[[], UUID] = uuid7

    @reads
    def list(self, known: tuple[str, ...] | None = ()) -> Listed:
        """List all labels, in the order of their names without regard to case.

        `known` holds the tags that the client already has, and None means any tag. If the data still has such a tag, no
        label is read.
        """
        return all_rows(self.sessions, self.user_id, label_queries.LIST, known)

    @repeatable
    def put(self, name: str, data: LabelPut) -> RowDocument:
        """Make a label, or change the one with this name; raises TooManyLabels, ValidationFailed."""
        with self._loaded(name) as labels:
            found = labels.look_up(name)
            rules.refuse_another(data, name, found)
            return labels.make(name, data, self.new_id()) if found is None else labels.change(found, data)

    @repeatable
    def bring(self, data: ImportedLabel, *, only_adds: bool) -> Fate:
        """Make a label as a file says, under its id if that is free, or change the one with this name.

        To look for the id takes a third round trip. Raises TooManyLabels, and PreconditionRequired for a label that
        would change and must not (`only_adds`).
        """
        with self._loaded(data.name) as labels:
            color = LabelPut.model_validate(data.model_dump(include={"color"} & data.model_fields_set))
            found = labels.look_up(data.name)
            if found is None:
                is_taken = bool(labels.unit.read(label_queries.NAME_OF, label__id=data.id))
                labels.make(data.name, color, self.new_id() if is_taken else data.id)
                return Fate.CREATED
            if rules.edited(found, color) == found:
                return Fate.UNCHANGED
            if only_adds:
                raise PreconditionRequired
            labels.change(found, color)
            return Fate.UPDATED

    @repeatable
    def update(self, name: str, data: LabelUpdate) -> RowDocument:
        """Rename a label on all its tasks, or change its colour; raises LabelNotFound, LabelExists.

        Raises ValidationFailed if a label that is sent back whole is another one.
        """
        with self._loaded(name, data.name or name) as labels:
            label = labels.named(name)
            rules.refuse_another(data, name, label)
            return labels.change(label, data)

    @repeatable
    def delete(self, name: str) -> None:
        """Take a label off all its tasks, and remove it; raises LabelNotFound."""
        with self._loaded(name) as labels:
            labels.take_off(labels.named(name))

    @contextmanager
    def _loaded(self, *names: str) -> Iterator[_Loaded]:
        keys = sorted({key_of_label(name) for name in names})
        with unit_of_work(self.sessions, self.user_id, joined=self.unit) as unit:
            yield _Loaded(label_queries.LABELS, unit, unit.load(label_queries.NAMED, label_keys=keys))
